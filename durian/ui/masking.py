"""Editing of one item's mask: start, clicks, strokes, import, and every step undoable."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from durian import masks
from durian.errors import InvalidRequest
from durian.prepare import MOST_CLICK_WORK, MOST_CLICKS, click_work
from durian.request import AttributeName

STEPS_KEPT = 40
"""Undo goes back this far (taste); a step of a 12-megapixel mask took 73 kB when measured."""
BYTES_KEPT = 8_000_000
"""Of an item's steps together: undo goes back less far where masks are of noise, which cannot be packed."""
SMALLEST_RADIUS = 0.5
LARGEST_RADIUS = 0.25
"""Of the brush, in the picture's longer side; the page's largest is a tenth on a large screen."""
THINNING = 0.1
"""Distance in radii below which a stroke's next point is left out: the edge moves by a thousandth of a radius."""
MOST_COVERED = 100
"""Areas of the picture that one stroke may draw over; the longest on 12 megapixels took 0.6 s when measured."""
LARGEST_STROKE = 5000
"""Points of one stroke; a pointer sends about 100 a second."""


@dataclass(frozen=True)
class Step:
    """The mask after one edit. ``clicks`` are all numbered dots; those from ``first_click`` on refine ``base``."""

    name: AttributeName
    packed: bytes
    shape: tuple[int, int]
    clicks: tuple[tuple[float, float, bool], ...] = ()
    first_click: int = 0
    base: bytes | None = None

    def mask(self) -> np.ndarray:
        return _unpack(self.packed, self.shape)

    def base_mask(self) -> np.ndarray | None:
        return None if self.base is None else _unpack(self.base, self.shape)


@dataclass
class MaskHistory:
    """The steps of one item's mask. ``image`` is the reference, ``(H, W, 3) uint8``; masks are of its size."""

    image: np.ndarray
    steps: list[Step] = field(default_factory=list)
    position: int = 0
    _unpacked: tuple[Step, np.ndarray] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.steps:
            self.steps.append(Step("other", _pack(np.zeros(self.image.shape[:2], np.uint8)), self.image.shape[:2]))

    @property
    def step(self) -> Step:
        return self.steps[self.position]

    @property
    def mask(self) -> np.ndarray:
        """The current mask; the same array object until the next edit, so that renderers can keep what they know."""
        if self._unpacked is None or self._unpacked[0] is not self.step:
            self._unpacked = (self.step, self.step.mask())
        return self._unpacked[1]

    @property
    def can(self) -> list[str]:
        """Those of undo, redo and clear that would do something now."""
        possible = {"undo": self.position > 0, "redo": self.position < len(self.steps) - 1}
        possible["clear"] = bool(self.step.clicks) or bool(self.mask.any())
        return [name for name, yes in possible.items() if yes]

    def undo(self) -> None:
        self.position = max(0, self.position - 1)

    def redo(self) -> None:
        self.position = min(len(self.steps) - 1, self.position + 1)

    def clear(self) -> None:
        self._push(Step(self.step.name, _pack(np.zeros(self.image.shape[:2], np.uint8)), self.image.shape[:2]))

    def start(self, name: AttributeName, mask: np.ndarray, clicks: tuple[tuple[float, float, bool], ...] = ()) -> None:
        """A named start, an import or a restored mask; ``clicks`` are dots that led to it, shown again."""
        masks.check_size(mask, self.image)
        packed = _pack(mask)
        self._push(Step(name, packed, mask.shape, clicks, len(clicks), packed))

    def rename(self, name: AttributeName) -> None:
        """Say what the item is, keeping its mask."""
        self._push(replace(self.step, name=name))

    def click(self, segmenter, x: float, y: float, positive: bool) -> None:
        """Add a click, ``(x, y)`` in pixels of the upright reference, and segment anew.

        Raises:
            InvalidRequest: the click lies outside the picture, or there are too many.
        """
        height, width = self.image.shape[:2]
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise InvalidRequest(
                f"The click at {x:.0f}, {y:.0f} lies outside the {width}×{height} picture: click inside it."
            )
        step = self.step
        clicks = (*step.clicks, (float(x), float(y), bool(positive)))
        recent = clicks[step.first_click :]
        # All of them are followed anew.
        if click_work(len(recent), height * width / 1e6) > MOST_CLICK_WORK or len(clicks) > MOST_CLICKS:
            raise InvalidRequest(f"The mask has {len(clicks) - 1} clicks already: clear it, or paint the rest.")
        segmenter.set_image(self.image)
        mask = segmenter.predict(
            np.array([(cx, cy) for cx, cy, _ in recent], np.float32),
            np.array([int(add) for *_, add in recent], np.int32),
            start=step.base_mask(),
        )
        self._push(replace(step, packed=_pack(mask), clicks=clicks))

    def stroke(self, points: list[tuple[float, float]], radius: float, paint: bool) -> None:
        """Paint or rub out along ``points`` with a round brush of ``radius`` pixels of the reference.

        Raises:
            InvalidRequest: the stroke is so long and wide that drawing it would take minutes.
        """
        if not points:
            return
        height, width = self.image.shape[:2]
        radius = float(np.clip(radius, SMALLEST_RADIUS, LARGEST_RADIUS * max(height, width)))
        path = _thinned(np.array(points[:LARGEST_STROKE], np.float64), radius)
        covered = (np.linalg.norm(np.diff(path, axis=0), axis=1) + 2 * radius).sum() * 2 * radius
        if covered > MOST_COVERED * height * width:
            raise InvalidRequest("The stroke goes over the picture a hundred times: paint a shorter one.")
        mask = _brush(self.mask, path, radius, paint)
        packed = _pack(mask)
        # What was painted stays painted: later clicks start from it.
        self._push(replace(self.step, packed=packed, base=packed, first_click=len(self.step.clicks)))

    def _push(self, step: Step) -> None:
        del self.steps[self.position + 1 :]
        self.steps.append(step)
        del self.steps[: max(0, len(self.steps) - STEPS_KEPT)]
        while len(self.steps) > 1 and self._bytes() > BYTES_KEPT:
            del self.steps[0]
        self.position = len(self.steps) - 1

    def _bytes(self) -> int:
        """Of all masks that are kept; steps may share one."""
        kept = {id(mask): mask for step in self.steps for mask in (step.packed, step.base) if mask is not None}
        return sum(map(len, kept.values()))


def _thinned(points: np.ndarray, radius: float) -> np.ndarray:
    """The stroke without points that lie so near the one before that the round brush hides them."""
    kept = [points[0]]
    for point in points[1:-1]:
        if np.hypot(*(point - kept[-1])) >= THINNING * radius:
            kept.append(point)
    return np.array([*kept, points[-1]] if len(points) > 1 else kept)


def _brush(mask: np.ndarray, points: np.ndarray, radius: float, paint: bool) -> np.ndarray:
    # Four bits of sub-pixel position give the stroke an anti-aliased edge in the right place.
    shift = 4
    layer = np.zeros_like(mask)
    fixed = np.rint(points * (1 << shift)).astype(np.int32)
    thickness = max(1, round(2 * radius))
    if len(fixed) > 1:
        cv2.polylines(layer, [fixed], False, 255, thickness, cv2.LINE_AA, shift)
    for end in (fixed[0], fixed[-1]):
        cv2.circle(layer, tuple(int(v) for v in end), round(radius * (1 << shift)), 255, -1, cv2.LINE_AA, shift)
    return np.maximum(mask, layer) if paint else np.minimum(mask, 255 - layer)


def _pack(mask: np.ndarray) -> bytes:
    return zlib.compress(np.ascontiguousarray(mask).data, level=1)


def _unpack(packed: bytes, shape: tuple[int, int]) -> np.ndarray:
    return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape).copy()

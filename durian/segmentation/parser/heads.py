"""Parses one head of one picture: shares of every class in two windows, and masks of items in the picture's size."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path

import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.segmentation.edges import follow_edges
from durian.segmentation.parser.beards import certainty, whole_beard
from durian.segmentation.parser.classes import BACKGROUND, BEARD, HAIR, HAT, ITEMS
from durian.segmentation.parser.from_afar import mended_from_afar
from durian.segmentation.parser.islands import without_islands, without_unseen
from durian.segmentation.parser.over_mouth import without_cover
from durian.segmentation.parser.own_colours import by_own_colours
from durian.segmentation.parser.window import HeadWindow, draw_face, head_unit
from durian.segmentation.person import person_mask

HEAD_SIDE, HEAD_UNIT, HEAD_PLACE = 512, 0.11, (0.5, 0.43)
"""Pixels of the window around the head with all its hair, smallest distance of the outer eye corners in it as a share
of its side, and where the middle between the eyes then is."""
SEARCH_SIDE, CLOSEST, ROOM = 256, 0.2, 1.2
"""The head's window is first seen at so few pixels, then closer, up to that distance of the eye corners, so that it
just has room for what was found, times this."""
HANGING = (HAIR, HAT, BEARD)
"""What may reach beyond a face."""
FACE_SIDE, FACE_UNIT, FACE_PLACE = 320, 0.29, (0.5, 0.42)
"""The same of the window around the face, for what is small."""
LARGE = (HAIR, HAT)
"""Items that are looked for around the head; the others around the face, and around the head where that ends."""
NEAR = 1.8
"""Distance from between the eyes, in distances of the outer eye corners, within which an item begins: what is nowhere
so near is something else that looks like it."""
FRINGE = 0.13
"""Distance from an item, in distances of the outer eye corners, within which it may be faint."""
WORN_FROM = {"glasses": 0.2, "hat": 0.6, "beard": 0.15}
"""Area, in squares of the distance of the outer eye corners, from which on something is worn."""
NAMED_FROM = {"glasses": 0.06, "hat": 0.3, "beard": 0.06, "hair": 0.2}
"""The same where somebody says that it is worn, of beards when they are made whole; less hair than this is a bald
head's."""
HAT_SHARE, SURE_OF_HAT = 0.24, 0.84
"""What a hat has, or it is hair: its share of all that is on the head, and the mean certainty of its pixels. Of 196
real portraits with drawn masks (train and validation) that parts 23 of 24 hats from all other heads."""
MAY_BE = (0.3, 0.7)
"""Shares from which on a pixel may belong to an item, and surely does."""
THREADS, LEAST_ISLAND = {HAIR: 0.02, HAT: 0.02}, {HAIR: 0.04, HAT: 0.15}
"""Half the width, in distances of the outer eye corners, of what does not hold a part of hair or of a hat, and the
least area of such a part, as a share of the largest one's."""
LEAST_LEFT = 1e-6
"""Share of a hat that nobody wears that is hair below the eyes too, so that shares add up where it was all there is."""
LEAST_SEEN = (0.77, 0.3)
"""The network's own mean share in a separate part of an item from which on it is one, and its area, as a share of the
largest part's, from which on it always is. Of separate parts of hair on validation this drops two of three that
were none and none that was some; of 27 on train, which the network knows, three that were some."""
SEAM = 0.08
"""Width of the blend at the face window's edge, as a share of its side."""
SHARPEN = 2.0
"""Contrast of the masks' edges: the network is unsure over a few pixels where a photo's edge has one."""
EDGE = 0.03
"""Radius of the filter that draws masks to the picture's edges, in distances of the outer eye corners."""

_cache = ContentCache(entries=8)


def parsed_head(image: np.ndarray, landmarks: np.ndarray, weights: Path) -> ParsedHead:
    """The head of one face, shared by everybody who looks at the same picture."""
    return _cache.get(image, lambda picture: ParsedHead(picture, landmarks, weights), key=_key(landmarks, weights))


def known_head(image: np.ndarray, landmarks: np.ndarray, weights: Path) -> ParsedHead | None:
    """The same if somebody asked for it lately, else ``None``."""
    return _cache.known(image, _key(landmarks, weights))


def _key(landmarks: np.ndarray, weights: Path) -> str:
    return content_hash(landmarks) + str(weights)


class ParsedHead:
    """What the parser sees of one face; each part is worked out when first asked for.

    Args:
        image: ``(H, W, 3) uint8`` RGB.
        landmarks: ``(478, 2 or 3)`` pixels of it.
        weights: the parser's file.
    """

    def __init__(self, image: np.ndarray, landmarks: np.ndarray, weights: Path) -> None:
        self.image, self.landmarks, self.weights = image, np.asarray(landmarks, np.float64)[:, :2], weights
        self.unit = head_unit(self.landmarks)
        self._masks: dict[str, np.ndarray] = {}
        self._certainties: dict[str, float] = {}
        self._lock = threading.RLock()

    @cached_property
    def head(self) -> tuple[HeadWindow, np.ndarray]:
        """The window around the head and what is on it, and shares ``(side, side, 9) float32`` in it; nothing is a hat
        where nobody wears one."""
        if self.is_worn("hat"):
            return self._head_with_hat
        window, shares = self._believed_head
        return window, self._by_own_colours(window, shares)

    @cached_property
    def face(self) -> tuple[HeadWindow, np.ndarray]:
        """The same around the face."""
        window, shares = self._seen_face
        shares = shares if self.is_worn("hat") else self._without_hat(window, shares)
        return window, self._by_own_colours(window, shares)

    @cached_property
    def _head_with_hat(self) -> tuple[HeadWindow, np.ndarray]:
        """As :attr:`head`, for somebody who says that a hat is worn."""
        window, shares = self._seen_with_hat
        return window, self._by_own_colours(window, shares)

    @cached_property
    def _seen_from_afar(self) -> tuple[HeadWindow, np.ndarray]:
        """The window in which the head is searched with the network's own shares."""
        return self._parse(SEARCH_SIDE, HEAD_UNIT, HEAD_PLACE)

    @cached_property
    def _seen_head(self) -> tuple[HeadWindow, np.ndarray]:
        """The window around the head with the network's own shares."""
        window, shares = self._seen_from_afar
        return self._parse(HEAD_SIDE, *self._closer(window, self._by_own_colours(window, shares)))

    @cached_property
    def _seen_with_hat(self) -> tuple[HeadWindow, np.ndarray]:
        """The same of a head that wears a hat, which is seen from afar too."""
        window, close = self._seen_head
        afar, shares = self._seen_from_afar
        far = afar.put_into(window, shares)
        hats = self._near(window, close[..., HAT]), self._near(window, far[..., HAT])
        picture, points = window.take(self.image), window.points(self.landmarks)
        return window, mended_from_afar(picture, close, far, hats, points, window.scale * self.unit)

    @cached_property
    def _believed_head(self) -> tuple[HeadWindow, np.ndarray]:
        """The same with a hat if one is worn, else without any."""
        if self.is_worn("hat"):
            return self._seen_with_hat
        window, shares = self._seen_head
        return window, self._without_hat(window, shares)

    @cached_property
    def _seen_face(self) -> tuple[HeadWindow, np.ndarray]:
        return self._parse(FACE_SIDE, FACE_UNIT, FACE_PLACE)

    def _parse(self, side: int, unit: float, place: tuple[float, float]) -> tuple[HeadWindow, np.ndarray]:
        from durian.segmentation.parser.running import parse

        window = HeadWindow.around(self.landmarks, side, side * unit, place)
        shares = parse(self.weights, window_inputs(self.image, self.landmarks, window))
        # Beyond the picture the network is shown the picture's mirror image: there is nobody.
        shares[~self._inside(window)] = np.eye(shares.shape[-1], dtype=np.float32)[BACKGROUND]
        return window, shares

    def _inside(self, window: HeadWindow) -> np.ndarray:
        """Where a window shows the picture, ``(side, side) bool``."""
        import cv2

        return window.take(np.full(self.image.shape[:2], 255, np.uint8), cv2.BORDER_CONSTANT) > 127

    def _by_own_colours(self, window: HeadWindow, shares: np.ndarray) -> np.ndarray:
        eyes = window.points(self.landmarks[[33, 263]]).mean(axis=0)
        return by_own_colours(window.take(self.image), self._inside(window), shares, eyes, window.scale * self.unit)

    def _closer(self, window: HeadWindow, shares: np.ndarray) -> tuple[float, tuple[float, float]]:
        """Distance of the eye corners and place of the eyes, as of :data:`HEAD_UNIT`, in a window that just holds the
        face, and hair, hat and beard as found in ``window``."""
        found = self._near(window, shares[..., HANGING].sum(axis=-1)) > 0.5
        rows, columns = np.nonzero(found)
        face = window.points(self.landmarks)
        places = np.concatenate([face, np.stack([columns, rows], axis=1)])
        low, high = places.min(axis=0), places.max(axis=0)
        extent = ROOM * float((high - low).max()) / window.side
        if extent * CLOSEST < HEAD_UNIT:
            extent = HEAD_UNIT / CLOSEST
        if extent >= 1:
            return HEAD_UNIT, HEAD_PLACE
        eyes = window.points(self.landmarks[[33, 263]]).mean(axis=0)
        x, y = 0.5 + (eyes - (low + high) / 2) / (extent * window.side)
        return HEAD_UNIT / extent, (float(x), float(y))

    def area(self, name: str) -> float:
        """How much of an item there is: area of its likely pixels, in squares of the distance of the outer eye
        corners."""
        number = ITEMS[name]
        window, shares = (self._seen_head if number == HAT else self.head) if number in LARGE else self.face
        return self._area(window, self._near(window, shares[..., number]))

    def _area(self, window: HeadWindow, share: np.ndarray) -> float:
        return float((share > 0.5).sum() / (window.scale * self.unit) ** 2)

    def is_seen(self, name: str) -> bool:
        """Whether there is enough of an item for its mask to be of use to somebody who says that it is worn.

        This looks harder than :meth:`is_worn`; lips are taken for granted.
        """
        if name == "hair":
            return self._area(self.head[0], self._head_share(HAIR)) > NAMED_FROM[name]
        if name == "beard":
            window, shares = self.face
            whole = self._whole_beard(window, self._near(window, shares[..., BEARD]))
            return self._area(window, whole) > NAMED_FROM[name]
        if name == "hat":
            enough = self._is_hat and self.area(name) > NAMED_FROM[name]
            return enough and self._area(self._seen_head[0], self._head_share(HAT)) > NAMED_FROM[name]
        return name not in NAMED_FROM or self.area(name) > NAMED_FROM[name]

    def is_worn(self, name: str) -> bool:
        """Whether a face wears an item, as far as one would bet on it."""
        enough = name not in WORN_FROM or self.area(name) > WORN_FROM[name]
        return enough and (name != "hat" or self._is_hat)

    def certainty(self, name: str) -> float:
        """How sure the network is of an item's outline, in [0, 1].

        That is the part of what may be it that surely is, and of hair and hats, which hang together, the largest piece
        of that.
        """
        if name not in self._certainties:
            self._certainties[name] = self._certainty(ITEMS[name])
        return self._certainties[name]

    def _certainty(self, number: int) -> float:
        import cv2

        window, shares = self._believed_head if number in LARGE else self._seen_face
        share = self._near(window, shares[..., number])
        if number in THREADS:
            share = without_islands(share, THREADS[number] * window.scale * self.unit, LEAST_ISLAND[number])
        if number == BEARD:
            share = self._whole_beard(window, share)
        may_be, surely = (float((share > limit).sum()) for limit in MAY_BE)
        if number not in LARGE or not may_be:
            return surely / max(may_be, 1.0)
        _, _, pieces, _ = cv2.connectedComponentsWithStats((share > 0.5).astype(np.uint8))
        areas = pieces[1:, cv2.CC_STAT_AREA]
        return surely / may_be * float(areas.max(initial=0) / max(areas.sum(), 1))

    @cached_property
    def _sure_of_beard(self) -> float:
        window, shares = self.face
        return certainty(self._near(window, shares[..., BEARD]))

    def _whole_beard(self, window: HeadWindow, share: np.ndarray) -> np.ndarray:
        return whole_beard(share, window.points(self.landmarks), window.scale * self.unit, self._sure_of_beard)

    @cached_property
    def _is_hat(self) -> bool:
        """Whether what looks like a hat is one, and not hair that shines or is put up."""
        window, shares = self._seen_head
        hat, hair = self._near(window, shares[..., HAT]), shares[..., HAIR]
        covered, likely = hat + hair > 0.5, hat > 0.5
        if not likely.any():
            return False
        share = hat[covered].sum() / (hat + hair)[covered].sum()
        return bool(share >= HAT_SHARE and hat[likely].mean() >= SURE_OF_HAT)

    def mask(self, name: str) -> np.ndarray:
        """An item's mask, ``(H, W) uint8``; do not write into it."""
        with self._lock:
            if name not in self._masks:
                self._masks[name] = self._mask(ITEMS[name])
            return self._masks[name]

    def shares(self, classes: tuple[int, ...]) -> np.ndarray:
        """Shares of classes as the network sees them, ``(H, W, K) uint8``, 255 for all; all 0 outside the head's
        window."""
        window, shares = self.head
        box = left, top, right, bottom = window.bounds(self.image.shape)
        found = np.zeros((*self.image.shape[:2], len(classes)), np.uint8)
        if right > left and bottom > top:
            found[top:bottom, left:right] = np.rint(255 * np.clip(window.put(shares[..., classes], box), 0, 1))
        return found

    def has_found(self, name: str, mask: np.ndarray) -> bool:
        """Whether somebody got exactly this mask here by the item's name."""
        return name in self._masks and np.array_equal(self._masks[name], mask)

    def _mask(self, number: int) -> np.ndarray:
        window, _ = self.head
        box = left, top, right, bottom = window.bounds(self.image.shape)
        mask = np.zeros(self.image.shape[:2], np.uint8)
        if right == left or bottom == top:
            return mask
        share = self._head_share(number)
        share = window.put(self._whole_beard(window, share) if number == BEARD else share, box)
        if number not in LARGE:
            window, shares = self.face
            near = shares[..., number]
            near = self._whole_beard(window, self._near(window, near)) if number == BEARD else near
            near = window.put(np.dstack([near, _fading(window.side)]), box)
            share = share * (1 - near[..., 1]) + near[..., 0] * near[..., 1]
        mask[top:bottom, left:right] = to_mask(self.image[top:bottom, left:right], share, EDGE * self.unit)
        return mask

    def _head_share(self, number: int) -> np.ndarray:
        """The share of an item in the head's window, ``(side, side) float32``."""
        window, shares = self._head_with_hat if number == HAT else self.head
        _, seen = self._seen_with_hat if number == HAT else self._believed_head
        share = shares[..., number]
        if number == HAT:
            points, unit = window.points(self.landmarks), window.scale * self.unit
            share = without_cover(window.take(self.image), share, points, unit)
        share = without_unseen(self._near(window, share), seen[..., number], *LEAST_SEEN)
        if number in THREADS:
            share = without_islands(share, THREADS[number] * window.scale * self.unit, LEAST_ISLAND[number])
        return share

    def _without_hat(self, window: HeadWindow, shares: np.ndarray) -> np.ndarray:
        """Shares where nobody wears a hat, ``(side, side, 9) float32``: above the eyes all that looks like one is hair,
        and below, where it may be clothes, each class gets as much of it as it has of the rest."""
        eyes = window.points(self.landmarks[[33, 263]]).mean(axis=0)
        above = np.arange(window.side)[:, None] < eyes[1]
        left = shares.copy()
        left[..., HAIR] += shares[..., HAT] * np.where(above, 1, LEAST_LEFT).astype(np.float32)
        left[..., HAT] = 0
        return left / left.sum(axis=-1, keepdims=True)

    def _near(self, window: HeadWindow, share: np.ndarray) -> np.ndarray:
        """The share of an item without what does not begin near the face."""
        import cv2

        eyes = window.points(self.landmarks[[33, 263]]).mean(axis=0)
        rows, columns = np.mgrid[: window.side, : window.side]
        near = np.hypot(columns - eyes[0], rows - eyes[1]) < NEAR * window.scale * self.unit
        _, parts = cv2.connectedComponents((share > 0.3).astype(np.uint8), connectivity=8)
        kept = np.isin(parts, np.unique(parts[near & (parts > 0)])).astype(np.uint8)
        reach = np.ones((2 * round(FRINGE * window.scale * self.unit) + 1,) * 2, np.uint8)
        return np.where((cv2.dilate(kept, reach) > 0) & ((parts == 0) | (kept > 0)), share, np.float32(0))


def window_inputs(image: np.ndarray, landmarks: np.ndarray | None, window: HeadWindow) -> np.ndarray:
    """What the network is given, ``(5, side, side) float32``.

    Args:
        image: ``(H, W, 3) uint8``.
        landmarks: ``(478, 2)`` pixels of it; ``None`` if there is no face.
        window: where to look.
    """
    from durian.segmentation.parser.network import FACE, INPUTS, PERSON, PICTURE

    inputs = np.zeros((INPUTS, window.side, window.side), np.float32)
    inputs[PICTURE] = window.take(image).transpose(2, 0, 1) / np.float32(255)
    inputs[PERSON] = window.take(person_mask(image)) / np.float32(255)
    if landmarks is not None:
        inputs[FACE] = draw_face(window.points(landmarks), window.side) / np.float32(255)
    return inputs


def to_mask(image: np.ndarray, share: np.ndarray, radius: float) -> np.ndarray:
    """Shares ``(H, W) float32`` as a mask ``uint8``, its edge drawn to the picture's within ``radius`` pixels."""
    sure = np.clip((share - 0.5) * SHARPEN + 0.5, 0, 1)
    rows, columns = np.nonzero(sure > 0.02)
    mask = np.zeros(share.shape, np.uint8)
    if not len(rows):
        return mask
    margin, whole = int(3 * radius) + 2, max(2, round(radius))
    area = tuple(
        slice(max(0, int(places.min()) - margin), int(places.max()) + margin + 1) for places in (rows, columns)
    )
    part = follow_edges(np.ascontiguousarray(image[area]), sure[area].astype(np.float32), whole)
    mask[area] = np.rint(255 * part)
    return mask


def _fading(side: int) -> np.ndarray:
    """``(side, side) float32``: 1 inside a window, 0 at its edge."""
    from_edge = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / (SEAM * side)
    ramp = np.clip(from_edge, 0, 1).astype(np.float32)
    return np.minimum(ramp[:, None], ramp[None])

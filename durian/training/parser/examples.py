"""Examples of the parser's training: a random window around a photo's head, augmented, with or without clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from durian.segmentation.parser.classes import BACKGROUND, GLASSES, HAT, LAYERED, SKIN
from durian.segmentation.parser.clicked import draw_clicks
from durian.segmentation.parser.network import FACE, INPUTS, PERSON, PICTURE
from durian.segmentation.parser.window import HeadWindow, draw_face, head_unit
from durian.training.parser.augmentation import dress_anew, occlude, photograph
from durian.training.parser.clicking import damaged, simulate
from durian.training.parser.photos import Photos

IGNORED = 255
"""Value of ``classes`` outside of the photo."""
UNITS = (0.09, 0.42)
"""Distance of the outer eye corners in the window, as a share of its side: from a head with all its hair to a face."""
BEYOND = 1.4
"""Largest side of a window relative to its photo's: little is learned where there is no photo."""
PLACE, SPREAD, TURN = (0.5, 0.45), 0.1, 0.2
"""Where the eyes come in the window, by how much that varies, and by how much the head leans (radians)."""
KEPT = {GLASSES: 0.5, HAT: 0.8}
"""Share of the photos with such a thing that are used."""
LANDMARK_NOISE = 0.03
"""Spread of misplaced landmarks, in distances of the outer eye corners: of all together, and a third of it of each."""
NO_DRAWING, NO_PERSON = 0.06, 0.35
"""How often the network is not told where the face or the person is; the matte is then 0.5 throughout."""
LEAST_AREA = 0.0008
"""Share of the window that an item must cover to be clicked."""


@dataclass(frozen=True)
class Example:
    """``inputs (5, S, S) float32``; ``classes``, ``share (S, S) uint8`` as in :class:`Photos`, ``classes`` being
    :data:`IGNORED` outside of the photo; ``hidden (S, S) bool`` where something is in front of the person."""

    inputs: np.ndarray
    classes: np.ndarray
    share: np.ndarray
    hidden: np.ndarray

    def mirrored(self) -> Example:
        """Left and right exchanged."""
        return Example(*(getattr(self, part.name)[..., ::-1].copy() for part in fields(self)))


@dataclass(frozen=True)
class Clicks:
    """``drawn (2, S, S) float32`` discs at included and excluded clicks, ``before (S, S) float32`` the mask so far, and
    ``clicked (S, S) float32`` the one that is meant; all in [0, 1]."""

    drawn: np.ndarray
    before: np.ndarray
    clicked: np.ndarray


def make_clicks(example: Example, rng: np.random.Generator) -> Clicks | None:
    """Clicks on something in an example; ``None`` if nothing in it is large enough."""
    chosen = _chosen(example.classes, example.share, example.hidden, rng)
    if chosen is None:
        return None
    mask, others = chosen
    before = damaged(mask > 0.5, others, rng)
    clicks, labels = simulate(mask > 0.5, before, rng)
    return Clicks(draw_clicks(clicks, labels, len(mask)), before.astype(np.float32), mask)


def make_example(photos: Photos, index: int, other: np.ndarray, side: int, rng: np.random.Generator) -> Example:
    """One photo as the network sees it.

    Args:
        photos: where it is from.
        index: its number.
        other: ``(S, S, 3) uint8`` another photo, for its colours.
        side: pixels of the window.
        rng: where chance comes from.
    """
    window, points = _window(photos, index, side, rng)
    inputs = np.zeros((INPUTS, side, side), np.float32)
    picture = window.take(np.ascontiguousarray(photos.rgb[index])).astype(np.float32) / 255
    classes, share = _labels(photos, index, window)
    inside = np.where(classes == IGNORED, np.uint8(16 * SKIN + BACKGROUND), classes)  # nobody recolours skin
    other = cv2.resize(other, (side, side)).astype(np.float32) / 255
    picture = dress_anew(picture, inside, share, other, rng)
    picture, covered, share, hidden = occlude(picture, inside, share, other, rng)
    classes = np.where(classes == IGNORED, np.uint8(IGNORED), covered)
    picture = photograph(picture, rng)

    inputs[PICTURE] = picture.transpose(2, 0, 1)
    if points is not None and rng.random() >= NO_DRAWING:
        inputs[FACE] = draw_face(points, side) / np.float32(255)
    inputs[PERSON] = 0.5 if rng.random() < NO_PERSON else window.take(np.ascontiguousarray(photos.person[index])) / 255
    example = Example(inputs, classes, share, hidden)
    return example.mirrored() if rng.random() < 0.5 else example


def _is_kept(photos: Photos, index: int, rng: np.random.Generator) -> bool:
    """Photos show more glasses and hats than people wear; some are passed over, so that the network does not expect
    them."""
    present = np.unique(photos.classes[index] // 16)
    return all(rng.random() < KEPT[number] for number in KEPT if number in present)


def _window(photos: Photos, index: int, side: int, rng: np.random.Generator) -> tuple[HeadWindow, np.ndarray | None]:
    """A window, and landmarks in it if a face was found."""
    middle = tuple(np.array(PLACE) + rng.normal(0, SPREAD, 2))
    turn = float(rng.normal(0, TURN))
    landmarks, chance = np.array(photos.landmarks[index]), rng.random()
    if np.isnan(landmarks).any():
        size = photos.rgb.shape[1]
        scale = side / size * float(rng.uniform(0.9, 2.0))
        place = (size - 1) / 2 + rng.normal(0, 0.08 * size, 2)
        matrix = cv2.getRotationMatrix2D(tuple(place), float(np.degrees(turn)), scale)
        matrix[:, 2] += (side - 1) / 2 - place
        return HeadWindow(matrix, side), None
    least = np.clip(head_unit(landmarks) / photos.rgb.shape[1] / BEYOND, *UNITS)
    unit = side * float(least * (UNITS[1] / least) ** chance)
    window = HeadWindow.around(landmarks, side, unit, middle, turn)
    points = window.points(landmarks)
    points += unit * LANDMARK_NOISE * (rng.normal(size=2) + rng.normal(size=points.shape) / 3)
    return window, points


def _labels(photos: Photos, index: int, window: HeadWindow) -> tuple[np.ndarray, np.ndarray]:
    """Classes and shares in the window; taken from the nearest pixel, for classes have no mean."""
    both = np.dstack([photos.classes[index], photos.share[index]])
    size = (window.side, window.side)
    border = (IGNORED, IGNORED, IGNORED, IGNORED)
    taken = cv2.warpAffine(both, window.matrix, size, flags=cv2.INTER_NEAREST, borderValue=border)
    return taken[..., 0].copy(), taken[..., 1].copy()


def _chosen(
    classes: np.ndarray, share: np.ndarray, hidden: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]] | None:
    """Something to click, as a soft mask, and what else there is; ``None`` if nothing is large enough."""
    first, part = classes // 16, share.astype(np.float32) / 255
    masks = [
        np.where(first == number, part, np.where(classes % 16 == number, 1 - part, 0)) * (classes != IGNORED)
        for number in LAYERED
    ]
    masks.append((hidden & (classes != IGNORED)).astype(np.float32))
    masks = [mask for mask in masks if (mask > 0.5).mean() > LEAST_AREA]
    if not masks:
        return None
    number = int(rng.integers(len(masks)))
    return masks[number].astype(np.float32), [mask > 0.5 for k, mask in enumerate(masks) if k != number]


class Examples(Dataset):
    """Endlessly many examples; number n depends on photos, key and n only.

    Args:
        shards: rendered photos.
        side: pixels of an example.
        key: where chance comes from, with an example's number.
        real: real portraits, if there are any.
        real_share: how many of the examples are of them.
        clicked: whether examples are of clicks, ``inputs``, ``drawn``, ``before`` and ``clicked``, rather than of
            classes, ``inputs``, ``classes`` and ``share``.
    """

    def __init__(
        self,
        shards: Sequence[Photos],
        side: int,
        key: Sequence[int],
        real: Photos | None = None,
        real_share: float = 0.0,
        clicked: bool = False,
    ) -> None:
        self._clicked = clicked
        self._shards, self._side, self._key = shards, side, key
        self._real, self._real_share = real, real_share if real is not None else 0.0

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([*self._key, number])
        while True:
            photos, others = (self._shards[int(rng.integers(len(self._shards)))] for _ in range(2))
            other = np.ascontiguousarray(others.rgb[rng.integers(len(others))])
            index = int(rng.integers(len(photos)))
            wants_real = rng.random() < self._real_share
            if self._real is not None and wants_real:
                photos, index = self._real, int(rng.integers(len(self._real)))
            elif not _is_kept(photos, index, rng):
                continue
            made = make_example(photos, index, other, self._side, rng)
            parts = {"inputs": made.inputs, "classes": made.classes, "share": made.share}
            if self._clicked:
                clicks = make_clicks(made, rng)
                if clicks is None:
                    continue
                parts = {"inputs": made.inputs, **vars(clicks)}
            return {name: torch.from_numpy(part) for name, part in parts.items()}

"""Augmentation of the parser's examples: colours, clothes, occluders, camera faults.

All pictures are ``float32`` in [0, 1] here, ``(S, S, 3)``; classes and shares as in
:class:`durian.training.parser.photos.Photos`.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from durian.segmentation.parser.classes import BACKGROUND, BEARD, CLOTHES, GLASSES, HAIR, HAT, SKIN

RECOLOURED = {HAIR: 0.3, BEARD: 0.25, HAT: 0.4, CLOTHES: 0.4, GLASSES: 0.25, BACKGROUND: 0.3}
"""How often each class gets another colour."""
TEXTURED = {HAT: 0.2, CLOTHES: 0.25, HAIR: 0.06, BACKGROUND: 0.15}
"""How often it gets the look of a piece of another photo."""
WHITENED = {HAIR: 0.08, BEARD: 0.15}
"""How often it turns grey or white: the old have more beards than our casting gives them."""
HIDING = 0.2
"""How often a hat has the colour of the hair and hardly any contrast: felt, fur and towels."""
OTHER_BACKGROUND, OCCLUDER = 0.3, 0.25
LEAST_HAIR = 0.005
"""Share of the picture from which on hair has a colour."""
GREY = 0.12
"""Share of black and white photos."""

Picture = np.ndarray


def weight_of(number: int, classes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """How much of each pixel is of a class, ``float32``."""
    first, second = classes // 16 == number, classes % 16 == number
    part = share.astype(np.float32) / 255
    return np.where(first, part, 0) + np.where(second & (classes // 16 != number), 1 - part, 0)


def dress_anew(
    picture: Picture, classes: np.ndarray, share: np.ndarray, other: Picture, rng: np.random.Generator
) -> Picture:
    """Other colours, textures and backgrounds for parts of a picture; ``other`` is another one, for its looks."""
    if rng.random() < OTHER_BACKGROUND:
        picture = _blend(picture, _patch(other, rng, blurred=True), weight_of(BACKGROUND, classes, share))
    present = set(np.unique(classes // 16).tolist())
    for number in sorted(present):
        if rng.random() < RECOLOURED.get(number, 0):
            gain = np.exp(rng.normal(0, 0.45) + rng.normal(0, 0.3, 3)).astype(np.float32)
            lift = rng.uniform(0, 0.25) * rng.random(3).astype(np.float32)
            picture = _blend(picture, np.clip(picture * gain + lift, 0, 1), weight_of(number, classes, share))
        if rng.random() < TEXTURED.get(number, 0):
            light = cv2.GaussianBlur(picture.mean(axis=2), (0, 0), 3)[..., None] * 2
            texture = np.clip(_patch(other, rng) * (0.35 + light), 0, 1)
            picture = _blend(picture, texture, weight_of(number, classes, share) * rng.uniform(0.5, 1))
        if rng.random() < WHITENED.get(number, 0):
            grey = 1 - (1 - picture.mean(axis=2, keepdims=True)) * np.float32(rng.uniform(0.3, 0.85))
            picture = _blend(picture, grey, weight_of(number, classes, share) * rng.uniform(0.6, 1))
    if HAT in present and rng.random() < HIDING:
        picture = _hide_hat(picture, classes, share, other, rng)
    return picture


def _hide_hat(
    picture: Picture, classes: np.ndarray, share: np.ndarray, other: Picture, rng: np.random.Generator
) -> Picture:
    """The hat in the colour of the hair, or dark; now and then of the hair's texture or another picture's."""
    hat, hair = weight_of(HAT, classes, share), weight_of(HAIR, classes, share)
    if hair.sum() > LEAST_HAIR * hair.size and rng.random() < 0.8:
        colour = (picture * hair[..., None]).sum(axis=(0, 1)) / hair.sum()
    else:
        colour = rng.uniform(0.03, 0.2) + rng.normal(0, 0.01, 3)
    light = picture.mean(axis=2, keepdims=True)
    relative = light / max(float((light[..., 0] * hat).sum() / hat.sum()), 1e-3)
    if rng.random() < 0.4:
        fur = _patch(other, rng).mean(axis=2, keepdims=True)
        relative = relative * (0.5 + fur)
    dressed = np.clip(colour.astype(np.float32) * relative ** np.float32(rng.uniform(0.3, 1)), 0, 1)
    return _blend(picture, dressed, hat)


def occlude(
    picture: Picture, classes: np.ndarray, share: np.ndarray, other: Picture, rng: np.random.Generator
) -> tuple[Picture, np.ndarray, np.ndarray, np.ndarray]:
    """Something in front of the head, of another picture's colours: picture, classes, shares, where it is (``bool``).

    It counts as background: whatever it is, it is none of the items.
    """
    hidden = np.zeros(classes.shape, bool)
    if rng.random() >= OCCLUDER:
        return picture, classes, share, hidden
    cover = _shape(len(classes), rng)
    soft = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 0.8)
    texture = _patch(other, rng) if rng.random() < 0.7 else np.ones_like(picture) * rng.random(3).astype(np.float32)
    picture = _blend(picture, texture, soft)
    return picture, np.where(cover, np.uint8(16 * BACKGROUND + SKIN), classes), np.where(cover, 255, share), cover


def photograph(picture: Picture, rng: np.random.Generator) -> Picture:
    """Light, colours and a camera of some kind."""
    for chance, change in _CHANGES:
        if rng.random() < chance:
            picture = np.clip(change(picture, rng), 0, 1)
    return picture


def _blend(picture: Picture, other: Picture, weight: np.ndarray) -> Picture:
    return picture + weight[..., None].astype(np.float32) * (other - picture)


def _patch(other: Picture, rng: np.random.Generator, blurred: bool = False) -> Picture:
    """A piece of a picture, enlarged to its size, turned some way."""
    side = len(other)
    size = int(side * rng.uniform(0.15, 0.9))
    row, column = rng.integers(0, side - size + 1, 2)
    piece = other[row : row + size, column : column + size]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    piece = cv2.resize(np.ascontiguousarray(np.rot90(piece, int(rng.integers(4)))), (side, side))
    return cv2.GaussianBlur(piece, (0, 0), rng.uniform(0.5, 8)) if blurred else piece


def _shape(side: int, rng: np.random.Generator) -> np.ndarray:
    """A blob, a bar or a polygon, ``(side, side) bool``."""
    cover = np.zeros((side, side), np.uint8)
    place = tuple(int(value) for value in rng.uniform(0.05, 0.95, 2) * side)
    kind = rng.integers(3)
    if kind == 0:
        axes = tuple(int(value) for value in rng.uniform(0.03, 0.22, 2) * side)
        cv2.ellipse(cover, place, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    elif kind == 1:
        end = tuple(int(value) for value in rng.uniform(-0.2, 1.2, 2) * side)
        cv2.line(cover, place, end, 1, int(rng.uniform(0.02, 0.12) * side))
    else:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(4, 9)))
        radii = rng.uniform(0.03, 0.2, len(angles)) * side
        points = np.array(place) + np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
        cv2.fillPoly(cover, [points.astype(np.int32)], 1)
    return cover.astype(bool)


def _brightness(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture ** np.float32(np.exp(rng.normal(0, 0.35))) * np.float32(np.exp(rng.normal(0, 0.2)))


def _contrast(picture: Picture, rng: np.random.Generator) -> Picture:
    middle = picture.mean()
    return middle + (picture - middle) * np.float32(rng.uniform(0.55, 1.5))


def _tint(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)


def _saturation(picture: Picture, rng: np.random.Generator) -> Picture:
    grey = picture.mean(axis=2, keepdims=True)
    return grey + (picture - grey) * np.float32(rng.uniform(0.1, 1.8))


def _grey(picture: Picture, rng: np.random.Generator) -> Picture:
    grey = picture @ np.array([0.3, 0.59, 0.11], np.float32)
    return grey[..., None] * np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)


def _gradient(picture: Picture, rng: np.random.Generator) -> Picture:
    """Light that falls off across the picture."""
    side = len(picture)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    along = np.cos(angle) * x + np.sin(angle) * y
    return picture * np.exp(rng.uniform(-0.7, 0.7) * along)[..., None].astype(np.float32)


def _blur(picture: Picture, rng: np.random.Generator) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.2))


def _coarse(picture: Picture, rng: np.random.Generator) -> Picture:
    """Taken small and enlarged."""
    side = len(picture)
    small = max(24, int(side * rng.uniform(0.25, 0.7)))
    return cv2.resize(cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA), (side, side))


def _noise(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture + rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0.005, 0.06))


def _sharpen(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture + np.float32(rng.uniform(0.3, 1.2)) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))


def _jpeg(picture: Picture, rng: np.random.Generator) -> Picture:
    whole = (255 * np.clip(picture, 0, 1)).astype(np.uint8)
    coded = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR).astype(np.float32) / 255


_CHANGES: tuple[tuple[float, Callable[[Picture, np.random.Generator], Picture]], ...] = (
    (0.35, _gradient),
    (0.6, _brightness),
    (0.5, _contrast),
    (0.5, _tint),
    (0.5, _saturation),
    (GREY, _grey),
    (0.2, _blur),
    (0.2, _coarse),
    (0.2, _sharpen),
    (0.25, _noise),
    (0.25, _jpeg),
)
"""How often each change is made, in their order."""

"""Pictures for the attention figure: ours and two public photographs, in views that are turned, scaled and shifted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.assets import collins_path, example_attributes, example_portraits, hopper_path, load_example
from durian.face import default_crop, require_face
from durian.keypoints import draw_keypoints
from durian.media import read_image
from durian.settings import get_settings

SIZE, SOURCE = 64, 96
"""Pixels: of the model's pictures, and of those its views are cut from."""


@dataclass(frozen=True)
class Picture:
    """One photo around its face: ``pixels (SOURCE, SOURCE, 7) uint8``, colours, keypoint image and the item's mask."""

    name: str
    pixels: np.ndarray
    has_item: bool


@dataclass(frozen=True)
class View:
    """A picture turned, scaled and shifted: ``image``, ``keypoints (S, S, 3)`` and ``mask (S, S)`` uint8.

    ``matrix``: ``(2, 3)``, from the source's pixels to the view's.
    """

    image: np.ndarray
    keypoints: np.ndarray
    mask: np.ndarray
    matrix: np.ndarray


def pictures() -> list[Picture]:
    """Ours, all synthetic, and two photographs in the public domain that installed packages bring."""
    found = [prepared(one.key, *load_example(one.key)) for one in (*example_portraits(), *example_attributes())]
    hat = read_image(get_settings().assets / "hopper-hat-mask.png")[..., 0]
    return [*found, prepared("hopper", read_image(hopper_path()), hat), prepared("collins", read_image(collins_path()))]


def prepared(name: str, image: np.ndarray, mask: np.ndarray | None = None) -> Picture:
    face = require_face(image)
    crop = default_crop(face, image.shape)
    keypoints = draw_keypoints(crop.points(face.landmarks, SOURCE), SOURCE)
    item = np.zeros((SOURCE, SOURCE), np.uint8) if mask is None else crop.apply(mask, SOURCE)
    return Picture(name, np.dstack([crop.apply(image, SOURCE), keypoints, item]), mask is not None)


def view(pixels: np.ndarray, random: np.random.Generator, spread: float = 1.0) -> View:
    """A random view: up to 12 degrees turned, a fifth larger or smaller, an eighth shifted."""
    angle, scale = random.uniform(-12, 12) * spread, SIZE / SOURCE * 1.2 ** (random.uniform(-1, 1) * spread)
    matrix = cv2.getRotationMatrix2D((SOURCE / 2, SOURCE / 2), angle, scale)
    matrix[:, 2] += (SIZE - SOURCE) / 2 + random.uniform(-SIZE / 8, SIZE / 8, 2) * spread
    parts = [
        cv2.warpAffine(np.ascontiguousarray(part), matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=border)
        for part, border in zip(
            np.split(pixels, (3, 6), axis=2), (cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT, cv2.BORDER_CONSTANT)
        )
    ]
    return View(*parts, matrix)


def random_region(random: np.random.Generator) -> np.ndarray:
    """An ellipse somewhere, as the mask of an "attribute" that can be any part of a picture."""
    mask = np.zeros((SOURCE, SOURCE), np.uint8)
    centre = tuple(int(x) for x in random.uniform(0.2, 0.8, 2) * SOURCE)
    axes = tuple(int(x) for x in random.uniform(0.2, 0.5, 2) * SOURCE)
    return cv2.ellipse(mask, centre, axes, random.uniform(0, 180), 0, 360, 255, -1)


def recoloured(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Colours mixed, mirrored or not: so that pictures cannot be learned by heart, only looked up in the references."""
    mixing = np.eye(3) + random.normal(0, 0.35, (3, 3))
    colours = (pixels[..., :3].astype(np.float32) - 128) @ mixing.T + 128 + random.uniform(-50, 50, 3)
    pixels = np.dstack([colours.clip(0, 255).astype(np.uint8), pixels[..., 3:]])
    return pixels[:, ::-1] if random.random() < 0.5 else pixels


def sample_views(
    chosen: list[Picture], count: int, random: np.random.Generator, targets: int = 1
) -> list[tuple[View, ...]]:
    """Portrait, attribute and targets: views of one picture, ``count`` times."""
    triples = []
    for _ in range(count):
        picture = chosen[random.integers(len(chosen))]
        pixels = picture.pixels
        if not picture.has_item or random.random() < 0.5:
            pixels = np.dstack([pixels[..., :6], random_region(random)])
        pixels = recoloured(pixels, random)
        triples.append(tuple(view(pixels, random) for _ in range(2 + targets)))
    return triples


def moved(place: tuple[float, float], where: View) -> tuple[float, float]:
    """The place in a view of a place of its source."""
    x, y = where.matrix @ (*place, 1.0)
    return float(x) + 0.5, float(y) + 0.5  # pixel centres lie at integers, tokens are counted from the edge


def inside(place: tuple[float, float], where: View) -> bool:
    return all(0 <= x < SIZE for x in moved(place, where))


def without(one: View, hidden: np.ndarray) -> np.ndarray:
    """A view's picture, grey where it is masked out, as the reference net gets it."""
    share = hidden[..., None] / 255
    return (one.image * (1 - share) + 127.5 * share).astype(np.uint8)

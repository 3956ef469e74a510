"""Clips of drawn faces: plain grey pictures whose brightness tells the frame's number, with coloured items."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from durian.clips import SUFFIX, Clip, ClipAbout, ClipFrame, write_clip
from durian.motion.canonical import canonical_face

SIZE = 96
RED = (220, 40, 40)
BOXES = {
    # Around the face in outer-eye distances from between the eyes: left, top, right, bottom.
    "hair": (-0.9, -1.3, 0.9, -0.35),
    "glasses": (-0.65, -0.2, 0.65, 0.2),
    "hat": (-1.0, -1.4, 1.0, -0.5),
    "beard": (-0.5, 0.75, 0.5, 1.25),
}


def grey_of(number: int) -> int:
    """Brightness of a frame."""
    return 60 + 8 * number


def number_of(image: np.ndarray) -> int:
    """The frame that a picture is, by its brightness in a corner at the bottom, where no item is drawn."""
    return round((float(image[-6:-2, 2:6].mean()) - 60) / 8)


def face(size: int = SIZE, yaw: float = 0.0, unit: float = 0.22, place: Sequence[float] = (0.5, 0.5)) -> np.ndarray:
    """Landmarks ``(478, 3)`` of a face turned by ``yaw`` radians, eyes at ``place``, ``unit`` and place in sides."""
    turned = canonical_face().astype(np.float64).copy()
    cos, sin = np.cos(yaw), np.sin(yaw)
    turned[:, 0], turned[:, 2] = cos * turned[:, 0] + sin * turned[:, 2], cos * turned[:, 2] - sin * turned[:, 0]
    return (turned * unit * size + np.array([*place, 0]) * size).astype(np.float32)


def item(category: str, size: int = SIZE, unit: float = 0.22, wide: float = 1.0) -> np.ndarray:
    """A box as a mask, ``(size, size) uint8``; ``wide`` stretches it sideways."""
    left, top, right, bottom = BOXES[category]
    x0, x1 = ((0.5 + wide * unit * side) * size for side in (left, right))
    y0, y1 = ((0.5 + unit * side) * size for side in (top, bottom))
    mask = np.zeros((size, size), np.uint8)
    mask[max(0, round(y0)) : round(y1), max(0, round(x0)) : round(x1)] = 255
    return mask


def frame(number: int, masks: dict[str, np.ndarray], landmarks: np.ndarray, colour: Sequence[int] = RED) -> ClipFrame:
    """A grey picture with items in one colour."""
    image = np.full((*landmarks_side(masks), 3), grey_of(number), np.uint8)
    for mask in masks.values():
        image[mask > 127] = colour
    return ClipFrame(image, landmarks, masks)


def landmarks_side(masks: dict[str, np.ndarray]) -> tuple[int, int]:
    return next(iter(masks.values())).shape if masks else (SIZE, SIZE)


def clip(
    folder: Path,
    name: str,
    roles: str = "tttttttt",
    items: Sequence[str] = ("hair",),
    people: Sequence[int] | None = None,
    kind: str = "video",
    item_frames: dict[str, tuple[int, ...]] | None = None,
    bare: Sequence[int] = (),
    wide: float = 1.0,
    source: str = "",
    colour: Sequence[int] = RED,
) -> Clip:
    """Write a clip and open it.

    Args:
        roles: a letter for each frame: target, portrait or reference.
        bare: frames without any item.
        wide: how much wider the items are than usual.
        colour: of its items.
    """
    names = {"t": "target", "p": "portrait", "r": "reference"}
    masks = {category: item(category, wide=wide) for category in items}
    frames = [
        frame(number, {} if number in bare else masks, face(yaw=0.08 * (number - len(roles) / 2)), colour)
        for number in range(len(roles))
    ]
    about = ClipAbout(
        name=name,
        size=SIZE,
        fps=24.0,
        roles=tuple(names[letter] for letter in roles),
        items=tuple(items),
        people=tuple(people or [0] * len(roles)),
        source=source,
        kind=kind,
        item_frames=item_frames or {},
    )
    return Clip(write_clip(folder / f"{name}{SUFFIX}", about, frames))


def triplet(folder: Path, name: str, category: str = "hair", person: int = 1, **options: object) -> Clip:
    """Two portraits of a person without the item, two references of another one with it, six targets."""
    people = [person, person, -person, -person, *[person] * 6]
    return clip(
        folder,
        name,
        "pprrtttttt",
        (category,),
        people,
        "triplet",
        {category: (2, 3)},
        bare=(0, 1),
        **options,
    )

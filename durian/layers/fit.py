"""Estimate of how well an item will go on a portrait, from both pictures and the mask alone, before rendering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.alignment import NO_FACE_BOXES, mask_box
from durian.geometry.head import Head
from durian.geometry.mirror import facing_like, pitch, yaw
from durian.layers.continued import CONTINUED_NAMES
from durian.layers.face_light import FaceLight
from durian.layers.round_the_neck import goes_round_the_neck
from durian.layers.sharpness import blur, face_part
from durian.masks import HALF
from durian.request import AnimationRequest, Attribute, Portrait
from durian.segmentation import worn
from durian.segmentation.find_worn import certainty_of

Level = Literal["good", "fair", "poor"]
Range = tuple[float, float]
"""Limits of a measure from which a fit is fair and poor."""

TURNED: Range = (22.0, 38.0)
NODDED: Range = (22.0, 40.0)
"""Degrees between the directions of the two heads, to the side and up or down, for hair and hats."""
LESS_TURNED: Range = (35.0, 55.0)
"""The same, both ways, of what lies on a face: glasses are nearly flat, and a beard's seen side is drawn twice."""
ON_FACE = frozenset({"glasses", "beard", "lips"})
ENLARGED: Range = (2.2, 3.6)
"""How many times a reference is enlarged to be as large as the portrait's face in the result."""
BLURRED: Range = (2.2, 4.0)
"""How many times as blurred as the portrait's a reference's face is, at the same size."""
LEAST_BLUR = 0.9
"""Standard deviation in pixels that nobody sees in a result, and that no picture is blamed for."""
CUT: Range = (0.15, 0.6)
"""Length of an item along the picture's frame, in face widths, as far as the result would show it."""
CONTINUED = 0.35
"""Weight of a cut at the top where the item is continued (:mod:`durian.layers.continued`)."""
EXPOSED: Range = (0.35, 0.9)
"""How much darker or brighter than well exposed one face is than the other, natural logarithm."""
UNSURE: Range = (0.32, 0.6)
UNSURE_HAT: Range = (0.26, 0.6)
"""One less the certainty of a mask that was found by name; of hats, which look least like one another, less is
enough."""
BARED: Range = (0.35, 1.2)
"""Area that the portrait's own hair hides and new hair does not, in squared face widths: all of it is made up."""
BARED_SIDE = 256
"""Side in pixels of the portrait's crop on which that is measured."""
SEVERAL = 3
"""So many reasons for a fair fit together make a poor one."""

EDGE_PIXELS = 2
"""Rows or columns at the frame in which an item is looked for that is cut there."""
LIGHT_UNIT = 64.0
"""Outer-eye distance in pixels at which light is measured."""


@dataclass(frozen=True)
class Fit:
    """How well an item will go on a portrait.

    ``reasons`` are sentences on what may not go well and what would help, worst first; none when it is ``good``.
    """

    level: Level
    reasons: tuple[str, ...] = ()

    def told(self) -> dict[str, object]:
        """The same for JSON."""
        return {"level": self.level, "reasons": list(self.reasons)}


@dataclass(frozen=True)
class Finding:
    """One thing that may not go well: from ``severity`` 1 on the fit is fair, from 2 on it is poor."""

    severity: float
    reason: str


def fits(request: AnimationRequest) -> tuple[Fit, ...]:
    """How well each of a request's items will go, in their order."""
    return tuple(fit(attribute, request.portrait, request.options.size) for attribute in request.attributes)


def fit(attribute: Attribute, portrait: Portrait, size: int = 512) -> Fit:
    """How well an item will go on a portrait.

    Args:
        attribute: the item.
        portrait: who is to wear it.
        size: side of the result in pixels.
    """
    return combined(list(findings(attribute, portrait, size)))


def combined(found: list[Finding]) -> Fit:
    """The level and the reasons of what was found; the worst decides, and many make it worse."""
    worst_first = sorted((finding for finding in found if finding.severity >= 1), key=lambda each: -each.severity)
    if not worst_first:
        return Fit("good")
    is_poor = worst_first[0].severity >= 2 or len(worst_first) >= SEVERAL
    return Fit("poor" if is_poor else "fair", tuple(finding.reason for finding in worst_first))


def severity(value: float, limits: Range) -> float:
    """1 at the first limit, 2 at the second, and so on along that line; below the first in proportion to it."""
    fair, poor = limits
    return value / fair if value < fair else 1 + (value - fair) / (poor - fair)


def findings(attribute: Attribute, portrait: Portrait, size: int = 512) -> Iterator[Finding]:
    """Everything that is looked at, of any severity; what a picture without a face cannot say is left out."""
    yield from _size(attribute, portrait, size)
    yield from _cut(attribute, portrait)
    yield from _covered(attribute, portrait)
    yield from _bared(attribute, portrait)
    certainty = certainty_of(attribute.image, attribute.landmarks, attribute.name, attribute.mask)
    if certainty is not None:
        yield Finding(
            severity(1 - certainty, UNSURE_HAT if attribute.name == "hat" else UNSURE),
            f"{_outline(attribute.name)} was not found for sure: check it, and click or paint what is wrong.",
        )
    if attribute.landmarks is not None:
        yield from _facing(attribute, portrait)
        yield from _sharpness(attribute, portrait, size)
        yield from _light(attribute, portrait)


def _size(attribute: Attribute, portrait: Portrait, size: int) -> Iterator[Finding]:
    if attribute.landmarks is not None:
        eyes = eye_distance(attribute.landmarks)
        what = f"The face in this picture is small, {eyes:.0f} pixels between the eyes"
    else:
        x0, _, x1, _ = mask_box(attribute.mask)
        eyes = (x1 - x0) / NO_FACE_BOXES[attribute.name][0]
        what = f"The item in this picture is small, {x1 - x0} pixels wide"
    enlarged = _eyes_shown(portrait, size) / max(eyes, 1e-3)
    yield Finding(severity(enlarged, ENLARGED), f"{what}: pick a larger picture or one taken from nearer.")


def _eyes_shown(portrait: Portrait, size: int) -> float:
    """Outer-eye distance of the portrait in the result, or in its own pixels where the result has more."""
    eyes = eye_distance(portrait.landmarks)
    return min(1.0, size / portrait.crop.side) * eyes


def _cut(attribute: Attribute, portrait: Portrait) -> Iterator[Finding]:
    inside = attribute.mask > HALF
    height, width = inside.shape
    edges = {
        "left": (inside[:, :EDGE_PIXELS].any(axis=1), lambda along: (np.zeros_like(along), along)),
        "right": (inside[:, -EDGE_PIXELS:].any(axis=1), lambda along: (np.full_like(along, width - 1), along)),
        "top": (inside[:EDGE_PIXELS].any(axis=0), lambda along: (along, np.zeros_like(along))),
        "bottom": (inside[-EDGE_PIXELS:].any(axis=0), lambda along: (along, np.full_like(along, height - 1))),
    }
    room = {
        "left": "room beside the head",
        "right": "room beside the head",
        "top": "room above the head",
        "bottom": "room below the head",
    }
    for side, (touched, points) in edges.items():
        along = np.nonzero(touched)[0]
        if not len(along):
            continue
        if attribute.landmarks is None:
            x0, _, x1, _ = mask_box(attribute.mask)
            length = len(along) / max(x1 - x0, 1)
        else:
            shown = _lands_inside(np.stack(points(along), axis=1), attribute.landmarks, portrait)
            length = shown.sum() / Head(attribute.landmarks).width
            if side == "top" and attribute.name in CONTINUED_NAMES:
                length *= CONTINUED
        yield Finding(
            severity(length, CUT),
            f"{_the(attribute.name)} cut at the {side} of this picture: pick one with {room[side]}.",
        )


def _covered(attribute: Attribute, portrait: Portrait) -> Iterator[Finding]:
    if attribute.name != "hair":
        return
    found = portrait.worn if "hat" in portrait.worn else worn(portrait.image, portrait.landmarks, ["hat"])
    if goes_round_the_neck(found["hat"], portrait.landmarks):
        yield Finding(
            2.0,
            "The portrait's scarf hides all hair: take the scarf off too, as a hat, or pick a portrait without one.",
        )


def _bared(attribute: Attribute, portrait: Portrait) -> Iterator[Finding]:
    if attribute.name != "hair" or attribute.landmarks is None:
        return
    hair = (
        portrait.worn["hair"] if "hair" in portrait.worn else worn(portrait.image, portrait.landmarks, ["hair"])["hair"]
    )
    worn_now = portrait.crop.apply(hair, BARED_SIDE) > HALF
    attribute = facing_like(attribute, portrait.landmarks)
    to_crop = portrait.crop.matrix(BARED_SIDE)
    matrix = to_crop[:, :2] @ _placement(attribute.face_landmarks, portrait.landmarks)
    matrix[:, 2] += to_crop[:, 2]
    new = cv2.warpAffine(attribute.mask, matrix, (BARED_SIDE, BARED_SIDE)) > HALF
    width = Head(np.asarray(portrait.landmarks)).width * BARED_SIDE / portrait.crop.side
    yield Finding(
        severity(float((worn_now & ~new).sum()) / width**2, BARED),
        "The portrait's own hair hides more than this hair does, and what is behind it is made up: "
        "pick hair as long, or a portrait with shorter hair.",
    )


def _lands_inside(points: np.ndarray, landmarks: np.ndarray, portrait: Portrait) -> np.ndarray:
    """Which points ``(N, 2)`` of a reference come into the portrait's crop, as far as the two heads say, ``(N,)
    bool``."""
    matrix = _placement(landmarks, portrait.landmarks)
    placed = points @ matrix[:, :2].T + matrix[:, 2]
    crop = portrait.crop
    return (np.abs(placed - (crop.x, crop.y)) <= crop.side / 2).all(axis=1)


def _placement(landmarks: np.ndarray, portrait: np.ndarray) -> np.ndarray:
    """About where a reference's pixels come on a portrait, ``(2, 3)``: upright heads as wide lie on each other."""
    given, wanted = Head(np.asarray(landmarks)), Head(np.asarray(portrait))
    turn = _upright(wanted) @ _upright(given).T * wanted.width / given.width
    return np.hstack([turn, (wanted.landmarks[168, :2] - turn @ given.landmarks[168, :2])[:, None]])


def _upright(head: Head) -> np.ndarray:
    """A head's directions to the right and down in the picture, unit columns ``(2, 2)``."""
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    return np.array([[down[1], down[0]], [-down[0], down[1]]])


def _facing(attribute: Attribute, portrait: Portrait) -> Iterator[Finding]:
    # What is mirrored when it is worn is as far from the portrait as its mirror image.
    given = facing_like(attribute, portrait.landmarks).face_landmarks
    turned = abs(yaw(given) - yaw(portrait.landmarks))
    nodded = abs(pitch(given) - pitch(portrait.landmarks))
    is_on_face = attribute.name in ON_FACE
    yield Finding(
        severity(turned, LESS_TURNED if is_on_face else TURNED),
        f"The head in this picture is turned {turned:.0f}° from the portrait's: pick one that faces the same way.",
    )
    yield Finding(
        severity(nodded, LESS_TURNED if is_on_face else NODDED),
        f"The head in this picture is raised or bent {nodded:.0f}° from the portrait's: "
        "pick one taken from the same height.",
    )


def _sharpness(attribute: Attribute, portrait: Portrait, size: int) -> Iterator[Finding]:
    given, wanted = blur(attribute.image, attribute.face_landmarks), blur(portrait.image, portrait.landmarks)
    eyes = eye_distance(attribute.face_landmarks)
    if given is None or wanted is None or given * eyes < LEAST_BLUR:
        return
    least = LEAST_BLUR / _eyes_shown(portrait, size)
    yield Finding(
        severity(given / max(wanted, least), BLURRED),
        "This picture is blurred: pick a sharper one.",
    )


def _light(attribute: Attribute, portrait: Portrait) -> Iterator[Finding]:
    own = _exposure(attribute.image, attribute.face_landmarks)
    wearer = _exposure(portrait.image, portrait.landmarks)
    blamed, what = (own, "This picture") if abs(own) >= abs(wearer) else (wearer, "The portrait")
    state, wanted = ("dark", "more") if blamed < 0 else ("bright", "less")
    yield Finding(
        severity(abs(own - wearer), EXPOSED),
        f"{what} is too {state}: pick one with {wanted} light on the face.",
    )


def _exposure(image: np.ndarray, landmarks: np.ndarray) -> float:
    part, scale = face_part(image, landmarks, LIGHT_UNIT)
    corner = np.maximum(np.floor(landmarks[:, :2].min(axis=0)), 0)
    placed = np.asarray(landmarks, np.float32).copy()
    placed[:, :2] -= corner
    return FaceLight.of(part.astype(np.float32), placed * np.float32(scale)).exposure


def _the(name: str) -> str:
    """The item as a sentence begins with it."""
    if name == "other":
        return "The item is"
    return f"The {name} {'are' if name in ('glasses', 'lips') else 'is'}"


def _outline(name: str) -> str:
    return f"The outline of the {'item' if name == 'other' else name}"

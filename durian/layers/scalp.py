"""Extends new hair over the parts of the skull that its reference did not show."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import OUTER_EYES
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, smoothstep
from durian.layers.fill import blurred
from durian.layers.skin import polygon

NOSE_BRIDGE = 168
RAYS = 720
GAP = (1.25, 1.45)
"""Distances from the skull's centre, in its radii, up to which a gap between it and hair beside it is filled, and from
which on it is none: loops, buns and strands that stand off."""
FACE_EDGE = 0.015
"""Standard deviation of the edge between hair and a face before it, in face widths: there hair lies in its own shade,
strand by strand."""
CORNER = 0.1
"""Half the width of gaps between jaw and hair in which no neck is seen, in face widths."""
POLAR = cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS


def scalp_under(
    new_hair: np.ndarray, landmarks: np.ndarray, free: np.ndarray, made_up: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of a head that new hair has to cover beyond what its reference showed.

    Seen from the face outwards, that is the skull beyond where the hair begins, and what lies between face or skull
    and the hair.

    Args:
        new_hair: ``(S, S) float32`` in [0, 1], the hair at rest.
        landmarks: ``(478, 3)`` of the wearer, pixels.
        free: ``(S, S) float32`` in [0, 1], where the wearer's own ears, neck and clothes are not.
        made_up: ``(S, S) float32`` in [0, 1], the neck and clothes that nobody sees, which are not ``free``: hair goes
            on before them only in narrow corners between jaw and hair.

    Returns:
        Where something is then, how much of it is hair, and how much of what shows behind the wearer is, each
        ``(S, S) float32``: at the face's edge the first two are not the same, so that no background shows there.
    """
    size, head = len(new_hair), Head(landmarks)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    places = np.stack([x, y], -1)
    from_skull = head.skull_distance(places)
    skull = 1 - smoothstep(from_skull, 0.93, 1.0)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    level = (places - landmarks[list(OUTER_EYES), :2].mean(0)) @ down / head.width
    centre = tuple(float(v) for v in landmarks[NOSE_BRIDGE, :2])
    polar = cv2.warpPolar(new_hair, (size, RAYS), centre, size, POLAR)

    def outwards(rays: np.ndarray) -> np.ndarray:
        back = cv2.warpPolar(rays, (size, size), centre, size, POLAR | cv2.WARP_INVERSE_MAP)
        return smoothstep(back, 0.5, 0.95)

    beyond = outwards(np.maximum.accumulate(polar, axis=1))
    within = outwards(np.ascontiguousarray(np.maximum.accumulate(polar[:, ::-1], axis=1)[:, ::-1]))
    face = blurred(polygon(landmarks[FACE_OVAL], (size, size)), FACE_EDGE * head.width)
    above = skull * beyond * (1 - smoothstep(level, -0.05, 0.10))
    # Above the eyes a narrow gap between skull and hair is hair too: its wearer's face was wider.
    narrow = (1 - skull) * (1 - smoothstep(from_skull, *GAP))
    gap = np.maximum(smoothstep(level, -0.05, 0.10), narrow)
    behind = within * gap
    beside = behind * free
    if made_up is not None:
        beside = beside + made_up * _corners(np.maximum.reduce([face, new_hair, beside]), head.width)
    found = np.maximum(above, beside), np.maximum(above, beside * (1 - face)), np.maximum(above, behind)
    return found[0].astype(np.float32), found[1].astype(np.float32), found[2].astype(np.float32)


def _corners(covered: np.ndarray, width: float) -> np.ndarray:
    """Narrow gaps and corners of what is ``covered (S, S)`` by a face and hair, ``(S, S) float32``."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(CORNER * width)) + 1,) * 2)
    closed = cv2.morphologyEx((covered > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    return blurred(closed.astype(np.float32), FACE_EDGE * width)

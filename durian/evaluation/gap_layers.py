"""What a hole in a portrait most likely hides: face, neck and clothes, hair, or background, each completed alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL, smoothstep
from durian.layers.completion import complete_background, complete_body, complete_hair, complete_skin
from durian.preview.fill import fill
from durian.preview.skin import polygon
from durian.segmentation.person import person_mask

PERSON, NOBODY = 0.9, 0.04
"""Share of a matte from which on a pixel is surely person, and below which it is surely not."""
LIKELY = 0.5
TOLD = 0.12
"""Distance from what is seen, in face widths, over which it tells what the hole hides; farther off the head's shape
does."""
LEAST_HAIR = 0.003
"""Share of the picture below which somebody has no hair that could go on."""
HAIRLINE = 0.06
"""How far above the face's landmarks the hair begins, in face widths."""


@dataclass(frozen=True)
class Seen:
    """What is seen around a hole, ``(S, S) bool`` each."""

    background: np.ndarray
    person: np.ndarray
    hair: np.ndarray
    skin: np.ndarray


def seen_around(picture: np.ndarray, hole: np.ndarray, landmarks: np.ndarray) -> Seen:
    """What is what around a ``hole (S, S) bool``, by matte and parser, in a ``picture`` ``(S, S, 3) uint8`` that is
    smooth in it."""
    from durian.segmentation.found import best_starts
    from durian.segmentation.parser.classes import BACKGROUND, CLASSES, HAIR, HAT, SKIN
    from durian.segmentation.parser.heads import ParsedHead

    known = ~hole
    person = person_mask(picture).astype(np.float32) / 255
    found = best_starts(picture, landmarks)
    if not isinstance(found, ParsedHead):
        face = polygon(landmarks[FACE_OVAL], hole.shape) > LIKELY
        hair = (found.mask("hair") > 127) & known
        background = cv2.erode((person < NOBODY).astype(np.uint8), np.ones((3, 3))) > 0
        return Seen(background & known, (person > PERSON) & known, hair, face & known & ~hair)
    window, shares = found.head
    left, top, right, bottom = box = window.bounds(picture.shape)
    full = np.zeros((*hole.shape, len(CLASSES)), np.float32)
    full[..., BACKGROUND] = 1 - person
    full[top:bottom, left:right] = window.put(shares, box)
    hair = full[..., [HAIR, HAT]].sum(-1) > LIKELY
    background = (full[..., BACKGROUND] > LIKELY) & (person < LIKELY)
    background = cv2.erode(background.astype(np.uint8), np.ones((5, 5))) > 0
    someone = (full[..., BACKGROUND] < 1 - LIKELY) | (person > PERSON)
    return Seen(background & known, someone & ~background & known, hair & known, (full[..., SKIN] > LIKELY) & known)


def complete_gap(picture: np.ndarray, hole: np.ndarray, landmarks: np.ndarray, kind: str) -> np.ndarray:
    """Complete the ``hole (S, S) bool`` of a ``picture (S, S, 3) uint8``, an item's of some ``kind``, with what it
    probably hides, ``(S, S, 3) float32``; the hole's own pixels are only looked at to find what surrounds it."""
    seen, head, image = seen_around(picture, hole, landmarks), Head(landmarks), picture.astype(np.float32)
    size, known = len(hole), (~hole).astype(np.float32)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    below = (x - landmarks[CHIN, 0]) * down[0] + (y - landmarks[CHIN, 1]) * down[1]
    face = cv2.GaussianBlur(polygon(landmarks[FACE_OVAL], hole.shape), (0, 0), 0.01 * head.width + 0.5)
    skull = 1 - smoothstep(head.skull_distance(np.stack([x, y], -1)), 0.97, 1.02)
    low = smoothstep(below / head.width, -0.12, 0.03).astype(np.float32)
    told, near = _told(np.stack([seen.person, seen.hair, seen.skin], -1), ~hole, head.width)
    person = np.maximum(face, skull * (1 - near) + near * smoothstep(told[..., 0], 0.35, 0.65))

    result = complete_background(image, seen.background.astype(np.float32))
    skin, _ = complete_skin(image, landmarks, known, seen.skin.astype(np.float32))
    top = skin
    if kind != "hair" and seen.hair.mean() > LEAST_HAIR:
        beyond = 1 - _grown(face, HAIRLINE * head.width * (1 - low))
        hairy = beyond * (1 - near) + near * smoothstep(told[..., 1], 0.35, 0.65) * (1 - face)
        hair = complete_hair(image, seen.hair.astype(np.float32), (person * hairy * hole > 0).astype(np.float32))
        top = skin + hairy[..., None] * (hair - skin)
    lower = low * (1 - face)
    if (lower * person * hole > 0).any():
        around = (seen.person & ~seen.hair & (below > -0.3 * head.width) & (face < LIKELY)).astype(np.float32)
        place = np.maximum(around, ((lower * person * hole) > 0).astype(np.float32))
        body = complete_body(image, landmarks, known, place)
        top = top + lower[..., None] * (body - top)
    return result + person[..., None].astype(np.float32) * (top - result)


def _told(labels: np.ndarray, known: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels ``(S, S, 3) bool`` continued into a hole, and how far they are to be trusted there, ``(S, S)``."""
    told = fill(labels.astype(np.float32), known.astype(np.float32))
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    return told, np.exp(-0.5 * (distance / (TOLD * width)) ** 2)


def _grown(face: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """The face and as much of what is around it as ``reach (S, S)`` pixels say, ``(S, S) float32``."""
    distance = cv2.distanceTransform((face < LIKELY).astype(np.uint8), cv2.DIST_L2, 5)
    return np.maximum(face, 1 - smoothstep(distance, reach, reach + 4)).astype(np.float32)

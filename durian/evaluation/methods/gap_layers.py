"""Completion of a portrait's hole by layers: face, neck and clothes, hair, and background, each completed alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL, smoothstep
from durian.layers.completion import complete_background, complete_body, complete_hair, complete_skin
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.segmentation.parser.classes import SKIN
from durian.segmentation.parser.heads import ParsedHead
from durian.segmentation.person import person_mask

PERSON, NOBODY = 0.9, 0.04
"""Share of a matte from which on a pixel is surely person, and below which it is surely not."""
LIKELY = 0.5
TOLD = 0.1
"""Distance from what is seen, in face widths, over which it tells what the hole hides; farther off the head's shape
does."""
LEAST_HAIR = 0.003
"""Share of the picture below which somebody has no hair that could go on."""
NECK_HALF_WIDTH, NECK_LENGTH = 0.29, 0.42
"""Of a neck, in face widths, from the chin. Taste."""
MARGIN = 12
"""Pixels around a probable outline that say nothing of the background, for the first guess."""
HAIRLINE = 0.12
"""How far above the face's landmarks the hair begins, in face widths."""


@dataclass(frozen=True)
class Seen:
    """Regions seen around a hole, ``(S, S) bool`` each."""

    background: np.ndarray
    person: np.ndarray
    hair: np.ndarray
    skin: np.ndarray


def seen_around(picture: np.ndarray, hole: np.ndarray, landmarks: np.ndarray) -> Seen:
    """Regions around a ``hole (S, S) bool``, by matte and parser, in a ``picture (S, S, 3) uint8``.

    Both look at the picture with a bare head in the hole: a smear there would be taken for part of somebody.
    """
    from durian.segmentation.find_worn import named_masks

    picture = _plain_guess(picture, hole, landmarks)
    person = person_mask(picture).astype(np.float32) / 255
    found = named_masks(picture, landmarks)
    hair = found.mask("hair") > 127
    skin = polygon(landmarks[FACE_OVAL], hole.shape) > LIKELY
    if isinstance(found, ParsedHead):
        window, shares = found.head
        left, top, right, bottom = box = window.bounds(picture.shape)
        skin[top:bottom, left:right] |= window.put(shares[..., SKIN], box) > LIKELY
    background = cv2.erode(((person < NOBODY) & ~hair).astype(np.uint8), np.ones((3, 3))) > 0
    known = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3))) == 0
    return Seen(background & known, ((person > PERSON) | hair) & known, hair & known, skin & ~hair & known)


def _plain_guess(picture: np.ndarray, hole: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    outline = _first_outline(picture, hole, landmarks)
    apart = cv2.dilate((outline > 0).astype(np.uint8), np.ones((2 * MARGIN + 1,) * 2)) > 0
    behind = fill(picture.astype(np.float32), (~hole & ~apart).astype(np.float32))
    skin, _ = complete_skin(picture.astype(np.float32), landmarks, (~hole).astype(np.float32))
    guess = np.rint((behind + outline[..., None] * (skin - behind)).clip(0, 255)).astype(np.uint8)
    return np.where(hole[..., None], guess, picture)


def _first_outline(picture: np.ndarray, hole: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Where the person probably is, ``(S, S) float32``: above the chin as a bare head is, below it as the matte says of
    a picture that is smooth in the hole, since what is smeared there is neck and clothes."""
    matte = person_mask(picture).astype(np.float32) / 255
    outline = bare_outline(landmarks, len(hole), (matte > PERSON) & ~hole)
    return np.maximum(outline, matte * smoothstep(_below_chin(landmarks, len(hole)), -0.25, -0.1)).astype(np.float32)


def _below_chin(landmarks: np.ndarray, size: int) -> np.ndarray:
    """How far each pixel is below the chin, along the head, in face widths, ``(S, S)``."""
    head = Head(landmarks)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    return ((x - landmarks[CHIN, 0]) * down[0] + (y - landmarks[CHIN, 1]) * down[1]) / head.width


def bare_outline(landmarks: np.ndarray, size: int, body: np.ndarray | None = None) -> np.ndarray:
    """Face, skull, neck, and all that what is seen of a ``body (S, S) bool`` spans, ``(S, S) float32``."""
    head = Head(landmarks)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    skull = 1 - smoothstep(head.skull_distance(np.stack([x, y], -1)), 0.97, 1.02)
    outline = np.maximum(polygon(landmarks[FACE_OVAL], (size, size)), skull)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    across = np.array([down[1], -down[0]]) * head.width
    chin, base = (landmarks[CHIN, :2] + along * head.width * down for along in (-0.12, NECK_LENGTH))
    bottom = np.array([base + NECK_HALF_WIDTH * across, base - NECK_HALF_WIDTH * across])
    neck = np.array([*bottom, chin - NECK_HALF_WIDTH * across, chin + NECK_HALF_WIDTH * across], np.float32)
    outline = np.maximum(outline, polygon(neck, (size, size)))
    if body is not None:
        low_y, low_x = np.nonzero(body & ((x - base[0]) * down[0] + (y - base[1]) * down[1] > 0))
        points = np.concatenate([bottom, np.stack([low_x, low_y], 1)]).astype(np.float32)
        outline = np.maximum(outline, polygon(cv2.convexHull(points)[:, 0], (size, size)))
    return cv2.GaussianBlur(outline, (0, 0), 0.5 + 0.004 * head.width).astype(np.float32)


def complete_gap(picture: np.ndarray, hole: np.ndarray, landmarks: np.ndarray, kind: str) -> np.ndarray:
    """Complete the ``hole (S, S) bool`` of a ``picture (S, S, 3) uint8``, an item's of some ``kind``, with what it
    probably hides, ``(S, S, 3) float32``; the hole's own pixels are not looked at."""
    seen, head, image = seen_around(picture, hole, landmarks), Head(landmarks), picture.astype(np.float32)
    size, known = len(hole), (~hole).astype(np.float32)
    below = _below_chin(landmarks, size)
    face = cv2.GaussianBlur(polygon(landmarks[FACE_OVAL], hole.shape), (0, 0), 0.01 * head.width + 0.5)
    low = smoothstep(below, -0.12, 0.03).astype(np.float32)
    told, near = _told(seen, head.width)
    outline = _first_outline(picture, hole, landmarks)
    person = np.maximum(face, outline + near * (smoothstep(told[..., 0], 0.35, 0.65) - outline))

    result = complete_background(image, seen.background.astype(np.float32))
    skin, _ = complete_skin(image, landmarks, known, seen.skin.astype(np.float32))
    top = skin
    if kind != "hair" and seen.hair.mean() > LEAST_HAIR:
        beyond = (1 - _grown(face, HAIRLINE * head.width)) * (1 - smoothstep(below, -0.7, -0.5))
        hairy = beyond + near * (smoothstep(told[..., 1], 0.35, 0.65) - beyond)
        hair = complete_hair(image, seen.hair.astype(np.float32), (person * hairy * hole > 0).astype(np.float32))
        top = skin + hairy[..., None] * (hair - skin)
    lower = low * (1 - face) * (1 - near * smoothstep(told[..., 1], 0.35, 0.65))
    if (lower * person * hole > 0).any():
        around = (seen.person & ~seen.hair & (below > -0.3) & (face < LIKELY)).astype(np.float32)
        place = np.maximum(around, ((lower * person * hole) > 0).astype(np.float32))
        body = complete_body(image, landmarks, known, place)
        top = top + lower[..., None] * (body - top)
    return result + person[..., None].astype(np.float32) * (top - result)


def _told(seen: Seen, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Person and hair continued into a hole ``(S, S, 3)``, and how far they are to be trusted there, ``(S, S)``."""
    known = seen.background | seen.person
    told = fill(np.stack([seen.person, seen.hair, seen.skin], -1).astype(np.float32), known.astype(np.float32))
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    return told, np.exp(-0.5 * (distance / (TOLD * width)) ** 2)


def _grown(face: np.ndarray, reach: float) -> np.ndarray:
    """The face and what is within ``reach`` pixels of it, softly, ``(S, S) float32``."""
    distance = cv2.distanceTransform((face < LIKELY).astype(np.uint8), cv2.DIST_L2, 5)
    return np.maximum(face, 1 - smoothstep(distance, 0.7 * reach, 1.3 * reach)).astype(np.float32)

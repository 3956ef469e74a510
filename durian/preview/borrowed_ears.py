"""Ears of a reference beside new hair that shows them, where the portrait's own were hidden under its old hair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.face import eye_distance
from durian.geometry.alignment import aligned_mask, item_mesh
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, HeadPose
from durian.geometry.mirror import yaw
from durian.layers.ears import ears
from durian.layers.face_light import FaceLight, head_coordinates
from durian.layers.skin import polygon
from durian.preview.layers import Layer, premultiplied
from durian.preview.light import in_colours_of
from durian.preview.sample import Sample
from durian.preview.taken_off import seen_ears
from durian.request import Attribute
from durian.scene import Scene
from durian.segmentation import body_parts

LEAST_SHOWN = 0.008
"""Area from which a reference shows an ear, in squares of face widths; a whole one has 0.03 from the front."""
MOST_SHOWN = 0.004
"""Area up to which a portrait's own ear is hidden."""
STANDS_OUT = 0.09
"""How far beside the face's outline an ear reaches at least, in face widths."""
MOST_TURNED = 20.0
"""Degrees to the side of either head up to which both ears are about where they are from the front."""
INWARD = 0.08
"""How far an ear goes on over the cheek, fading, in face widths: faces differ in width."""
CHEEK_FROM, CHEEK = 0.36, (-0.05, 0.4)
"""The cheek before an ear: from so far beside the middle on, and so far below the nose bridge, in face widths."""
MOST_SHADED = 0.4
"""Difference in shade between one cheek and the face that is followed, natural logarithm."""
SOFT = 0.012
"""Softness of its edge, in face widths."""
ROOT = 20.0
"""Percentile of an ear's rows, by how far off the cheek they are: from there on it grows from the head."""
OVERLAP, MOST_MOVED = 0.015, 0.2
"""How far its root lies on the cheek, and how far it is moved there at most, in face widths: heads that were hidden by
hair are narrower or wider than others' are."""

NOSE_BRIDGE = 168

_kept = ContentCache(entries=8)


def borrowed_ears(scene: Scene, colour: np.ndarray, wearer: FaceLight) -> tuple[Layer, ...]:
    """The ears to be drawn before new hair; on each side that of the reference where it shows one and the portrait
    none, in the colours of the wearer's skin.

    Args:
        scene: the portrait, and what is put on.
        colour: ``(S, S, 3) float32``, the portrait without what is taken off.
        wearer: its light.
    """
    hair = [item for item in scene.items if item.attribute.name == "hair" and item.attribute.strength > 0]
    if len(hair) != 1 or "hair" not in scene.worn or scene.kept_hat.any() or scene.request.mode == "blend":
        return ()
    attribute = hair[0].attribute
    if hair[0].turn is not None or attribute.landmarks is None:
        return ()
    if max(abs(yaw(scene.landmarks)), abs(yaw(attribute.landmarks))) > MOST_TURNED:
        return ()
    scale = float(HeadPose.between(attribute.landmarks, scene.landmarks).scale * attribute.placement.scale)
    key = content_hash((attribute.mask, attribute.landmarks, attribute.placement, scale))
    own, layers = seen_ears(scene), []
    for side, ear in _kept.get(attribute.image, lambda _: _ears_to_lend(attribute, scale), key=key).items():
        if _area(own * (side * _across(scene.landmarks, own.shape) > 0), scene.landmarks) <= MOST_SHOWN:
            shade = _brightness(colour, scene.landmarks, side) - wearer.mean.mean() - ear.shade
            shade = np.clip(shade, -MOST_SHADED, MOST_SHADED)
            placed = _at_the_cheek(ear, side, scene.landmarks, own.shape)
            layers.append(_layer(placed, scene, wearer, shade, attribute.strength))
    return tuple(layers)


@dataclass(frozen=True)
class _Ear:
    """A reference's ear: its mask with the cheek that it grows from as an attribute, its pixels at the size they are
    drawn at, with that cheek and ``alone``, the mean log colour of the face ``(3,)`` and how much brighter than that
    the cheek before the ear is, natural logarithm."""

    attribute: Attribute
    mask: np.ndarray
    """``(H, W) uint8``, without the cheek."""
    sample: Sample
    alone: Sample
    skin: np.ndarray
    shade: float


def _ears_to_lend(attribute: Attribute, scale: float) -> dict[int, _Ear]:
    """The ears that a reference shows, by the side of its face; they stay the same while sliders move."""
    shown, landmarks = _ears_of(attribute), attribute.face_landmarks
    picture, lent = attribute.image.astype(np.float32), {}
    skin = FaceLight.of(picture, landmarks).mean
    for side in (-1, 1):
        theirs = shown * (side * _across(landmarks, shown.shape) > 0)
        if _area(theirs, landmarks) >= LEAST_SHOWN:
            alone = _mask_of(theirs, landmarks)
            ear = replace(attribute, mask=_with_cheek(alone, theirs, landmarks), name="other", trim=0.0)
            shade = _brightness(picture, landmarks, side) - float(skin.mean())
            bare = Sample.of(replace(ear, mask=alone), scale)
            lent[side] = _Ear(ear, alone, Sample.of(ear, scale), bare, skin, shade)
    return lent


def _ears_of(attribute: Attribute) -> np.ndarray:
    """Where a reference shows its ears, ``(H, W) float32``."""
    landmarks = attribute.face_landmarks
    found = body_parts(attribute.image, landmarks)
    if found is None:
        return np.zeros(attribute.mask.shape, np.float32)
    skin, hair = (found[..., part].astype(np.float32) / 255 for part in (0, 1))
    shown = ears(landmarks, skin, np.maximum(hair, attribute.mask.astype(np.float32) / 255))
    # What stands out less is a cheek beside the landmarks, or a temple.
    face = polygon(landmarks[FACE_OVAL], shown.shape) < 0.5
    away = cv2.distanceTransform(face.astype(np.uint8), cv2.DIST_L2, 5) / Head(landmarks).width
    count, pieces = cv2.connectedComponents((shown > 0.5).astype(np.uint8))
    whole = [piece for piece in range(1, count) if away[pieces == piece].max() >= STANDS_OUT]
    return shown * np.isin(pieces, whole)


def _across(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Where each pixel lies beside the middle of a face, in face widths, ``(H, W) float32``."""
    head = Head(landmarks)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    across = head.axes[:2, 0] / np.linalg.norm(head.axes[:2, 0])
    return ((x - landmarks[NOSE_BRIDGE, 0]) * across[0] + (y - landmarks[NOSE_BRIDGE, 1]) * across[1]) / head.width


def _area(shown: np.ndarray, landmarks: np.ndarray) -> float:
    """In squares of face widths."""
    return float(shown.sum()) / Head(landmarks).width ** 2


def _brightness(image: np.ndarray, landmarks: np.ndarray, side: int) -> float:
    """Of the cheek before an ear, natural logarithm."""
    head = Head(landmarks)
    oval = polygon(landmarks[FACE_OVAL], image.shape[:2]) > 0.5
    y, x = np.nonzero(oval & (side * _across(landmarks, oval.shape) > CHEEK_FROM))
    level = head_coordinates(head, np.stack([x, y], 1))[:, 1]
    at = (level > CHEEK[0]) & (level < CHEEK[1])
    if at.sum() < 20:
        return float(FaceLight.of(image, landmarks).mean.mean())
    return float(np.median(np.log(np.clip(image[y[at], x[at]], 4, None))))


def _mask_of(shown: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """An ear with a soft edge, ``(H, W) uint8``."""
    blurred = cv2.GaussianBlur(shown, (0, 0), SOFT * Head(landmarks).width)
    return np.rint(255 * np.clip(2 * blurred - 1, 0, 1)).astype(np.uint8)


def _with_cheek(alone: np.ndarray, shown: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The ear's mask with the cheek that it grows from, ``(H, W) uint8``."""
    reach = INWARD * Head(landmarks).width
    away = cv2.distanceTransform((shown < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / reach
    cheek = np.clip(1 - away, 0, 1) * polygon(landmarks[FACE_OVAL], shown.shape)
    return np.maximum(alone, np.rint(255 * cheek).astype(np.uint8))


def _at_the_cheek(ear: _Ear, side: int, portrait: np.ndarray, shape: tuple[int, int]) -> _Ear:
    """The ear moved to the side so that it grows from the portrait's cheek, where that ends before its owner's.

    Args:
        ear: of a reference.
        side: of the face, -1 or 1.
        portrait: ``(478, 3)`` landmarks in pixels of a square picture of ``shape``.
    """
    mesh = item_mesh(ear.attribute, portrait)
    there = aligned_mask(replace(ear.attribute, mask=ear.mask), mesh, portrait, shape[0]) > 127
    across, face = side * _across(portrait, shape), polygon(portrait[FACE_OVAL], shape) > 0.5
    rows = there.any(1) & face.any(1)
    if not rows.any():
        return ear
    root = np.where(there, across, np.inf).min(1)[rows]
    cheek = np.where(face, across, -np.inf).max(1)[rows]
    gap = float(np.percentile(root - cheek, ROOT)) + OVERLAP
    if gap <= 0:
        return ear
    head, placement = Head(portrait), ear.attribute.placement
    to_the_side = head.axes[:2, 0] / np.linalg.norm(head.axes[:2, 0])
    moved = side * min(gap, MOST_MOVED) * head.width / eye_distance(portrait) * to_the_side
    placement = replace(placement, dx=placement.dx - float(moved[0]), dy=placement.dy - float(moved[1]))
    # The cheek that it would bring along lies where the portrait's own is seen.
    return replace(ear, attribute=replace(ear.attribute, placement=placement), sample=ear.alone)


def _layer(ear: _Ear, scene: Scene, wearer: FaceLight, shade: float, strength: float) -> Layer:
    sample = ear.sample
    colours = np.clip(sample.image * np.exp(wearer.mean - ear.skin + shade), 0, 255)
    texture = np.concatenate([colours, sample.alpha[..., None] * 255], -1).astype(np.float32)
    mesh = item_mesh(ear.attribute, scene.landmarks)
    points = mesh.texture_points @ sample.to_texture[:, :2].T + sample.to_texture[:, 2]
    texture = premultiplied(in_colours_of(wearer, texture, 1.0))
    return Layer("other", texture, points.astype(np.float32), mesh, strength)

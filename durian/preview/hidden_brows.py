"""Brows for a face whose own were under hair or a hat that comes off."""

from __future__ import annotations

import cv2
import numpy as np

from durian import masks
from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.mesh import BROWS, HeadPose
from durian.geometry.mirror import yaw
from durian.layers.brows import carried, depth_of, drawn, place_of, taken_light
from durian.layers.completion.mirrored import FaceSurface
from durian.layers.face_light import FaceLight
from durian.layers.skin import polygon
from durian.preview.sample import Sample
from durian.request import Attribute
from durian.scene import Scene
from durian.segmentation import body_parts, worn

CLEAR = 0.03
"""How far from hair a brow is seen, in outer-eye distances."""
LOST = 0.5
"""Share of a brow that is seen, itself or in the mirror, below which what is seen of it goes as well. Of more the rest
stays missing: a tail that is made up shows more."""
ENOUGH = 0.5
"""Share of one brow that must be seen for its own darkness to be known."""
COVERED, FRAMED = 0.1, 0.05
"""Shares of a reference's brow under hair and under glasses up to which it is seen."""
MOST_TURNED = 35.0
"""Degrees to the side up to which a reference shows its brows."""
LARGER = 1.3
"""By what factor one of a reference's brows is larger than the other on the picture where only that shows well."""
PALE = -0.15
"""Logarithm from which on a reference has no brows that show."""
OF_HAIR, LEAST_DARK, DARK = 0.45, -0.3, (-1.1, -0.35)
"""How dark brows are by how much darker than skin hair is, logarithms: share of it, what is added, and limits."""
SCALES = (0.6, 1.3)
"""Factors on a reference's brows."""
LEAST_HAIR = 50
"""Pixels of hair from which on its colour is known."""

_places, _lent = ContentCache(entries=4), ContentCache(entries=8)


def lost_brows(scene: Scene) -> np.ndarray:
    """The places of brows of which too little is seen beside hair and hats that come off to go on with, ``(S, S)
    float32`` in [0, 1]; what is seen of them goes, too. Not to be written into."""
    cover = _cover(scene)
    if not cover.any():
        return np.zeros(cover.shape, np.float32)
    return _places.get(cover, lambda _: _lost(scene, cover), key=content_hash(scene.landmarks))


def new_brows(scene: Scene) -> np.ndarray | None:
    """Brows that take the place of those that are lost.

    Those of the reference, where it shows them, else drawn ones; as dark as the brows are where they are seen, or as
    suits the hair.

    Args:
        scene: the portrait, and what it wears and is to wear.

    Returns:
        Logarithms ``(S, S, 3) float32`` by which they change skin, ``None`` where all brows are known.
    """
    cover = _cover(scene)
    wanted = [brow for brow, share in enumerate(_seen_shares(scene, cover)) if share < LOST] if cover.any() else []
    if not wanted:
        return None
    depth, lent = _darkness(scene, cover), _lent_by_reference(scene)
    brows = np.zeros((*cover.shape, 3), np.float32)
    for brow in wanted:
        place, new = place_of(scene.landmarks, brow, cover.shape), lent.get(brow)
        theirs = 0.0 if new is None else depth_of(new, polygon(scene.landmarks[BROWS[brow]], cover.shape))
        if new is None or theirs > PALE:
            new = drawn(scene.landmarks, brow, scene.size, np.full(3, depth), scene.request.options.seed)
        else:
            new = new * np.float32(np.clip(depth / theirs, *SCALES))
        brows += place[..., None] * new
    return brows


def _darkness(scene: Scene, cover: np.ndarray) -> float:
    """How dark the portrait's brows are, a logarithm: as far as they are seen, else as suits the hair."""
    image, clear = scene.image.astype(np.float32), _clear(scene, cover)
    places = [polygon(scene.landmarks[brow], cover.shape) > 0.5 for brow in BROWS]
    seen = np.logical_or(*places) & clear
    if seen.sum() < ENOUGH * max(place.sum() for place in places):
        return _suits_hair(scene, image)
    return float(np.clip(depth_of(taken_light(image, scene.landmarks, ~clear), seen), *DARK))


def _cover(scene: Scene) -> np.ndarray:
    """Hair and hats that come off, ``(S, S) uint8``."""
    parts = [scene.worn[name] for name in ("hair", "hat") if name in scene.worn]
    cover = masks.union(parts) if parts else np.zeros(scene.image.shape[:2], np.uint8)
    return np.where(scene.kept_hat > 0, 0, cover).astype(np.uint8) if parts else cover


def _clear(scene: Scene, cover: np.ndarray) -> np.ndarray:
    """What lies so far from hair that it is seen, ``(S, S) bool``."""
    return masks.signed_distance(cover) > CLEAR * scene.eye_distance


def _seen_shares(scene: Scene, cover: np.ndarray) -> list[float]:
    """How much of each brow is seen, itself or in the mirror."""
    clear = _clear(scene, cover).astype(np.float32)
    surface = FaceSurface.of(scene.landmarks, scene.size)
    seen = np.maximum(clear, surface.mirrored(clear) * surface.seen)
    places = [polygon(scene.landmarks[brow], cover.shape) for brow in BROWS]
    return [float((place * seen).sum() / max(float(place.sum()), 1.0)) for place in places]


def _lost(scene: Scene, cover: np.ndarray) -> np.ndarray:
    places = [np.zeros(cover.shape, np.float32)]
    for brow, share in enumerate(_seen_shares(scene, cover)):
        if share < LOST:
            places.append(place_of(scene.landmarks, brow, cover.shape))
    return np.maximum.reduce(places)


def _suits_hair(scene: Scene, image: np.ndarray) -> float:
    """How dark brows are beside the portrait's own hair, a logarithm."""
    hair = scene.hair if scene.hair is not None else scene.worn.get("hair")
    within = np.zeros(image.shape[:2], bool) if hair is None else hair > 230
    if within.sum() < LEAST_HAIR:
        return float(np.mean(DARK))
    skin = float(FaceLight.of(image, scene.landmarks).mean.mean())
    darker = float(np.median(np.log(np.maximum(image[within], 4)).mean(-1))) - skin
    return float(np.clip(LEAST_DARK + OF_HAIR * min(darker, 0), *DARK))


def _lent_by_reference(scene: Scene) -> dict[int, np.ndarray]:
    """Brows of the reference that shows them on the portrait's face, logarithms ``(S, S, 3) float32`` by brow."""
    for item in scene.items:
        attribute = item.reference
        if attribute.name in ("hair", "hat") and attribute.strength > 0 and attribute.landmarks is not None:
            break
    else:
        return {}
    scale = float(HeadPose.between(attribute.face_landmarks, scene.landmarks).scale)
    key = content_hash([attribute.mask, attribute.landmarks, scene.landmarks, scene.size])
    return _lent.get(attribute.image, lambda _: _lent_brows(attribute, scene.landmarks, scene.size, scale), key=key)


def _lent_brows(attribute: Attribute, portrait: np.ndarray, size: int, scale: float) -> dict[int, np.ndarray]:
    landmarks, shown = attribute.face_landmarks, _shown_brows(attribute)
    if not shown:
        return {}
    sample = Sample.of(attribute, scale, with_face=True)
    taken = taken_light(sample.image, sample.face_landmarks)
    areas = [cv2.contourArea(landmarks[part, :2].astype(np.float32)) for part in BROWS]
    best = max(shown, key=lambda brow: areas[brow])
    lent = {}
    for brow in range(len(BROWS)):
        source = brow if brow in shown and areas[brow] * LARGER > areas[best] else best
        lent[brow] = carried(taken, sample.face_landmarks, portrait, size, mirrored=source != brow)
    return lent


def _shown_brows(attribute: Attribute) -> list[int]:
    """Which of its brows a reference shows."""
    landmarks, shape = attribute.face_landmarks, attribute.mask.shape
    if abs(yaw(landmarks)) > MOST_TURNED:
        return []
    parts = body_parts(attribute.image, landmarks)
    hair = attribute.mask if parts is None else np.maximum(attribute.mask, parts[..., 1])
    glasses = worn(attribute.image, landmarks, ["glasses"])["glasses"]
    shown = []
    for brow, part in enumerate(BROWS):
        place = polygon(landmarks[part], shape)
        under_hair, framed = ((place * cover).sum() / (255 * max(place.sum(), 1)) for cover in (hair, glasses))
        if under_hair <= COVERED and framed <= FRAMED:
            shown.append(brow)
    return shown

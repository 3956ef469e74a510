"""The outline that a beard keeps to beside its wearer's cheeks: that of the head, and as much more as it is thick."""

from __future__ import annotations

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.face import eye_distance
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL, smoothstep
from durian.geometry.mirror import yaw
from durian.layers.skin import polygon
from durian.masks import HALF
from durian.request import Attribute
from durian.scene import Scene
from durian.segmentation.person import person_mask

LEVELS = np.linspace(0, 1.2, 13)
"""Heights at which a beard's thickness is known, as shares of the way from the bridge of the nose down to the chin."""
THIN, SOFT = 0.01, 0.03
"""How far beyond the head hair as short as sideburns is drawn, and over what length it ends, in outer-eye distances."""
THICKER = (0.75, 1.05, 0.15)
"""Between which heights, where cheeks become the jaw, any beard is drawn farther out, and by how much more at most."""
HANGS = (0.9, 1.15)
"""Heights between which a beard comes to hang freely below the jaw."""
OUTLINE_SLACK = 0.03
"""How far beyond the landmarks' outline bare cheeks go on, in outer-eye distances."""
AT_OUTLINE = 0.06
"""How near a beard is to its owner's outline, in outer-eye distances, where nothing but background lies beside it."""
FARTHEST = 1.0
"""Thickest beard, in outer-eye distances."""
MOST_TURNED = 35.0
"""Degrees to the side up to which a head's outline beside the landmarks is that of its cheeks."""
NOSE_BRIDGE = 168

_thickness = ContentCache(entries=8)


def thickness(attribute: Attribute) -> np.ndarray:
    """How thick a reference's beard is, as of :func:`stands_out`; kept by content, not to be written into."""
    key = content_hash([attribute.mask, attribute.face_landmarks])

    def make(image: np.ndarray) -> np.ndarray:
        return stands_out(attribute.mask, attribute.face_landmarks, person_mask(image))

    return _thickness.get(attribute.image, make, key=key)


def stands_out(mask: np.ndarray, landmarks: np.ndarray, person: np.ndarray) -> np.ndarray:
    """How far a beard stands out beyond its owner's cheeks.

    Only where nothing but background lies beside it: elsewhere it lies on skin before an ear, or on the neck.

    Args:
        mask: ``(H, W) uint8``, the beard.
        landmarks: ``(478, 3)`` pixels.
        person: ``(H, W) uint8``, its owner.

    Returns:
        ``(13,) float32`` in outer-eye distances, at the height of each of :data:`LEVELS`; 0 of a head that is turned
        so far that its outline is not that of its cheeks.
    """
    thick = np.zeros(len(LEVELS), np.float32)
    if abs(yaw(landmarks)) > MOST_TURNED:
        return thick
    unit = eye_distance(landmarks)
    inside = cv2.copyMakeBorder(person, 1, 1, 1, 1, cv2.BORDER_REPLICATE) > HALF
    within = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1] / unit
    face = polygon(landmarks[FACE_OVAL], mask.shape)
    away = cv2.distanceTransform((face < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / unit
    at_outline = (mask > HALF) & (within < AT_OUTLINE) & (away < FARTHEST)
    place = np.interp(_level(landmarks, mask.shape)[at_outline], LEVELS, np.arange(len(LEVELS)))
    np.maximum.at(thick, np.rint(place).astype(int), away[at_outline] - OUTLINE_SLACK)
    # It becomes thinner at no step.
    return cv2.dilate(thick[:, None], np.ones((3, 1)))[:, 0]


def bare_head(scene: Scene) -> np.ndarray:
    """The portrait's face, ears, neck and other skin, ``(S, S) float32`` in [0, 1]."""
    head = polygon(scene.landmarks[FACE_OVAL], scene.image.shape[:2])
    if scene.body_parts is not None:
        head = np.maximum(head, scene.body_parts[..., 0].astype(np.float32) / 255)
    if "beard" in scene.worn:  # the jaw is under it
        head = np.maximum(head, scene.worn["beard"].astype(np.float32) / 255)
    return head


def beyond_head(head: np.ndarray, portrait: np.ndarray, thick: np.ndarray) -> np.ndarray:
    """Where beside a wearer's cheeks no beard is.

    Args:
        head: ``(S, S) float32`` in [0, 1], as of :func:`bare_head`.
        portrait: ``(478, 3)`` landmarks at rest, in the same pixels.
        thick: of the beard, as of :func:`thickness`.

    Returns:
        ``(S, S) uint8``.
    """
    level = _level(portrait, head.shape)
    away = cv2.distanceTransform((head < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / eye_distance(portrait)
    start, end, more = THICKER
    most = np.maximum(THIN + more * smoothstep(level, start, end), np.interp(level, LEVELS, thick))
    beyond = smoothstep(away - most, 0, SOFT) * (1 - smoothstep(level, *HANGS))
    return np.rint(255 * beyond).astype(np.uint8)


def _level(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How far below the bridge of the nose each pixel is, as a share of the way to the chin, ``(H, W) float32``."""
    down = Head(landmarks).axes[:2, 1]
    down = down / np.linalg.norm(down)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    top, chin = landmarks[NOSE_BRIDGE, :2], landmarks[CHIN, :2]
    return (((x - top[0]) * down[0] + (y - top[1]) * down[1]) / max(float((chin - top) @ down), 1)).astype(np.float32)

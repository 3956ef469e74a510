"""Brows as what they take of the skin's light, so that a face without any can wear them."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL, MESH_POINTS, face_triangles
from durian.geometry.raster import NOWHERE, rasterize
from durian.layers.fill import blurred, fill
from durian.layers.skin import polygon
from durian.motion.canonical import mirror

AROUND, SOFT = 0.05, 0.02
"""How far around the landmarks' outline of a brow its hairs grow, and how softly that ends, in outer-eye distances."""
SKIN_WITHIN = 0.1
"""How far beside a brow skin tells what lies under it, in the same unit."""
EYE_CLEAR = 0.02
"""How far beside eyes there is skin, in the same unit."""
DARKEST = -2.5
"""Logarithm by which a brow darkens skin at most; what is brighter than the skin around it is a bone's sheen."""
EVEN = (0.8, 1.25)
"""Least and most of what a brow takes on average that it takes of one colour: another skin's hue would come along."""
DEEP = 20
"""Percentile over a brow of its logarithms that says how dark it is."""
HAIRS, LENGTH, FINER = 90, 0.11, 4
"""Hairs that are drawn in a brow, their length in outer-eye distances, and sub-pixels along a pixel's side."""
UPRIGHT = (70.0, 10.0)
"""Degrees by which hairs stand up from a brow's course at its inner and at its outer end."""
UNEVEN = 0.35
"""How much single hairs differ in length, and a tenth of it in radians, in direction."""


def place_of(landmarks: np.ndarray, brow: int, shape: tuple[int, int]) -> np.ndarray:
    """Where a brow's hairs grow, ``(H, W) float32`` in [0, 1], soft at its edge; ``brow`` is 0 for the one on the
    picture's left of a face that looks at the camera."""
    unit = eye_distance(landmarks)
    reach = 2 * max(1, round(AROUND * unit)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return blurred(cv2.dilate(polygon(landmarks[BROWS[brow]], shape), disc), SOFT * unit)


def taken_light(image: np.ndarray, landmarks: np.ndarray, hidden: np.ndarray | None = None) -> np.ndarray:
    """What the brows of a face take of the light of the skin under them.

    Args:
        image: ``(H, W, 3) float32``, 0-255.
        landmarks: ``(478, 3)`` pixels.
        hidden: ``(H, W) bool`` what hides the face; by default nothing.

    Returns:
        Logarithms ``(H, W, 3) float32``, 0 beside the brows.
    """
    shape, unit = image.shape[:2], eye_distance(landmarks)
    places = [place_of(landmarks, brow, shape) for brow in range(len(BROWS))]
    brows = np.maximum(*places)
    reach, clear = (2 * max(1, round(part * unit)) + 1 for part in (SKIN_WITHIN, EYE_CLEAR))
    eyes = cv2.dilate(np.maximum(*(polygon(landmarks[lids], shape) for lids in EYES)), np.ones((clear, clear)))
    beside = (cv2.dilate(brows, np.ones((reach, reach))) > 0) & (brows < 0.02) & (eyes <= 0)
    beside &= polygon(landmarks[FACE_OVAL], shape) > 0.99
    if hidden is not None:
        beside &= ~hidden
    if not beside.any():
        return np.zeros_like(image)
    logarithms = np.log(np.maximum(image, 3)).astype(np.float32)
    change = logarithms - fill(logarithms, beside.astype(np.float32))
    mean = np.clip(change.mean(-1, keepdims=True), DARKEST, 0)
    return brows[..., None] * np.clip(change, EVEN[1] * mean, EVEN[0] * mean)


def carried(taken: np.ndarray, source: np.ndarray, target: np.ndarray, size: int, mirrored: bool) -> np.ndarray:
    """What brows take, carried over the mesh to another face.

    Args:
        taken: ``(h, w, 3) float32``, as of :func:`taken_light`.
        source: ``(478, 3)`` landmarks of its face, pixels.
        target: ``(478, 3)`` landmarks of the other face, pixels of a picture of ``size`` a side.
        mirrored: whether each brow goes to the other side.

    Returns:
        ``(size, size, 3) float32``.
    """
    points = source[mirror()] if mirrored else source
    triangles = face_triangles()
    map_x, map_y, depth = (np.empty((size, size), np.float32) for _ in range(3))
    corners = np.ascontiguousarray(points[:MESH_POINTS, :2], np.float32)
    vertices = np.ascontiguousarray(target[:MESH_POINTS], np.float32)
    rasterize(vertices, corners, triangles, np.ones(len(triangles), np.float32), map_x, map_y, depth)
    found = cv2.remap(taken, map_x, map_y, cv2.INTER_LINEAR, borderValue=0)
    return np.where((map_x == NOWHERE)[..., None], 0, found).astype(np.float32)


def depth_of(taken: np.ndarray, place: np.ndarray) -> float:
    """How dark a brow is, a logarithm of at most 0; ``taken`` as of :func:`taken_light`, ``place (H, W)`` of its
    pixels; 0 where there are none."""
    within = place > 0.5
    return min(0.0, float(np.percentile(taken.mean(-1)[within], DEEP))) if within.any() else 0.0


def drawn(landmarks: np.ndarray, brow: int, size: int, colour: np.ndarray, seed: int) -> np.ndarray:
    """A brow drawn hair by hair along the landmarks.

    Args:
        landmarks: ``(478, 3)``, pixels of a picture of ``size`` a side.
        brow: 0 or 1, as of :func:`place_of`.
        colour: ``(3,)`` logarithms by which its hairs change the skin.
        seed: of the single hairs.

    Returns:
        Logarithms ``(size, size, 3) float32``.
    """
    random = np.random.default_rng(seed)
    unit = eye_distance(landmarks)
    upper, lower = (landmarks[part, :2] for part in (BROWS[brow][:5], BROWS[brow][:4:-1]))  # from the outer end
    outer = np.linspace(0, 1, 5)
    share, height = random.uniform(0.02, 1, HAIRS), random.uniform(0, 0.8, HAIRS)
    up, down = (np.stack([np.interp(share, outer, line[:, axis]) for axis in (0, 1)], 1) for line in (upper, lower))
    roots = down + height[:, None] * (up - down)
    course = upper[0] + lower[0] - upper[-1] - lower[-1]
    course = course / max(float(np.linalg.norm(course)), 1e-6)
    lift = np.array([course[1], -course[0]])
    lift = lift if lift @ (upper - lower).sum(0) > 0 else -lift
    angle = np.deg2rad(UPRIGHT[1] + (UPRIGHT[0] - UPRIGHT[1]) * share**3) + random.normal(0, UNEVEN / 2, HAIRS)
    length = LENGTH * unit * (1 + random.normal(0, UNEVEN, HAIRS))
    tips = roots + length[:, None] * (np.cos(angle)[:, None] * course + np.sin(angle)[:, None] * lift)
    low = np.floor(np.minimum(roots, tips).min(0)).astype(int) - 2
    high = np.ceil(np.maximum(roots, tips).max(0)).astype(int) + 3
    canvas = np.zeros((high - low)[::-1] * FINER, np.uint8)
    thickness = max(1, round(0.012 * unit * FINER))
    for root, tip in zip((roots - low) * FINER, (tips - low) * FINER, strict=True):
        stroke = np.zeros_like(canvas)
        cv2.line(stroke, np.rint(root).astype(int).tolist(), np.rint(tip).astype(int).tolist(), 110, thickness)
        canvas = cv2.add(canvas, stroke)
    small = cv2.resize(canvas, tuple((high - low).tolist()), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    shown = np.zeros((size, size), np.float32)
    start, stop = np.clip(low, 0, size), np.clip(high, 0, size)
    rows, columns = slice(start[1], stop[1]), slice(start[0], stop[0])
    shown[rows, columns] = small[start[1] - low[1] : stop[1] - low[1], start[0] - low[0] : stop[0] - low[0]]
    return blurred(shown, 0.006 * unit)[..., None] * colour.astype(np.float32)

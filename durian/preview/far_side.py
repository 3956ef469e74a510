"""The far side of a turned head's face, as the head turns back.

A photograph shows it as a few pixels along the face's outline. Landmarks there lie a pixel or two beside the outline,
and what they took in of the background would be as wide as a cheek once they are spread out. So places are taken from
further inside the face, and what was hidden is the near side's mirror image in the far side's light.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from durian.geometry.mesh import (
    BROWS,
    CHIN,
    EYES,
    FACE_OVAL,
    MESH_POINTS,
    OUTER_LIPS,
    face_normals,
    face_triangles,
    smoothstep,
)
from durian.geometry.raster import NOWHERE, Canvas, rasterize
from durian.motion.canonical import canonical_face, mirror
from durian.scene import Scene

SIDE, SIDE_OF_CHIN = (0.4, 0.65), (0.1, 0.35)
"""Where a face's side begins, half widths from its middle: beyond the nose, whose far wing is hidden by the nose alone,
and beside a chin."""
TURNED = (0.02, 0.1)
"""How far below 0 the cosine between surface and view is along one side of the face's oval, on average, where that side
begins to be and surely is a far one."""
EDGE_ON, FOLDED, HIDDEN = (0.3, 0.05), (0.05, -0.1), (0.4, 0.1)
"""Cosines from which on and until which a surface counts as seen edge on, as turned away, as too narrow to be spread
out."""
OPENED = (0.03, 0.15)
"""Growth of the cosine over which a surface comes to show other places than its own."""
INSIDE, REACH, OUTSIDE = 0.07, 0.3, 0.04
"""How far inside the outline places are taken at least, and up to where they move, and how far outside it what
surrounds a face begins, distances between the eyes."""
LIT, LEVEL = (0.15, 0.3, 0.7), 0.12
"""Cosines between which skin tells the far side's light, and over which share of the face's height it is averaged."""
BRIGHTER, DARKER, OTHERWISE = (0.5, 0.25), (1.0, 0.85), (0.6, 0.4)
"""Logarithms of how much brighter or darker than the near side the far one is, and of how differently something there
looks, from which on it is no longer and until which it is taken for its mirror image."""
CALM, TINT = 0.015, 0.12
"""Blur of pictures that are compared, heights of the face, and how far one colour's logarithm may be from the mean."""
LOWER_LIP = 17
SUBPIXELS = 4


class FarSide:
    """The hidden cheek and temple of one portrait.

    Args:
        foreground: ``(S, S, 4) uint8`` the person, premultiplied.
        scene: the portrait's; asked for the glasses that it keeps on, whose sides are not each other's mirror image,
            where a side of the face is hidden.
    """

    def __init__(self, foreground: np.ndarray, scene: Scene):
        self._foreground, self._scene = foreground, scene
        self._rest = np.ascontiguousarray(scene.landmarks[:MESH_POINTS, :2])
        self._facing = facing(scene.landmarks)
        self._far = _far_side(self._facing)
        self._share = self._far * smoothstep(self._facing, *HIDDEN)

    @property
    def is_hidden(self) -> bool:
        """Whether a side of the face is turned away at all."""
        return bool(self._share.max() > 0)

    def opened(self, driving: np.ndarray) -> np.ndarray:
        """How far each landmark has come into view in a frame, by its landmarks ``(478, 3)``: ``(468,)`` 0 to 1; 0 at
        rest."""
        if not self.is_hidden:
            return np.zeros(MESH_POINTS)
        return smoothstep(facing(driving) - self._facing, *OPENED)

    def places(self, opened: np.ndarray) -> np.ndarray:
        """Where in the portrait the face's colours come from, ``(468, 2) float32``; at rest each is its own."""
        if not opened.any():
            return self._rest
        return (self._rest + opened[:, None] * self._shifts[0]).astype(np.float32)

    def places_around(self, opened: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """The same for what surrounds the face, whose own places are ``rest (N, 2) float32``, the first on its oval.

        They come to lie outside the face's outline, so that no sliver of skin from beyond the oval is left beside it.
        """
        if not opened.any():
            return rest
        places = rest.copy()
        places[: len(FACE_OVAL)] += (opened[:, None] * self._shifts[1])[FACE_OVAL]
        return places

    def draw(
        self,
        canvas: Canvas,
        frame: np.ndarray,
        driving: np.ndarray,
        opened: np.ndarray,
        box: tuple[int, int, int, int],
    ) -> None:
        """Lay the mirror image over the face in a ``box`` of ``frame`` as far as its side has come into view."""
        if not opened.any():
            return
        share = float(np.average(opened, weights=self._share))
        if share > 0:
            face, triangles = np.ascontiguousarray(driving[:MESH_POINTS], np.float32), face_triangles()
            front = np.ones(len(triangles), np.float32)
            canvas.draw(frame, self._texture, face, self._mirrored, triangles, front, share, box)

    # A still needs none of what follows.
    @cached_property
    def _shifts(self) -> tuple[np.ndarray, np.ndarray]:
        inwards, outwards = _shifts(self._scene.landmarks, self._facing)
        return inwards * self._far[:, None], outwards * self._far[:, None]

    @cached_property
    def _mirrored(self) -> np.ndarray:
        return np.ascontiguousarray(self._scene.landmarks[mirror()[:MESH_POINTS], :2])

    @cached_property
    def _texture(self) -> np.ndarray:
        glasses = self._scene.kept_glasses
        free = ~(_under(glasses, self._rest) | _under(glasses, self._mirrored))
        light, alike = _light(self._foreground, self._rest + self._shifts[0], self._mirrored, self._facing, self._far)
        return _mirrored_texture(self._foreground, self._scene.landmarks, self._share * free * alike, light)


def facing(landmarks: np.ndarray) -> np.ndarray:
    """Cosine between the face's surface and the view at each landmark, ``(468,) float32``: 1 where it is seen from the
    front, 0 edge on, below 0 from behind."""
    return -face_normals(landmarks)[:, 2].astype(np.float32)


def _far_side(cosine: np.ndarray) -> np.ndarray:
    """How much each landmark ``(468,)`` belongs to the cheek or temple of a side that has turned away, 0 to 1."""
    across, down = canonical_face()[:MESH_POINTS, :2].T
    across = across / np.abs(across).max()
    chin = smoothstep(down, down[LOWER_LIP], down[CHIN])
    low, high = ((1 - chin) * side + chin * beside for side, beside in zip(SIDE, SIDE_OF_CHIN, strict=True))
    share = np.zeros(MESH_POINTS, np.float32)
    for sign in (-1, 1):
        outline = FACE_OVAL[sign * across[FACE_OVAL] > SIDE[1]]
        turned = smoothstep(-float(cosine[outline].mean()), *TURNED)
        share += turned * smoothstep(sign * across, low, high).astype(np.float32)
    return share


def _under(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which of ``points (N, 2)`` a mask ``(S, S) uint8`` covers, ``(N,) bool``."""
    x, y = points.astype(np.float32).T
    return cv2.remap(mask, x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0] > 0


def _shifts(landmarks: np.ndarray, cosine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifts of each landmark's place in the portrait, ``(468, 2) float32`` pixels: to one well inside the face, and of
    what was folded away to one outside it."""
    points = landmarks[:MESH_POINTS, :2]
    eyes = float(np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]))
    low = np.floor(points.min(0)).astype(int) - 2
    width, height = np.ceil(points.max(0)).astype(int) + 3 - low
    shown = np.zeros((height, width), np.uint8)
    for triangle in np.rint((points - low)[face_triangles()] * 2**SUBPIXELS).astype(np.int32):
        cv2.fillConvexPoly(shown, triangle, 255, shift=SUBPIXELS)
    contours, _ = cv2.findContours(shown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = cv2.drawContours(np.zeros_like(shown), contours, -1, 255, cv2.FILLED)
    distance = cv2.GaussianBlur(cv2.distanceTransform(whole, cv2.DIST_L2, 5), (0, 0), max(0.03 * eyes, 1.0))
    x, y = (points - low).astype(np.float32).T
    parts = distance, *(cv2.Sobel(distance, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    depth, right, down = (cv2.remap(part, x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0] for part in parts)
    direction = np.stack([right, down], 1) / np.maximum(np.hypot(right, down), 1e-6)[:, None]
    shift = INSIDE * eyes * np.clip(1 - depth / (REACH * eyes), 0, 1) * smoothstep(cosine, *EDGE_ON)
    # What was folded away comes from along the outline: its own places would show the cheek mirrored.
    folded = smoothstep(cosine, *FOLDED)
    shift += folded * (INSIDE * eyes - depth - shift)
    outwards = -folded * (depth + OUTSIDE * eyes)
    return (direction * shift[:, None]).astype(np.float32), (direction * outwards[:, None]).astype(np.float32)


def _mirrored_texture(
    foreground: np.ndarray, landmarks: np.ndarray, share: np.ndarray, light: np.ndarray
) -> np.ndarray:
    """The near side where the portrait has it, ``(S, S, 4) uint8`` premultiplied: as opaque as each landmark's
    ``share (468,)`` and brighter by ``light (468, 3)``, a logarithm, of the far side's landmark."""
    height, width = foreground.shape[:2]
    near = np.ascontiguousarray(landmarks[mirror()[:MESH_POINTS]], np.float32)
    front = np.full(len(face_triangles()), -1, np.float32)
    values = np.concatenate([share[:, None], np.exp(light)], 1).astype(np.float32)
    painted = np.zeros((height, width, 4), np.float32)
    map_x, map_y, depth = (np.empty((height, width), np.float32) for _ in range(3))
    for first in (0, 2):
        pair = np.ascontiguousarray(values[:, first : first + 2])
        rasterize(near, pair, face_triangles(), front, map_x, map_y, depth)
        drawn = map_x != NOWHERE
        painted[drawn, first : first + 2] = np.stack([map_x[drawn], map_y[drawn]], 1)
    alpha = painted[..., :1] * foreground[..., 3:]
    colour = np.minimum(foreground[..., :3] * painted[..., :1] * painted[..., 1:], alpha)
    return (np.concatenate([colour, alpha], -1) + 0.5).astype(np.uint8)


def _light(
    foreground: np.ndarray, places: np.ndarray, mirrored: np.ndarray, cosine: np.ndarray, far: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is seen of the far side, at ``places (468, 2)``, beside the near side, at ``mirrored (468, 2)``.

    Returns:
        Logarithm of how much brighter the far side is, per landmark and colour, ``(468, 3)``, averaged over others of
        the same height; and whether the two look alike in that light, ``(468,)`` 0 to 1.
    """
    calm = cv2.GaussianBlur(foreground.astype(np.float32), (0, 0), CALM * float(np.ptp(mirrored[:, 1])))

    def at(points: np.ndarray) -> np.ndarray:
        x, y = points.astype(np.float32).T
        return cv2.remap(calm, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]

    seen, near_side = at(places), at(mirrored)
    difference = np.log((seen[:, :3] + 4) / (near_side[:, :3] + 4))
    told = far * smoothstep(cosine, LIT[0], LIT[1]) * smoothstep(cosine, 1.0, LIT[2])
    told *= (seen[:, 3] > 250) & (near_side[:, 3] > 250)
    level = canonical_face()[:MESH_POINTS, 1]
    level = (level[:, None] - level) / np.ptp(level)

    def near(weight: np.ndarray, values: np.ndarray, width: float) -> np.ndarray:
        weight = np.exp(-0.5 * (level / width) ** 2) * weight
        return (weight @ values) / (weight.sum(1, keepdims=True) + 1e-3)

    skin = np.ones(MESH_POINTS, np.float32)
    skin[np.concatenate([*EYES, *BROWS, OUTER_LIPS])] = 0
    light = near(told * skin, difference, LEVEL)
    mean = light.mean(1, keepdims=True)
    light = mean + np.clip(light - mean, -TINT, TINT)
    apart = near(told, np.abs(difference - light).mean(1, keepdims=True), LEVEL / 2)[:, 0]
    alike = smoothstep(apart, *OTHERWISE) * (smoothstep(mean, *BRIGHTER) * smoothstep(-mean, *DARKER))[:, 0]
    return light, alike

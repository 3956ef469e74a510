"""Mirror correspondence of a face's pixels between its two halves, and the direction in which the skin looks there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.geometry.head import Head
from durian.geometry.mesh import EYES, FACE_OVAL, IRISES, MESH_POINTS, areas, face_normals, face_triangles, smoothstep
from durian.geometry.raster import NOWHERE
from durian.layers.completion.mesh_values import at_points, drawn
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.motion.canonical import mirror

THINNEST = (0.3, 0.8)
"""Size on the picture of a triangle's counterpart, in its own size, up to which it shows too little, and from which it
shows enough."""
EVEN = 0.06
"""Width, in face widths, over which normals are averaged: lids and nostrils would show as ghosts in a fitted light."""
RIM = 0.45
"""Smallest share of a normal that points at the camera: at a mesh's rim its triangles say little."""
LEAST_WHITE = 0.02
"""Width of the white beside an iris that has turned all the way, as a share of the eye's."""

_surfaces = ContentCache(entries=2)
"""Some 7 MB each at 512²."""


@dataclass(frozen=True)
class FaceSurface:
    """A face in a picture of ``S`` pixels a side.

    ``covered (S, S) bool`` the mesh and the eyes between its lids; ``map_x``, ``map_y`` ``(S, S) float32`` pixels of
    the counterpart (far outside the picture where there is none; both eyes look the same way, so of an iris it is the
    other iris and not its place in the mirror); ``seen (S, S) float32`` how well that shows, by its slant;
    ``landmarks (478, 3)`` pixels.
    """

    covered: np.ndarray
    map_x: np.ndarray
    map_y: np.ndarray
    seen: np.ndarray
    landmarks: np.ndarray

    @cached_property
    def normals(self) -> np.ndarray:
        """``(S, S, 3) float32`` of the face and of the skull around it, smooth, z away from the camera."""
        return _normals(np.asarray(self.landmarks, np.float32), self.covered.shape)

    @classmethod
    def of(cls, landmarks: np.ndarray, size: int) -> FaceSurface:
        """The surface of a face with ``landmarks`` ``(478, 3)`` pixels, kept by content; not to be written into."""
        return _surfaces.get(landmarks, lambda _: cls._of(landmarks, size), key=str(size))

    @classmethod
    def _of(cls, landmarks: np.ndarray, size: int) -> FaceSurface:
        points = np.asarray(landmarks[:MESH_POINTS], np.float32)
        triangles = np.concatenate([face_triangles(), _eye_triangles()])
        other = np.ascontiguousarray(points[mirror()[:MESH_POINTS], :2])
        map_x, map_y = drawn(points, other, triangles, (size, size))
        covered = map_x != NOWHERE
        for number in range(len(EYES)):
            _with_gaze(map_x, map_y, np.asarray(landmarks, np.float32), number)
        own = areas(points, triangles)
        # The mirror image of a triangle is seen from its back.
        ratio = -areas(other, triangles) / np.maximum(np.abs(own), 1e-3)
        slant, _ = drawn(points, at_points(np.clip(ratio, 0, 2), triangles), triangles, (size, size))
        seen = np.where(covered, smoothstep(slant, *THINNEST), 0).astype(np.float32)
        return cls(covered, map_x, map_y, seen, landmarks)

    def mirrored(self, values: np.ndarray) -> np.ndarray:
        """Values of a picture ``(S, S[, C]) float32`` at each pixel's counterpart; 0 where there is none."""
        return cv2.remap(values, self.map_x, self.map_y, cv2.INTER_LINEAR, borderValue=0)


@lru_cache(maxsize=1)
def _eye_triangles() -> np.ndarray:
    """``(28, 3) int32`` triangles between the lids of both eyes, oriented as :func:`face_triangles`."""
    found = []
    for number, lids in enumerate(EYES):
        lower, upper = lids[:9], lids[[0, *range(15, 7, -1)]]
        for i in range(8):
            quad = [(lower[i], lower[i + 1], upper[i + 1]), (lower[i], upper[i + 1], upper[i])]
            found += [three if number else three[::-1] for three in quad if len(set(three)) == 3]
    return np.array(found, np.int32)


def _with_gaze(map_x: np.ndarray, map_y: np.ndarray, landmarks: np.ndarray, number: int) -> None:
    """Move an eye's counterparts between its lids in place, so that its iris meets the other one: along the eye the
    white on both sides becomes longer or shorter."""
    (start, along, own), (_, other_along, other) = (_along_eye(landmarks, k) for k in (number, 1 - number))
    inside = (polygon(landmarks[EYES[number]], map_x.shape) > 0) & (map_x != NOWHERE)
    rows, columns = np.nonzero(inside)
    at = (np.stack([columns, rows], 1) - start) @ along / max(float(along @ along), 1e-6)
    shift = np.interp(at, own, other) - at
    map_x[inside] += (shift * other_along[0]).astype(np.float32)
    map_y[inside] += (shift * other_along[1]).astype(np.float32)


def _along_eye(landmarks: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An eye's outer corner ``(2,)``, the way from there to the inner one ``(2,)``, and as shares of it both corners
    and between them both sides of the iris, ``(4,)`` ascending."""
    lids, iris = EYES[number], IRISES[number]
    start, along = landmarks[lids[0], :2], landmarks[lids[8], :2] - landmarks[lids[0], :2]
    squared = max(float(along @ along), 1e-6)
    centre = float((landmarks[iris[0], :2] - start) @ along / squared)
    radius = float(np.linalg.norm(landmarks[iris[1:], :2] - landmarks[iris[0], :2], axis=1).mean()) / squared**0.5
    return start, along, np.array([0.0, *np.clip([centre - radius, centre + radius], LEAST_WHITE, 1 - LEAST_WHITE), 1])


def _normals(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Of the mesh without eyes, whose balls say nothing of the skin around them."""
    size, head, triangles = shape[0], Head(landmarks), face_triangles()
    normals = face_normals(landmarks)
    across, down = drawn(landmarks[:MESH_POINTS], normals[:, :2], triangles, shape)
    field = np.zeros((size, size, 3), np.float32)
    covered = across != NOWHERE
    inner = cv2.erode(covered.astype(np.uint8), np.ones((3, 3))) > 0
    field[inner, 0], field[inner, 1] = across[inner], down[inner]
    y, x = np.mgrid[:size, :size].astype(np.float32)
    offset = (np.stack([x, y], -1) - head.centre[:2].astype(np.float32)) / head.radii[:2].astype(np.float32)
    distance = head.skull_distance(np.stack([x, y], -1)).astype(np.float32)
    # The skull's front: as a ball seen from afar, whatever the head's turn.
    ball = offset / np.maximum(distance, 1)[..., None]
    oval = polygon(landmarks[FACE_OVAL], shape)
    away = cv2.distanceTransform((oval < 0.5).astype(np.uint8), cv2.DIST_L2, 5) > 0.06 * head.width
    upper = (np.stack([x, y], -1) - landmarks[168, :2]) @ head.axes[:2, 1] < 0
    skull = away & upper
    field[skull, :2] = ball[skull]
    field = fill(field, (inner | skull).astype(np.float32))
    field = cv2.GaussianBlur(field, (0, 0), max(EVEN * head.width, 0.5))
    flat = np.linalg.norm(field[..., :2], axis=-1)
    field[..., :2] *= np.minimum(1, np.sqrt(1 - RIM**2) / np.maximum(flat, 1e-6))[..., None]
    field[..., 2] = -np.sqrt(np.maximum(1 - (field[..., :2] ** 2).sum(-1), 0))
    return field

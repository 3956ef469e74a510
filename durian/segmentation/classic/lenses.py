"""Lens outlines: a family of symmetric shapes scored on edges, then each outline pulled onto its rim."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from durian.face.geometry import LEFT_BROW, RIGHT_BROW
from durian.segmentation.classic.head import LEFT_EYE, RIGHT_EYE, HeadCrop

ANGLES = 64
"""Points on an outline; angle 0 points away from the nose, a quarter turn later is down the face."""

OUTWARD = (0.0, 0.03, 0.06)
DOWNWARD = (-0.02, 0.03, 0.08, 0.13)
HALF_WIDTHS = (0.22, 0.25, 0.28, 0.31, 0.35)
HALF_HEIGHTS = (0.13, 0.16, 0.19, 0.22, 0.26, 0.30)
EXPONENTS = (2.0, 2.8, 4.5)
"""The shapes tried: centre from the eye's middle, half sizes (in outer-eye distances), from round to square."""

EDGE_FULL = 0.13
"""Contrast, as a share of the skin's lightness, at which a rim counts fully (a thin metal rim reaches half)."""


COMMON_HALF_HEIGHT, HEIGHT_PRIOR = 0.22, 0.5
"""Half the height of a common lens in outer-eye distances, and what a deviation by one would cost."""

SLOPE_SHARE = 0.4
"""Weight of a step (the border of a dark lens) against that of a line (a rim)."""

BROW_TRUST, EYE_TRUST = 0.6, 0.1
"""Weights of edges that a face without glasses has too."""

LEAST_LIGHTNESS = 130.0
"""Contrasts are relative to the skin's lightness, but dark skin shines: below this its gleams would pass for rims."""


BRIDGE_HEIGHTS = np.linspace(-0.18, 0.12, 13)
"""Where bridges run, below the line between the lenses' inner ends, in outer-eye distances."""


@dataclass(frozen=True)
class Lenses:
    """``outlines`` are two ``(ANGLES, 2)`` arrays of working pixels, the picture's left eye first.

    ``lower`` in [0, 1]: how much of the lower halves lies on a rim, over the bare cheek; ``bridge`` in [0, 1]: the
    strongest line from lens to lens, which runs along ``bridge_line``, two working points.
    """

    outlines: tuple[np.ndarray, np.ndarray]
    lower: float
    bridge: float
    bridge_line: np.ndarray


@dataclass(frozen=True)
class _Edges:
    trust: np.ndarray
    first: tuple[np.ndarray, np.ndarray]
    second: tuple[np.ndarray, np.ndarray, np.ndarray]

    def along(self, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Rim strength in [0, 1] at ``(..., 2)`` points across ``(..., 2)`` normals."""
        x, y = points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)
        flat = (x.reshape(-1, ANGLES), y.reshape(-1, ANGLES))
        trust, gx, gy, xx, xy, yy = (
            cv2.remap(m, *flat, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(x.shape)
            for m in (self.trust, *self.first, *self.second)
        )
        nx, ny = normals[..., 0], normals[..., 1]
        slope = np.abs(gx * nx + gy * ny)
        ridge = np.abs(xx * nx**2 + 2 * xy * nx * ny + yy * ny**2)
        return np.clip((SLOPE_SHARE * slope + ridge) / EDGE_FULL, 0, 1) * trust


def fit_lenses(head: HeadCrop) -> Lenses:
    """The most plausible pair of lens outlines on this face, whether or not glasses are there."""
    edges = _edges(head)
    frames = [_eye_frame(head, eye, side) for eye, side in ((LEFT_EYE, -1), (RIGHT_EYE, 1))]
    angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    shapes = np.array(list(product(OUTWARD, DOWNWARD, HALF_WIDTHS, HALF_HEIGHTS, EXPONENTS)))
    unit = _superellipse(angles, shapes[:, 4:5])
    curves = shapes[:, None, 0:2] + unit * shapes[:, None, 2:4]
    # The brow lies where the upper rim may; the cheek below is bare, so the lower rim tells most.
    weight = 0.5 + 0.5 * np.clip(np.sin(angles) * 2 + 0.5, 0, 1)
    weight /= weight.sum()
    scores = []
    for frame in frames:
        points = frame.place(curves)
        scores.append((edges.along(points, _normals(points)) * weight).sum(-1))
    # Gleams and lids gather edges inside a lens: sizes that are sold count a little more.
    prior = -0.25 * np.abs(shapes[:, 1] - 0.06) - 0.15 * np.abs(shapes[:, 2] - 0.28)
    prior -= HEIGHT_PRIOR * np.abs(shapes[:, 3] - COMMON_HALF_HEIGHT)
    total = (scores[0] + scores[1]) / 2 + prior
    best = int(total.argmax())
    left, right = (_pull(frame, curves[best], edges) for frame in frames)
    outlines = left, right
    below = np.sin(angles) > 0.5
    lower = np.mean([edges.along(o, _normals(o))[below].mean() for o in outlines])
    return Lenses(outlines, float(lower), *_bridge(head, outlines, edges))


@dataclass(frozen=True)
class _EyeFrame:
    origin: np.ndarray
    outward: np.ndarray
    down: np.ndarray

    def place(self, points: np.ndarray) -> np.ndarray:
        return self.origin + points[..., :1] * self.outward + points[..., 1:] * self.down


def _eye_frame(head: HeadCrop, eye: tuple[int, ...], side: int) -> _EyeFrame:
    """Where an eye is, and the working pixels of one outer-eye distance away from the nose and down."""
    right, down = head.axes
    width = abs(float((head.landmarks[eye[0], :2] - head.landmarks[eye[8], :2]) @ right))
    both = sum(abs(float((head.landmarks[e[0], :2] - head.landmarks[e[8], :2]) @ right)) for e in (LEFT_EYE, RIGHT_EYE))
    # The far side of a turned face is narrower.
    turned = float(np.clip(2 * width / max(both, 1e-6), 0.5, 1.4))
    in_plane = np.linalg.norm(head.landmarks[33, :2] - head.landmarks[263, :2]) / head.unit
    origin = (head.points[eye[0]] + head.points[eye[8]]) / 2
    return _EyeFrame(origin, right * side * head.working_unit * turned * in_plane, down * head.working_unit)


def _superellipse(angles: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    c, s = np.cos(angles)[None], np.sin(angles)[None]
    radius = (np.abs(c) ** exponent + np.abs(s) ** exponent) ** (-1 / exponent)
    return np.stack([radius * c, radius * s], axis=-1)


def _normals(points: np.ndarray) -> np.ndarray:
    tangent = np.roll(points, -1, axis=-2) - np.roll(points, 1, axis=-2)
    normal = np.stack([tangent[..., 1], -tangent[..., 0]], axis=-1)
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)


def _edges(head: HeadCrop) -> _Edges:
    scale = max(0.8, 0.016 * head.working_unit)
    lab = cv2.cvtColor(head.small, cv2.COLOR_RGB2LAB).astype(np.float32)
    # Coloured frames differ in chroma more than in lightness.
    channel = lab[..., 0] - 0.7 * (lab[..., 1] - 128) - 0.7 * (lab[..., 2] - 128)
    smooth = cv2.GaussianBlur(channel / max(LEAST_LIGHTNESS, head.skin_model.centre[0]), (0, 0), scale)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, *o, ksize=3, scale=scale / 8) for o in ((1, 0), (0, 1)))
    xx, xy, yy = (
        cv2.Sobel(smooth, cv2.CV_32F, *o, ksize=3, scale=s * scale**2)
        for o, s in (((2, 0), 1 / 4), ((1, 1), 1 / 4), ((0, 2), 1 / 4))
    )
    # Brows and lashes are dark lines of their own.
    own = head.polygon(LEFT_BROW, 0.04) | head.polygon(RIGHT_BROW, 0.04)
    eyes = head.polygon(LEFT_EYE, 0.02) | head.polygon(RIGHT_EYE, 0.02)
    trust = np.where(own, BROW_TRUST, 1.0) * np.where(eyes, EYE_TRUST, 1.0)
    return _Edges(trust.astype(np.float32), (gx, gy), (xx, xy, yy))


def _pull(frame: _EyeFrame, curve: np.ndarray, edges: _Edges) -> np.ndarray:
    """Move each point of an outline along its ray onto the rim, smoothly: dynamic programming round the lens."""
    factors = np.linspace(0.82, 1.25, 23)
    centre = curve.mean(axis=0)
    rays = centre + (curve - centre)[None] * factors[:, None, None]
    points = frame.place(rays)
    normals = _normals(points)
    gain = edges.along(points, normals) - 0.35 * np.abs(factors - 1.0)[:, None] / 0.2 * 0.5
    step = 0.25
    jump = -step * np.abs(np.arange(len(factors))[:, None] - np.arange(len(factors))[None]).astype(np.float64)
    jump[jump < -step * 2.5] = -np.inf
    score, back = gain[:, 0].copy(), []
    # Twice round, so that the second lap starts from a settled radius; the first lap's choice is dropped.
    for k in [*range(1, ANGLES), *range(ANGLES)]:
        options = score[None] + jump
        back.append(options.argmax(axis=1))
        score = options.max(axis=1) + gain[:, k]
    path = [int(score.argmax())]
    for choice in back[::-1]:
        path.append(int(choice[path[-1]]))
    chosen = np.array(path[:ANGLES][::-1])
    radius = factors[chosen]
    radius = (np.roll(radius, 1) + 2 * radius + np.roll(radius, -1)) / 4
    return frame.place(centre + (curve - centre) * radius[:, None])


def _bridge(head: HeadCrop, outlines: tuple[np.ndarray, np.ndarray], edges: _Edges) -> tuple[float, np.ndarray]:
    right, down = head.axes
    first = outlines[0][(outlines[0] @ right).argmax()]
    second = outlines[1][(outlines[1] @ right).argmin()]
    along = np.linspace(0.15, 0.85, ANGLES)[:, None]
    normal = np.tile(down, (ANGLES, 1))
    best, line = -1.0, np.stack([first, second])
    for height in BRIDGE_HEIGHTS:
        ends = np.stack([first, second]) + down * height * head.working_unit
        strength = edges.along(ends[0] * (1 - along) + ends[1] * along, normal)
        # A quarter may be hidden by a gleam.
        score = float(np.sort(strength)[ANGLES // 4 :].mean())
        if score > best:
            best, line = score, ends
    return best, line

"""Eyes that turn, open and close."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import EYES, IRISES, MESH_POINTS, HeadPose, face_triangles, smoothstep
from durian.geometry.raster import Canvas
from durian.layers.fill import fill
from durian.preview.opening import Patch, box_around, cheek_pixels, inside_of, opaque

IRIS_EDGE = (0.95, 1.25)
"""Radii, of the landmarks' iris, between which its edge fades into the white."""
RINGS = 16
"""Steps of the iris' colours from its centre to two radii."""
WHITE_SHARE = 0.7
"""How much of the uncovered white is its clean colour; the rest continues the lids' shade."""
GAZE_REACH = 0.4
"""Furthest shift of an iris in widths of the eye (a full turn is about 0.35)."""
LASH_SHADE, CLOSING = 0.55, (0.15, 0.65)
"""Light left on what shows of a shut eye under its lashes, and the shares of the opening at rest between which it is
lost."""
LASH_OPACITY, LEAST_LASH_LIGHT = 0.85, 0.3
"""Of the lashes, and the darkest that they make skin."""
ASLEEP = (0.05, 0.12)
"""Openness at rest between which an eye comes to have lids that can close: shut ones stay the photo's own."""
FACING = (0.4, 0.65)
"""Cosines of an eye's turn from the viewer between which its lids come to be drawn: the far eye of a face seen from the
side is hidden, and its landmarks lie on the nose."""
AROUND_EYE = 0.15
"""Width around an eye's opening, in widths of the eye, in which dark glasses are as dark."""
DARK, OPAQUE = 0.35, 0.7
"""Brightness of the brightest there, as a share of the skin's, below which both eyes are behind dark glasses, and the
share that glasses hide of what is behind them from which on they do."""
LID_RIM, LASH_WIDTH = 0.04, 0.045
"""Width of the bright rim beside the landmarks' lid contour, and of the lashes, in widths of the eye."""


class Eyes:
    """Both eyes of one portrait.

    Args:
        image: ``(S, S, 3) float32`` the portrait with what it wore taken off.
        landmarks: ``(478, 3) float32`` in its pixels.
        glasses: ``(S, S) float32`` in [0, 1], how much its own glasses hide; by default only what is dark does.
    """

    def __init__(self, image: np.ndarray, landmarks: np.ndarray, glasses: np.ndarray | None = None):
        self.landmarks = landmarks
        self.are_hidden = _are_hidden(image, landmarks, glasses)
        self.patches = [_eye_patches(image, landmarks, lids, iris) for lids, iris in zip(EYES, IRISES, strict=True)]
        self.rest = np.ascontiguousarray(landmarks[:MESH_POINTS, :2])
        triangles = face_triangles()
        self.lid_triangles = [triangles[np.isin(triangles, lids).any(1)] for lids in EYES]
        self.lid_skin = np.clip(opaque(_without_eyes(image, landmarks)) + 0.5, 0, 255).astype(np.uint8)
        self.lenses = np.clip(opaque(image) + 0.5, 0, 255).astype(np.uint8) if self.are_hidden else None
        self.lash_shade = np.mean([_lash_shade(image, self.lid_skin, landmarks, lids) for lids in EYES], axis=0)

    def draw(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray, pose: HeadPose) -> None:
        """Draw what lies under the lids, before the face; ``driving`` ``(478, 3)`` are the frame's landmarks.

        Of eyes behind dark glasses nothing is drawn: the lenses move as the face does.
        """
        if self.are_hidden:
            self._draw_lenses(canvas, frame, driving)
            return
        for (socket, iris), points, lids in zip(self.patches, IRISES, EYES, strict=True):
            gaze = driving[points, :2].mean(0) - pose(self.landmarks[points]).mean(0)[:2]
            # Landmarks of a covered iris are guesses; no eye turns further than this.
            reach = GAZE_REACH * np.linalg.norm(driving[lids[0], :2] - driving[lids[8], :2])
            gaze = gaze * min(1.0, reach / max(float(np.linalg.norm(gaze)), 1e-6))
            # As lids close their lashes shade the eye; of a shut one no more than a dark line is left between them.
            light = 1 - (1 - LASH_SHADE) * self._shut(driving, lids)
            socket.draw(canvas, frame, driving, pose, light=light)
            iris.draw(canvas, frame, driving, pose, gaze, light)

    def _draw_lenses(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray) -> None:
        face = np.ascontiguousarray(driving[:MESH_POINTS], np.float32)
        for lids in EYES:
            fan = np.stack([np.full(len(lids) - 2, lids[0]), lids[1:-1], lids[2:]], 1).astype(np.int32)
            box = box_around(face[lids, :2], 2, frame.shape[:2])
            canvas.draw(frame, self.lenses, face, self.rest, fan, np.zeros(len(fan), np.float32), 1.0, box)

    def draw_lids(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray) -> None:
        """Over the face, the skin of lids that close: without the rim of white that their edges hold in the photo."""
        for lids, triangles in zip(EYES, self.lid_triangles, strict=True):
            closed = self._shut(driving, lids)
            if closed < 0.02:
                continue
            face = np.ascontiguousarray(driving[:MESH_POINTS], np.float32)
            around = face[np.unique(triangles), :2]
            low, high = np.floor(around.min(0)).astype(int), np.ceil(around.max(0)).astype(int) + 1
            box = (max(low[0], 0), max(low[1], 0), min(high[0], frame.shape[1]), min(high[1], frame.shape[0]))
            front = np.ones(len(triangles), np.float32)
            canvas.draw(frame, self.lid_skin, face, self.rest, triangles, front, closed, box)

    def draw_lashes(self, frame: np.ndarray, driving: np.ndarray) -> None:
        """The dark line between shut lids, thinner towards the corners."""
        for lids in EYES:
            closed = self._shut(driving, lids)
            if closed >= 0.02:
                _draw_lashes(frame, driving, lids, closed * (1 - self.lash_shade))

    def _shut(self, driving: np.ndarray, lids: np.ndarray) -> float:
        """0 for an eye as open as at rest, asleep or hidden by the nose or glasses, 1 for one that was shut."""
        if self.are_hidden:
            return 0.0
        rest = _openness(self.landmarks, lids)
        closed = 1 - smoothstep(_openness(driving, lids) / max(rest, 1e-3), *CLOSING)
        return float(closed * smoothstep(rest, *ASLEEP)) * _facing(driving, lids)


def _are_hidden(image: np.ndarray, landmarks: np.ndarray, glasses: np.ndarray | None) -> bool:
    """Whether dark glasses hide both eyes, lids and all."""
    width = max(float(np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2])) for lids in EYES)
    reach = 2 * max(1, round(AROUND_EYE * width)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    around = [cv2.dilate(inside_of(landmarks, lids, image.shape[:2], 0), disc) > 0.5 for lids in EYES]
    if not all(place.any() for place in around):
        return False
    if glasses is not None and all(glasses[place].mean() > OPAQUE for place in around):
        return True
    skin = image[cheek_pixels(landmarks, image.shape[:2])].mean()
    return all(np.percentile(image[place].mean(1), 90) < DARK * skin for place in around)


def _openness(landmarks: np.ndarray, lids: np.ndarray) -> float:
    """Mean distance between upper and lower lid in widths of the eye."""
    lower, upper = landmarks[lids[1:8], :2], landmarks[lids[:8:-1], :2]
    width = np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2])
    return float(np.linalg.norm(upper - lower, axis=1).mean() / max(width, 1e-6))


def _facing(landmarks: np.ndarray, lids: np.ndarray) -> float:
    """0 for an eye that is turned away from the viewer, 1 for one that is seen."""
    across = landmarks[lids[8]] - landmarks[lids[0]]
    return float(smoothstep(np.linalg.norm(across[:2]) / max(float(np.linalg.norm(across)), 1e-6), *FACING))


def _draw_lashes(frame: np.ndarray, driving: np.ndarray, lids: np.ndarray, taken: np.ndarray) -> None:
    """Take a part ``(3,)`` of the light from a line where the lids of an eye meet.

    What is dark already, as the rim of glasses or a shadow, stays as it is seen.
    """
    seam = (driving[lids[:9], :2] + driving[lids[[0, *range(15, 8, -1), 8]], :2]) / 2
    width = float(np.linalg.norm(seam[-1] - seam[0]))
    low, high = np.floor(seam.min(0) - 4).astype(int), np.ceil(seam.max(0) + 5).astype(int)
    x0, y0, x1, y1 = max(low[0], 0), max(low[1], 0), min(high[0], frame.shape[1]), min(high[1], frame.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    line = np.zeros((y1 - y0, x1 - x0), np.uint8)
    points = np.round((seam - [x0, y0]) * 16).astype(np.int32)
    for part, share in ((points, 0.6), (points[1:-1], 1.0)):
        cv2.polylines(line, [part], False, 255, max(1, round(LASH_WIDTH * share * width)), cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(line, (0, 0), max(0.4, 0.012 * width))[..., None] / 255
    part = frame[y0:y1, x0:x1]
    part[:] = (part * (1 - soft * taken) + 0.5).astype(np.uint8)


def _lash_shade(image: np.ndarray, lid_skin: np.ndarray, landmarks: np.ndarray, lids: np.ndarray) -> np.ndarray:
    """Light ``(3,)`` that lashes leave, from the darkest that shows of the eye, relative to the skin of its lids."""
    seen = inside_of(landmarks, lids, image.shape[:2], 0) > 0.5
    if not seen.any():
        return np.full(3, 0.4, np.float32)
    shown, skin = image[seen], np.maximum(np.median(lid_skin[seen][:, :3], axis=0), 1)
    darkest = shown[shown.mean(1) <= np.percentile(shown.mean(1), 15)].mean(0)
    return 1 - LASH_OPACITY * (1 - np.clip(darkest / skin, LEAST_LASH_LIGHT, 1))


def _eye_patches(image: np.ndarray, landmarks: np.ndarray, lids: np.ndarray, iris: np.ndarray) -> tuple[Patch, Patch]:
    """The white of the eye, continued under iris and lids, and the iris, which turns over it.

    At rest the two add up to the photo's own pixels.
    """
    width = float(np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2]))
    x0, y0, x1, y1 = box_around(landmarks[lids, :2], 0.45 * width, image.shape[:2])
    part = image[y0:y1, x0:x1]
    at = landmarks - np.array([x0, y0, 0], np.float32)
    opening = inside_of(at, lids, part.shape[:2], 0)
    inside = cv2.dilate(opening, np.ones((3, 3)))

    centre = at[iris[0], :2]
    radius = max(float(np.linalg.norm(at[iris[1:], :2] - centre, axis=1).mean()), 1.0)
    y, x = np.mgrid[: part.shape[0], : part.shape[1]].astype(np.float32)
    distance = np.hypot(x - centre[0], y - centre[1]) / radius
    disc = 1 - smoothstep(distance, *IRIS_EDGE)

    own = inside_of(at, lids, part.shape[:2], 0.03 * width)
    white = own * (distance > IRIS_EDGE[1])
    if white.sum() < 6:  # nothing but iris shows: continue what does
        white = own if own.max() > 0.5 else opening
    socket = fill(part, white.astype(np.float32))
    socket += WHITE_SHARE * (_eye_white(part, white, image, landmarks) - socket)
    socket = part + np.maximum(disc, 1 - inside)[..., None] * (socket - part)

    # Under the lids the iris goes on with the colours it has elsewhere at the same distance from its centre.
    hidden = _ring_colours(part, own * (disc > 0.05), distance)
    whole = part + (1 - inside)[..., None] * (hidden - part)
    premultiplied = np.clip(whole - (1 - disc[..., None]) * socket, 0, 255 * disc[..., None])
    turning = np.concatenate([premultiplied, 255 * disc[..., None]], -1)
    return Patch(opaque(socket), (x0, y0), lids), Patch(turning, (x0, y0), lids)


def _ring_colours(part: np.ndarray, seen: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Mean colour of what is ``seen`` at each pixel's distance (in radii) from the iris' centre, ``(h, w, 3)``."""
    ring = np.clip((distance * RINGS / 2).astype(int), 0, RINGS - 1).ravel()
    totals = np.bincount(ring, seen.ravel(), RINGS)
    known = np.flatnonzero(totals > 0.5)
    if len(known) == 0:
        return part
    sums = [np.bincount(ring, (seen * part[..., k]).ravel(), RINGS)[known] / totals[known] for k in range(3)]
    mean = np.stack([np.interp(np.arange(RINGS), known, colour) for colour in sums], -1)
    return mean[ring].reshape(part.shape).astype(np.float32)


def _without_eyes(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The face with the skin of the lids continued over the eyes, ``(S, S, 3) float32``."""
    skin = image.copy()
    for lids in EYES:
        width = float(np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2]))
        x0, y0, x1, y1 = box_around(landmarks[lids, :2], 0.45 * width, image.shape[:2])
        at = landmarks - np.array([x0, y0, 0], np.float32)
        part = image[y0:y1, x0:x1]
        reach = 2 * max(1, round(LID_RIM * width)) + 1
        eye = cv2.dilate(inside_of(at, lids, part.shape[:2], 0), np.ones((reach, reach)))
        skin[y0:y1, x0:x1] = fill(part, (eye < 0.02).astype(np.float32))
    return skin


def _eye_white(part: np.ndarray, white: np.ndarray, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Colour ``(3,)`` of the white: what of it shows brightest, and never much darker than the face."""
    shown = part[white > 0.5]
    skin = image[cheek_pixels(landmarks, image.shape[:2])].mean()
    if len(shown) == 0:
        return np.full(3, 0.9 * skin, np.float32)
    brightness = shown.mean(1)
    brightest = shown[brightness >= np.percentile(brightness, 75)].mean(0)
    return brightest * max(1.0, 0.85 * skin / max(float(brightest.mean()), 1.0))

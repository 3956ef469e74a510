"""What lies behind the openings of the face mesh: eyeballs and the inside of the mouth.

Each is a patch under the mesh. At rest it shows the photo's own pixels, so nothing changes; when lids or lips open
further than in the photo, what the photo does not show is continued (sclera) or made (teeth, tongue and dark).
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import EYES, INNER_LIPS, IRISES, MESH_POINTS, HeadPose, face_triangles, smoothstep
from durian.geometry.raster import Canvas
from durian.preview.fill import fill

# The drawn mouth, in mouth widths (landmarks 78 to 308) below the upper lip's inner edge. Taste.
TEETH_LENGTH, TEETH_REACH = 0.16, 0.80
MOUTH_DARK = np.array([52, 20, 20], np.float32)
TONGUE = np.array([142, 66, 66], np.float32)
TOOTH = np.array([228, 219, 205], np.float32)
TONGUE_TOP = 0.24

IRIS_EDGE = (0.95, 1.25)
"""Radii, of the landmarks' iris, between which its edge fades into the white."""
WHITE_SHARE = 0.7
"""How much of the uncovered white is its clean colour; the rest continues the lids' shade."""
GAZE_REACH = 0.4
"""Furthest shift of an iris in widths of the eye (a full turn is about 0.35)."""
LASH_SHADE, CLOSING = 0.2, (0.15, 0.65)
"""Light left on a shut eye, and the shares of the opening at rest between which it is lost."""
LID_RIM, LASH_WIDTH = 0.04, 0.045
"""Width of the bright rim beside the landmarks' lid contour, and of the lashes, in widths of the eye."""
STILL = np.zeros(2, np.float32)
OVERLAP = 1.5
"""Pixels that a patch reaches under the edge of its opening, against hairline gaps."""


class Patch:
    """A texture behind one opening, seen through the opening's contour.

    Args:
        texture: ``(h, w, 4) float32``, premultiplied, 0-255; its first pixel lies at ``corner`` ``(x, y)`` of the
            picture at rest.
        corner: see above.
        contour: indices of the landmarks around the opening, in order.
    """

    def __init__(self, texture: np.ndarray, corner: tuple[int, int], contour: np.ndarray):
        self.texture = np.clip(texture + 0.5, 0, 255).astype(np.uint8)
        self.corner = np.array(corner, np.float32)
        self.contour = contour
        count = len(contour)
        self.triangles = np.stack([np.full(count, count), np.arange(count), (np.arange(count) + 1) % count], 1).astype(
            np.int32
        )
        self.facing = np.zeros(count, np.float32)

    def draw(
        self,
        canvas: Canvas,
        frame: np.ndarray,
        driving: np.ndarray,
        pose: HeadPose,
        shift: np.ndarray = STILL,
        light: float = 1.0,
    ) -> None:
        """Draw what the opening shows over ``frame`` in place.

        ``driving`` ``(478, 3)`` are the frame's landmarks; the texture rides on the head's ``pose``, is moved on by
        ``shift`` ``(2,)`` pixels and darkened to ``light``, 0 to 1.
        """
        rim = driving[self.contour].astype(np.float32)
        rim[:, 2] = rim[:, 2].mean()
        centre = rim.mean(0, keepdims=True)
        outward = rim - centre
        rim = rim + outward / np.maximum(np.linalg.norm(outward[:, :2], axis=1, keepdims=True), 1e-3) * OVERLAP
        vertices = np.concatenate([rim, centre])
        seen = vertices - np.array([shift[0], shift[1], 0], np.float32)
        at_rest = (seen - pose.shift) @ pose.rotation / pose.scale
        points = (at_rest[:, :2] - self.corner).astype(np.float32)
        # What the texture does not reach is its edge continued.
        points = np.clip(points, 0, np.array(self.texture.shape[1::-1], np.float32) - 1)
        low, high = np.floor(rim[:, :2].min(0)).astype(int), np.ceil(rim[:, :2].max(0)).astype(int) + 1
        box = (max(low[0], 0), max(low[1], 0), min(high[0], frame.shape[1]), min(high[1], frame.shape[0]))
        texture = self.texture
        if light < 1:
            texture = texture.copy()
            texture[..., :3] = texture[..., :3] * light
        canvas.draw(frame, texture, vertices, points, self.triangles, self.facing, box=box)


class Interiors:
    """Both eyes and the mouth of one portrait.

    Args:
        image: ``(S, S, 3) float32`` the portrait with what it wore taken off.
        landmarks: ``(478, 3) float32`` in its pixels.
    """

    def __init__(self, image: np.ndarray, landmarks: np.ndarray):
        self.landmarks = landmarks
        self.eyes = [_eye_patches(image, landmarks, lids, iris) for lids, iris in zip(EYES, IRISES, strict=True)]
        self.mouth = _mouth_patch(image, landmarks)
        self.rest = np.ascontiguousarray(landmarks[:MESH_POINTS, :2])
        triangles = face_triangles()
        self.lid_triangles = [triangles[np.isin(triangles, lids).any(1)] for lids in EYES]
        eyes = np.maximum(*(_opening(landmarks, lids, image.shape[:2], 0) for lids in EYES)) > 0.5
        shown = image[eyes] if eyes.any() else image[_cheek_pixels(landmarks, image.shape[:2])] * 0.4
        self.lash_colour = shown[shown.mean(1) <= np.percentile(shown.mean(1), 15)].mean(0)
        self.lid_skin = np.clip(_opaque(_without_eyes(image, landmarks)) + 0.5, 0, 255).astype(np.uint8)

    def draw(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray, pose: HeadPose) -> None:
        """Draw all three under one frame's mesh, ``driving`` ``(478, 3)``."""
        for (socket, iris), points, lids in zip(self.eyes, IRISES, EYES, strict=True):
            gaze = driving[points, :2].mean(0) - pose(self.landmarks[points]).mean(0)[:2]
            # Landmarks of a covered iris are guesses; no eye turns further than this.
            reach = GAZE_REACH * np.linalg.norm(driving[lids[0], :2] - driving[lids[8], :2])
            gaze = gaze * min(1.0, reach / max(float(np.linalg.norm(gaze)), 1e-6))
            # As lids close their lashes shade the eye; of a shut one no more than a dark line is left between them.
            light = 1 - (1 - LASH_SHADE) * self._closed(driving, lids)
            socket.draw(canvas, frame, driving, pose, light=light)
            iris.draw(canvas, frame, driving, pose, gaze, light)
        # Upper teeth belong to the skull: they follow the corners' and nose's rigid movement only.
        self.mouth.draw(canvas, frame, driving, pose)

    def draw_lids(self, canvas: Canvas, frame: np.ndarray, driving: np.ndarray) -> None:
        """Over the face, the skin of lids that close: without the rim of white that their edges hold in the photo."""
        for lids, triangles in zip(EYES, self.lid_triangles, strict=True):
            closed = self._closed(driving, lids)
            if closed < 0.02:
                continue
            face = np.ascontiguousarray(driving[:MESH_POINTS], np.float32)
            around = face[np.unique(triangles), :2]
            low, high = np.floor(around.min(0)).astype(int), np.ceil(around.max(0)).astype(int) + 1
            box = (max(low[0], 0), max(low[1], 0), min(high[0], frame.shape[1]), min(high[1], frame.shape[0]))
            front = np.ones(len(triangles), np.float32)
            canvas.draw(frame, self.lid_skin, face, self.rest, triangles, front, closed, box)
            self._draw_lashes(frame, driving, lids, closed)

    def _draw_lashes(self, frame: np.ndarray, driving: np.ndarray, lids: np.ndarray, opacity: float) -> None:
        """The dark line between shut lids, thinner towards the corners."""
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
        soft = cv2.GaussianBlur(line, (0, 0), max(0.4, 0.012 * width))[..., None] * (0.85 * opacity / 255)
        part = frame[y0:y1, x0:x1]
        part[:] = np.clip(part + soft * (self.lash_colour - part) + 0.5, 0, 255).astype(np.uint8)

    def _closed(self, driving: np.ndarray, lids: np.ndarray) -> float:
        """0 for an eye as open as at rest, 1 for a shut one."""
        share = _openness(driving, lids) / max(_openness(self.landmarks, lids), 1e-3)
        return float(1 - smoothstep(share, *CLOSING))


def _openness(landmarks: np.ndarray, lids: np.ndarray) -> float:
    """Mean distance between upper and lower lid in widths of the eye."""
    lower, upper = landmarks[lids[1:8], :2], landmarks[lids[:8:-1], :2]
    width = np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2])
    return float(np.linalg.norm(upper - lower, axis=1).mean() / max(width, 1e-6))


def _opening(landmarks: np.ndarray, contour: np.ndarray, shape: tuple[int, int], shrink: float) -> np.ndarray:
    """Anti-aliased inside of a contour, ``(H, W) float32``, pulled in by ``shrink`` pixels."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(landmarks[contour, :2] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = mask.astype(np.float32) / 255
    if shrink > 0:
        mask = np.clip(cv2.GaussianBlur(mask, (0, 0), shrink) * 2 - 1, 0, 1)
    return mask


def _box(points: np.ndarray, margin: float, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    low, high = points.min(0) - margin, points.max(0) + margin
    x0, y0 = (int(max(0, np.floor(v))) for v in low)
    x1, y1 = int(min(shape[1], np.ceil(high[0]) + 1)), int(min(shape[0], np.ceil(high[1]) + 1))
    return x0, y0, max(x1, x0 + 2), max(y1, y0 + 2)


def _opaque(texture: np.ndarray) -> np.ndarray:
    return np.concatenate([texture, np.full((*texture.shape[:2], 1), 255.0, np.float32)], -1)


def _eye_patches(image: np.ndarray, landmarks: np.ndarray, lids: np.ndarray, iris: np.ndarray) -> tuple[Patch, Patch]:
    """The white of the eye, continued under iris and lids, and the iris, which turns over it.

    At rest the two add up to the photo's own pixels.
    """
    width = float(np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2]))
    x0, y0, x1, y1 = _box(landmarks[lids, :2], 0.45 * width, image.shape[:2])
    part = image[y0:y1, x0:x1]
    at = landmarks - np.array([x0, y0, 0], np.float32)
    opening = _opening(at, lids, part.shape[:2], 0)
    inside = cv2.dilate(opening, np.ones((3, 3)))

    centre = at[iris[0], :2]
    radius = max(float(np.linalg.norm(at[iris[1:], :2] - centre, axis=1).mean()), 1.0)
    y, x = np.mgrid[: part.shape[0], : part.shape[1]].astype(np.float32)
    distance = np.hypot(x - centre[0], y - centre[1]) / radius
    disc = 1 - smoothstep(distance, *IRIS_EDGE)

    own = _opening(at, lids, part.shape[:2], 0.03 * width)
    white = own * (distance > IRIS_EDGE[1])
    if white.sum() < 6:  # nothing but iris shows: continue what does
        white = own if own.max() > 0.5 else opening
    socket = fill(part, white.astype(np.float32))
    socket += WHITE_SHARE * (_eye_white(part, white, image, landmarks) - socket)
    socket = part + np.maximum(disc, 1 - inside)[..., None] * (socket - part)

    # Under the lids the iris goes on with the colours it has elsewhere at the same distance from its centre.
    rings = np.clip((distance * 8).astype(int), 0, 15)
    seen = own * (disc > 0.05)
    totals = np.bincount(rings.ravel(), seen.ravel(), 16)
    sums = [np.bincount(rings.ravel(), (seen * part[..., k]).ravel(), 16) for k in range(3)]
    mean = (
        np.stack(
            [
                np.interp(np.arange(16), np.flatnonzero(totals > 0.5), (s / np.maximum(totals, 1e-6))[totals > 0.5])
                for s in sums
            ],
            -1,
        )
        if (totals > 0.5).any()
        else np.zeros((16, 3))
    )
    whole = part + (1 - inside)[..., None] * (mean[rings].astype(np.float32) - part)
    premultiplied = np.clip(whole - (1 - disc[..., None]) * socket, 0, 255 * disc[..., None])
    turning = np.concatenate([premultiplied, 255 * disc[..., None]], -1)
    return Patch(_opaque(socket), (x0, y0), lids), Patch(turning, (x0, y0), lids)


def _without_eyes(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The face with the skin of the lids continued over the eyes, ``(S, S, 3) float32``."""
    skin = image.copy()
    for lids in EYES:
        width = float(np.linalg.norm(landmarks[lids[0], :2] - landmarks[lids[8], :2]))
        x0, y0, x1, y1 = _box(landmarks[lids, :2], 0.45 * width, image.shape[:2])
        at = landmarks - np.array([x0, y0, 0], np.float32)
        part = image[y0:y1, x0:x1]
        reach = 2 * max(1, round(LID_RIM * width)) + 1
        eye = cv2.dilate(_opening(at, lids, part.shape[:2], 0), np.ones((reach, reach)))
        skin[y0:y1, x0:x1] = fill(part, (eye < 0.02).astype(np.float32))
    return skin


def _eye_white(part: np.ndarray, white: np.ndarray, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Colour ``(3,)`` of the white: what of it shows brightest, and never much darker than the face."""
    shown = part[white > 0.5]
    skin = image[_cheek_pixels(landmarks, image.shape[:2])].mean()
    if len(shown) == 0:
        return np.full(3, 0.9 * skin, np.float32)
    brightness = shown.mean(1)
    brightest = shown[brightness >= np.percentile(brightness, 75)].mean(0)
    return brightest * max(1.0, 0.85 * skin / max(float(brightest.mean()), 1.0))


def _mouth_patch(image: np.ndarray, landmarks: np.ndarray) -> Patch:
    """Upper teeth, tongue and dark, lit like the face; the photo's own inside where its mouth is open."""
    left, right = landmarks[78, :2], landmarks[308, :2]
    width = float(np.linalg.norm(right - left))
    x0, y0, x1, y1 = _box(landmarks[INNER_LIPS, :2], 0.9 * width, image.shape[:2])
    part = image[y0:y1, x0:x1]
    at = landmarks - np.array([x0, y0, 0], np.float32)

    across = (right - left) / width
    down = np.array([-across[1], across[0]])
    y, x = np.mgrid[: part.shape[0], : part.shape[1]].astype(np.float32)
    upper = at[13, :2]
    u = ((x - upper[0]) * across[0] + (y - upper[1]) * across[1]) / width
    v = ((x - upper[0]) * down[0] + (y - upper[1]) * down[1]) / width

    light = np.clip(np.median(image[_cheek_pixels(landmarks, image.shape[:2])], axis=0).mean() / 190, 0.25, 1.05)
    drawn = np.broadcast_to(MOUTH_DARK, part.shape).copy()
    tongue = np.clip((v - TONGUE_TOP) / 0.12, 0, 1) * np.clip(1 - (u / 0.36) ** 4, 0, 1) * 0.75
    drawn += tongue[..., None] * (TONGUE - drawn)
    # Teeth hang from behind the lip along an arch; edges are soft and the corners fall into shadow.
    arch = TEETH_LENGTH * (1 - 0.45 * (u / 0.5) ** 2)
    teeth = np.clip((arch - v) / 0.02, 0, 1) * np.clip((TEETH_REACH / 2 - np.abs(u)) / 0.08, 0, 1)
    gaps = 1 - 0.16 * np.exp(-(((u / 0.105 - np.round(u / 0.105 - 0.5) - 0.5) / 0.07) ** 2))
    shade = (0.92 - 0.9 * u**2) * gaps * np.clip(0.88 + v, 0.7, 1.0)
    drawn += teeth[..., None] * (TOOTH * shade[..., None] - drawn)
    drawn *= light

    openness = np.linalg.norm(landmarks[13, :2] - landmarks[14, :2]) / width
    own = _opening(at, INNER_LIPS, part.shape[:2], 0)
    if openness > 0.06:  # the photo shows the inside of this mouth: keep it and continue it
        seam = _opening(at, INNER_LIPS, part.shape[:2], 0.04 * width)
        continued = fill(part, seam) if seam.max() > 0.5 else drawn
        nearby = np.clip(1.6 * cv2.GaussianBlur(own, (0, 0), 0.10 * width), 0, 1)[..., None]
        drawn = drawn + nearby * (continued - drawn)
    inside = cv2.dilate(own, np.ones((3, 3)))[..., None]
    return Patch(_opaque(part * inside + drawn * (1 - inside)), (x0, y0), INNER_LIPS)


def _cheek_pixels(landmarks: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Index of pixels at landmarks on cheeks and forehead, for the face's light."""
    points = landmarks[[50, 280, 101, 330, 36, 266, 151, 9]][:, :2]
    x = np.clip(np.round(points[:, 0]).astype(int), 0, shape[1] - 1)
    y = np.clip(np.round(points[:, 1]).astype(int), 0, shape[0] - 1)
    return y, x

"""The edges of a face and of the openings in it, smoothed.

The mesh is drawn whole pixel by whole pixel. That shows nowhere as long as what lies behind an opening continues it; an
opening that has moved has steps along its edge, and one that has almost closed is a dotted line.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.geometry.coverage import coverage
from durian.geometry.mesh import HeadPose, smoothstep

MOVED = (0.3, 1.0)
"""Pixels that a contour moves on the head, between which its edge comes to be smoothed: at rest pixels are the
photo's own."""
THIN = (0.4, 1.2)
"""Pixels of width between which an opening comes to show: a thinner one would be a line of dots."""
MARGIN = 3
OUTLINE_BLUR = 0.7
"""Standard deviation of a face's edge, pixels."""


@dataclass(frozen=True)
class Seam:
    """One opening in one frame.

    ``part`` are the pixels around it; ``shares`` ``(h, w) float32`` how much of each it covers; ``strength`` 0 to 1
    how much its edge is to be smoothed; ``before`` ``(h, w, 3) uint8`` what the frame showed without it.
    """

    part: tuple[slice, slice]
    shares: np.ndarray
    strength: float
    before: np.ndarray

    @classmethod
    def of(
        cls,
        frame: np.ndarray,
        contour: np.ndarray,
        landmarks: np.ndarray,
        driving: np.ndarray,
        pose: HeadPose,
        box: tuple[int, int, int, int],
    ) -> Seam | None:
        """The seam of the opening with a ``contour`` of landmarks (in the sense of positive area).

        Args:
            frame: ``(S, S, 3) uint8`` as it is before anything of the opening is drawn.
            contour: ``(K,) int``.
            landmarks: ``(478, 3) float32`` at rest.
            driving: ``(478, 3) float32`` the frame's.
            pose: between the two.
            box: ``(x0, y0, x1, y1)`` where the face is drawn.

        Returns:
            ``None`` where nothing moved, or nothing of it is in the picture.
        """
        moved = np.linalg.norm((driving[contour] - pose(landmarks[contour]))[:, :2], axis=1).max()
        strength = float(smoothstep(moved, *MOVED))
        rim = driving[contour, :2]
        low, high = np.floor(rim.min(0)).astype(int) - MARGIN, np.ceil(rim.max(0)).astype(int) + MARGIN + 1
        x0, y0, x1, y1 = max(box[0], low[0]), max(box[1], low[1]), min(box[2], high[0]), min(box[3], high[1])
        if strength <= 0 or x1 <= x0 or y1 <= y0:
            return None
        shares = np.empty((y1 - y0, x1 - x0), np.float32)
        coverage(np.ascontiguousarray(rim - [x0, y0], np.float32), shares)
        shares *= smoothstep(cv2.blur(shares, (3, 3)) * 3, *THIN)
        part = (slice(y0, y1), slice(x0, x1))
        return cls(part, shares, strength, frame[part].copy())

    def smooth(self, frame: np.ndarray, behind: np.ndarray, covered: np.ndarray) -> None:
        """Give each pixel of the edge as much of the opening as the contour covers of it.

        Args:
            frame: ``(S, S, 3) uint8`` with the face drawn, changed in place.
            behind: ``(h, w, 3) uint8`` the part of it before the face was drawn: what the opening shows.
            covered: ``(h, w) bool`` where the face was drawn.
        """
        ones = np.ones((3, 3), np.uint8)
        edge = (self.shares < 1) & ((self.shares > 0) | (behind != self.before).any(-1))
        # A lip in front of the opening hides it: only beside what is open does a drawn pixel share its place.
        edge &= ~covered | (cv2.dilate((~covered).astype(np.uint8), ones) > 0)
        y, x = np.nonzero(edge)
        if len(y) == 0:
            return
        part = frame[self.part]
        drawn = covered.astype(np.float32)
        weight = cv2.boxFilter(drawn, -1, (3, 3), normalize=False)[y, x, None]
        beside = cv2.boxFilter(part * drawn[..., None], -1, (3, 3), normalize=False)[y, x] / np.maximum(weight, 1)
        shares = self.shares[y, x, None]
        # In a crack between two lips the face goes on; beyond its outline is what was there before.
        crack = cv2.morphologyEx(drawn, cv2.MORPH_CLOSE, ones)[y, x, None] > 0
        face = np.where((weight > 0) & ((shares > 0) | crack), beside, self.before[y, x])
        face = np.where(covered[y, x, None], part[y, x], face)
        wanted = face + shares * (behind[y, x] - face)
        part[y, x] = part[y, x] + self.strength * (wanted - part[y, x]) + 0.5


def smooth_outline(
    frame: np.ndarray, part: tuple[slice, slice], before: np.ndarray, covered: np.ndarray, moved: float
) -> None:
    """Let a face that has moved end in no steps before what lies behind it.

    Args:
        frame: ``(S, S, 3) uint8`` with the face drawn, changed in place.
        part: where the face is.
        before: ``(h, w, 3) uint8`` that part before the face was drawn.
        covered: ``(h, w) bool`` where the face was drawn, or is open.
        moved: pixels that its outline has moved; at rest all pixels are the photo's own and stay.
    """
    strength = float(smoothstep(np.float32(moved), *MOVED))
    inside = covered.astype(np.float32)
    ones = np.ones((3, 3))
    edge = cv2.dilate(inside, ones, borderValue=0) > cv2.erode(inside, ones, borderValue=1)
    y, x = np.nonzero(edge)
    if strength <= 0 or len(y) == 0:
        return
    drawn = frame[part]
    share = strength * cv2.GaussianBlur(inside, (0, 0), OUTLINE_BLUR)[y, x, None]
    share += (1 - strength) * inside[y, x, None]
    weight = cv2.boxFilter(inside, -1, (3, 3), normalize=False)[y, x, None]
    beside = cv2.boxFilter(drawn * inside[..., None], -1, (3, 3), normalize=False)[y, x] / np.maximum(weight, 1)
    face = np.where(covered[y, x, None], drawn[y, x], beside)
    drawn[y, x] = (before[y, x] + share * (face - before[y, x]) + 0.5).astype(np.uint8)

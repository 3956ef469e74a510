"""Tone of a photograph whose colours follow from how bright they are alone: black and white, sepia, blue prints."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

TONED = 7.0
"""Levels by which colours around a face differ from what their brightness says, 95 % of them by less: of some 200
photographs in colour the least differ by 11, of one in sepia by 5."""
LEAST_RANGE = 100.0
"""Levels between the darkest and the brightest that a tone must go along with: a face on a wall has few of either."""
GREY = 4.0
"""Levels between the colours of what is black and white."""
SIDE = 96
"""Pixels of the longer side at which a photograph is judged: the noise of its colours is not its tone."""
AROUND = 1.0
"""Face lengths around a face's middle that are judged, to each side: skin alone has few colours in any photograph."""


@dataclass(frozen=True)
class PhotoTone:
    """Logarithm of each colour's share of a grey as bright, ``powers (3, 3)``: of its brightness to the power 0, 1 and
    2 in rows, of red, green and blue in columns. ``seen`` are the least and the greatest brightness that it was found
    for, 0-255: beyond them the share stays."""

    powers: np.ndarray
    seen: tuple[float, float] = (0.0, 255.0)

    @classmethod
    def of(cls, image: np.ndarray, landmarks: np.ndarray) -> PhotoTone | None:
        """The tone of ``image (H, W, 3) float32`` around a face ``(478, 3)``; ``None`` of one in colour."""
        low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
        reach = AROUND * float((high - low).max())
        left, top = np.maximum((low + high) / 2 - reach, 0).astype(int)
        right, bottom = ((low + high) / 2 + reach).astype(int)
        part = np.ascontiguousarray(image[top:bottom, left:right], np.float32)
        if min(part.shape[:2], default=0) < 2:
            return None
        scale = min(1.0, SIDE / max(part.shape[:2]))
        size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
        colours = cv2.resize(part, size, interpolation=cv2.INTER_AREA).reshape(-1, 3)
        grey = colours.mean(1, keepdims=True)
        share = np.log(np.clip(colours, 1, None) / np.clip(grey, 1, None))
        # A dark pixel's share is mostly noise.
        powers = np.linalg.lstsq(_powers(grey[:, 0]) * (grey / 255), share * (grey / 255), rcond=None)[0]
        least, greatest = np.percentile(grey, [1, 99])
        tone = cls(powers, (float(least), float(greatest)))
        missed = np.abs(tone.applied(colours, grey) - colours).max(1)
        is_grey = np.percentile(np.ptp(colours, axis=1), 95) < GREY
        is_toned = np.percentile(missed, 95) < TONED and greatest - least > LEAST_RANGE
        return tone if is_grey or is_toned else None

    def applied(self, colours: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Colours ``(..., 3)`` in this tone, ``float32``, as bright as they are.

        Args:
            colours: 0-255, premultiplied or not.
            level: ``(..., 1)`` how bright they are where nothing is mixed with them, 0-255.
        """
        share = np.exp(_powers(np.clip(level[..., 0], *self.seen)) @ self.powers)
        return (colours.mean(-1, keepdims=True) * share).astype(np.float32)


def _powers(grey: np.ndarray) -> np.ndarray:
    bright = grey / 255
    return np.stack([np.ones_like(bright), bright, bright**2], -1)

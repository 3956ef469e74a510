"""The small visible "AI-generated" label in a frame's lower right corner."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

TEXT = "AI-generated"
HEIGHT = 0.032
"""Text height as a share of the frame's shorter side: readable at phone width, out of the way (taste)."""
SMALLEST_TEXT = 9
"""Pixels below which the text is a smudge."""
PLATE_OPACITY = 0.45
"""Darkness behind the white text, so that it reads on white walls too (taste)."""


def draw_label(frame: np.ndarray) -> np.ndarray:
    """A copy of ``frame`` with the label on it.

    Args:
        frame: ``(H, W, 3) uint8`` RGB.

    Returns:
        An array of the same shape. Frames too small to hold the label (under about 80 px) get as much as fits.
    """
    height, width = frame.shape[:2]
    shade, ink = _plate(max(SMALLEST_TEXT, round(HEIGHT * min(height, width))))
    rows, columns = min(shade.shape[0], height), min(shade.shape[1], width)
    margin_y = min(rows // 3, height - rows)
    margin_x = min(rows // 3, width - columns)
    area = np.s_[height - margin_y - rows : height - margin_y, width - margin_x - columns : width - margin_x]
    labelled = frame.copy()
    patch = labelled[area].astype(np.float32)
    labelled[area] = np.rint(patch * shade[:rows, :columns, None] + ink[:rows, :columns, None]).astype(np.uint8)
    return labelled


@lru_cache(maxsize=8)
def _plate(text_height: int) -> tuple[np.ndarray, np.ndarray]:
    """The label for one text height: ``frame * shade + ink``, both ``(h, w) float32``."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=text_height)
    left, top, right, bottom = font.getbbox(TEXT)
    padding = max(2, text_height // 3)
    size = (round(right - left) + 2 * padding, round(bottom - top) + 2 * padding)
    plate, text = Image.new("L", size, 0), Image.new("L", size, 0)
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius=padding, fill=255)
    ImageDraw.Draw(text).text((padding - left, padding - top), TEXT, font=font, fill=255)
    opacity = np.asarray(text, np.float32) / 255
    shade = (1 - opacity) * (1 - PLATE_OPACITY * np.asarray(plate, np.float32) / 255)
    return shade, 255 * opacity

"""Finishing of rendered frames: pasted back into the photo when wanted, and labelled."""

from __future__ import annotations

import cv2
import numpy as np

from durian.engine.label import draw_label
from durian.face import Crop, paste_back
from durian.request import AnimationRequest

LONGEST_UNCROPPED_SIDE = 1920
"""Pixels of an uncropped result's longer side: what every browser and phone plays as H.264; photos are larger."""


USUAL_BYTES_A_PIXEL = 0.5
"""Of a result's frames, in both of its files together: photographs that move had 0.4 to 0.48, noise 0.9."""


def usual_bytes(request: AnimationRequest) -> int:
    """Bytes that a result's files usually have at most."""
    width, height = request.options.size, request.options.size
    if request.options.uncrop:
        height, width = request.portrait.image.shape[:2]
        scale = min(1.0, LONGEST_UNCROPPED_SIDE / max(height, width))
        width, height = round(width * scale), round(height * scale)
    frames = 1 if request.motion is None else request.options.frames
    return round(frames * width * height * USUAL_BYTES_A_PIXEL)


class Finisher:
    """Turns frames of one request into frames of its result. ``size`` is the result's (width, height), both even."""

    def __init__(self, request: AnimationRequest) -> None:
        self._label = request.options.label
        self._photo: np.ndarray | None = None
        self.size = (request.options.size, request.options.size)
        if request.options.uncrop:
            self._photo, self._crop = _shrunk_photo(request.portrait.image, request.portrait.crop)
            self.size = (self._photo.shape[1], self._photo.shape[0])

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """``(S, S, 3)`` to ``(height, width, 3)``, both uint8 RGB."""
        if self._photo is not None:
            frame = paste_back(frame, self._photo, self._crop)
        return draw_label(frame) if self._label else frame


def _shrunk_photo(photo: np.ndarray, crop: Crop) -> tuple[np.ndarray, Crop]:
    """The photo at a size that video players take, even-sided as 4:2:0 colour needs, and the crop in its pixels."""
    height, width = photo.shape[:2]
    scale = min(1.0, LONGEST_UNCROPPED_SIDE / max(height, width))
    if scale < 1:
        photo = cv2.resize(photo, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        crop = crop.scaled(scale)
    return np.ascontiguousarray(photo[: photo.shape[0] // 2 * 2, : photo.shape[1] // 2 * 2]), crop

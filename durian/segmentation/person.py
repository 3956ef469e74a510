"""The person's matte: MediaPipe's selfie segmentation, its edge refined on the picture."""

from __future__ import annotations

import threading

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.face.models import new_graph

WORKING_SIDE = 512
"""Longest side at which the matte is refined; the model itself sees 256 × 256."""

SURE_OUT_IN = (0.2, 0.9)
"""Network confidences below and above these are taken as surely out and in (seen on 25 real portraits)."""

_cache = ContentCache(entries=16)
_lock = threading.Lock()
_model = None


def person_mask(image: np.ndarray) -> np.ndarray:
    """The person's soft matte, body and hair and hat and glasses and what they hold close.

    Of MediaPipe's two models the general one (256 × 256) is used: on portraits it keeps long hair and shoulders that
    the landscape one loses. Run on the picture and its mirror image and averaged. Cached by content.

    Args:
        image: ``(H, W, 3) uint8`` RGB.

    Returns:
        ``(H, W) uint8``; do not write into it.
    """
    return _cache.get(image, _person_mask)


def _person_mask(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    confidence = (_run(small) + _run(np.ascontiguousarray(small[:, ::-1]))[:, ::-1]) / 2
    matte = refine_edge(small, confidence, radius=max(2, round(max(size) / 100)))
    low, high = SURE_OUT_IN
    matte = np.clip((matte - low) / (high - low), 0, 1)
    # The filter may leak along a strong edge far from the outline; the network's sure regions stay sure.
    matte = np.where(cv2.erode(confidence, np.ones((9, 9))) > 0.95, 1.0, matte)
    matte = np.where(cv2.dilate(confidence, np.ones((9, 9))) < 0.05, 0.0, matte)
    full = cv2.resize(matte.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.rint(np.clip(full, 0, 1) * 255).astype(np.uint8)


def _run(image: np.ndarray) -> np.ndarray:
    global _model
    # MediaPipe graphs are not safe to call from two threads.
    with _lock:
        if _model is None:
            _model = new_graph("selfie_segmentation", "SelfieSegmentation", model_selection=0)
        return _model.process(np.ascontiguousarray(image)).segmentation_mask.astype(np.float32)


def refine_edge(image: np.ndarray, mask: np.ndarray, radius: int, epsilon: float = 1e-4) -> np.ndarray:
    """Guided filter (He, Sun, Tang 2010): ``mask`` snapped to the edges of ``image``.

    Args:
        image: ``(h, w, 3) uint8`` guide.
        mask: ``(h, w) float32`` in [0, 1].
        radius: window radius in pixels.
        epsilon: edges with a variance below it (guide in [0, 1]) are smoothed over.

    Returns:
        ``(h, w) float32`` in [0, 1].
    """
    guide = image.astype(np.float32) / 255.0
    return np.clip(cv2.ximgproc.guidedFilter(guide, mask.astype(np.float32), radius, epsilon), 0, 1)

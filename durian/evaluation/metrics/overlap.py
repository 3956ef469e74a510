"""Overlap of masks."""

from __future__ import annotations

import numpy as np


def intersection_over_union(mask: np.ndarray, truth: np.ndarray) -> float:
    """Of two ``bool`` masks; two empty ones agree fully."""
    union = np.logical_or(mask, truth).sum()
    return float(np.logical_and(mask, truth).sum() / union) if union else 1.0


def soft_intersection_over_union(mask: np.ndarray, covered: np.ndarray) -> float:
    """Of two ``uint8`` masks, by the smaller and the larger share in each pixel; two empty ones agree fully."""
    union = np.maximum(mask, covered).sum(dtype=np.int64)
    return float(np.minimum(mask, covered).sum(dtype=np.int64) / union) if union else 1.0

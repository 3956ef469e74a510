"""PSNR, SSIM and L1 of frames, over the whole picture or inside a mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

PEAK = 255.0
BEST_PSNR = 100.0
"""dB given to identical pictures, whose PSNR has no bound and would swallow every mean."""

SSIM_WINDOW = 7
SSIM_K1, SSIM_K2 = 0.01, 0.03
"""Wang et al. 2004, with the uniform 7 × 7 window and the sample covariance that scikit-image uses by default."""


@dataclass(frozen=True)
class Score:
    """``psnr`` in dB, ``ssim`` in [-1, 1], ``l1`` the mean absolute difference in units of full brightness."""

    psnr: float
    ssim: float
    l1: float

    def rounded(self) -> dict[str, float]:
        return {"psnr": round(self.psnr, 3), "ssim": round(self.ssim, 4), "l1": round(self.l1, 5)}


def compare(image: np.ndarray, truth: np.ndarray, mask: np.ndarray | None = None) -> Score:
    """Score ``image`` against ``truth``.

    Args:
        image, truth: ``(H, W, 3) uint8``.
        mask: ``(H, W) bool``, the pixels that count; not empty. ``None``: all (SSIM then leaves out the outermost
            half window, as scikit-image does).
    """
    return compare_in(image, truth, {"all": mask})["all"]


def compare_in(image: np.ndarray, truth: np.ndarray, masks: Mapping[str, np.ndarray | None]) -> dict[str, Score]:
    """As :func:`compare` for several masks of one pair, computing the SSIM map once; empty masks are left out."""
    difference = image.astype(np.float32) - truth.astype(np.float32)
    squared, absolute = (difference**2).mean(2), np.abs(difference).mean(2)
    similarity = ssim_map(image, truth)
    border = SSIM_WINDOW // 2
    scores = {}
    for name, mask in masks.items():
        if mask is None:
            inner = similarity[border:-border, border:-border]
            scores[name] = Score(_psnr(squared.mean(dtype=np.float64)), float(inner.mean()), _l1(absolute))
        elif mask.any():
            error = squared[mask].mean(dtype=np.float64)
            scores[name] = Score(_psnr(error), float(similarity[mask].mean()), _l1(absolute[mask]))
    return scores


def ssim_map(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Structural similarity around each pixel, averaged over the colours: ``(H, W) float64``.

    Equal to scikit-image's ``structural_similarity(..., channel_axis=2, data_range=255, full=True)``, six times as
    fast through OpenCV's running sums.
    """
    x, y = image.astype(np.float64), truth.astype(np.float64)
    count = SSIM_WINDOW**2
    unbiased = count / (count - 1)
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    variance_x = unbiased * (_window_mean(x * x) - mean_x**2)
    variance_y = unbiased * (_window_mean(y * y) - mean_y**2)
    covariance = unbiased * (_window_mean(x * y) - mean_x * mean_y)
    c1, c2 = (SSIM_K1 * PEAK) ** 2, (SSIM_K2 * PEAK) ** 2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return similarity.mean(2)


def mean_score(scores: Iterable[Score]) -> Score | None:
    """The mean of each figure; ``None`` of nothing."""
    rows = [(score.psnr, score.ssim, score.l1) for score in scores]
    return Score(*(float(value) for value in np.mean(rows, axis=0))) if rows else None


def mean_by_name(scores: Sequence[Mapping[str, Score]]) -> dict[str, Score]:
    """The mean for each name, over those that have it."""
    names = dict.fromkeys(name for score in scores for name in score)
    means = {name: mean_score(score[name] for score in scores if name in score) for name in names}
    return {name: mean for name, mean in means.items() if mean is not None}


def _window_mean(values: np.ndarray) -> np.ndarray:
    return cv2.blur(values, (SSIM_WINDOW, SSIM_WINDOW), borderType=cv2.BORDER_REFLECT)


def _psnr(squared_error: float) -> float:
    if squared_error <= 0:
        return BEST_PSNR
    return float(min(BEST_PSNR, 10 * np.log10(PEAK**2 / squared_error)))


def _l1(absolute: np.ndarray) -> float:
    return float(absolute.mean(dtype=np.float64) / PEAK)

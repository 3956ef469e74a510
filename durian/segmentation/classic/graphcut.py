"""Exact two-label graph cuts (Boykov, Jolly 2001) through the max-flow inside ``cv2.grabCut``.

``cv2.grabCut`` only knows colour mixtures as its data term. With frozen one-Gaussian models over a channel that
carries our own log-odds, its data term becomes exactly those log-odds, and the other two channels give the
contrast-sensitive smoothness: a full max-flow with any prior, in a few ten milliseconds.
"""

from __future__ import annotations

import cv2
import numpy as np

MAX_LOG_ODDS = 8.0
"""Evidence beyond this counts no more (a natural logarithm, 8 is 3000 to 1)."""

NAT = 12.0
"""Strength of one nat of log-odds against grabCut's fixed smoothness of 50 per pair (taste; doubling it moved the IoU
of no attribute by more than 0.003 on 67 synthetic scenes)."""

SEED_ODDS = 1e3
"""Log-odds at or beyond this are hard constraints."""

EVIDENCE_RANGE = 64.0
"""Grey levels the log-odds are spread over: grabCut's smoothness sees that channel too, so its steps must stay small
beside the picture's own, yet fine enough (a quarter nat)."""

_FREE_VARIANCE = 1e9
_MIDDLE = 127.5


def cut(log_odds: np.ndarray, lab: np.ndarray, smoothness: float = 1.0) -> np.ndarray:
    """Label every pixel at the least cost.

    Args:
        log_odds: ``(h, w) float32``, above 0 favours inside; at or beyond ±:data:`SEED_ODDS` is a hard constraint.
        lab: ``(h, w, 3) uint8`` OpenCV Lab of the picture; borders settle on its edges.
        smoothness: above 1 for rounder, below 1 for finer shapes.

    Returns:
        ``(h, w) bool``.
    """
    if log_odds.max() <= 0:
        return np.zeros(log_odds.shape, bool)
    if log_odds.min() > 0:
        return np.ones(log_odds.shape, bool)
    bounded = np.clip(log_odds, -MAX_LOG_ODDS, MAX_LOG_ODDS)
    lightness = lab[..., 0]
    # One chroma channel: the picture's own strongest chroma contrast is nearly always along a + b.
    chroma = np.clip(lab[..., 1].astype(np.int16) + lab[..., 2] - 128, 0, 255).astype(np.uint8)
    evidence = np.rint((bounded / MAX_LOG_ODDS + 1) * (EVIDENCE_RANGE / 2)).astype(np.uint8)
    feature = np.dstack([evidence, lightness, chroma])

    labels = np.where(bounded > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[log_odds >= SEED_ODDS] = cv2.GC_FGD
    labels[log_odds <= -SEED_ODDS] = cv2.GC_BGD
    # Two equal Gaussians at 0 and R differ by R² U / (2 v MAX) for log-odds U: choose v for NAT per nat.
    variance = EVIDENCE_RANGE**2 / (2 * NAT * MAX_LOG_ODDS) * smoothness
    outside, inside = _gaussian(0.0, variance), _gaussian(EVIDENCE_RANGE, variance)
    cv2.grabCut(feature, labels, None, outside, inside, 1, cv2.GC_EVAL_FREEZE_MODEL)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def _gaussian(mean: float, variance: float) -> np.ndarray:
    """A grabCut model of one component: 5 weights, 5 × 3 means, 5 × 9 covariances."""
    model = np.zeros((1, 65))
    model[0, 0] = 1.0
    model[0, 5:8] = (mean, _MIDDLE, _MIDDLE)
    model[0, 20:29] = np.diag([variance, _FREE_VARIANCE, _FREE_VARIANCE]).ravel()
    return model

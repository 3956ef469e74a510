"""Losses of the parser: cross entropy and overlap of the classes, and of clicked masks."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.segmentation.parser.classes import CLASSES, LAYERED
from durian.training.parser.examples import IGNORED

WEIGHTS = {"lips": 1.5, "earrings": 2.0}
"""Of classes that cover little; of the others 1. More for glasses or hats, and the network sees them everywhere."""
EMPTY = 20.0
"""Pixels that are added to areas, so that a class that is not there is a small loss rather than none or all."""


def class_losses(logits: Tensor, classes: Tensor, share: Tensor) -> dict[str, Tensor]:
    """Cross entropy and overlap of the classes.

    Args:
        logits: ``(B, 9, S, S)``.
        classes, share: ``(B, S, S) uint8`` as in :class:`durian.training.parser.photos.Photos`, 255 being outside.
    """
    logits = logits.float()
    valid = (classes != IGNORED).float()
    first = torch.where(classes == IGNORED, torch.zeros_like(classes), classes // 16).long()
    second = torch.where(classes == IGNORED, torch.zeros_like(classes), classes % 16).long()
    part = share.float() / 255
    weights = torch.tensor([WEIGHTS.get(name, 1.0) for name in CLASSES], device=logits.device)
    logs = F.log_softmax(logits, dim=1)
    weighted = weights[:, None, None] * logs
    entropy = part * _of(weighted, first) + (1 - part) * _of(weighted, second)
    entropy = -(entropy * valid).sum() / valid.sum().clamp(min=1)

    shares = torch.zeros_like(logs).scatter_(1, first[:, None], part[:, None])
    shares = shares.scatter_add_(1, second[:, None], (1 - part)[:, None]) * valid[:, None]
    items = list(LAYERED)
    overlap = _overlap(logs[:, items].exp() * valid[:, None], shares[:, items])
    return {"entropy": entropy, "overlap": overlap}


def click_losses(logits: Tensor, clicked: Tensor) -> dict[str, Tensor]:
    """Cross entropy and overlap of clicked masks.

    Args:
        logits: ``(B, S, S)``.
        clicked: ``(B, S, S)`` in [0, 1].
    """
    logits = logits.float()
    entropy = F.binary_cross_entropy_with_logits(logits, clicked)
    return {"clicked entropy": entropy, "clicked overlap": _overlap(torch.sigmoid(logits)[:, None], clicked[:, None])}


def _of(logs: Tensor, number: Tensor) -> Tensor:
    return logs.gather(1, number[:, None])[:, 0]


def _overlap(found: Tensor, true: Tensor) -> Tensor:
    """1 - Dice over ``(B, C, S, S)``, the mean of its items."""
    both = 2 * (found * true).sum(dim=(2, 3)) + EMPTY
    return 1 - (both / (found.sum(dim=(2, 3)) + true.sum(dim=(2, 3)) + EMPTY)).mean()

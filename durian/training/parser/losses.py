"""What the parser is told: shares of classes, overlap of items, and the clicked mask."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.segmentation.parser.classes import BACKGROUND, CLASSES, SKIN
from durian.training.parser.examples import IGNORED

WEIGHTS = {"lips": 1.5, "earrings": 2.0}
"""Of classes that cover little; of the others 1. More for glasses or hats, and the network sees them everywhere."""
OVERLAP, CLICKED = 1.0, 1.0
"""Weights of the overlap's and of the clicked mask's loss, beside the cross entropy's 1."""
EMPTY = 20.0
"""Pixels that are added to areas, so that a class that is not there is a small loss rather than none or all."""


def parser_loss(
    logits: Tensor, clicked_logits: Tensor, classes: Tensor, share: Tensor, clicked: Tensor
) -> dict[str, Tensor]:
    """Losses, ``total`` among them.

    Args:
        logits: ``(B, 9, S, S)``.
        clicked_logits: ``(B, S, S)``.
        classes, share: ``(B, S, S) uint8`` as in :class:`durian.training.parser.photos.Photos`, 255 being outside.
        clicked: ``(B, S, S)``, -1 where nothing was clicked.
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
    items = [number for number in range(len(CLASSES)) if number not in (BACKGROUND, SKIN)]
    overlap = _overlap(logs[:, items].exp() * valid[:, None], shares[:, items])
    return _summed({"entropy": entropy, "overlap": overlap, "clicked": _clicked(clicked_logits.float(), clicked)})


def _of(logs: Tensor, number: Tensor) -> Tensor:
    return logs.gather(1, number[:, None])[:, 0]


def _overlap(found: Tensor, true: Tensor) -> Tensor:
    """1 - Dice over ``(B, C, S, S)``, the mean of its items."""
    both = 2 * (found * true).sum(dim=(2, 3)) + EMPTY
    return 1 - (both / (found.sum(dim=(2, 3)) + true.sum(dim=(2, 3)) + EMPTY)).mean()


def _clicked(logits: Tensor, clicked: Tensor) -> Tensor:
    chosen = (clicked[:, :1, :1] >= 0).float()
    clicked = clicked.clamp(min=0)
    entropy = F.binary_cross_entropy_with_logits(logits, clicked, reduction="none")
    entropy = (chosen * entropy).mean() / chosen.mean().clamp(min=1e-6)
    return entropy + _overlap((chosen * torch.sigmoid(logits))[:, None], (chosen * clicked)[:, None])


def _summed(parts: dict[str, Tensor]) -> dict[str, Tensor]:
    total = parts["entropy"] + OVERLAP * parts["overlap"] + CLICKED * parts["clicked"]
    return {"total": total, **parts}

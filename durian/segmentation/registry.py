"""Which segmenters there are, and which one to use."""

from __future__ import annotations

from durian.errors import InvalidRequest
from durian.segmentation.classic import ClassicSegmenter
from durian.segmentation.interface import Segmenter
from durian.segmentation.sam import SamSegmenter, find_checkpoint
from durian.settings import get_settings


def available_segmenters() -> tuple[str, ...]:
    """Names that :func:`get_segmenter` can make here and now; ``sam`` where its checkpoint is."""
    return ("classic",) if find_checkpoint() is None else ("classic", "sam")


def get_segmenter(kind: str = "auto") -> Segmenter:
    """A segmenter for one caller; models and per-picture results behind it are shared.

    Args:
        kind: ``classic``, ``sam``, or ``auto``: SAM where its checkpoint and a GPU are (an embedding takes 18-25 s
            on two cores), else classic.

    Raises:
        InvalidRequest: an unknown kind.
        WeightsMissing: ``sam`` without a checkpoint.
    """
    if kind == "auto":
        checkpoint = find_checkpoint()
        kind = "sam" if checkpoint is not None and get_settings().torch_device() == "cuda" else "classic"
    if kind == "classic":
        return ClassicSegmenter()
    if kind == "sam":
        return SamSegmenter()
    raise InvalidRequest(f"There is no segmenter named {kind!r}: use auto, classic or sam.")

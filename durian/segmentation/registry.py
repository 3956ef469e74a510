"""Which segmenters there are, and which one to use."""

from __future__ import annotations

from durian.errors import InvalidRequest
from durian.segmentation.classic import ClassicSegmenter
from durian.segmentation.interface import Segmenter


def available_segmenters() -> tuple[str, ...]:
    """Names that :func:`get_segmenter` can make here and now."""
    return ("classic",)


def get_segmenter(kind: str = "auto") -> Segmenter:
    """A segmenter for one caller; models and per-picture results behind it are shared."""
    if kind not in ("auto", "classic"):
        raise InvalidRequest(f"There is no segmenter named {kind!r}: use auto, classic or sam.")
    return ClassicSegmenter()

"""Registry of segmenters, and the choice of one."""

from __future__ import annotations

from durian.errors import InvalidRequest
from durian.segmentation.classic.segmenter import ClassicSegmenter
from durian.segmentation.interface import Segmenter
from durian.segmentation.parser.segmenter import ParserSegmenter
from durian.segmentation.parser.weights import find_parser
from durian.segmentation.sam import SamSegmenter, find_checkpoint
from durian.settings import get_settings


def available_segmenters() -> tuple[str, ...]:
    """Names that :func:`get_segmenter` can make here and now: the built-in one (``parser`` where its weights are, else
    ``classic``), and ``sam`` where its checkpoint is."""
    built_in = "classic" if find_parser() is None else "parser"
    return (built_in,) if find_checkpoint() is None else (built_in, "sam")


def get_segmenter(kind: str = "auto") -> Segmenter:
    """A segmenter for one caller; models and per-picture results behind it are shared.

    Args:
        kind: ``parser``, ``classic``, ``sam``, or ``auto``: SAM where its checkpoint and a GPU are (an embedding takes
            18-25 s on two cores), else the parser where its weights are, else classic.

    Raises:
        InvalidRequest: an unknown kind.
        WeightsMissing: ``sam`` without a checkpoint, ``parser`` without weights.
    """
    if kind == "auto":
        built_in, *sam = available_segmenters()
        kind = "sam" if sam and get_settings().torch_device() == "cuda" else built_in
    if kind == "parser":
        return ParserSegmenter()
    if kind == "classic":
        return ClassicSegmenter()
    if kind == "sam":
        return SamSegmenter()
    raise InvalidRequest(f"There is no segmenter named {kind!r}: use auto, parser, classic or sam.")

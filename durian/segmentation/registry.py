"""Registry of segmenters, and the choice of one."""

from __future__ import annotations

from durian.errors import InvalidRequest
from durian.segmentation.classic.segmenter import ClassicSegmenter
from durian.segmentation.interface import Segmenter
from durian.segmentation.parser.segmenter import ParserSegmenter
from durian.segmentation.parser.weights import find_parser
from durian.segmentation.sam import SamSegmenter, find_checkpoint
from durian.segmentation.sam2 import Sam2Segmenter, find_sam2
from durian.settings import get_settings


def available_segmenters() -> tuple[str, ...]:
    """Names that :func:`get_segmenter` can make here and now: the built-in one (``parser`` where its weights are, else
    ``classic``), ``sam`` where its checkpoint is, and ``sam2`` where its folder is."""
    built_in = "classic" if find_parser() is None else "parser"
    others = {"sam": find_checkpoint(), "sam2": find_sam2()}
    return (built_in, *(name for name, path in others.items() if path is not None))


def get_segmenter(kind: str = "auto") -> Segmenter:
    """A segmenter for one caller; models and per-picture results behind it are shared.

    Args:
        kind: ``parser``, ``classic``, ``sam``, ``sam2``, or ``auto``: SAM where its checkpoint and a GPU are (an
            embedding takes 18-25 s on two cores), else the parser where its weights are, else classic.

    Raises:
        InvalidRequest: an unknown kind.
        WeightsMissing: ``sam`` without a checkpoint, ``sam2`` or ``parser`` without weights.
    """
    if kind == "auto":
        built_in, *others = available_segmenters()
        kind = "sam" if "sam" in others and get_settings().torch_device() == "cuda" else built_in
    if kind == "parser":
        return ParserSegmenter()
    if kind == "classic":
        return ClassicSegmenter()
    if kind == "sam":
        return SamSegmenter()
    if kind == "sam2":
        return Sam2Segmenter()
    raise InvalidRequest(f"There is no segmenter named {kind!r}: use auto, parser, classic, sam or sam2.")

"""Segmentation: masks of items from clicks or from an item's name."""

from durian.segmentation.find_worn import body_parts, worn
from durian.segmentation.interface import START_NAMES, Segmenter
from durian.segmentation.registry import available_segmenters, get_segmenter

__all__ = ["START_NAMES", "Segmenter", "available_segmenters", "body_parts", "get_segmenter", "worn"]

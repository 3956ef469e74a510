"""Titles, units and directions of the figures in an evaluation's tables."""

from __future__ import annotations

from dataclasses import dataclass

REGION_TITLES = {
    "all": "",
    "inside": "inside the item",
    "outside": "outside the item",
    "face": "in the face",
    "lens": "in the lenses",
    "frame": "in the frame",
    "ring": "in the ring around the item",
    "head": "in the head's box",
    "hole": "in the hole",
    "changed": "where the item changes anything",
}


@dataclass(frozen=True)
class Figure:
    """A figure that is not a metric of its own room; ``higher_is_better`` ``None`` where neither way is."""

    name: str
    title: str
    unit: str
    higher_is_better: bool | None
    definition: str


def region_title(region: str) -> str:
    """``inside the item`` for ``inside``; regions of single items are called after them."""
    return REGION_TITLES.get(region, f"in the {region}")

"""Completion of what hair, hats, glasses and beards hid."""

from durian.layers.completion.background import complete_background, join
from durian.layers.completion.body import complete_body
from durian.layers.completion.hair import complete_hair
from durian.layers.completion.skin import complete_skin

__all__ = ["complete_background", "complete_body", "complete_hair", "complete_skin", "join"]

"""Classes of the face parser and the items that have names."""

from __future__ import annotations

CLASSES = ("background", "skin", "hair", "beard", "glasses", "hat", "lips", "earrings", "clothes")
"""Names of the network's outputs, in their order. Glasses are frame and lens together."""
BACKGROUND, SKIN, HAIR, BEARD, GLASSES, HAT, LIPS, EARRINGS, CLOTHES = range(len(CLASSES))
LAYERED = tuple(number for number in range(len(CLASSES)) if number not in (BACKGROUND, SKIN))
"""Classes that lie over skin and background, and can be clicked."""
ITEMS = {name: CLASSES.index(name) for name in ("hair", "glasses", "hat", "beard", "lips")}
"""Items with a named start (:data:`durian.segmentation.interface.START_NAMES`), and their class."""

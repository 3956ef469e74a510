"""Looks of what is worn besides hair, as plain data that is light to import; each kind has a file that makes meshes."""

from __future__ import annotations

from dataclasses import dataclass

from durian.synthetic.wear import Colour, Look


@dataclass(frozen=True)
class HatLook(Look):
    """A hat or other headwear (:mod:`durian.synthetic.hats`).

    ``colour`` is the hat's, ``accent`` that of its band, stripes, badge or print; ``pattern``: one of
    :data:`durian.synthetic.fabric.PATTERNS`, or ``"contrast"`` for a cap whose visor has the accent's colour and a
    fur hat whose crown is cloth of that colour.
    """

    colour: Colour = (0.05, 0.05, 0.06)
    accent: Colour = (0.4, 0.38, 0.34)
    pattern: str = "plain"


@dataclass(frozen=True)
class GlassesLook(Look):
    """A pair of glasses (:mod:`durian.synthetic.glasses`).

    ``colour`` and ``finish`` ("plastic", "metal", "tortoise") are the frame's; ``lens``: "clear", "tinted",
    "gradient" or "dark", its light multiplied by ``tint``; ``reflection`` in [0, 1].
    """

    colour: Colour = (0.02, 0.02, 0.022)
    finish: str = "plastic"
    lens: str = "clear"
    tint: Colour = (0.97, 0.98, 0.975)
    reflection: float = 0.3


@dataclass(frozen=True)
class EarringLook(Look):
    """A pair of earrings (:mod:`durian.synthetic.earrings`): colours of the metal and of stones, beads or threads."""

    colour: Colour = (0.69, 0.45, 0.15)
    stone: Colour = (0.88, 0.86, 0.8)


@dataclass(frozen=True)
class ClothLook(Look):
    """Clothes on the shoulders (:mod:`durian.synthetic.cloth`).

    ``colour`` is that of its ground, ``accent`` that of its pattern or of what is worn below; ``pattern``: one of
    :data:`durian.synthetic.fabric.PATTERNS`.
    """

    colour: Colour = (0.2, 0.22, 0.26)
    accent: Colour = (0.6, 0.58, 0.54)
    pattern: str = "plain"

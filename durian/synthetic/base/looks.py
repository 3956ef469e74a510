"""Looks of hair and of what is worn, as plain data that is light to import; each kind has a file that makes meshes."""

from __future__ import annotations

from dataclasses import dataclass

from durian.synthetic.base.wear import Colour, Look


@dataclass(frozen=True)
class HairLook(Look):
    """One head of hair; ``seed`` decides where each strand is, not what the hair looks like. ``colour`` is linear
    RGB."""

    colour: Colour = (0.05, 0.03, 0.02)


@dataclass(frozen=True)
class BeardLook(Look):
    """One beard; ``colour`` is linear RGB.

    Parameters: ``length`` and ``moustache``, of hairs on chin and lip (cm); ``cheeks`` and ``neck``, by how much its
    edges lie higher and lower than usual (cm); ``width`` of chin and moustache (cm to each side); ``density``;
    ``patchy``, how uneven it grows; ``mess``; ``taper``, how much a long beard runs to a point; ``grey``, share of
    hairs that have lost their colour.
    """

    colour: Colour = (0.05, 0.03, 0.02)


@dataclass(frozen=True)
class BrowLook(Look):
    """Eyebrows; ``parameters`` are those of ``RANGES``; ``colour`` is linear RGB. Any style but none is natural."""

    style: str = "natural"
    colour: Colour = (0.04, 0.025, 0.015)


@dataclass(frozen=True)
class HatLook(Look):
    """A hat or other headwear (:mod:`durian.synthetic.worn.hats`).

    ``colour`` is the hat's, ``accent`` that of its band, stripes, badge or print; ``pattern``: one of
    :data:`durian.synthetic.worn.fabric.PATTERNS`, or ``"contrast"`` for a cap whose visor has the accent's colour and a
    fur hat whose crown is cloth of that colour.
    """

    colour: Colour = (0.05, 0.05, 0.06)
    accent: Colour = (0.4, 0.38, 0.34)
    pattern: str = "plain"


@dataclass(frozen=True)
class GlassesLook(Look):
    """A pair of glasses (:mod:`durian.synthetic.worn.glasses`).

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
    """A pair of earrings (:mod:`durian.synthetic.worn.earrings`): colours of the metal and of stones, beads or
    threads."""

    colour: Colour = (0.69, 0.45, 0.15)
    stone: Colour = (0.88, 0.86, 0.8)


@dataclass(frozen=True)
class ClothLook(Look):
    """Clothes on the shoulders (:mod:`durian.synthetic.worn.cloth`).

    ``colour`` is that of its ground, ``accent`` that of its pattern or of what is worn below; ``pattern``: one of
    :data:`durian.synthetic.worn.fabric.PATTERNS`.
    """

    colour: Colour = (0.2, 0.22, 0.26)
    accent: Colour = (0.6, 0.58, 0.54)
    pattern: str = "plain"

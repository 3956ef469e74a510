"""Clothes on neck and shoulders: their styles, random looks, and meshes from a look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from durian.synthetic.base.geometry import Mesh
from durian.synthetic.base.looks import ClothLook
from durian.synthetic.base.shapes import merged
from durian.synthetic.base.wear import NONE, Style, linear, near_colour, style_of, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.worn.collars import (
    body,
    edging,
    hood,
    neck_scarf,
    round_neckline,
    v_neckline,
)
from durian.synthetic.worn.fabric import SIMPLE_PATTERNS, sample_accent, sample_dye
from durian.synthetic.worn.millinery import darker
from durian.synthetic.worn.prints import printed
from durian.synthetic.worn.tailoring import JACKET_OFF, lapels, placket, shirt_collar, tie
from durian.synthetic.worn.torso import torso_of

SUITS = tuple(linear(text) for text in ("#17181c", "#1d2435", "#2e3138", "#55585e", "#4a3b30", "#8f8468", "#3b4a3f"))
BUTTONS = tuple(linear(text) for text in ("#e8e4da", "#2a2624", "#6b4a30"))


def sample_cloth_look(rng: np.random.Generator, styles: Sequence[str] | None = None) -> ClothLook:
    """Clothes drawn at random; ``styles`` are those to choose from, each as likely as the others, all if left out."""
    names = list(styles or STYLES)
    style = names[rng.integers(len(names))]
    if style == NONE:
        return ClothLook()
    colour = near_colour(SUITS[rng.integers(len(SUITS))], rng) if style == "suit" else sample_dye(rng)
    patterns = PATTERNS_OF.get(style, ("plain",))
    return ClothLook(
        style=style,
        parameters=STYLES[style].sample(rng),
        seed=int(rng.integers(2**31)),
        colour=colour,
        accent=sample_accent(colour, rng),
        pattern=patterns[rng.integers(len(patterns))],
    )


def make_cloth(head: HeadModel, look: ClothLook) -> list[Mesh]:
    """Meshes of the clothes on the neutral head; nothing for style ``"none"``.

    Raises:
        InvalidRequest: there is no such style, or it has no such number.
    """
    if not look.is_worn:
        return []
    style = style_of(look, STYLES)
    return [merged(style.build(head, look, **style.complete(look.parameters)))]


FOLDS = {"folds": (0.15, 0.6)}
"""Depth of the folds, cm."""
PERIOD = {"period": (1.2, 4.5)}
"""Of the pattern, cm."""


def _body(head: HeadModel, look: ClothLook, neckline, folds: float, period: float, **more) -> Mesh:
    return body(
        torso_of(head),
        neckline,
        look.rng(),
        pattern=look.pattern,
        period=period,
        colour=look.colour,
        accent=look.accent,
        folds=folds,
        **more,
    )


@styled(level=(1.75, 2.5), dip=(0.1, 0.9), band=(0.28, 0.5), **FOLDS, **PERIOD)
def crew(
    head: HeadModel, look: ClothLook, level: float, dip: float, band: float, folds: float, period: float
) -> list[Mesh]:
    """A T-shirt or pullover with a round neck and a ribbed band; a large ``dip`` makes it a scoop neck."""
    top, bottom = round_neckline(level, dip), round_neckline(level + band, dip)
    under = round_neckline(level + 0.6 * band, dip)
    rib = edging(torso_of(head), top, bottom, 0.32, darker(look.colour, 0.92), off=0.22)
    return [_body(head, look, under, folds, period), rib]


@styled(level=(1.7, 2.3), depth=(1.3, 2.3), half_width=(0.7, 1.1), band=(0.25, 0.42), **FOLDS, **PERIOD)
def v_neck(
    head: HeadModel,
    look: ClothLook,
    level: float,
    depth: float,
    half_width: float,
    band: float,
    folds: float,
    period: float,
) -> list[Mesh]:
    """A pullover whose neckline runs to a point in front."""
    lines = [v_neckline(level + add, depth, half_width) for add in (0.0, 0.6 * band, band)]
    rib = edging(torso_of(head), lines[0], lines[2], 0.3, darker(look.colour, 0.92), off=0.22, columns=241)
    return [_body(head, look, lines[1], folds, period), rib]


@styled(height=(0.0, 0.8), bulk=(0.5, 1.0), **FOLDS, **PERIOD)
def turtleneck(head: HeadModel, look: ClothLook, height: float, bulk: float, folds: float, period: float) -> list[Mesh]:
    """A pullover with a high ribbed neck that is folded over; ``height`` is the level of its upper edge, 0 below the
    jaw."""
    top, fold, bottom = (round_neckline(level, 0.0) for level in (height, 1.7 + 0.3 * height, 2.25))
    torso = torso_of(head)
    return [
        _body(head, look, round_neckline(1.9, 0.0), folds, period),
        edging(torso, round_neckline(1.2, 0.0), bottom, 0.35, look.colour, off=0.2),
        edging(torso, top, fold, bulk, look.colour, off=0.25, lean=0.25, sides=28),
    ]


SHIRTS = tuple(linear(text) for text in ("#eeeeec", "#eeeeec", "#c9d6e6", "#e9dcdc", "#3a3d45"))


@styled(
    stand=(0.55, 0.95),
    opening=(0.08, 0.3),
    spread=(0.1, 0.35),
    point=(1.9, 2.6),
    undone=(0.2, 2.2),
    **FOLDS,
    period=(1.2, 2.6),
)
def shirt(
    head: HeadModel,
    look: ClothLook,
    stand: float,
    opening: float,
    spread: float,
    point: float,
    undone: float,
    folds: float,
    period: float,
) -> list[Mesh]:
    """A shirt with a collar and buttons, open at the neck by ``undone`` levels."""
    torso = torso_of(head)
    return [
        _body(head, look, v_neckline(1.75, undone, 0.32), folds, period),
        *placket(torso, 1.75 + undone, look, period, BUTTONS[look.seed % len(BUTTONS)]),
        *shirt_collar(torso, stand, opening, spread, point, look, period),
    ]


@styled(
    depth=(3.4, 5.0),
    half_width=(0.55, 0.8),
    breadth=(4.4, 6.4),
    stand=(0.6, 0.9),
    point=(1.9, 2.4),
    tie_breadth=(4.5, 7.5),
    **FOLDS,
    period=(0.8, 2.4),
)
def suit(
    head: HeadModel,
    look: ClothLook,
    depth: float,
    half_width: float,
    breadth: float,
    stand: float,
    point: float,
    tie_breadth: float,
    folds: float,
    period: float,
) -> list[Mesh]:
    """A jacket over shirt and tie; the accent and the pattern are the tie's."""
    torso = torso_of(head)
    white = ClothLook(colour=SHIRTS[look.seed % len(SHIRTS)])
    opening = v_neckline(JACKET_LEVEL, depth, half_width)
    jacket = ClothLook(seed=look.seed, colour=look.colour)
    return [
        _body(head, white, round_neckline(1.75, 0.1), 0.1, period),
        *shirt_collar(torso, stand, 0.07, 0.2, point, white, period),
        *tie(torso, stand + 0.85, tie_breadth, look, period),
        _body(head, jacket, opening, 0.6 * folds, period, off=JACKET_OFF),
        lapels(torso, JACKET_LEVEL, depth, half_width, breadth, look.colour),
    ]


JACKET_LEVEL = 1.7
"""Level at which a jacket begins at the nape."""


@styled(level=(1.7, 2.1), volume=(2.2, 4.5), **FOLDS)
def hoodie(head: HeadModel, look: ClothLook, level: float, volume: float, folds: float) -> list[Mesh]:
    """A sweatshirt whose hood hangs down behind."""
    torso = torso_of(head)
    return [
        _body(head, look, round_neckline(level - 0.2, 0.2), folds + 0.1, 2.0),
        *hood(torso, level, volume, look.colour, look.rng()),
    ]


@styled(bulk=(1.3, 2.1), loose=(0.2, 2.0), tails=(10.0, 20.0), side=(-0.5, 0.5), **FOLDS, **PERIOD)
def scarf(
    head: HeadModel, look: ClothLook, bulk: float, loose: float, tails: float, side: float, folds: float, period: float
) -> list[Mesh]:
    """A scarf over a plain pullover; the pattern is the scarf's."""

    def dyed(made: Mesh) -> Mesh:
        return printed(made, look.pattern, period, look.colour, darker(look.colour, 0.35), made.uv[:, ::-1])

    torso = torso_of(head)
    below = body(
        torso,
        round_neckline(1.9, 0.2),
        look.rng(),
        pattern="plain",
        period=period,
        colour=look.accent,
        accent=look.accent,
        folds=folds,
    )
    return [below, *neck_scarf(torso, bulk, loose, tails, side, dyed, look.rng())]


STYLES: dict[str, Style] = {
    "crew": crew,
    "v_neck": v_neck,
    "turtleneck": turtleneck,
    "shirt": shirt,
    "suit": suit,
    "hoodie": hoodie,
    "scarf": scarf,
}

PATTERNS_OF = {
    "crew": ("plain", *SIMPLE_PATTERNS),
    "v_neck": ("plain", "plain", "stripes"),
    "turtleneck": ("plain", "plain", "stripes"),
    "shirt": SIMPLE_PATTERNS,
    "suit": ("plain", "stripes", "dots"),
    "scarf": ("plain", "stripes", "checks"),
}
"""Patterns of each style, as often as they are drawn; others are plain."""

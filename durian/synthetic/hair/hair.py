"""A head of hair: the cut, stray hairs, widths and shades."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from durian.synthetic.base.geometry import Label, Strands
from durian.synthetic.base.looks import HairLook
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.braids import cornrowed, locked, plaited
from durian.synthetic.hair.cuts import Bunch, cropped, hanging, rounded
from durian.synthetic.hair.fibres import as_strands, greyed, turned_grey
from durian.synthetic.hair.growth import Wander, arc_length, push_out, resample
from durian.synthetic.hair.scalp import LEAST_HEM, Scalp, bald_cover, hairline
from durian.synthetic.hair.styles import STYLES, complete_parameters
from durian.synthetic.hair.tied_hair import bunned, tailed
from durian.synthetic.head.head import HeadModel

__all__ = ["CUTS", "hairline", "make_hair", "scalp_colour", "scalp_shade"]

CUTS = {
    "cropped": (cropped, 13000),
    "hanging": (hanging, 9000),
    "rounded": (rounded, 8000),
    "locked": (locked, 4000),
    "cornrowed": (cornrowed, 5000),
    "bunned": (bunned, 9000),
    "tailed": (tailed, 9000),
    "plaited": (plaited, 9000),
}
"""Name of a cut: its function and how many roots it wants at a density of 1."""
SHORT, SHORT_COUNT = 1.2, 20000
"""Hair shorter than this (cm) does not overlap and needs so many roots."""
CURLED_COUNT = 6000
"""Roots of hanging hair that is curled, whose strands have more points and fill more space."""

HEM_WIDTH, HEM_FADE = 0.15, 0.7
"""Width at the root of hairs at the hairline relative to the others, and over how many cm along them this evens out:
each is too fine to be seen, together they blur the edge of the hair."""
HEM_SHADE = 0.95
"""Brightness of their roots relative to the tips: nothing lies over them."""
TIP_WIDTH = 0.2
"""Width of tips relative to the rest: the ends of a bob are not cut from card."""
SHORT_WIDTH, FULL_WIDTH = 0.5, 2.5
"""Width of the shortest hairs relative to the others, and the length (cm) from which they have all of it."""
SKIN_CLEARANCE = 0.03
"""All hair stays this far (cm) from the skin."""

STRAY, MOST_STRAY, STRAY_WIDTH = 0.08, 0.5, 0.35
"""How far stray hairs stand off, cm per cm from the root and at most, and their width relative to the others."""
STRAY_LENGTHS = (0.1, 0.5)
"""Lengths of stray hairs relative to the others: they are broken, or have only begun to grow."""

TUFT_SHADES, HAIR_SHADES, INNER_SHADE = 0.10, 0.07, 0.78
"""Spread of brightness from tuft to tuft and from hair to hair, and the brightness at the bottom of the hair."""
WARMTH = 0.04
"""Spread between warmer and cooler tufts."""
STREAK, IN_STREAK = 1.5, 0.7
"""Brightness of light strands, and their share of a light tuft."""

FULL_SHADE, SCALP_SHADE = 0.96, {"cornrowed": 0.5, "locked": 0.93}
"""How much hair hides the scalp below it, and that of some cuts. A tenth of pale skin would outshine dark hair."""
BUZZ_SHADE, BUZZ_LENGTH, GROWN_LENGTH = 0.65, 0.2, 1.5
"""How much the shortest hair does, and lengths (cm) between which this rises."""


def make_hair(head: HeadModel, look: HairLook) -> list[Strands]:
    """Strands of a look on the neutral head, in no order within each of them; the same look gives the same strands.

    Raises:
        InvalidRequest: the style or a parameter is unknown.
    """
    if not look.is_worn:
        return []
    p = complete_parameters(look)
    rng = np.random.default_rng([look.seed, zlib.crc32(look.style.encode())])
    style = STYLES[look.style]
    cut, count = CUTS[style.cut]
    if style.cut == "cropped" and p["length"] < SHORT:
        count = SHORT_COUNT
    if style.cut == "hanging" and p.get("wave", 0) * p.get("turns", 0) > 0.08:
        count = CURLED_COUNT
    scalp = Scalp.of(head, round(count * p["density"]), rng, p["recede"], p["baldness"])
    return [_strands(bunch, p, look, rng) for bunch in cut(scalp, p) if len(bunch.path)]


def scalp_shade(points: np.ndarray, look: HairLook) -> np.ndarray:
    """``(N,)`` in [0, 1]: how much the colour of hair takes the skin's place at ``points (N, 3)`` of the neutral
    head's skin."""
    if not look.is_worn:
        return np.zeros(len(points))
    p = complete_parameters(look)
    cut = STYLES[look.style].cut
    most = SCALP_SHADE.get(cut, FULL_SHADE)
    if cut == "cropped":
        most = BUZZ_SHADE + (most - BUZZ_SHADE) * smoothstep(p["length"] * p["sides"], BUZZ_LENGTH, GROWN_LENGTH)
    return most * min(1.0, p["density"]) * hairline(points, p["recede"]) * bald_cover(points, p["baldness"])


def scalp_colour(look: HairLook) -> np.ndarray:
    """Linear RGB ``(3,)`` of hair as a whole, grey hairs among it, which is painted on the scalp."""
    return greyed(look.colour, complete_parameters(look)["grey"] if look.is_worn else 0.0)


def _strands(bunch: Bunch, p: Mapping[str, float], look: HairLook, rng: np.random.Generator) -> Strands:
    path, scalp = bunch.path, bunch.scalp
    count = len(path)
    stray = rng.random(count) < p["flyaways"]
    if stray.any():
        path = path.copy()
        path[stray] = _astray(path[stray], scalp.take(stray), rng)
    path = push_out(scalp.surface, path, SKIN_CLEARANCE)

    reach = arc_length(path)
    thickness = SHORT_WIDTH + (1 - SHORT_WIDTH) * smoothstep(reach[:, -1], 0, FULL_WIDTH)
    thickness *= np.where(stray, STRAY_WIDTH, 1)
    fine = np.clip((1 - scalp.hem) / (1 - LEAST_HEM), 0, 1)
    faded = 1 - (1 - HEM_WIDTH) * fine[:, None] * np.exp(-reach / HEM_FADE)
    return as_strands(
        path,
        scalp.roots,
        width=bunch.width * thickness[:, None] * faded,
        bright=_tints(bunch, p, rng),
        grey=turned_grey(p["grey"], bunch.leader, rng),
        colour=look.colour,
        label=Label.HAIR,
        binding="skin",
        root_shade=np.maximum(bunch.root_shade, HEM_SHADE * fine),
        tip=TIP_WIDTH,
    )


def _astray(path: np.ndarray, scalp: Scalp, rng: np.random.Generator) -> np.ndarray:
    """Hairs ``(S, K, 3)`` that are shorter than the others and do not lie with them."""
    path = resample(path, path.shape[1], rng.uniform(*STRAY_LENGTHS, len(path)))
    off = np.minimum(STRAY * arc_length(path), MOST_STRAY)[..., None] * rng.random((len(path), 1, 1)) ** 2
    return path + off * (scalp.normals[:, None] + 0.6 * Wander(rng, 14.0)(path + 40 * rng.random((len(path), 1, 3))))


def _tints(bunch: Bunch, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """``(S, 3)``: shades that tufts share, each hair's own, darker below, and light streaks."""
    count, tuft = len(bunch.path), bunch.leader
    bright = 1 + TUFT_SHADES * rng.normal(size=count)[tuft] + HAIR_SHADES * rng.normal(size=count)
    bright = bright * (INNER_SHADE + (1 - INNER_SHADE) * bunch.scalp.depth)
    light = (rng.random(count)[tuft] < p["streaks"]) & (rng.random(count) < IN_STREAK)
    warm = WARMTH * rng.normal(size=count)[tuft]
    return (bright * np.where(light, STREAK, 1))[:, None] * (1 + warm[:, None] * np.array([1.0, 0.0, -1.0]))

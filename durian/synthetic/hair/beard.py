"""Beards: stubble as a soft map for the skin, everything longer as strands that follow the face.

Light to import; geometry is only made by :func:`make_beard`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from durian.errors import InvalidRequest
from durian.synthetic.base.geometry import Label, Strands, SurfacePoints
from durian.synthetic.base.looks import BeardLook
from durian.synthetic.base.wear import NONE, smoothstep
from durian.synthetic.hair.facial_hair import (
    cheek_zone,
    chin_zone,
    chops_zone,
    join_zone,
    lips,
    moustache_zone,
    soul_patch_zone,
)
from durian.synthetic.hair.fibres import as_strands, greyed, turned_grey
from durian.synthetic.hair.styles import Range, complete

if TYPE_CHECKING:
    from durian.synthetic.head.distance import DistanceField
    from durian.synthetic.head.head import HeadModel

Zone = Callable[[np.ndarray, Mapping[str, float]], np.ndarray]


@dataclass(frozen=True)
class BeardStyle:
    """``zone``: where it grows; ``strands``: hairs at a density of 1; ``share``: how common it is among men."""

    zone: Zone
    strands: int
    ranges: Mapping[str, Range]
    share: float


def _lip(points: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
    return moustache_zone(points, p["width"] + 0.2)


def _goatee(points: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
    beside = join_zone(points, p["width"] + 0.5)
    return np.maximum.reduce(
        [_lip(points, p), beside, chin_zone(points, p["width"], p["neck"]), soul_patch_zone(points)]
    )


def _van_dyke(points: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
    return np.maximum.reduce(
        [_lip(points, {"width": 2.7}), chin_zone(points, p["width"], p["neck"]), soul_patch_zone(points)]
    )


def _full(points: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
    return np.maximum(moustache_zone(points, LIP_WIDTH), cheek_zone(points, p["cheeks"], p["neck"]))


def _chops(points: np.ndarray, p: Mapping[str, float]) -> np.ndarray:
    return chops_zone(points, p["cheeks"], p["neck"])


COMMON: dict[str, Range] = {
    "density": (0.8, 1.15), "patchy": (0.1, 0.5), "mess": (0.1, 0.3), "grey": (0.0, 0.0), "taper": (0.0, 0.0),
    "cheeks": (-0.5, 0.5), "neck": (-0.6, 0.3), "width": (2.6, 3.2), "moustache": (0.5, 0.9),
}  # fmt: skip


def _style(zone: Zone, strands: int, share: float, **ranges: Range) -> BeardStyle:
    return BeardStyle(zone, strands, ranges, share)


STYLES: dict[str, BeardStyle] = {
    "stubble": _style(_full, 0, 2.0, length=(0.02, 0.15), density=(0.25, 1.0)),
    "moustache": _style(_lip, 1600, 0.5, length=(0.6, 1.1), moustache=(0.6, 1.1), width=(2.3, 3.3)),
    "goatee": _style(_goatee, 3000, 0.6, length=(0.6, 1.8)),
    "van_dyke": _style(_van_dyke, 2400, 0.3, length=(1.0, 2.8), width=(1.6, 2.4), taper=(0.3, 0.8)),
    "short": _style(_full, 8500, 1.5, length=(0.5, 1.1), moustache=(0.4, 0.7)),
    "full": _style(_full, 8500, 0.9, length=(1.6, 3.2), moustache=(0.6, 1.0), taper=(0.0, 0.4)),
    "long": _style(_full, 7500, 0.3, length=(4.5, 9.0), moustache=(0.8, 1.2), taper=(0.3, 0.9), mess=(0.2, 0.5)),
    "mutton_chops": _style(_chops, 5000, 0.15, length=(0.9, 2.2), cheeks=(0.0, 0.8)),
}  # fmt: skip

CLEAN_SHAVEN = 3.5
"""How common that is, relative to the shares of the styles."""
GREY_FROM, GREY_UNTIL = 28.0, 65.0
"""Ages between which beards turn grey, before the hair does."""

LIP_WIDTH, ON_LIP = 3.2, -0.15
"""Half the width of what counts as moustache in a beard, and how far beyond it hairs grow like a moustache's (cm)."""
REST_DENSE = 0.45
"""How dense the rest of a beard grows relative to the moustache, whose hairs are too short to lie over each other."""
OFF_LIP = 0.1
"""How far (cm) moustaches stay off the lips."""
EDGE, ROUGH_EDGE = 0.7, 0.1
"""Width (cm) over which a beard gets thin and short towards its edge, and how uneven that is from hair to hair."""
SHORTEST = 0.3
"""Length of hairs at the edge relative to the others."""
STUBBLE_EDGE = (-0.9, 0.9)
"""How far (cm) inside stubble begins and is all there."""
FAIR, LIGHTEST = 2.0, 0.2
"""How much less stubble shows per brightness of its colour, and what is left of the fairest: skin is as bright."""
PATCH = 1.4
"""Size (cm) of thin patches."""
WIDTH = 0.048
"""Of hairs at the root, cm."""
SHORT_SIDES, SHORT_LONG_SIDES = 0.35, 0.8
"""How much shorter the sides of a beard are than its chin, of bristles and of long beards."""
POINTED, POINTED_BELOW = 0.7, (-6.5, -14.0)
"""How much narrower the lower end of a long beard is at a taper of 1, and heights (cm) between which it gets so."""
SKIN_CLEARANCE = 0.02
"""All hairs stay this far (cm) from the skin."""
TUFT, TUFT_HOLD = 10, 0.35
BRISTLE, LONG = 1.2, 4.0
"""Lengths (cm) up to which hairs stand off like bristles and from which they hang."""
TUFT_SHADES, HAIR_SHADES, LIGHTER_LIP = 0.10, 0.09, 1.12
"""Spread of brightness from tuft to tuft and hair to hair; moustaches are lighter than beards."""

THICK_CHIN, THIN_CHEEK, THIN_NECK = 1.0, 0.55, 0.5
"""How dense stubble is there."""
STUBBLE_LIP = 4.0
"""How much sooner stubble is dense below the lips than elsewhere at its edge."""


def ranges_of(style: str) -> dict[str, Range]:
    """Every parameter of a style and the range it is drawn from.

    Raises:
        InvalidRequest: there is no such style.
    """
    if style not in STYLES:
        raise InvalidRequest(f"There is no beard style {style!r}: use {NONE}, {', '.join(STYLES)}.")
    return {**COMMON, **STYLES[style].ranges}


def complete_parameters(look: BeardLook) -> dict[str, float]:
    """Every parameter of a look; those it does not give are the middle of the style's range.

    Raises:
        InvalidRequest: there is no such style, or it has no such parameter.
    """
    return complete(look.parameters, ranges_of(look.style))


def sample_beard_look(rng: np.random.Generator, feminine: float, age: float) -> tuple[str, dict[str, float]]:
    """A style and its parameters for somebody; women have none.

    Args:
        rng: where chance comes from.
        feminine: 0 to 1.
        age: years.
    """
    shares = np.array([CLEAN_SHAVEN, *(style.share for style in STYLES.values())])
    style = str(rng.choice([NONE, *STYLES], p=shares / shares.sum()))
    if feminine > 0.5 or style == NONE:
        return NONE, {}
    parameters = {name: float(rng.uniform(*limits)) for name, limits in ranges_of(style).items()}
    older = float(np.clip((age - GREY_FROM) / (GREY_UNTIL - GREY_FROM), 0, 1))
    parameters["grey"] = float(np.clip(rng.normal(older**1.3, 0.3 * older), 0, 1))
    if age < 22:
        parameters["patchy"] = float(rng.uniform(0.5, 1.0))
    return style, parameters


def stubble_density(points: np.ndarray) -> np.ndarray:
    """``(N,)`` in [0, 1]: how densely men's beards grow, shaved or not, at ``points (N, 3)`` of the neutral head."""
    lip = smoothstep(moustache_zone(points, 3.3), -0.8, 0.8)
    grown = np.maximum(lip, smoothstep(cheek_zone(points, 0.3, 0.3, STUBBLE_LIP), -0.4, 1.1))
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    cheek = smoothstep(np.abs(x), 3.0, 5.5) * smoothstep(y, -6.0, -3.5)
    neck = smoothstep(y, -7.2, -8.4)
    side = smoothstep(z, 4.5, 2.5)
    thick = THICK_CHIN - (THICK_CHIN - THIN_CHEEK) * np.maximum(cheek, side) - (THICK_CHIN - THIN_NECK) * neck
    return np.clip(thick, 0, 1) * grown


def beard_shade(points: np.ndarray, look: BeardLook) -> np.ndarray:
    """``(N,)`` in [0, 1]: how much a beard's colour takes the skin's place below its hairs; all there is of stubble."""
    if not look.is_worn:
        return np.zeros(len(points))
    p = complete_parameters(look)
    zone = STYLES[look.style].zone(points, p)
    if look.style == "stubble":
        dark = max(LIGHTEST, 1 - FAIR * float(np.mean(look.colour)))
        return dark * min(1.0, p["density"]) * stubble_density(points) * smoothstep(zone, *STUBBLE_EDGE)
    return 0.6 * min(1.0, p["density"]) * smoothstep(zone, -0.2, 0.8)


def shade_colour(look: BeardLook) -> np.ndarray:
    """Linear RGB ``(3,)`` of :func:`beard_shade`: the beard's as a whole, grey hairs among it."""
    return greyed(look.colour, complete_parameters(look)["grey"] if look.is_worn else 0.0)


def make_beard(head: HeadModel, look: BeardLook) -> list[Strands]:
    """Strands of a beard on the neutral head, in no order; none for stubble. The same look gives the same strands.

    Raises:
        InvalidRequest: the style or a parameter is unknown.
    """
    if not look.is_worn:
        return []
    p = complete_parameters(look)
    style = STYLES[look.style]
    if not style.strands:
        return []
    from durian.synthetic.hair.growth import clump, find_clumps, push_out, trim
    from durian.synthetic.head.distance import distance_to_skin

    rng = np.random.default_rng([look.seed, zlib.crc32(look.style.encode())])
    roots, points, normals, zone = _sample_roots(head, style, p, rng)
    on_lip = _is_on_lip(points)
    chin = smoothstep(np.abs(points[:, 0]), 6.5, 2.0) * smoothstep(points[:, 1], 0.0, -4.0)
    full = SHORTEST + (1 - SHORTEST) * np.clip(zone / EDGE, 0, 1)
    hangs = smoothstep(p["length"], BRISTLE, LONG)
    sides = SHORT_SIDES + (SHORT_LONG_SIDES - SHORT_SIDES) * hangs
    length = np.where(on_lip, p["moustache"], p["length"] * (1 - sides * (1 - chin)))
    length = length * full * rng.uniform(0.75, 1.15, len(points))

    surface = distance_to_skin(head)
    path = _grow(surface, points, normals, length, on_lip, hangs, p, rng)
    tuft = find_clumps(points, len(points) // TUFT, rng)
    path = clump(path, tuft, TUFT_HOLD * (0.3 + 0.7 * smoothstep(length, 0.3, LONG)))
    path = push_out(surface, path, SKIN_CLEARANCE)
    path = trim(path, lips(path) + np.where(on_lip, OFF_LIP, 0.0)[:, None])
    bright = 1 + TUFT_SHADES * rng.normal(size=len(path))[tuft] + HAIR_SHADES * rng.normal(size=len(path))
    strands = as_strands(
        path,
        roots,
        width=WIDTH * (0.6 + 0.4 * full),
        bright=bright * np.where(on_lip, LIGHTER_LIP, 1),
        grey=turned_grey(np.clip(p["grey"] * (0.9 + 0.3 * chin), 0, 1), tuft, rng),  # chins turn first
        colour=look.colour,
        label=Label.BEARD,
        binding="root",
        root_shade=0.75,
    )
    return [strands]


def _is_on_lip(points: np.ndarray) -> np.ndarray:
    return moustache_zone(points, LIP_WIDTH) > ON_LIP


def _sample_roots(
    head: HeadModel, style: BeardStyle, p: Mapping[str, float], rng: np.random.Generator
) -> tuple[SurfacePoints, np.ndarray, np.ndarray, np.ndarray]:
    """Roots, their positions and normals, and how far (cm) inside; fewer at the edges and in patches."""
    from durian.synthetic.hair.growth import Wander

    wanted = round(style.strands * p["density"])
    middles = head.middles
    mask = head.skin_triangles & (style.zone(middles, p) > -0.6)
    roots, points, normals = head.sample_surface(mask, round(3.5 * wanted), rng)
    zone = style.zone(points, p) + ROUGH_EDGE * rng.normal(size=len(points))
    thin = 0.5 + 0.5 * Wander(rng, PATCH)(points)[:, 0]
    dense = np.clip(zone / EDGE, 0, 1) * (1 - p["patchy"] * smoothstep(thin, 0.4, 1.2))
    dense = dense * np.where(_is_on_lip(points), 1, REST_DENSE)
    chosen = np.flatnonzero((zone > 0) & (lips(points) < 0) & (dense > rng.random(len(points))))[:wanted]
    kept = SurfacePoints(roots.vertices[chosen], roots.weights[chosen])
    return kept, points[chosen], normals[chosen], zone[chosen]


def _grow(
    surface: DistanceField,
    points: np.ndarray,
    normals: np.ndarray,
    length: np.ndarray,
    on_lip: np.ndarray,
    hangs: float,
    p: Mapping[str, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Courses ``(S, K, 3)``: down, moustaches to the sides; bristles stand off, long beards (``hangs`` of 1) hang."""
    from durian.synthetic.hair.growth import Wander, grow, unit

    count = len(points)
    x = points[:, 0]
    beside = 0.3 * np.minimum(1, np.abs(x) / 4) * (1 - hangs)
    aside = np.sign(x) * np.where(on_lip, 0.3 + 0.4 * np.abs(x), beside)
    astray = p["mess"] * (Wander(rng, 1.5)(points) + 0.8 * rng.normal(size=(count, 3)))

    def flow(position: np.ndarray, along: float) -> np.ndarray:
        forward = 0.25 * (1 - along) - 0.15 * hangs * along
        way = np.stack([aside, np.full(count, -1.0), np.full(count, forward)], axis=1)
        return unit(way) + (0.5 - 0.3 * hangs) * (1 - along) * normals + astray * (0.5 + along)

    path = grow(
        surface,
        points,
        normals,
        length,
        flow,
        points=int(np.clip(4 + 1.5 * p["length"], 5, 14)),
        clearance=0.03 + rng.random(count) * np.minimum(0.16 * length, 0.7),
        lift=0.35,
    )
    path[..., 0] *= 1 - POINTED * p["taper"] * hangs * smoothstep(path[..., 1], *POINTED_BELOW)
    return path

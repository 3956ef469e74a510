"""Eyebrows: fine hairs that lie along the brow, and a soft map of the skin they shade.

Light to import; geometry is only made by :func:`make_brows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from durian.synthetic.base.geometry import Label, Strands, SurfacePoints
from durian.synthetic.base.looks import BrowLook
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.styles import Range, complete

if TYPE_CHECKING:
    from durian.synthetic.head.head import HeadModel

RANGES: dict[str, Range] = {
    "thickness": (0.28, 0.46),  # half the height of the body, cm
    "arch": (0.0, 0.25),  # how far the highest place is raised, cm
    "tilt": (-0.12, 0.12),  # how far the outer end is, cm
    "length": (0.9, 1.02),  # relative to the landmarks'
    "gap": (-0.15, 0.25),  # further from the middle by, cm
    "taper": (0.3, 0.8),  # how far along it gets thinner
    "density": (0.7, 1.1),  # number of hairs, 1 is usual
    "hairs": (0.5, 0.75),  # their length, cm
    "unruly": (0.08, 0.2),  # how far they go astray, rad
    "grey": (0.0, 0.0),  # how much of their colour they have lost
}

CURVE = ((1.17, 5.46), (2.41, 5.76), (3.79, 5.84), (4.93, 5.56), (5.82, 4.86))
"""Middle of a brow as (|x|, y): 0.45 cm below landmarks 22 to 26, which lie on its upper edge."""
FRONT = 5.5
"""z (cm) in front of which brows are."""
INNER_END, BODY_FROM = -0.05, 0.10
"""Where along it a brow begins and has its full height."""
ARCH_AT, ARCH_WIDTH = 0.62, 0.22

HAIRS = 820
"""Hairs of a brow of middle size at a density of 1."""
MIDDLE_THICKNESS = 0.34
WIDTH = 0.021
"""Of a hair at its root, cm."""
POINTS = 5
RISE = ((0.0, 75.0), (0.15, 50.0), (0.4, 22.0), (0.7, 0.0), (1.0, -32.0))
"""Angle (degrees above outward) of hairs along the brow, and by how much upper and lower hairs turn to the middle."""
TO_MIDDLE = 22.0
BRIGHT, HAIR_SHADES = 1.45, 0.18
"""Brightness of hairs relative to their colour, of which single hairs let much light through; and its spread."""


def complete_parameters(look: BrowLook) -> dict[str, float]:
    """Every parameter of a look; those it does not give are the middle of their range.

    Raises:
        InvalidRequest: there is no such parameter.
    """
    return complete(look.parameters, RANGES)


def sample_brow_look(rng: np.random.Generator, feminine: float, age: float) -> tuple[str, dict[str, float]]:
    """A style and its parameters for somebody: women's are thinner and arched, old ones sparse, grey and, men's,
    unruly.

    Args:
        rng: where chance comes from.
        feminine: 0 to 1.
        age: years.
    """
    p = {name: float(rng.uniform(*limits)) for name, limits in RANGES.items()}
    older = float(np.clip((age - 45) / 35, 0, 1))
    p["thickness"] *= (1.1 - 0.3 * feminine) * (1 - 0.12 * older)
    p["arch"] *= 0.5 + 0.9 * feminine
    p["taper"] *= 1 - 0.35 * feminine
    p["density"] *= 1 - 0.35 * older
    p["unruly"] *= (1.3 - 0.6 * feminine) * (1 + older)
    p["hairs"] *= 1 + 0.35 * older * (1 - feminine)
    p["grey"] = float(np.clip(rng.normal(0.6 * older, 0.25 * older), 0, 1))
    return "natural", p


def _place(points: np.ndarray, p: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where points are on a brow: how far along it (0 to 1), how far above its middle in half heights, half its height
    (cm)."""
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    across, heights = np.transpose(CURVE)
    begin, end = across[0] + p["gap"], across[0] + p["length"] * (across[-1] - across[0])
    along = (np.abs(x) - begin) / (end - begin)
    middle = np.interp(np.abs(x), across, heights) + p["tilt"] * (along - 0.3)
    middle = middle + p["arch"] * np.exp(-(((along - ARCH_AT) / ARCH_WIDTH) ** 2))
    half = p["thickness"] * np.interp(along, [INNER_END, BODY_FROM, p["taper"], 1.0], [0.75, 1.0, 0.85, 0.2])
    above = (y - middle) / half
    return np.where(z > FRONT, along, -9.0), above, half


def brow_density(points: np.ndarray, look: BrowLook) -> np.ndarray:
    """``(N,)`` in [0, 1]: how much brows shade the skin at ``points (N, 3)`` of the neutral head."""
    if not look.is_worn:
        return np.zeros(len(points))
    p = complete_parameters(look)
    along, above, _ = _place(points, p)
    ends = smoothstep(along, INNER_END - 0.06, BODY_FROM + 0.18) * smoothstep(along, 1.02, 0.75)
    return np.clip(0.9 * p["density"], 0, 1) * ends * smoothstep(np.abs(above), 1.35, 0.15)


def make_brows(head: HeadModel, look: BrowLook) -> list[Strands]:
    """Hairs of both brows on the neutral head, in no order; the same look gives the same hairs.

    Raises:
        InvalidRequest: a parameter is unknown.
    """
    if not look.is_worn:
        return []
    from durian.synthetic.hair.fibres import as_strands, turned_grey
    from durian.synthetic.hair.growth import grow
    from durian.synthetic.head.distance import distance_to_skin

    p = complete_parameters(look)
    rng = look.rng()
    wanted = round(2 * HAIRS * p["density"] * p["thickness"] / MIDDLE_THICKNESS)
    middles = head.middles
    along, above, _ = _place(middles, p)
    mask = head.skin_triangles & (np.abs(above) < 4) & (along > -0.4) & (along < 1.3)
    roots, points, normals = head.sample_surface(mask, 8 * wanted, rng)
    along, above, half = _place(points, p)
    ragged = 0.78 + 0.26 * rng.normal(size=len(points))
    sparse = np.interp(along, [INNER_END, 0.22, 0.75, 1.0], [0.18, 1.0, 0.9, 0.4])
    grows = (np.abs(above) < ragged) & (along > INNER_END) & (along < 1) & (sparse > rng.random(len(points)))
    chosen = np.flatnonzero(grows)[:wanted]
    roots = SurfacePoints(roots.vertices[chosen], roots.weights[chosen])
    points, normals, along, above, half = (values[chosen] for values in (points, normals, along, above, half))
    count = len(points)

    rise = np.radians(np.interp(along, *np.transpose(RISE)) - TO_MIDDLE * above) + p["unruly"] * rng.normal(size=count)
    side = np.sign(points[:, 0])

    def flow(position: np.ndarray, way: float) -> np.ndarray:
        angle = rise * (1 - 0.5 * way)  # hairs bend to the brow's course
        return np.stack([side * np.cos(angle), np.sin(angle), -0.25 * np.abs(np.cos(angle))], axis=1)

    length = p["hairs"] * rng.uniform(0.75, 1.2, count) * (0.55 + 0.45 * np.clip(half / p["thickness"], 0, 1))
    path = grow(
        distance_to_skin(head), points, normals, length, flow,
        points=POINTS, clearance=rng.uniform(0.015, 0.07, count), lift=0.2, stiffness=0.4, hug=0.02, hangs_below=-99.0,
    )  # fmt: skip
    strands = as_strands(
        path,
        roots,
        width=WIDTH * rng.uniform(0.8, 1.15, count),
        bright=BRIGHT * (1 + HAIR_SHADES * rng.normal(size=count)),
        grey=turned_grey(p["grey"], np.arange(count), rng),
        colour=look.colour,
        label=Label.BROW,
        binding="root",
        root_shade=0.95,
        tip=0.25,
        tip_from=0.0,
    )
    return [strands]

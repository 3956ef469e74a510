"""Hats without a stiff brim: beanies, the beret, the flat cap."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import grid, mesh, sphere, tube
from durian.synthetic.base.wear import ripples, smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import Dome, level_rim, skull_of
from durian.synthetic.worn.millinery import (
    HatFrame,
    HatParts,
    around,
    bump,
    darker,
    fit_inside,
    hem_values,
    hemmed,
    roll,
    strip_above,
    sweatband,
    visor,
)
from durian.synthetic.worn.prints import printed

KNIT_CLEARANCE, KNIT_INSIDE = 0.6, 0.1
"""How far a knitted hat's outside is from the scalp, over flattened hair, and its inside at the rim, cm."""
RIB_WIDTH = 0.55
"""Breadth of a rib of knitting, cm."""
KNIT_STRIPE = 4.2
"""Distance of a beanie's stripes, cm."""
HEAD_GIRTH = 58.0
"""Around the head at a hat's rim, cm."""
SOFT_PRESS = 0.8
"""Cm by which hair may stand out below a soft hat, per cm below its rim."""


def _beanie(
    head: HeadModel, look: HatLook, front: float, back: float, slouch: float, peak: float
) -> tuple[np.ndarray, list[Mesh]]:
    """The cap that all beanies have: its points from crown to rim, its mesh."""
    skull, rng = skull_of(head), look.rng()
    dome = Dome.over(skull, level_rim(front, back), KNIT_CLEARANCE, rows=44)
    top = smoothstep(dome.share, 0.62, 0.0)
    folds = ripples(dome.points(KNIT_CLEARANCE), 7.0, rng) * 0.12 * smoothstep(dome.share, 0.95, 0.55)
    clearance = KNIT_CLEARANCE + peak * top**2 + 0.45 * slouch * bump(dome.share, 0.42, 0.4) + folds * (0.4 + slouch)
    points = dome.points(clearance)
    points += np.array([0, -0.12, -0.85]) * slouch * top[..., None]  # an empty top falls back
    points = skull.push_out(points, KNIT_CLEARANCE)

    length = float(((np.pi / 2 - dome.elevation[-1]) * dome.skull[-1]).mean())
    uv = dome.uv(round(HEAD_GIRTH / RIB_WIDTH), length / RIB_WIDTH)
    rows = hemmed(points, dome.outwards()[-1], KNIT_CLEARANCE - KNIT_INSIDE)
    made = around(rows, material=Material.KNIT, colour=look.colour, uv=hem_values(uv))
    return points, [printed(made, look.pattern, KNIT_STRIPE, look.colour, look.accent, RIB_WIDTH * made.uv)]


def _cuff(head: HeadModel, look: HatLook, front: float, back: float, height: float, thickness: float) -> Mesh:
    """The turned-up edge of a beanie, ``height`` cm high."""
    skull = skull_of(head)
    cuff = strip_above(skull, level_rim(front, back), KNIT_CLEARANCE, height)
    points, share = roll(skull, cuff, KNIT_INSIDE, KNIT_CLEARANCE - KNIT_INSIDE + thickness, sides=20)
    uv = np.stack(
        np.broadcast_arrays(
            cuff.azimuth / (2 * np.pi) * round(HEAD_GIRTH / RIB_WIDTH / 1.5), share * height / RIB_WIDTH
        ),
        axis=-1,
    )
    return around(points, wrap_rows=True, material=Material.KNIT, colour=look.colour, uv=uv)


BEANIE = {"front": (7.0, 11.8), "back": (-1.0, 3.5), "slouch": (0.0, 2.4), "peak": (0.0, 1.6)}
"""Heights of the rim, how much empty cloth falls to the back, how far the top stands off; cm."""
CUFF = {"cuff": (3.0, 6.5), "fold": (0.3, 0.7)}
"""Height of the turned-up edge, and how thick it is; cm."""


@styled(**BEANIE)
def beanie(head: HeadModel, look: HatLook, front: float, back: float, slouch: float, peak: float) -> HatParts:
    """A knitted cap whose edge is not turned up."""
    _, meshes = _beanie(head, look, front, back, slouch, peak)
    return HatParts(meshes, fit_inside(skull_of(head), level_rim(front, back), KNIT_CLEARANCE, SOFT_PRESS))


@styled(**BEANIE, **CUFF)
def cuffed_beanie(
    head: HeadModel, look: HatLook, front: float, back: float, slouch: float, peak: float, cuff: float, fold: float
) -> HatParts:
    """A knitted cap with a turned-up edge."""
    _, meshes = _beanie(head, look, front, back, slouch, peak)
    meshes.append(_cuff(head, look, front, back, cuff, fold))
    return HatParts(meshes, fit_inside(skull_of(head), level_rim(front, back), KNIT_CLEARANCE, SOFT_PRESS))


@styled(**(BEANIE | {"slouch": (0.0, 0.8)}), **CUFF, pompom=(1.6, 3.4))
def pompom_beanie(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    slouch: float,
    peak: float,
    cuff: float,
    fold: float,
    pompom: float,
) -> HatParts:
    """A knitted cap with a turned-up edge and a tuft of ``pompom`` cm radius."""
    points, meshes = _beanie(head, look, front, back, slouch, peak)
    meshes.append(_cuff(head, look, front, back, cuff, fold))
    middle = points[0, 0] + [0, 0.7 * pompom, 0]
    meshes.append(
        sphere(middle, 0.8 * pompom, material=Material.FELT, label=Label.HAT, colour=darker(look.accent, 0.7))
    )
    meshes.append(_tuft(middle, pompom, look))
    return HatParts(meshes, fit_inside(skull_of(head), level_rim(front, back), KNIT_CLEARANCE, SOFT_PRESS))


TUFT_THREADS = 2600


def _tuft(middle: np.ndarray, radius: float, look: HatLook) -> Mesh:
    """Threads that stand out from a point in all directions, each a thin triangle."""
    rng = look.rng()
    outwards, across = rng.normal(size=(2, TUFT_THREADS, 3))
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    outwards[:, 1] = np.where(outwards[:, 1] < -0.3, -outwards[:, 1], outwards[:, 1])  # the hat is below
    across = np.cross(outwards, across)
    across *= 0.085 * radius / np.linalg.norm(across, axis=1, keepdims=True)
    foot = middle + 0.7 * radius * outwards
    tip = (
        middle
        + radius * rng.uniform(0.86, 1.1, (TUFT_THREADS, 1)) * outwards
        + 1.5 * across * rng.uniform(-1, 1, (TUFT_THREADS, 1))
    )
    vertices = np.stack([foot - across, foot + across, tip], axis=1)
    shade = np.array([0.55, 0.55, 1.15])[None] * rng.uniform(0.75, 1.15, (TUFT_THREADS, 1))
    colour = (np.asarray(look.accent) * shade[..., None]).reshape(-1, 3)
    triangles = np.arange(3 * TUFT_THREADS).reshape(-1, 3)
    return mesh(vertices.reshape(-1, 3), triangles, material=Material.FELT, label=Label.HAT, colour=colour)


BERET_CLEARANCE = 0.6
BERET_BAND = 1.2
"""Width of the band in which a beret ends, cm."""


@styled(front=(8.2, 11.4), back=(2.2, 5.4), overhang=(1.4, 3.2), height=(0.2, 1.0), lean=(0.3, 1.1), towards=(1.2, 5.1))
def beret(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    overhang: float,
    height: float,
    lean: float,
    towards: float,
) -> HatParts:
    """A flat round cap of felt.

    ``overhang`` and ``height`` cm its disc stands out beyond the band and above the crown; ``lean`` pulls it down on
    one side, towards an azimuth between the left ear (1.6), the nape (3.1) and the right ear (4.7).
    """
    skull, rim = skull_of(head), level_rim(front, back)
    dome = Dome.over(skull, rim, BERET_CLEARANCE, rows=56)
    rng = look.rng()
    leaning = lean * np.cos(dome.azimuth - towards)
    disc = smoothstep(dome.share, 0.93, 0.70) * smoothstep(dome.share, 0.05, 0.65)
    reach = overhang * (1 + 0.7 * leaning)
    folds = (0.22 * ripples(dome.points(0.0), 5.0, rng) + 0.12 * ripples(dome.points(0.0), 2.6, rng)) * disc
    points = dome.points(BERET_CLEARANCE + height * smoothstep(dome.share, 0.9, 0.3) + reach * disc + folds)
    hanging = smoothstep(dome.share, 0.2, 0.75) * smoothstep(dome.share, 0.97, 0.82)
    points[..., 1] -= overhang * (0.35 * disc + 0.9 * np.maximum(leaning, 0) * hanging)
    points = skull.push_out(points, BERET_CLEARANCE)
    meshes = [around(hemmed(points, dome.outwards()[-1], 0.3), material=Material.FELT, colour=look.colour)]

    rolled, _ = roll(
        skull, strip_above(skull, rim, BERET_CLEARANCE, BERET_BAND), 0.15, BERET_CLEARANCE - 0.05, sides=12
    )
    meshes.append(around(rolled, wrap_rows=True, material=Material.LEATHER, colour=darker(look.colour, 0.5)))
    stalk = points[0, 0] + np.linspace(-0.2, 1.0, 6)[:, None] * np.array([0.1, 0.95, -0.2])
    meshes.append(tube(stalk, np.linspace(0.2, 0.13, 6), material=Material.FELT, label=Label.HAT, colour=look.colour))
    return HatParts(meshes, fit_inside(skull, rim, BERET_CLEARANCE, SOFT_PRESS))


FLAT_CAP_CLEARANCE = 0.65
TWEED_CHECK = 1.6
"""Period of a flat cap's checks, cm."""


@styled(front=(7.9, 9.2), back=(3.0, 5.0), fullness=(0.2, 2.2), forward=(1.6, 3.0), peak=(4.0, 5.4))
def flat_cap(
    head: HeadModel, look: HatLook, front: float, back: float, fullness: float, forward: float, peak: float
) -> HatParts:
    """A cap of tweed, pulled forward over a short stiff peak.

    ``fullness`` cm its sides stand out (more makes a newsboy cap), ``forward`` cm its top reaches over the peak,
    which is ``peak`` cm long.
    """
    skull, rim = skull_of(head), level_rim(front, back)
    dome = Dome.over(skull, rim, FLAT_CAP_CLEARANCE, rows=56)
    rng = look.rng()
    ahead = np.clip(np.cos(dome.azimuth), 0, 1) ** 1.5
    side = smoothstep(dome.share, 1.0, 0.72) * smoothstep(dome.share, 0.1, 0.65)
    folds = 0.10 * ripples(dome.points(0.0), 7.0, rng) * (0.4 + fullness) * side
    lip = smoothstep(dome.share, 0.25, 0.93) * (1 - 0.35 * smoothstep(dome.share, 0.93, 1.0))
    points = dome.points(FLAT_CAP_CLEARANCE + 0.3 + fullness * side * (1 - 0.4 * ahead) + folds)
    points[..., 2] += forward * ahead * lip
    points[..., 1] -= 0.45 * forward * ahead * lip * smoothstep(dome.share, 0.6, 0.95)
    points[..., 1] += 0.35 * ahead * bump(dome.share, 0.55, 0.45)
    points = skull.push_out(points, FLAT_CAP_CLEARANCE)

    uv = dome.draped_uv()
    finish = {"material": Material.CLOTH, "colour": look.colour}

    def woven(made: Mesh) -> Mesh:
        return printed(made, look.pattern, TWEED_CHECK, look.colour, darker(look.colour, 0.45))

    meshes = [
        woven(around(hemmed(points, dome.outwards()[-1], 0.35), uv=hem_values(uv), **finish)),
        sweatband(skull, rim, FLAT_CAP_CLEARANCE, darker(look.colour, 0.5)),
        sphere(points[0, 0] + [0, 0.05, 0], (0.55, 0.22, 0.55), label=Label.HAT, **finish),
    ]
    loop = dome.points(FLAT_CAP_CLEARANCE)[-1]
    frame = HatFrame.of(loop)
    shade = visor(frame.inside(loop), 0.95, peak, 0.2, 0.35, 0.5, 0.4)
    flat = shade[..., [0, 2]]
    meshes.append(woven(grid(frame.outside(shade), label=Label.HAT, uv=flat, **finish)))
    return HatParts(meshes, fit_inside(skull, rim, FLAT_CAP_CLEARANCE, SOFT_PRESS))

"""Glasses: their styles, random looks, and meshes from a look.

All styles have the same numbers, in different ranges: that is most of what tells one from another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from durian.synthetic.base.geometry import Lens, Material, Mesh
from durian.synthetic.base.looks import GlassesLook
from durian.synthetic.base.shapes import merged
from durian.synthetic.base.wear import NONE, Style, linear, near_colour, smoothstep, style_of
from durian.synthetic.head.head import HeadModel
from durian.synthetic.worn.frames import (
    OUTLINE_POINTS,
    Finish,
    Front,
    both_sides,
    bridge_mesh,
    edge_at,
    face_relief,
    lens_mesh,
    nose_pads,
    outline,
    rim_mesh,
    temple_mesh,
)

FINISHES = ("plastic", "metal", "tortoise")
LENSES = ("clear", "tinted", "gradient", "dark")

PLASTICS = tuple(
    linear(text)
    for text in ("#141416", "#141416", "#2e2723", "#1d2440", "#5a1a20", "#38463a", "#8a8680", "#cfc4b4", "#7a4b2a")
)
METALS = tuple(linear(text) for text in ("#d4af6a", "#c9ccd0", "#6d6f73", "#2a2a2d", "#c88f74"))
TORTOISE, TORTOISE_SPOTS = linear("#a8682c"), linear("#2a160c")
CLEAR = ((0.97, 0.98, 0.975), (0.94, 0.965, 0.96), (0.93, 0.945, 0.975))
TINTS = tuple(linear(text) for text in ("#d8b08a", "#c8a4a8", "#a8bcc8", "#d8c88a", "#b0c4ac"))
DARKS = tuple(linear(text) for text in ("#4d4e50", "#5c4632", "#42524a", "#48506a"))

NUMBERS = {
    "width": "of a lens, cm",
    "height": "of a lens, cm",
    "corner": "exponent of its superellipse",
    "taper": "share by which it is narrower below",
    "lift": "of its outer upper corner, cm",
    "teardrop": "how far it hangs towards the cheek, cm",
    "rim": "width of the rim, cm",
    "brow": "share by which a plastic rim is wider above",
    "gap": "between the lenses, cm",
    "wrap": "bend around the face, 1/cm",
    "slip": "of the lens's middle below the eyes' corners, cm",
    "temple": "height of the temples, cm",
}
"""Meanings of the numbers of all styles."""


@dataclass(frozen=True)
class Build:
    """How a style is put together: where rims are ("full", "upper", "none", or "brow": plastic above and metal
    below), whether a second bar runs above the bridge, and the finishes it comes in."""

    rims: str = "full"
    second_bar: bool = False
    finishes: tuple[str, ...] = FINISHES
    sunglasses: float = 0.2


def _style(build: Build, **ranges: tuple[float, float]) -> tuple[Build, dict[str, tuple[float, float]]]:
    usual = {
        "taper": (0.0, 0.08),
        "lift": (0.0, 0.05),
        "teardrop": (0.0, 0.05),
        "brow": (0.0, 0.3),
        "gap": (1.6, 2.2),
        "wrap": (0.014, 0.022),
        "slip": (-0.1, 0.5),
    }
    return build, {name: (usual | ranges)[name] for name in NUMBERS}


THIN, ACETATE = (0.12, 0.19), (0.34, 0.6)
WIRE_TEMPLE, BROAD_TEMPLE = (0.22, 0.36), (0.45, 0.85)

BUILDS = {
    "round": _style(
        Build(), width=(4.3, 5.2), height=(4.1, 5.0), corner=(2.0, 2.3), rim=(0.16, 0.45), temple=(0.25, 0.5)
    ),
    "rectangular": _style(
        Build(), width=(5.0, 5.8), height=(2.9, 3.8), corner=(3.4, 6.0), rim=(0.2, 0.5), temple=(0.3, 0.8)
    ),
    "wayfarer": _style(
        Build(finishes=("plastic", "tortoise"), sunglasses=0.5),
        width=(5.0, 5.6),
        height=(3.9, 4.7),
        corner=(2.8, 3.8),
        taper=(0.12, 0.26),
        lift=(0.1, 0.35),
        rim=ACETATE,
        brow=(0.2, 0.6),
        temple=BROAD_TEMPLE,
    ),
    "cat_eye": _style(
        Build(finishes=("plastic", "tortoise")),
        width=(4.9, 5.5),
        height=(3.2, 4.2),
        corner=(2.2, 3.0),
        taper=(0.1, 0.24),
        lift=(0.8, 1.5),
        rim=(0.22, 0.38),
        brow=(0.4, 1.1),
        temple=BROAD_TEMPLE,
    ),
    "oversized": _style(
        Build(sunglasses=0.5),
        width=(5.7, 6.4),
        height=(4.9, 5.8),
        corner=(2.3, 4.0),
        taper=(0.0, 0.16),
        rim=(0.2, 0.55),
        gap=(1.5, 1.9),
        slip=(0.2, 0.8),
        temple=(0.3, 0.9),
    ),
    "aviator": _style(
        Build(second_bar=True, finishes=("metal",), sunglasses=0.6),
        width=(5.4, 6.0),
        height=(4.4, 5.1),
        corner=(2.2, 2.7),
        taper=(0.06, 0.16),
        teardrop=(0.5, 0.95),
        rim=THIN,
        gap=(1.5, 1.9),
        slip=(0.2, 0.6),
        temple=WIRE_TEMPLE,
    ),
    "half_rim": _style(
        Build(rims="upper"),
        width=(5.0, 5.7),
        height=(2.9, 3.7),
        corner=(3.0, 4.6),
        rim=(0.18, 0.4),
        brow=(0.2, 0.8),
        temple=(0.25, 0.6),
    ),
    "browline": _style(
        Build(rims="brow", finishes=("plastic", "tortoise")),
        width=(4.9, 5.5),
        height=(3.7, 4.4),
        corner=(2.6, 3.4),
        taper=(0.1, 0.2),
        lift=(0.1, 0.3),
        rim=(0.3, 0.42),
        brow=(0.9, 1.7),
        temple=(0.4, 0.7),
    ),
    "rimless": _style(
        Build(rims="none", finishes=("metal",), sunglasses=0.1),
        width=(4.9, 5.6),
        height=(2.9, 4.0),
        corner=(2.2, 4.5),
        rim=THIN,
        temple=WIRE_TEMPLE,
    ),
    "wrap": _style(
        Build(rims="upper", finishes=("plastic",), sunglasses=0.9),
        width=(6.2, 6.9),
        height=(3.5, 4.3),
        corner=(2.6, 3.6),
        taper=(0.1, 0.24),
        lift=(0.1, 0.4),
        rim=(0.24, 0.4),
        brow=(0.3, 0.8),
        gap=(0.5, 0.9),
        wrap=(0.036, 0.05),
        slip=(0.0, 0.4),
        temple=BROAD_TEMPLE,
    ),
}


def sample_glasses_look(rng: np.random.Generator, styles: Sequence[str] | None = None) -> GlassesLook:
    """A pair drawn at random; ``styles`` are those to choose from, each as likely as the others, all if left out."""
    names = list(styles or STYLES)
    style = names[rng.integers(len(names))]
    if style == NONE:
        return GlassesLook()
    build, _ = BUILDS[style]
    finish = build.finishes[rng.integers(len(build.finishes))]
    colours = {"plastic": PLASTICS, "metal": METALS, "tortoise": (TORTOISE,)}[finish]
    shaded = rng.random() < build.sunglasses
    kind = LENSES[rng.integers(1, 4)] if shaded else "clear"
    tints = {"clear": CLEAR, "tinted": TINTS, "gradient": DARKS, "dark": DARKS}[kind]
    return GlassesLook(
        style=style,
        parameters=STYLES[style].sample(rng),
        seed=int(rng.integers(2**31)),
        colour=near_colour(colours[rng.integers(len(colours))], rng, 0.15),
        finish=finish,
        lens=kind,
        tint=tints[rng.integers(len(tints))],
        reflection=float(rng.uniform(0.3, 0.6) if kind in ("gradient", "dark") else rng.uniform(0.1, 0.45)),
    )


def make_glasses(head: HeadModel, look: GlassesLook) -> list[Mesh]:
    """The frame and the glass of a pair on the neutral head, in this order; nothing for style ``"none"``.

    Raises:
        InvalidRequest: there is no such style, or it has no such number.
    """
    if not look.is_worn:
        return []
    style = style_of(look, STYLES)
    return style.build(head, look, **style.complete(look.parameters))


PALEST = 0.08
"""Thickness of a gradient's tint at the lower edge, relative to the upper one's."""
BACK_OFF = 0.18
"""Least distance of a frame's middle from brows, nose and cheeks, cm."""
BRIDGE_OFF = 0.6
"""How far before the root of the nose the lenses' plane lies at x = 0, cm."""
TILT = 0.13


def _pair(
    build: Build,
    head: HeadModel,
    look: GlassesLook,
    *,
    width: float,
    height: float,
    corner: float,
    taper: float,
    lift: float,
    teardrop: float,
    rim: float,
    brow: float,
    gap: float,
    wrap: float,
    slip: float,
    temple: float,
) -> list[Mesh]:
    """A frame and its glass; the numbers are those of ``NUMBERS``."""
    edge = outline(width, height, corner, taper, lift, teardrop)
    front = _seated(head, edge, (gap + width) / 2, wrap, slip)
    metal = look.finish == "metal"
    spots = TORTOISE_SPOTS if look.finish == "tortoise" else None
    finish = Finish(Material.METAL if metal else Material.PLASTIC, look.colour, spots, look.seed)
    wire = Finish(Material.METAL, look.colour if metal else METALS[look.seed % len(METALS)])
    rim = min(rim, THIN[1]) if metal else rim

    parts = _rims(build, front, edge, rim, brow, lift, metal)
    parts += _bridges(build, front, edge, rim, metal)
    parts += both_sides(_temple(head, front, edge, rim, temple, metal))
    painted = [finish.paint(part) for part in parts]
    if build.rims == "brow":
        painted += [
            wire.paint(part) for part in both_sides(rim_mesh(front, edge, np.full(len(edge), THIN[0]), THIN[0]))
        ]
    if metal or build.rims == "brow":
        painted += nose_pads(head, front, edge_at(edge, -0.05 * height, outer=False), wire)
    return [merged(painted), _glass(front, edge, look)]


def _seated(head: HeadModel, edge: np.ndarray, middle: float, wrap: float, slip: float) -> Front:
    """The plane of the lenses: before the root of the nose, and clear of brows and cheeks behind the lenses."""
    corners = head.neutral[head.landmarks68[36:48]]
    front = Front((middle, float(corners[:, 1].mean()) - slip), 0.0, wrap, TILT)
    relief = face_relief(head)
    places = np.concatenate([front.place(edge * share) for share in (0.5, 0.75, 1.0, 1.08)])
    behind = relief(places[:, 0], places[:, 1]) + BACK_OFF - places[:, 2]
    root = head.neutral[head.landmarks68[27]]
    return replace(front, depth=float(max(np.nanmax(behind), root[2] + BRIDGE_OFF)))


def _rims(
    build: Build, front: Front, edge: np.ndarray, rim: float, brow: float, lift: float, metal: bool
) -> list[Mesh]:
    """The rims of both lenses, as far as there are any."""
    if build.rims == "none":
        return []
    above = smoothstep(edge[:, 1] / np.ptp(edge[:, 1]), -0.15, 0.4)
    outer = np.clip(2 * edge[:, 0] / np.ptp(edge[:, 0]), 0, 1) ** 2
    width = rim * (1 + (brow + 0.5 * lift * outer) * above * (not metal))
    depth = rim * 1.2 if metal else 0.2 + 0.35 * rim
    if build.rims == "full":
        return both_sides(rim_mesh(front, edge, width, depth))
    first = OUTLINE_POINTS // 32  # a little below the middle on either side
    edge, width = np.roll(edge, first, axis=0), np.roll(width, first)
    count = OUTLINE_POINTS // 2 + 2 * first
    end = smoothstep(np.minimum(np.arange(count), np.arange(count)[::-1]), -1, 5)
    width[:count] *= end
    return both_sides(rim_mesh(front, edge, width, depth, slice(0, count)))


def _bridges(build: Build, front: Front, edge: np.ndarray, rim: float, metal: bool) -> list[Mesh]:
    """The bridges that join the rims above the nose."""
    height = np.ptp(edge[:, 1])
    foot = edge_at(edge, 0.2 * height, outer=False) - [0.1 * rim, 0]
    if not metal:
        return [bridge_mesh(front, foot, arch=0.2, height=0.16 + 0.4 * rim, depth=0.13 + 0.1 * rim)]
    if not build.second_bar:
        return [bridge_mesh(front, foot - [0, 0.05 * height], arch=0.42, height=0.075, depth=0.075)]
    inner = np.argsort(edge[:, 0])
    upper = inner[edge[inner, 1] > 0]
    u = -0.3 * np.ptp(edge[:, 0])
    above = np.array([u, np.interp(u, edge[upper, 0], edge[upper, 1])])
    return [
        bridge_mesh(front, foot - [0, 0.12 * height], arch=0.3, height=0.07, depth=0.07),
        bridge_mesh(front, above, arch=0.08, height=0.075, depth=0.075),
    ]


def _temple(head: HeadModel, front: Front, edge: np.ndarray, rim: float, height: float, metal: bool) -> Mesh:
    """The left temple."""
    top = np.interp(0.36, [-0.5, 0.5], [edge[:, 1].min(), edge[:, 1].max()])
    root = edge_at(edge, min(top, edge[:, 1].max() - 0.4 * height), outer=True) + np.array([0.3 * rim, 0])
    return temple_mesh(head, front, root, 0.13 if metal else 0.2 + 0.2 * rim, 0.7 * height if metal else height)


def _glass(front: Front, edge: np.ndarray, look: GlassesLook) -> Mesh:
    """Both lenses; those of a gradient fade to clear downwards."""
    tint = np.asarray(look.tint, np.float64)
    low, high = edge[:, 1].min(), edge[:, 1].max()

    def fade(uv: np.ndarray) -> np.ndarray:
        if look.lens != "gradient":
            return np.ones((*uv.shape[:-1], 3))
        depth = PALEST + (1 - PALEST) * smoothstep((uv[..., 1] - low) / (high - low), 0.05, 0.72)
        return tint ** (depth[..., None] - 1)

    return merged(both_sides(lens_mesh(front, edge, Lens(tint, look.reflection), fade)))


STYLES: dict[str, Style] = {name: Style(partial(_pair, build), ranges) for name, (build, ranges) in BUILDS.items()}

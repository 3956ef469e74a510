"""Bands and cloths around the head: headbands, the bandana, the turban."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.geometry import HatFit, Label, Material, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import grid, sphere
from durian.synthetic.base.wear import ripples, smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import (
    Dome,
    Rim,
    Skull,
    directions,
    level_rim,
    rim_elevation,
    skull_of,
)
from durian.synthetic.worn.millinery import (
    HatParts,
    angle_from,
    around,
    bump,
    fit_inside,
    hem_values,
    hemmed,
    roll,
    strip_above,
)
from durian.synthetic.worn.prints import printed

BAND_CLEARANCE = 0.3
"""Room for the hair under a headband, cm."""
BAND_PRESS = 1.3
"""Cm by which hair may stand out beside a headband, per cm away from its edge."""
SPRING = 2.5
"""Distance above a headband, cm, from which hair stands as if there were none."""


def _band_fit(skull: Skull, rim: Rim, width: float) -> HatFit:
    """Hair lies flat under the band and stands up again above it; beyond ``SPRING`` nothing holds it (infinite
    radius)."""
    azimuth = np.linspace(-np.pi, np.pi, 129)
    lower = rim_elevation(skull, rim, BAND_CLEARANCE, azimuth)

    def radius(angles: np.ndarray) -> np.ndarray:
        under = skull.radius(angles[:, 0], angles[:, 1])
        above = (angles[:, 1] - np.interp(angle_from(angles[:, 0], 0.0), azimuth, lower)) * under - width
        free = under + BAND_CLEARANCE + BAND_PRESS * np.maximum(above, 0)
        return np.where(above < SPRING, free, np.inf)

    return HatFit(skull.centre, radius, rim, BAND_PRESS)


@styled(front=(8.8, 10.6), back=(0.5, 5.0), width=(2.5, 6.5), thickness=(0.25, 0.55))
def headband(head: HeadModel, look: HatLook, front: float, back: float, width: float, thickness: float) -> HatParts:
    """A knitted or towelling band around forehead and nape, over the ears when it is wide."""
    skull = skull_of(head)
    strip = strip_above(skull, level_rim(front, back), BAND_CLEARANCE, width, columns=128)
    points, share = roll(skull, strip, BAND_CLEARANCE, thickness, sides=24)
    uv = np.stack(np.broadcast_arrays(strip.azimuth / (2 * np.pi) * 110, share * width / 0.5), axis=-1)
    colour = np.where((np.abs(share - 0.5) < 0.09)[..., None] & (look.pattern == "stripes"), look.accent, look.colour)
    colour = np.broadcast_to(colour, points.shape)
    mesh = around(points, wrap_rows=True, material=Material.KNIT, colour=colour, uv=uv)
    return HatParts([mesh], _band_fit(skull, level_rim(front, back), width))


@styled(front=(9.4, 11.0), back=(0.5, 4.0), width=(4.0, 8.0), thickness=(0.3, 0.6), knot=(1.4, 2.4))
def knotted_headband(
    head: HeadModel, look: HatLook, front: float, back: float, width: float, thickness: float, knot: float
) -> HatParts:
    """A soft cotton band that is twisted once over the forehead; ``knot`` is half the twist's width, cm."""
    skull, rng = skull_of(head), look.rng()
    strip = strip_above(skull, level_rim(front, back), BAND_CLEARANCE, width, columns=160)
    gather = np.exp(-((strip.azimuth / 0.42) ** 2))
    middle = strip.elevation.mean(axis=0)
    strip.elevation = middle + (strip.elevation - middle) * (1 - 0.62 * gather)
    points, share = roll(skull, strip, BAND_CLEARANCE, thickness * (1 + 0.8 * gather), sides=36, squareness=3.0)
    pleats = np.cos(share * 2 * np.pi * 4 + 1.5 * ripples(points, 9.0, rng)) * (0.05 + 0.13 * gather)
    azimuth, elevation, _ = skull.angles(points)
    points += pleats[..., None] * directions(azimuth, elevation)
    cloth = np.stack(np.broadcast_arrays(strip.azimuth * 9, share * width), axis=-1)
    made = around(points, wrap_rows=True, material=Material.CLOTH, colour=look.colour, uv=cloth)
    meshes = [printed(made, look.pattern, HEADBAND_PRINT, look.colour, look.accent)]

    middle = points[:, points.shape[1] // 2].mean(axis=0)  # above the nose
    meshes += [_loop(skull, middle, 0.5 * thickness + 0.1, knot, side, look) for side in (-1, 1)]
    return HatParts(meshes, _band_fit(skull, level_rim(front, back), width))


HEADBAND_PRINT = 1.4
"""Period of a headband's print, cm."""
CROSSING = 0.55
"""Angle by which each loop of a knot leans, radians."""


def _loop(skull: Skull, foot: np.ndarray, off: float, size: float, side: int, look: HatLook) -> Mesh:
    """One of the two pleated lumps that make a knot, ``off`` cm outside a place on the forehead."""
    from_centre = foot - skull.centre
    place = foot + from_centre * off / np.linalg.norm(from_centre)
    made = sphere((0, 0, 0), 1, rings=18, material=Material.CLOTH, label=Label.HAT, colour=look.colour)
    x, y, z = made.vertices.T
    furrow = 1 + 0.07 * np.cos(9 * y + 2 * x)
    x, y, z = 0.62 * size * x * furrow, 0.8 * size * y, 0.62 * z * furrow + 0.1 * side
    cosine, sine = np.cos(CROSSING), side * np.sin(CROSSING)
    leaning = np.stack([x * cosine - y * sine, x * sine + y * cosine, z], axis=1)
    tipped = leaning @ _pitch(np.arctan2(from_centre[1], from_centre[2]))
    made.vertices = skull.push_out(place + tipped, 0.1).astype(np.float32)
    return made


def _pitch(angle: float) -> np.ndarray:
    """Matrix for row vectors that tips +z up by an angle."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


CLOTH_CLEARANCE = 0.5


@styled(front=(7.4, 9.2), back=(0.0, 2.5), slack=(0.0, 0.7), tails=(4.0, 9.0), print_size=(1.2, 2.6))
def bandana(
    head: HeadModel, look: HatLook, front: float, back: float, slack: float, tails: float, print_size: float
) -> HatParts:
    """A printed cotton square tied at the nape, with folds towards the knot and two ``tails`` cm long."""
    skull, rim, rng = skull_of(head), level_rim(front, back), look.rng()
    dome = Dome.over(skull, rim, CLOTH_CLEARANCE, rows=64, columns=144)
    behind = bump(angle_from(dome.azimuth, np.pi), 0, 2.2)
    pulled = smoothstep(dome.share, 0.45, 1.0) * behind
    phase = rng.uniform(0, 2 * np.pi)
    pleats = 0.12 * np.sin(16 * dome.share + 5 * np.abs(angle_from(dome.azimuth, np.pi)) + phase) * pulled
    folds = 0.07 * ripples(dome.points(0.0), 6.0, rng)
    clearance = CLOTH_CLEARANCE + slack * smoothstep(dome.share, 0.9, 0.3) + folds * (0.4 + slack) + pleats
    clearance = clearance + 0.22 * smoothstep(dome.share, 0.86, 0.88) * (1 - 0.6 * behind)  # the edge is folded over
    points = skull.push_out(dome.points(clearance), CLOTH_CLEARANCE - 0.2)
    uv = dome.draped_uv()
    finish = {"material": Material.CLOTH, "label": Label.HAT}
    made = around(hemmed(points, dome.outwards()[-1], 0.2), colour=look.colour, uv=hem_values(uv), **finish)
    meshes = [printed(made, look.pattern, print_size, look.colour, look.accent)]

    knot = points[-1, 0] + [0, 0.5, -0.35]
    meshes.append(sphere(knot, (1.15, 0.85, 0.75), rings=14, colour=look.colour, **finish))
    for side in (-1, 1):
        meshes.append(_tail(knot, side, tails * rng.uniform(0.8, 1.1), print_size, look, rng))
    return HatParts(meshes, fit_inside(skull, rim, CLOTH_CLEARANCE, 0.9))


def _tail(
    knot: np.ndarray, side: int, length: float, print_size: float, look: HatLook, rng: np.random.Generator
) -> Mesh:
    """One end of a bandana, hanging from its knot and growing wider."""
    along, across = np.meshgrid(np.linspace(0, 1, 28), np.linspace(-1, 1, 12), indexing="ij")
    half = 0.45 + 1.5 * along**0.8 * (1 - 0.75 * smoothstep(along, 0.7, 1.0))
    sway, phase = rng.uniform(0.15, 0.5), rng.uniform(0, 2 * np.pi)
    points = np.stack(
        [
            knot[0] + side * (0.5 + length * (0.45 * along**0.7 + sway * along**2)) + 0.75 * across * half,
            knot[1] - length * (0.15 * along + 0.75 * along**2) + 0.45 * side * across * half,
            knot[2] - 0.35 - 0.5 * np.sin(along * 2.6) + 0.25 * np.sin(across * 3 + phase + 4 * along) * along,
        ],
        axis=-1,
    )
    cloth = np.stack([across * half, along * length], axis=-1)
    made = grid(points, material=Material.CLOTH, label=Label.HAT, colour=look.colour, uv=cloth)
    return printed(made, look.pattern, print_size, look.colour, look.accent)


LAYER_SHIFT = np.array([4.1, 2.3])
"""How far apart on the cloth two layers of a turban are where they lie above each other, cm."""


@styled(
    front=(8.0, 9.6),
    back=(1.0, 3.5),
    height=(0.8, 3.0),
    fullness=(1.0, 2.2),
    layers=(4.0, 6.5),
    slant=(0.9, 1.7),
    print_size=(2.6, 5.5),
)
def turban(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    height: float,
    fullness: float,
    layers: float,
    slant: float,
    print_size: float,
) -> HatParts:
    """Cloth wound in overlapping layers that rise to the middle of the forehead and cross there; ``slant`` is how
    steeply they rise."""
    skull, rim, rng = skull_of(head), level_rim(front, back), look.rng()
    dome = Dome.over(skull, rim, CLOTH_CLEARANCE, rows=112, columns=192)
    smooth = dome.points(0.0)
    aside = np.abs(angle_from(dome.azimuth, 0.0)) / np.pi
    body = smoothstep(dome.share, 1.02, 0.6) * smoothstep(dome.share, -0.05, 0.45)
    # Half a layer between left and right: there they lie between each other.
    crossing = 0.25 * np.tanh(dome.azimuth / 0.08) * smoothstep(aside, 0.95, 0.6)
    wound = (
        layers * (1.1 * dome.share - 0.5 * slant * aside * (1 - 0.45 * aside))
        + crossing
        + 0.12 * ripples(smooth, 14.0, rng)
    )
    place = wound % 1
    tuck = smoothstep(place, 1.0, 0.9) * (0.25 + 0.75 * place**0.7)  # thickest just before it goes under the next
    creases = 0.04 * np.sin(2 * np.pi * 3 * wound + 2 * ripples(smooth, 12.0, rng))
    calm = smoothstep(dome.share, 0.05, 0.2) * smoothstep(dome.share, 1.0, 0.95)
    points = dome.points(
        CLOTH_CLEARANCE + height * smoothstep(dome.share, 0.75, 0.1) + fullness * body + (0.4 * tuck + creases) * calm
    )
    shade = 1 - 0.4 * (smoothstep(place, 0.92, 1.0) + smoothstep(place, 0.1, 0.0)) * smoothstep(dome.share, 1.0, 0.96)
    shade = hem_values(shade[..., None])
    shade = np.concatenate([shade, shade[:, :1]], axis=1)
    # Every layer shows another part of the print.
    uv = dome.draped_uv() + LAYER_SHIFT * np.floor(wound)[..., None]
    rows = hemmed(points, dome.outwards()[-1], 0.4)
    made = around(rows, material=Material.CLOTH, colour=look.colour, uv=hem_values(uv))
    mesh = printed(made, look.pattern, print_size, look.colour, look.accent, shade=shade)
    return HatParts([mesh], fit_inside(skull, rim, CLOTH_CLEARANCE + 0.2, 0.8))

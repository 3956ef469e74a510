"""Hats of fur: the trapper hat with its ear flaps, the ushanka with them tied up, the papakha."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import grid
from durian.synthetic.base.wear import smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import Dome, Rim, Skull, level_rim, rim_elevation, skull_of
from durian.synthetic.worn.millinery import HatFrame, HatParts, around, crown, fit_inside, hemmed, roll, strip_above
from durian.synthetic.worn.pelt import Pelt

CLEARANCE, INSIDE = 0.9, 0.15
"""How far a fur hat's skin is from the scalp, over flattened hair, and the inside of what is turned up, cm."""
PRESS = 0.15
"""Cm by which hair may stand out below the rim, per cm: flaps and long fur hold it."""
CROWN_HAIRS, BAND_HAIRS, FLAP_HAIRS = 4200, 6000, 3000
"""Threads of each part; two to three lie over each other everywhere."""
UPWARDS, HANGING = -0.8, 0.65
"""Nap of what is turned up, whose fur is brushed away from the face, and of flaps."""
EAR_ROOM = 0.3
"""Between an ear and its flap, cm."""
FUR = {"length": (1.2, 3.6), "stand": (0.3, 0.8), "frost": (0.0, 1.0)}
"""Length of the hairs, cm; sine of the angle at which they stand off; how pale their tips are."""
TRAPPER = {"front": (8.2, 10.4), "back": (-0.5, 2.5), "band": (4.5, 7.0), "fold": (1.0, 2.4)}
"""Heights of the rim; height and thickness of the fur over the forehead; cm."""


def _capped(
    skull: Skull,
    look: HatLook,
    pelt: Pelt,
    rim: Rim,
    fold: float,
    height: Callable[[np.ndarray], np.ndarray],
) -> list[Mesh]:
    """The common part of hats with flaps: a crown of fur, or of cloth in the accent's colour, and around it a band of
    fur, ``fold`` cm thick and as high as ``height`` says for an azimuth."""
    dome = Dome.over(skull, rim, CLEARANCE, rows=36)
    points = dome.points(CLEARANCE + 0.5 * smoothstep(dome.share, 0.9, 0.5))
    if look.pattern == "contrast":
        meshes = [around(points, material=Material.CLOTH, colour=look.accent, uv=dome.draped_uv())]
    else:
        meshes = [around(points, material=Material.FELT, colour=pelt.ground)]
        meshes.append(pelt.over(points, CROWN_HAIRS, skull, polar=True))
    strip = strip_above(skull, rim, CLEARANCE, 0.0)
    strip.elevation[0] += height(strip.azimuth[0]) / strip.skull[-1]
    rolled, _ = roll(skull, strip, INSIDE, CLEARANCE - INSIDE + fold, sides=20, squareness=2.8)
    meshes.append(around(rolled, wrap_rows=True, material=Material.FELT, colour=pelt.ground))
    meshes.append(pelt.over(rolled[:SEEN], BAND_HAIRS, skull, nap=UPWARDS))
    return meshes


SEEN = 13
"""Rows of the band's twenty, from its upper edge outwards to a little under it, that have hair."""


@styled(**TRAPPER, flap=(9.0, 14.0), breadth=(3.6, 5.4), flare=(-0.5, 2.2), opening=(0.0, 0.7), **FUR)
def trapper_hat(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    band: float,
    fold: float,
    flap: float,
    breadth: float,
    flare: float,
    opening: float,
    length: float,
    stand: float,
    frost: float,
) -> HatParts:
    """A fur hat with flaps over the ears, ``flap`` cm long and twice ``breadth`` cm wide, that end ``flare`` cm further
    out than they begin and turn their front edge outwards by ``opening`` radians."""
    skull, pelt = skull_of(head), Pelt.of(look, length, stand, frost)
    rim = level_rim(front, back)
    meshes = _capped(skull, look, pelt, rim, fold, lambda azimuth: band * (0.8 + 0.2 * np.cos(azimuth)))
    for side in (-1, 1):
        points = _flap(head, skull, rim, 0.35 + 0.5 * fold, flap, breadth, flare, opening)
        if side < 0:
            points = points[:, ::-1] * [-1, 1, 1]
        meshes.append(grid(points, wrap_columns=True, material=Material.FELT, label=Label.HAT, colour=pelt.ground))
        meshes.append(pelt.over(points, FLAP_HAIRS, skull, nap=HANGING))
    return HatParts(meshes, fit_inside(skull, rim, CLEARANCE, PRESS))


FLAP_ROWS, FLAP_COLUMNS = 24, 32
OVERLAP = 2.0
"""Cm by which a flap begins above the rim, under the band."""


def _flap(
    head: HeadModel,
    skull: Skull,
    rim: Rim,
    thickness: float,
    length: float,
    breadth: float,
    flare: float,
    opening: float,
) -> np.ndarray:
    """The left flap, rows ``(R, C, 3)`` of sections from above that run around it from the face outwards to the
    back; ``thickness`` is half of it, cm."""
    ear = np.unique(head.triangles[head.labels == Label.EAR])
    side = np.array([np.pi / 2])
    elevation = rim_elevation(skull, rim, CLEARANCE, side)
    top = np.array([(skull.radius(side, elevation) + CLEARANCE)[0] * np.cos(elevation[0]), rim(0.0) + OVERLAP])
    outside = np.maximum(np.abs(head.neutral[ear, 0]).max() + EAR_ROOM + thickness, top[0])
    share = np.linspace(0, 1, FLAP_ROWS)[:, None]
    x = top[0] + (outside - top[0]) * smoothstep(share, 0, 0.4) + flare * share**2
    y = top[1] - (length + OVERLAP) * share
    z = head.neutral[ear, 2].mean() + 0.6 - 0.4 * share
    end = np.sqrt(np.clip(1 - smoothstep(share, 0.7, 1.0) ** 2, 0, 1))
    angle = np.linspace(0, 2 * np.pi, FLAP_COLUMNS, endpoint=False)
    wide, out = np.cos(angle), np.sin(angle)
    half = breadth * (0.86 + 0.14 * np.sin(np.pi * share)) * end + 0.05
    curve = 0.12 * breadth * wide**2 * (1 - share)  # around the head
    thick = thickness * (0.4 + 0.6 * end) * out
    turn = opening * smoothstep(share, 0.1, 0.8)
    ahead = half * wide + breadth  # of the back edge, around which the flap turns
    x = x + np.cos(turn) * (thick - curve) + np.sin(turn) * ahead
    z = z - breadth + np.cos(turn) * ahead - np.sin(turn) * (thick - curve)
    return skull.push_out(np.stack(np.broadcast_arrays(x, y, z), axis=-1), INSIDE)


@styled(**TRAPPER, sides=(6.5, 10.0), **FUR)
def ushanka(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    band: float,
    fold: float,
    sides: float,
    length: float,
    stand: float,
    frost: float,
) -> HatParts:
    """A fur hat with its flaps tied up: the fur is ``sides`` cm high above the ears."""
    skull, pelt = skull_of(head), Pelt.of(look, length, stand, frost)
    rim = level_rim(front, back)
    meshes = _capped(skull, look, pelt, rim, fold, lambda azimuth: band + (sides - band) * np.abs(np.sin(azimuth)) ** 4)
    return HatParts(meshes, fit_inside(skull, rim, CLEARANCE, 2 * PRESS))


@styled(front=(8.0, 10.0), back=(1.0, 5.0), height=(7.0, 12.5), corner=(2.2, 6.0), taper=(-0.12, 0.2), **FUR)
def fur_hat(
    head: HeadModel,
    look: HatLook,
    front: float,
    back: float,
    height: float,
    corner: float,
    taper: float,
    length: float,
    stand: float,
    frost: float,
) -> HatParts:
    """A round hat all of fur, ``height`` cm high: from a dome (a ``corner`` of 2) to the straight papakha or pillbox
    (6), by ``taper`` narrower at the top."""
    skull, rim, pelt = skull_of(head), level_rim(front, back), Pelt.of(look, length, stand, frost)
    dome = Dome.over(skull, rim, CLEARANCE, rows=40)
    loop = dome.points(CLEARANCE)[-1]
    frame = HatFrame.of(loop)
    share = np.linspace(0, 1, 40)
    stiff = frame.outside(crown(frame.inside(loop), height, taper, corner, share))
    points = skull.push_out(stiff, CLEARANCE)
    skin = hemmed(points, dome.outwards()[-1], CLEARANCE - 2 * INSIDE)
    meshes = [around(skin, material=Material.FELT, colour=pelt.ground)]
    meshes.append(pelt.over(skin[: len(points) + 3], CROWN_HAIRS + BAND_HAIRS, skull, polar=True, nap=UPWARDS))
    return HatParts(meshes, fit_inside(skull, rim, CLEARANCE, 2 * PRESS))

"""A sweatshirt's hood, pulled up: an arch of cloth around face and forehead."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.geometry import HatFit, Label, Material
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.wear import ripples, smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import Skull, skull_of
from durian.synthetic.worn.headscarf import CENTRE, CLEARANCE, HEAD_RADIUS, NAPE_UP, around_the_face
from durian.synthetic.worn.millinery import (
    HatParts,
    angle_from,
    around,
    bump,
    darker,
    fit_inside,
    hem_values,
    hemmed,
    seam,
)

EVERYTHING, NOTHING = -100.0, 100.0
"""Heights below and above all hair."""
TEMPLES = 3.5
"""Depth z of the temples, behind which hair is never seen in a hood, cm."""
HEM, HEM_STITCHES = 0.5, 0.93
"""Thickness of the hem around the face, cm, and where it is sewn, as a share of the way from behind to the edge."""
LINING = 0.45
"""Brightness of the inside, where little light comes."""
NARROWEST = 0.4
"""Share of a hood's room that there is beside the jaw."""
HANGING_FREE, FRONT_SIDE = -0.35, 0.8
"""Elevation below which hair hangs out of a hood, and azimuth up to which, seen from inside the skull, radians."""


def _fit(skull: Skull, room: float) -> HatFit:
    """Hair behind the temples is out of sight; before them it stays under the arch, or hangs out below it."""
    inside = fit_inside(
        skull, lambda z: np.where(np.asarray(z) > TEMPLES, NOTHING, EVERYTHING), CLEARANCE + NARROWEST * room, 0.0
    )

    def radius(angles: np.ndarray) -> np.ndarray:
        free = (angles[:, 1] < HANGING_FREE) & (np.abs(angles[:, 0]) < FRONT_SIDE)
        return np.where(free, np.inf, inside.radius(angles))

    return HatFit(inside.centre, radius, inside.rim, inside.press)


@styled(
    forehead=(10.6, 12.6),
    cheek=(7.0, 8.4),
    chin=(-12.0, -8.6),
    room=(0.6, 2.2),
    forward=(0.5, 4.0),
    peak=(0.0, 2.5),
    slack=(0.2, 1.0),
)
def hood(
    head: HeadModel,
    look: HatLook,
    forehead: float,
    cheek: float,
    chin: float,
    room: float,
    forward: float,
    peak: float,
    slack: float,
) -> HatParts:
    """A hood over hair and ears; hair is seen at the forehead, and in front of the neck where it is long.

    ``forehead`` and ``chin`` are heights up to and down to which its opening reaches, ``cheek`` half the opening's
    breadth; ``room`` is how far the cloth stands off the hair, ``forward`` how far the arch comes forward, ``peak`` how
    far the empty cloth stands off behind, ``slack`` the depth of its folds; cm.
    """
    dome, rng, skull = around_the_face(head, forehead, cheek, chin), look.rng(), skull_of(head)
    share, smooth = dome.share, dome.points(CLEARANCE)
    below = np.abs(angle_from(dome.azimuth, np.pi))
    above = (1 + np.cos(dome.azimuth)) / 2
    folds = 0.3 * slack * ripples(smooth * [1, 0.5, 1], 6.0, rng)
    drawn = 0.35 * slack * np.sin(9 * share + 2.0 * ripples(smooth, 11.0, rng)) * bump(below, 0.3, 1.4)
    wide = NARROWEST + (1 - NARROWEST) * above * smoothstep(share, 0.0, 0.3)
    clearance = CLEARANCE + room * wide + peak * above * bump(share, 0.35, 0.35)
    clearance = clearance + (folds + drawn * smoothstep(share, 0.0, 0.3)) * smoothstep(share, 1.0, 0.85)
    clearance = clearance + 0.2 * smoothstep(share, 0.9, HEM_STITCHES)
    points = CENTRE + dome.points(clearance) @ NAPE_UP
    points[..., 2] += forward * smoothstep(share, 0.55, 1.0) * (0.25 + 0.75 * above)
    points = skull.push_out(points, CLEARANCE - 0.2)

    outwards = dome.outwards()[-1] @ NAPE_UP
    from_edge = np.linalg.norm(np.diff(smooth[::-1], axis=0, prepend=smooth[-1:]), axis=-1).cumsum(axis=0)[::-1]
    uv = np.stack(np.broadcast_arrays(dome.azimuth * HEAD_RADIUS, from_edge), axis=-1)
    finish = {"material": Material.CLOTH, "label": Label.HAT}
    outside = around(hemmed(points, outwards, HEM), colour=look.colour, uv=hem_values(uv), **finish)
    # Seen from the front, the arch has an inside.
    inner = skull.push_out(points - HEM * dome.outwards() @ NAPE_UP, 0.15)[len(points) // 2 :][::-1]
    lining = around(inner, colour=darker(look.colour, LINING), uv=uv[len(points) // 2 :][::-1], **finish)
    stitched = points[np.abs(share[:, 0] - HEM_STITCHES).argmin()]
    stitches = seam(stitched, darker(look.colour, 0.7), closed=True)
    return HatParts([outside, lining, stitches], _fit(skull, room))

"""A large cloth over hair, ears and neck: a surface seen from inside the head along the line of sight."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.spatial import ConvexHull

from durian.synthetic.base.geometry import Material
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.wear import ripples, smoothstep, styled
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import LOWEST, Dome, Skull, directions, last_crossing, skull_of
from durian.synthetic.worn.millinery import HatParts, angle_from, around, bump, fit_inside, hem_values, hemmed
from durian.synthetic.worn.prints import printed

CENTRE = np.array([0.0, 1.0, -0.5])
"""A point inside the head from which a headscarf's surface is seen, cm."""
CLEARANCE = 0.6
"""How far the cloth is from what it covers, cm."""
HIGHEST = 0.2
"""Elevation above which there is no edge of cloth: further behind, the head is narrower again."""
ROWS, COLUMNS = 88, 160
DRAPE = np.array([[-21.0, 13.0, 9.2], [-13.0, 10.6, 8.0], [-11.5, 9.0, 7.2], [-10.0, 7.8, 6.6], [-8.5, 7.2, 6.4]])
"""Where a headscarf hangs around the neck, from below: height, half width, half depth, cm (by eye)."""
NECK_DEPTH = -1.2
"""Depth z of the neck's middle, cm."""
FACE_MIDDLE, CHIN = 0.8, -7.4
"""Heights of the middle and the lower end of the oval that a headscarf leaves free, cm."""
FACE_RADII = np.array([6.0, 7.8])
"""Half width and half height of the part of the face on which a headscarf cannot lie, cm."""
HEAD_RADIUS = 9.0
"""Of the head around the line of sight, cm: turns angles into lengths of cloth."""
NAPE_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Turns the head on its face."""
EVERYTHING = -100.0
"""A height below all hair."""


@lru_cache(maxsize=2)
def _forms(head: HeadModel) -> tuple[Skull, Skull]:
    """The head with its ears and a neck as wide as cloth hangs, from ``CENTRE``, turned so that up is where the
    nape is.

    Returns:
        what cloth spans (the convex hull of what it covers), and the skin itself, on which its edge lies.
    """
    skin = head.neutral[head.skin_vertices].astype(np.float64)
    height = np.linspace(DRAPE[0, 0], DRAPE[-1, 0], 16)[:, None]
    half_width, half_depth = (np.interp(height, DRAPE[:, 0], DRAPE[:, column]) for column in (1, 2))
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    drape = np.stack(
        np.broadcast_arrays(half_width * np.sin(angle), height, NECK_DEPTH + half_depth * np.cos(angle)), axis=-1
    )
    face = np.hypot(skin[:, 0] / FACE_RADII[0], (skin[:, 1] - FACE_MIDDLE) / FACE_RADII[1]) < 1
    covered = skin[(skin[:, 1] > DRAPE[-1, 0]) & ~(face & (skin[:, 2] > 0))]
    hull = ConvexHull((np.concatenate([covered, drape.reshape(-1, 3)]) - CENTRE) @ NAPE_UP.T)
    towards = directions(
        np.linspace(-np.pi, np.pi, 72, endpoint=False)[:, None], np.linspace(LOWEST, np.pi / 2, 40)
    ).reshape(-1, 3)
    slope = towards @ hull.equations[:, :3].T
    reach = np.where(slope > 1e-6, -hull.equations[:, 3] / np.maximum(slope, 1e-6), np.inf).min(axis=1)
    skin = skin[skin[:, 1] > DRAPE[-1, 0] - 0.5]
    return Skull(towards * reach[:, None], np.zeros(3)), Skull((skin - CENTRE) @ NAPE_UP.T, np.zeros(3))


def around_the_face(head: HeadModel, forehead: float, cheek: float, chin: float = CHIN) -> Dome:
    """The surface that cloth spans, from a pole behind the head to the oval that is free, ``cheek`` cm to either side
    and from a height ``chin`` to a height ``forehead``; azimuth 0 is the forehead, ±π the chin."""
    form, _ = _forms(head)
    azimuth = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False)[None]
    turn = np.linspace(-np.pi, np.pi, 721)
    half_height = np.where(np.cos(turn) > 0, forehead - FACE_MIDDLE, FACE_MIDDLE - chin)
    x, y = cheek * np.sin(turn), half_height * np.cos(turn) + FACE_MIDDLE - CENTRE[1]
    edge = np.interp(azimuth, np.unwrap(np.arctan2(x, y)), np.hypot(x, y), period=2 * np.pi)
    elevation = np.linspace(LOWEST, HIGHEST, 160)[:, None]
    beyond = (form.radius(azimuth, elevation) + CLEARANCE) * np.cos(elevation) - edge
    lowest = last_crossing(elevation[:, 0], beyond)
    share = np.linspace(0, 1, ROWS)[:, None]
    elevation = np.pi / 2 + (lowest - np.pi / 2) * share
    return Dome(form.centre, azimuth, share, elevation, form.radius(azimuth, elevation))


@styled(forehead=(7.6, 9.6), cheek=(6.2, 7.0), slack=(0.0, 0.8), volume=(0.0, 1.8), print_size=(1.4, 3.0))
def headscarf(
    head: HeadModel, look: HatLook, forehead: float, cheek: float, slack: float, volume: float, print_size: float
) -> HatParts:
    """A large cloth over hair, ears and neck that leaves an oval free for the face.

    ``forehead`` is the height to which the face is free, ``cheek`` half its width, ``slack`` the depth of the folds,
    ``volume`` how far the hair beneath fills the cloth behind; cm.
    """
    dome, rng = around_the_face(head, forehead, cheek), look.rng()
    share, smooth = dome.share, dome.points(CLEARANCE)
    chin = np.abs(angle_from(dome.azimuth, np.pi))
    depth = 0.22 * (0.3 + slack) * ripples(smooth * [1, 0.35, 1], 5.0, rng)
    pleats = 0.2 * (0.5 + slack) * np.sin(12 * share + 1.5 * ripples(smooth, 12.0, rng))
    depth += pleats * bump(chin, 0, 1.5) * smoothstep(share, 0.5, 0.85)
    crown = np.clip(np.cos(dome.azimuth), 0, 1) * smoothstep(share, 0.95, 0.5) * smoothstep(share, 0.0, 0.3)
    hair = volume * (crown + 0.5 * smoothstep(share, 0.5, 0.0))
    folded_edge = 0.14 * bump(share, 0.95, 0.05)
    clearance = CLEARANCE + depth * smoothstep(share, 1.0, 0.85) + hair + folded_edge
    # Towards its edge the cloth comes down to the skin, except below the chin.
    skin = _forms(head)[1].radius(dome.azimuth, dome.elevation)
    clearance += np.minimum(skin - dome.skull, 0) * smoothstep(share, 0.72, 1.0) * (1 - 0.8 * bump(chin, 0, 1.0))

    skull = skull_of(head)
    points = skull.push_out(CENTRE + dome.points(clearance) @ NAPE_UP, CLEARANCE - 0.2)
    rows = hemmed(points, dome.outwards()[-1] @ NAPE_UP, 0.25)
    from_edge = np.linalg.norm(np.diff(smooth[::-1], axis=0, prepend=smooth[-1:]), axis=-1).cumsum(axis=0)[::-1]
    uv = np.stack(np.broadcast_arrays(dome.azimuth * HEAD_RADIUS, from_edge), axis=-1)
    made = around(rows, material=Material.CLOTH, colour=look.colour, uv=hem_values(uv))
    dyed = printed(made, look.pattern, print_size, look.colour, look.accent)
    return HatParts([dyed], fit_inside(skull, lambda z: np.full(np.shape(z), EVERYTHING), CLEARANCE, 0.0))

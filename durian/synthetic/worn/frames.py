"""Parts of glasses: outlines of lenses, rims, lenses, bridges, nose pads, temples.

A pair is made for the wearer's left side (+x) and mirrored. Places in a lens are (u, v): cm from its middle towards
the temple and up; the :class:`Front` says where they are in space.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import LinearNDInterpolator

from durian.synthetic.base.geometry import Label, Lens, Material, Mesh
from durian.synthetic.base.shapes import grid, mesh, sphere, tube
from durian.synthetic.base.wear import Colour, ripples, smooth_maximum, smoothstep
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.skull import skull_of

OUTLINE_POINTS = 96
SECTION_POINTS = 16

SECTION_POWER = 0.4
"""2 over the exponent of a rim's superelliptic section: flat faces, rounded edges."""

EAR_REST = (4.3, 0.7)
"""Height and depth at which a temple rests on the root of the ear, cm."""
TEMPLE_TIP = (1.9, -2.5)
"""Height and depth of a temple's end behind the ear, cm."""
SKIN_GAP = 0.12
"""Between a temple's middle and the skin, beyond half its thickness, cm."""


@dataclass(frozen=True)
class Finish:
    """The material of a frame: its colours ``(V, 3)`` are mottled between ``colour`` and ``spots`` if there are any."""

    material: Material
    colour: Colour
    spots: Colour | None = None
    seed: int = 0

    def paint(self, made: Mesh) -> Mesh:
        """The mesh, of this material and these colours."""
        made.colour[:] = self.colour
        made.material[:] = self.material
        if self.spots is not None:
            points = np.abs(made.vertices * [1, 1, 0.6]) + 0.35 * made.vertices  # like, but not the same, on both sides
            share = smoothstep(ripples(points, 1.1, np.random.default_rng(self.seed), 9), -0.35, 0.55)[:, None]
            made.colour[:] = made.colour * (1 - share) + np.asarray(self.spots) * share
        return made


def outline(width: float, height: float, corner: float, taper: float, lift: float, teardrop: float) -> np.ndarray:
    """A lens's edge ``(OUTLINE_POINTS, 2)``, evenly spaced, counter-clockwise from the temple's side.

    Args:
        width, height: cm.
        corner: exponent of the superellipse: 2 round, 6 nearly rectangular.
        taper: share by which it is narrower below than above.
        lift: cm by which its upper outer corner is drawn up.
        teardrop: cm by which its lower part hangs towards the cheek.
    """
    angle = np.linspace(0, 2 * np.pi, 4 * OUTLINE_POINTS, endpoint=False)
    u, v = (np.sign(f) * np.abs(f) ** (2 / corner) / 2 for f in (np.cos(angle), np.sin(angle)))
    low, outer = np.clip(-2 * v, 0, 1), np.clip(2 * u, 0, 1)
    wing = outer**3 * smoothstep(v, -0.25, 0.45)
    x = u * width * (1 - taper * (0.5 - v)) + 0.6 * lift * wing + 1.1 * teardrop * low**1.2 * (0.5 - u)
    y = v * height + lift * wing - 0.6 * teardrop * low * (0.2 + 0.8 * smoothstep(u, -0.4, 0.3))
    return _evenly(np.stack([x, y], axis=1))


def _evenly(curve: np.ndarray) -> np.ndarray:
    """A closed curve ``(N, 2)`` through points of equal distance."""
    closed = np.concatenate([curve, curve[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    wanted = np.linspace(0, length[-1], OUTLINE_POINTS, endpoint=False)
    return np.stack([np.interp(wanted, length, closed[:, axis]) for axis in range(2)], axis=1)


def outward_normals(curve: np.ndarray) -> np.ndarray:
    """Unit normals ``(N, 2)`` of a closed counter-clockwise curve."""
    along = (
        np.roll(curve, -2, axis=0) + np.roll(curve, -1, axis=0) - np.roll(curve, 1, axis=0) - np.roll(curve, 2, axis=0)
    )
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


@dataclass(frozen=True)
class Front:
    """The curved plane that lenses lie in: ``middle (2,)`` x and y of the left lens's, ``depth`` z at x = 0 and the
    lens's height; ``wrap`` bends it around the face (1/cm), ``tilt`` leans its lower edge towards the cheeks."""

    middle: tuple[float, float]
    depth: float
    wrap: float
    tilt: float

    def bend(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """How far behind or before ``depth`` the plane is."""
        return self.tilt * (y - self.middle[1]) - self.wrap * x**2

    def place(self, uv: np.ndarray, before: float | np.ndarray = 0.0) -> np.ndarray:
        """Places ``(..., 2)`` of the left lens in space, ``(..., 3)``; ``before`` cm in front of the plane."""
        x, y = uv[..., 0] + self.middle[0], uv[..., 1] + self.middle[1]
        return np.stack([x, y, self.depth + self.bend(x, y) + before], axis=-1)


@lru_cache(maxsize=2)
def face_relief(head: HeadModel) -> LinearNDInterpolator:
    """Depth z of the face over (x, y), cm; nan beside it."""
    skin = head.skin_vertices
    front = skin[(head.normals[skin, 2] > 0.15) & (head.neutral[skin, 2] > 4)]
    return LinearNDInterpolator(head.neutral[front, :2], head.neutral[front, 2])


def both_sides(made: Mesh) -> list[Mesh]:
    """A mesh and its mirror image."""
    mirrored = made.vertices * np.array([-1, 1, 1], np.float32)
    return [
        made,
        mesh(
            mirrored,
            made.triangles[:, ::-1],
            material=made.material,
            label=made.label,
            colour=made.colour,
            uv=made.uv,
            binding=made.binding,
            lens=made.lens,
        ),
    ]


def rim_mesh(front: Front, edge: np.ndarray, width: np.ndarray, depth: float, arc: slice | None = None) -> Mesh:
    """A rim around a lens, its section a rounded rectangle.

    Args:
        front: where it lies.
        edge: ``(N, 2)`` the lens's edge.
        width: ``(N,)`` of the rim in the picture plane, cm.
        depth: front to back, cm.
        arc: which points have a rim, if not all.
    """
    angle = np.linspace(0, 2 * np.pi, SECTION_POINTS, endpoint=False)
    out, before = (np.sign(f) * np.abs(f) ** SECTION_POWER / 2 for f in (np.cos(angle), np.sin(angle)))
    uv = edge[:, None] + outward_normals(edge)[:, None] * (width[:, None] * (out + 0.42))[..., None]
    points = front.place(uv, depth * before)
    if arc is not None:
        points = points[arc]
    return grid(points[:, ::-1], wrap_rows=arc is None, wrap_columns=True, **FRAME)


FRAME = {"material": Material.PLASTIC, "label": Label.FRAME, "colour": (0, 0, 0), "binding": "glasses"}
"""Until it is painted."""


def lens_mesh(front: Front, edge: np.ndarray, glass: Lens, colour_at: object) -> Mesh:
    """The glass within an edge ``(N, 2)``; ``colour_at``: ``(uv (..., 2)) → (..., 3)`` factors of its tint."""
    share = np.linspace(0, 1, 9)[:, None, None]
    uv = edge.mean(axis=0) * (1 - share) + edge * share
    return grid(
        front.place(uv),
        wrap_columns=True,
        material=Material.PLASTIC,
        label=Label.LENS,
        colour=colour_at(uv),
        binding="glasses",
        lens=glass,
    )


def bridge_mesh(front: Front, from_uv: np.ndarray, arch: float, height: float, depth: float) -> Mesh:
    """A bar over the nose from a place (u, v) of one rim to the same of the other, ``arch`` cm higher and nearer in
    the middle."""
    start = front.place(np.asarray(from_uv))
    across = np.linspace(-1, 1, 17)
    rise = arch * (1 - across**2)
    x = start[0] * across
    path = np.stack([x, start[1] + rise, start[2] + front.wrap * (start[0] ** 2 - x**2) + 0.5 * rise], axis=1)
    return tube(path, depth, height=height * (1 + 0.5 * across**4), up=(0, 1, 0), sides=10, **FRAME)


def edge_at(edge: np.ndarray, v: float, outer: bool) -> np.ndarray:
    """The place (u, v) on a lens's edge at a height v, on the temple's side or the nose's."""
    u_of, v_of = edge.T
    rising = np.argsort(v_of)
    side = (u_of[rising] > 0) == outer
    return np.array([np.interp(v, v_of[rising][side], u_of[rising][side]), v])


def nose_pads(head: HeadModel, front: Front, from_uv: np.ndarray, finish: Finish) -> list[Mesh]:
    """Two pads on the flanks of the nose, and the wires that hold them from a place (u, v) of each rim."""
    x, y = 1.02, front.middle[1] - 0.35
    pad = np.array([x, y, float(face_relief(head)(x, y)) + 0.14])
    start = front.place(np.asarray(from_uv))
    between = np.array([(start[0] + x) / 2, (start[1] + y) / 2 + 0.2, min(start[2], pad[2]) - 0.25])
    share = np.linspace(0, 1, 12)[:, None]
    path = (1 - share) ** 2 * start + 2 * share * (1 - share) * between + share**2 * (pad + np.array([0.08, 0, -0.05]))
    wire = finish.paint(tube(path, 0.045, sides=6, **FRAME))
    made = sphere((0, 0, 0), (0.10, 0.36, 0.22), rings=8, **(FRAME | {"colour": PAD_COLOUR}))
    turn = np.array([[0.75, 0.2, -0.63], [-0.15, 0.98, 0.13], [0.645, 0.0, 0.765]])
    made.vertices = (pad + made.vertices @ turn.T).astype(np.float32)
    return [*both_sides(wire), *both_sides(made)]


PAD_COLOUR = (0.62, 0.58, 0.52)
"""Silicone over metal."""


def temple_mesh(head: HeadModel, front: Front, from_uv: np.ndarray, thickness: float, height: float) -> Mesh:
    """The left temple with its hinge, from a place (u, v) of the rim to behind the ear; ``thickness`` and ``height``
    in cm."""
    start = front.place(from_uv)
    hinge = start + np.array([0.28, 0.0, -0.45])
    path = np.concatenate([_corner(start, hinge), temple_path(head, hinge, thickness)[1:]])
    share = np.linspace(0, 1, len(path))
    high = height / 2 * (1 - 0.35 * smoothstep(share, 0.1, 0.6) + 0.2 * smoothstep(share, 0.75, 1.0))
    return tube(path, thickness / 2, height=high, up=(0, 1, 0), sides=10, **FRAME)


def _corner(start: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """A quarter turn ``(7, 3)`` from the rim, outwards and then backwards."""
    share = np.linspace(0, 1, 7)[:, None]
    knee = np.array([hinge[0], hinge[1], start[2]])
    return (1 - share) ** 2 * start + 2 * share * (1 - share) * knee + share**2 * hinge


def temple_path(head: HeadModel, hinge: np.ndarray, thickness: float) -> np.ndarray:
    """From a hinge to the root of the left ear, and down behind it: ``(41, 3)``, outside the skin."""
    before = np.linspace(0, 1, 29)[:, None]
    behind = np.linspace(0, 1, 13)[1:]
    rest, tip = np.array(EAR_REST), np.array(TEMPLE_TIP)
    bent = rest + (tip - rest) * np.stack([behind**1.6, behind**0.85], axis=1)
    y, z = np.concatenate([hinge[1:] + (rest - hinge[1:]) * before, bent]).T
    skin = _side(head, y, z) + SKIN_GAP + thickness / 2
    straight = hinge[0] + (skin[28] - hinge[0]) * np.minimum(np.arange(len(y)) / 28, 1)
    x = smooth_maximum(straight, skin, 0.1)
    x += (hinge[0] - x[0]) * smoothstep(np.arange(len(y)), 12, 0)
    return np.stack([x, y, z], axis=1)


def _side(head: HeadModel, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """How far to the left the skull reaches at heights and depths, cm."""
    skull = skull_of(head)
    x = np.full(y.shape, 7.5)
    for _ in range(4):
        azimuth, elevation, _ = skull.angles(np.stack([x, y, z], axis=-1))
        rest = skull.radius(azimuth, elevation) ** 2 - (y - skull.centre[1]) ** 2 - (z - skull.centre[2]) ** 2
        x = np.sqrt(np.maximum(rest, 1.0))
    return x

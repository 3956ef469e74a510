"""A head like an egg on a neck like a post: enough of a :class:`HeadModel` to be dressed, and nobody's; and what to
dress it in."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np

from durian.synthetic.base.geometry import HatFit, Label, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import grid_triangles, vertex_normals
from durian.synthetic.base.wear import Look, Numbers, Style
from durian.synthetic.worn import cloth, earrings, glasses, hats

MIDDLE = np.array([0.0, 3.4, 0.4])
HALF_AXES = np.array([8.4, 11.1, 10.2])
"""Of the egg, cm: as wide, high and deep as the neutral head is without ears and nose."""
NECK_RADIUS = 5.6
EYES_HEIGHT = 3.4
ROWS, COLUMNS = 72, 96


class EggHead:
    """What clothes, hats, glasses and earrings ask of a head."""

    def __init__(self) -> None:
        angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)[None]
        elevation = np.linspace(np.pi / 2, -np.pi / 2, ROWS)[:, None]
        flat = np.cos(elevation)
        egg = np.stack(np.broadcast_arrays(flat * np.sin(angle), np.sin(elevation), flat * np.cos(angle)), axis=-1)
        around = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=-1)
        height = np.linspace(-8, -19, 24)[:, None, None]
        neck = NECK_RADIUS * around + height * np.array([0.0, 1.0, 0.0])
        vertices = np.concatenate([(MIDDLE + HALF_AXES * egg).reshape(-1, 3), neck.reshape(-1, 3)])
        triangles = np.concatenate(
            [
                grid_triangles(ROWS, COLUMNS, wrap_columns=True),
                grid_triangles(len(height), COLUMNS, wrap_columns=True) + ROWS * COLUMNS,
            ]
        )
        self.neutral = vertices.astype(np.float32)
        self.triangles = triangles
        self.normals = vertex_normals(self.neutral, triangles)
        self.skin_vertices = np.arange(len(vertices), dtype=np.int32)
        self.landmarks68 = self._landmarks()
        middles = self.neutral[triangles].mean(axis=1)
        ear = (np.abs(middles[:, 0]) > 7) & (np.abs(middles[:, 1]) < 2.5) & (np.abs(middles[:, 2]) < 2)
        self.labels = np.where(ear, Label.EAR, Label.FACE).astype(np.uint8)

    def _landmarks(self) -> np.ndarray:
        """Vertices at the places of jaw, root of the nose and eyes; the others are all the chin."""
        wanted = np.tile([0.0, -7.6, 3.0], (68, 1))
        wanted[27] = 0, EYES_HEIGHT, 10.5
        wanted[36:48, 0] = np.repeat([-3.2, 3.2], 6) + np.tile([-1.4, -0.6, 0.6, 1.4, 0.6, -0.6], 2)
        wanted[36:48, 1:] = EYES_HEIGHT, 9.5
        wanted[[0, 16]] = (-7.6, EYES_HEIGHT, 3.6), (7.6, EYES_HEIGHT, 3.6)
        return np.linalg.norm(self.neutral[None] - wanted[:, None], axis=-1).argmin(axis=1)


EGG = EggHead()
KINDS = {
    "hats": (hats.STYLES, hats.sample_hat_look, lambda head, look: hats.make_hat(head, look)[0], Label.HAT),
    "glasses": (glasses.STYLES, glasses.sample_glasses_look, glasses.make_glasses, None),
    "earrings": (earrings.STYLES, earrings.sample_earring_look, earrings.make_earrings, Label.EARRING),
    "cloth": (cloth.STYLES, cloth.sample_cloth_look, cloth.make_cloth, Label.CLOTH),
}
ALL = [(kind, style) for kind, (styles, *_) in KINDS.items() for style in styles]
ALL_HATS, ALL_GLASSES, ALL_CLOTH, ALL_EARRINGS = (
    [style for other, style in ALL if other == kind] for kind in ("hats", "glasses", "cloth", "earrings")
)


def corners(style: Style) -> list[dict[str, float]]:
    """The lowest, the highest and two mixed settings of a style."""
    ends = np.array(list(style.ranges.values()))
    odd = np.arange(len(ends)) % 2
    settings = [ends[:, 0], ends[:, 1], ends[np.arange(len(ends)), odd]]
    settings.append(ends[np.arange(len(ends)), 1 - odd])
    return [dict(zip(style.ranges, setting)) for setting in settings]


def looks_of(kind: str, style: str) -> list[Look]:
    """A style at the corners of its ranges, in colours and patterns of chance."""
    styles, sample, *_ = KINDS[kind]
    rng = np.random.default_rng(5)
    return [dataclasses.replace(sample(rng, [style]), parameters=Numbers(corner)) for corner in corners(styles[style])]


def middle(kind: str, style: str) -> Look:
    """A style in the middle of its ranges, plain."""
    look = dataclasses.replace(KINDS[kind][1](np.random.default_rng(2), [style]), parameters=Numbers())
    return dataclasses.replace(look, pattern="plain") if hasattr(look, "pattern") else look


@lru_cache(maxsize=200)
def hat(head: object, look: HatLook) -> tuple[list[Mesh], HatFit]:
    """A hat, made once for all tests."""
    return hats.make_hat(head, look)


@lru_cache(maxsize=200)
def worn(kind: str, head: object, look: Look) -> list[Mesh]:
    """Meshes of something, made once for all tests."""
    return hat(head, look)[0] if kind == "hats" else KINDS[kind][2](head, look)


def vertices_of(meshes: list[Mesh]) -> np.ndarray:
    return np.concatenate([mesh.vertices for mesh in meshes])

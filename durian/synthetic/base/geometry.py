"""Geometry of worn things: triangle meshes and strands, both in the space of the model's neutral head.

Lengths are centimetres; x points to the picture's right (the person's left), y up, z out of the face. Colours are
linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np


class Label(IntEnum):
    """Class of a pixel. Numbers and order are those of the written class maps."""

    BACKGROUND = 0
    FACE = 1
    NECK = 2
    EAR = 3
    BROW = 4
    SCLERA = 5
    IRIS = 6
    LIPS = 7
    MOUTH = 8
    TEETH = 9
    NOSE = 10
    LASH = 11
    HAIR = 12
    BEARD = 13
    FRAME = 14
    LENS = 15
    HAT = 16
    EARRING = 17
    CLOTH = 18


class Material(IntEnum):
    """The material of a surface; each has a branch of the shader."""

    SKIN = 0
    SCALP = 1
    HAIR = 2
    EYE = 3
    TEETH = 4
    GUM = 5
    CLOTH = 6
    KNIT = 7
    FELT = 8
    PLASTIC = 9
    METAL = 10
    STRAW = 11
    LEATHER = 12


@dataclass
class SurfacePoints:
    """Points on the skin: ``vertices (N, 3) int32`` of their triangles, ``weights (N, 3) float32`` that sum to 1."""

    vertices: np.ndarray
    weights: np.ndarray


@dataclass
class Lens:
    """The optics of a lens: ``tint (3,)`` multiplies what lies behind, ``reflection`` in [0, 1] is its mirror's
    strength."""

    tint: np.ndarray
    reflection: float


@dataclass
class Mesh:
    """A worn thing.

    ``vertices (V, 3) float32``; ``triangles (T, 3) int32``; ``material (T,) uint8``; ``label (T,) uint8``;
    ``colour (V, 3) float32``; ``uv (V, 2) float32``, whose meaning is the material's. ``binding``: ``"skin"`` follows
    the skin near it as identities change its shape (hats, cloth), ``"rigid"`` moves as one piece with the skin near its
    first vertex (earrings), ``"glasses"`` moves and scales as one piece with eyes, nose bridge and ears. ``lens``: the
    mesh is glass and drawn over everything else, its ``colour`` multiplies the lens's tint.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    label: np.ndarray
    colour: np.ndarray
    uv: np.ndarray
    binding: str = "skin"
    lens: Lens | None = None


@dataclass
class Strands:
    """Hair of any kind: S strands of K points each.

    ``points (S, K, 3) float32``, root first; ``width (S, K) float32``; ``tint (S, 3) float32`` multiplies the colour;
    ``roots``: where each grows. ``binding``: ``"root"`` moves a strand by its root's displacement, expression included
    (brows, beards), ``"skin"`` each point with the skin near it, identity only (hair). ``root_shade``, one or
    ``(S,)``: colour at the root relative to the tip's.
    """

    points: np.ndarray
    width: np.ndarray
    tint: np.ndarray
    roots: SurfacePoints
    label: int = Label.HAIR
    binding: str = "skin"
    root_shade: np.ndarray | float = 0.6
    colour: np.ndarray | None = None


@dataclass
class HatFit:
    """A hat's fit, as far as it concerns hair: where its rim runs and how far its inside is from the skull.

    ``centre (3,)``; ``radius``: ``(angles (N, 2)) → (N,)`` distance of the hat's inside from the centre, for azimuth
    (from +z towards +x) and elevation in radians, infinite where the hat is open; ``rim``: ``(z) → y`` height of the
    rim; ``press``: how much hair may stand out below the rim, cm per cm.
    """

    centre: np.ndarray
    radius: object
    rim: object
    press: float


@dataclass
class Outfit:
    """Everything on one head: ``meshes``, ``strands``, and the fit of the hat among them."""

    meshes: list[Mesh] = field(default_factory=list)
    strands: list[Strands] = field(default_factory=list)
    hat: HatFit | None = None

"""Strands of hair, beards, brows and lashes on one person, as points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from durian.synthetic.base.geometry import HatFit, Label, Strands, SurfacePoints
from durian.synthetic.head.binding import SkinField, press_hair
from durian.synthetic.head.head import HeadModel

TIP_SHADE = 1.08
"""Colour of a strand's tip relative to the colour given."""
DENSE, WIDENING = 2000, 0.5
"""Groups of strands of which some can be left out, and the exponent by which the others grow wider: by 1.4 if half
are left."""

LASH_COLOUR, LASH_WIDTH = (0.014, 0.010, 0.008), 0.011
LASH_TAPER = (1.3, 0.5)
"""Width at root and tip."""
LASH_POINTS = (0, 1, 3, 5)
"""Which of the model's six points along a lash are used."""
UPPER_LASHES, LOWER_LASHES = 0.78, 0.5
"""Length of lashes relative to the model's, which are long."""


@dataclass(frozen=True)
class Tuft:
    """Strands of one kind on somebody's head, as P points.

    ``points``, ``rest``, ``colour (P, 3)``; ``width (S, K)``; ``roots (P, 3)``: vertices that each point follows when
    the face moves, empty if none.
    """

    points: np.ndarray
    rest: np.ndarray
    colour: np.ndarray
    width: np.ndarray
    label: int
    roots: np.ndarray
    root_weights: np.ndarray

    @property
    def triangles(self) -> int:
        """How many its ribbons have."""
        return 2 * self.width.shape[0] * (self.width.shape[1] - 1)


def thinned(strands: Strands, share: float) -> Strands:
    """A share of the strands of hair, wider instead; groups of few strands and other strands as they are."""
    if strands.label != Label.HAIR or len(strands.points) < DENSE or share >= 1:
        return strands
    kept = np.linspace(0, len(strands.points) - 1, round(share * len(strands.points))).astype(int)
    roots = SurfacePoints(strands.roots.vertices[kept], strands.roots.weights[kept])
    width = strands.width[kept] * np.float32(share**-WIDENING)
    shade = np.broadcast_to(strands.root_shade, len(strands.points))[kept]
    return replace(
        strands, points=strands.points[kept], width=width, tint=strands.tint[kept], roots=roots, root_shade=shade
    )


def grown(
    strands: Strands, offsets: np.ndarray, lattice: np.ndarray, hat: HatFit | None, colour: Sequence[float]
) -> Tuft:
    """Strands bound to somebody.

    Args:
        strands: on the neutral head.
        offsets: ``(V, 3)`` of the identity.
        lattice: the same in space, of :meth:`SkinField.of`.
        hat: what presses them if they are hair.
        colour: of strands that have none.
    """
    kept, rest = np.ones(len(strands.points), bool), strands.points
    if hat is not None and strands.label == Label.HAIR:
        kept, rest = press_hair(strands, hat)
    length = rest.shape[1]
    rest = rest.reshape(-1, 3)
    if strands.binding == "root":
        roots = np.repeat(strands.roots.vertices[kept], length, axis=0)
        weights = np.repeat(strands.roots.weights[kept], length, axis=0)
        points = rest + np.einsum("pk,pkc->pc", weights, offsets[roots])
    else:
        roots, weights = np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32)
        points = SkinField.follow(rest, lattice)
    colour = colour if strands.colour is None else strands.colour
    root_shade = np.broadcast_to(strands.root_shade, len(kept))[kept, None].astype(np.float32)
    along = root_shade + (TIP_SHADE - root_shade) * np.linspace(0, 1, length, dtype=np.float32)
    colours = np.asarray(colour, np.float32) * strands.tint[kept][:, None] * along[..., None]  # S x K x 3
    return Tuft(points, rest, colours.reshape(-1, 3), strands.width[kept], strands.label, roots, weights)


def lashes(head: HeadModel, face: np.ndarray) -> Tuft:
    """The lashes of somebody whose head is ``face (V, 3)``, which follow the lids."""
    # On lower lids one of the three cards, whose lashes have the same roots, is enough.
    first = np.isin(np.arange(len(head.lashes)), np.unique(head.lashes[:, 0], return_index=True)[1])
    kept = head.upper_lashes | first
    vertices, is_upper = head.lashes[kept][:, LASH_POINTS], head.upper_lashes[kept]  # S x K
    # Each point lies between the lash's root and a vertex.
    root = np.broadcast_to(vertices[:, :1], vertices.shape)
    roots = np.stack([vertices, root, root], axis=-1).reshape(-1, 3)
    length = np.where(is_upper[:, None], UPPER_LASHES, LOWER_LASHES)
    share = np.broadcast_to(length, vertices.shape).ravel()
    weights = np.stack([share, 1 - share, 0 * share], axis=1).astype(np.float32)
    width = LASH_WIDTH * np.linspace(*LASH_TAPER, len(LASH_POINTS), dtype=np.float32)
    return Tuft(
        points=HeadModel.at(SurfacePoints(roots, weights), face),
        rest=HeadModel.at(SurfacePoints(roots, weights), head.neutral),
        colour=np.broadcast_to(np.array(LASH_COLOUR, np.float32), (vertices.size, 3)),
        width=np.broadcast_to(width, vertices.shape),
        label=Label.LASH,
        roots=roots,
        root_weights=weights,
    )

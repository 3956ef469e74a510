"""The scalp: the hairline, baldness, and the roots of a head of hair with the data a cut needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from durian.synthetic.base.geometry import SurfacePoints
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.hair.growth import Wander
from durian.synthetic.head.distance import DistanceField, distance_to_skin
from durian.synthetic.head.head import HeadModel

HAIRLINE = (
    (0, 10.7), (15, 10.75), (28, 10.8), (38, 10.4), (46, 8.8), (52, 6.6), (58, 5.2), (63, 2.6), (66, 1.4), (75, 1.5),
    (79, 3.6), (86, 4.6), (100, 4.3), (105, 2.6), (112, -0.8), (120, -3.2), (140, -4.9), (180, -5.4),
)  # fmt: skip
"""Lowest hair: height (cm) at each azimuth (degrees from the face) of the neutral head; forehead, temple, sideburn,
ear, nape. By eye, with the trichion a third of the face above the brows."""
FRONT_END, SIDE_START = 40.0, 62.0
"""Azimuths between which a receding hairline fades: the forehead recedes, sideburns stay."""
CORNERS, CORNER_WIDTH, CORNER_DEPTH = 33.0, 12.0, 0.9
"""A hairline recedes most at its corners: where they are and how wide (degrees), and how much more they recede than
the middle."""
SLOPE_RADIUS = 8.3
"""Of the head (cm), to know how steep the hairline runs."""
BESIDE_SKULL, EAR_ROOT = 8.0, 5.2
"""What lies further out (cm) below this height is an ear."""
SOFT_EDGE, CLEAN_EDGE, SPARSE = 1.4, 0.6, 0.4
"""Widths (cm) over which hair thins out towards the hairline, above the forehead and around ears and nape, and how
dense it is there."""

LEAST_HEM = 0.25
"""How much of its length and volume hair right at the hairline has."""

CROWN = np.array([0.6, 13.2, -4.2])
"""The whorl, from which hair at the back falls away in all directions."""
BALD_TOP, BALD_FALL, BALD_FRONT = 14.8, 5.2, 2.5
"""Height (cm) above which nothing grows at a baldness of 0 and by how much it falls to 1, and how far in front it
falls further."""
THINNING, BALD_EDGE = 5.0, 1.2
"""Over how many cm hair thins out towards a bald top, when baldness begins and when it is complete."""


def hairline_distance(points: np.ndarray, recede: float = 0.0) -> np.ndarray:
    """``(N,)`` cm from the hairline, positive where hair grows.

    Args:
        points: ``(N, 3)`` on the neutral head's skin.
        recede: how far the hairline has gone back above the forehead, cm; negative for a low forehead.
    """
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    azimuth = np.degrees(np.arctan2(np.abs(x), z))
    angles, heights = np.transpose(HAIRLINE)
    front = 1 - smoothstep(angles, FRONT_END, SIDE_START)
    corners = CORNER_DEPTH * max(recede, 0) * np.exp(-(((angles - CORNERS) / CORNER_WIDTH) ** 2))
    heights = heights + recede * front + corners
    slope = np.gradient(heights, angles) / (np.radians(1) * SLOPE_RADIUS)
    distance = (y - np.interp(azimuth, angles, heights)) / np.hypot(1, np.interp(azimuth, angles, slope))
    ear = (np.abs(x) > BESIDE_SKULL) & (y < EAR_ROOT)
    return np.where(ear, -1.0, distance)


def hairline(points: np.ndarray, recede: float = 0.0) -> np.ndarray:
    """``(N,)`` in [0, 1]: how densely hair grows at points of the skin, softly rising above the hairline."""
    return smoothstep(hairline_distance(points, recede) / _edge_width(points), -0.15, 0.75)


def _edge_width(points: np.ndarray) -> np.ndarray:
    azimuth = np.degrees(np.arctan2(np.abs(points[..., 0]), points[..., 2]))
    return SOFT_EDGE + (CLEAN_EDGE - SOFT_EDGE) * smoothstep(azimuth, FRONT_END, SIDE_START)


def bald_cover(points: np.ndarray, baldness: float) -> np.ndarray:
    """``(N,)`` in [0, 1]: how much of the hair inside the hairline baldness has left.

    Args:
        points: ``(N, 3)``.
        baldness: 0 none, 1 only a horseshoe from ear to ear is left.
    """
    if baldness <= 0:
        return np.ones(len(points))
    _, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    rim = BALD_TOP - BALD_FALL * baldness - baldness * np.maximum(z - BALD_FRONT, 0)
    edge = THINNING + (BALD_EDGE - THINNING) * baldness
    return smoothstep(rim - y, -edge, edge)


@dataclass
class Scalp:
    """S roots on a head, in no order.

    Attributes:
        surface: the distance to the head.
        roots: where they are on the model.
        points, normals: ``(S, 3)``.
        edge: ``(S,)`` cm from the hairline, roughened.
        depth: ``(S,)`` in [0, 1]: 0 lies at the bottom of the hair, 1 on top.
        rng: where a cut's chance comes from.
    """

    surface: DistanceField
    roots: SurfacePoints
    points: np.ndarray
    normals: np.ndarray
    edge: np.ndarray
    depth: np.ndarray
    rng: np.random.Generator

    ROUGH, FINE = 0.25, 0.12
    """How uneven the hairline is (cm) over centimetres and from hair to hair."""

    @classmethod
    def of(
        cls, head: HeadModel, count: int, rng: np.random.Generator, recede: float = 0.0, baldness: float = 0.0
    ) -> Scalp:
        """About ``count`` roots, fewer on a bald head: they thin out at the edges."""
        middles = head.middles
        mask = head.skin_triangles & (hairline_distance(middles, recede) > -1)
        roots, points, normals = head.sample_surface(mask, round(1.4 * count), rng)
        rough = cls.ROUGH * Wander(rng, 2.5)(points)[:, 0] + rng.normal(0, cls.FINE, len(points))
        edge = hairline_distance(points, recede) + rough
        dense = SPARSE + (1 - SPARSE) * smoothstep(edge / _edge_width(points), 0, 1)
        grows = (edge > 0) & (dense > rng.random(len(points)))
        grows &= bald_cover(points, baldness) > np.clip(rng.random(len(points)) + 0.3 * rough, 0, 0.99)
        chosen = np.flatnonzero(grows)[:count]
        return cls(
            surface=distance_to_skin(head),
            roots=SurfacePoints(roots.vertices[chosen], roots.weights[chosen]),
            points=points[chosen],
            normals=normals[chosen],
            edge=edge[chosen].astype(np.float32),
            depth=rng.random(len(chosen), dtype=np.float32),
            rng=rng,
        )

    def __len__(self) -> int:
        return len(self.points)

    def take(self, chosen: np.ndarray) -> Scalp:
        """Some of the roots, by number or mask; numbers may repeat."""
        return Scalp(
            self.surface,
            SurfacePoints(self.roots.vertices[chosen], self.roots.weights[chosen]),
            self.points[chosen],
            self.normals[chosen],
            self.edge[chosen],
            self.depth[chosen],
            self.rng,
        )

    def crowded(self, chosen: np.ndarray, times: int, spread: float = 0.12) -> Scalp:
        """Some of the roots ``times`` over, moved by about ``spread`` cm and at other depths."""
        more = self.take(np.repeat(chosen, times))
        aside = self.rng.normal(0, spread, more.points.shape)
        aside -= (aside * more.normals).sum(axis=1, keepdims=True) * more.normals
        more.points = (more.points + aside).astype(np.float32)
        more.depth = self.rng.random(len(more), dtype=np.float32)
        return more

    def joined(self, other: Scalp) -> Scalp:
        """These roots and others of the same head, shuffled."""
        order = self.rng.permutation(len(self) + len(other))

        def both(name: str) -> np.ndarray:
            return np.concatenate([getattr(self, name), getattr(other, name)])[order]

        vertices = np.concatenate([self.roots.vertices, other.roots.vertices])[order]
        weights = np.concatenate([self.roots.weights, other.roots.weights])[order]
        roots = SurfacePoints(vertices, weights)
        return Scalp(self.surface, roots, both("points"), both("normals"), both("edge"), both("depth"), self.rng)

    @cached_property
    def top(self) -> np.ndarray:
        """``(S,)`` 1 on top of the head, 0 at its sides and back."""
        return smoothstep(self.points[:, 1] + 0.12 * self.points[:, 2], 8.0, 11.5)

    @cached_property
    def front(self) -> np.ndarray:
        """``(S,)`` 1 above the forehead, 0 from the middle of the head backwards."""
        return smoothstep(self.points[:, 2], 3.0, 8.5) * self.top

    @cached_property
    def hem(self) -> np.ndarray:
        """``(S,)`` thinner and shorter hair at the hairline: from ``LEAST_HEM`` to 1."""
        return np.clip(self.edge / _edge_width(self.points), LEAST_HEM, 1)

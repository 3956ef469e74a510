"""Separation of synthetic identities: distances between the shapes of their landmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from durian.synthetic.head.head import HeadModel


@dataclass(frozen=True)
class Separation:
    """Distances between views of one person, ``within (W,)``, and of two people, ``between (B,)``."""

    within: np.ndarray
    between: np.ndarray

    @property
    def order(self) -> float:
        """How often two people lie further apart than two views of one: 1 always, 0.5 as chance would have it."""
        within = np.sort(self.within)
        below, not_above = np.searchsorted(within, self.between, "left"), np.searchsorted(within, self.between, "right")
        return float((below + not_above).mean() / (2 * len(within)))


def head_shapes(
    head: HeadModel, identities: np.ndarray, expressions: Sequence[Sequence[Mapping[str, float]]]
) -> np.ndarray:
    """Landmarks of P people in N expressions each, ``(P, N, 68, 3) float32``, cm.

    Args:
        head: the model.
        identities: ``(P, 100)`` weights.
        expressions: P lists of N.
    """
    landmarks = head.landmarks68
    people = [head.neutral[landmarks] + head.identity(weights)[landmarks] for weights in identities]
    faces = [[head.expression(amounts)[landmarks] for amounts in of_person] for of_person in expressions]
    return np.array(people)[:, None] + np.array(faces)


def shape_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Partial Procrustes distance: what is left after shift, scale and rotation.

    Dryden and Mardia, Statistical Shape Analysis, section 4.2.

    Args:
        first, second: ``(..., L, D)`` points, in two or three dimensions.

    Returns:
        ``(...)`` root mean square distance of the points, relative to their distance from their middle.
    """

    def standard(points: np.ndarray) -> np.ndarray:
        points = np.asarray(points, np.float64)
        points = points - points.mean(axis=-2, keepdims=True)
        return points / np.linalg.norm(points, axis=(-2, -1), keepdims=True)

    u, s, v = np.linalg.svd(np.swapaxes(standard(first), -1, -2) @ standard(second))
    s[..., -1] *= np.sign(np.linalg.det(u @ v))  # rotations only: a mirrored face is another face
    return np.sqrt(np.maximum(0, 2 - 2 * s.sum(axis=-1)))


def separation(shapes: np.ndarray) -> Separation:
    """Compare all pairs of landmark shapes.

    Expressions move landmarks further than most identities do: keep to steady ones (:attr:`HeadModel.rigid_landmarks`).
    Landmarks found in pictures will do as well, if their views are alike.

    Args:
        shapes: ``(P, N, L, D)``: P people, N views each, L landmarks.
    """
    people, views = shapes.shape[:2]
    flat = shapes.reshape(people * views, *shapes.shape[2:])
    i, j = np.triu_indices(len(flat), 1)
    distances = shape_distances(flat[i], flat[j])
    same = i // views == j // views
    return Separation(within=distances[same], between=distances[~same])

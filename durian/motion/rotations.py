"""Rotations of a head: matrices, rotation vectors, and means along time."""

from __future__ import annotations

import numpy as np


def from_vector(vectors: np.ndarray) -> np.ndarray:
    """Rotation vectors ``(..., 3)`` in radians to matrices ``(..., 3, 3) float64`` (Rodrigues)."""
    vectors = np.asarray(vectors, np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vectors.shape[:-1], 3, 3)
    small = angle < 1e-8
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1.0, np.sin(safe) / safe)
    second = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    return np.eye(3) + first * cross + second * cross @ cross


def to_vector(matrices: np.ndarray) -> np.ndarray:
    """Matrices ``(..., 3, 3)`` to rotation vectors ``(..., 3) float64`` in radians, angles below π."""
    matrices = np.asarray(matrices, np.float64)
    skew = np.stack(
        [
            matrices[..., 2, 1] - matrices[..., 1, 2],
            matrices[..., 0, 2] - matrices[..., 2, 0],
            matrices[..., 1, 0] - matrices[..., 0, 1],
        ],
        -1,
    )
    sine = np.linalg.norm(skew, axis=-1, keepdims=True) / 2
    cosine = (np.trace(matrices, axis1=-2, axis2=-1)[..., None] - 1) / 2
    angle = np.arctan2(sine, cosine)
    return skew / 2 * np.where(sine < 1e-8, 1.0, angle / np.maximum(sine, 1e-8))


def nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """The rotation closest to each of ``(..., 3, 3)``: the chordal mean when given a mean of rotations."""
    u, _, vt = np.linalg.svd(np.asarray(matrices, np.float64))
    sign = np.linalg.det(u @ vt)
    u = u.copy()
    u[..., :, 2] *= sign[..., None]
    return u @ vt


def euler(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Head angles in degrees to matrices ``(..., 3, 3) float64``, in picture axes (x right, y down, z away).

    Positive yaw turns the nose to the picture's right, positive pitch moves it down, positive roll turns the head
    clockwise as seen.
    """
    yaw, pitch, roll = np.broadcast_arrays(*(np.radians(np.asarray(a, np.float64)) for a in (yaw, pitch, roll)))
    zero = np.zeros_like(yaw)
    # The nose points to -z: turning it to +x is a negative rotation about +y, moving it to +y a positive about +x.
    about_y = from_vector(np.stack([zero, -yaw, zero], -1))
    about_x = from_vector(np.stack([pitch, zero, zero], -1))
    about_z = from_vector(np.stack([zero, zero, roll], -1))
    return about_z @ about_y @ about_x

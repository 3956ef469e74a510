"""Rotations of a head: from angles, and means along time."""

from __future__ import annotations

import numpy as np


def nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """The rotation closest to each of ``(..., 3, 3)``: the chordal mean when given a mean of rotations."""
    # SciPy's Rotation.from_matrix does the same, but refuses what a mean of opposite rotations may be: no rotation.
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
    from scipy.spatial.transform import Rotation

    # The nose points to -z: turning it to +x is a negative rotation about +y, moving it to +y a positive about +x.
    angles = np.stack(np.broadcast_arrays(pitch, -np.asarray(yaw, np.float64), roll), -1)
    turned = Rotation.from_euler("xyz", angles.reshape(-1, 3), degrees=True)
    return turned.as_matrix().reshape(*angles.shape, 3)

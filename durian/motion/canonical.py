"""The canonical neutral face, frontal and symmetric, and the facial actions on it.

``canonical.npz`` was measured by us on synthetic heads. The mesh: MediaPipe landmarks averaged over 44 heads of
ICT-FaceKit identities that we rendered frontal and neutral, mirrored and averaged. The actions: each landmark was
traced to the head's surface, and the surface's movement under ICT-FaceKit's expressions read off there, again averaged
over the heads (USC ICT, MIT; see LICENSE-ICT-FaceKit beside it).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from durian.face.geometry import LANDMARKS

_FILE = Path(__file__).with_name("canonical.npz")

MESH_STEP = 1e-4
"""Unit in which the file stores the mesh, in outer-eye distances."""

RIGHT_IRIS, LEFT_IRIS = slice(468, 473), slice(473, 478)
"""Centre and four rim points of the person's right (picture's left) and left iris."""

EYEBALL_RADIUS = 0.14
"""In outer-eye distances: 12 mm of 88 mm, adult means."""

EXPRESSIVE_MOVEMENT = 0.02
"""Movement in outer-eye distances under its strongest action from which a landmark counts as fully expressive."""


@lru_cache(maxsize=1)
def _stored() -> dict[str, np.ndarray]:
    with np.load(_FILE, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


@lru_cache(maxsize=1)
def canonical_face() -> np.ndarray:
    """``(478, 3) float32`` in outer-eye distances: origin between the outer eye corners, x right, y down, z away."""
    mesh = _stored()["mesh"].astype(np.float32) * np.float32(MESH_STEP)
    mesh.setflags(write=False)
    return mesh


@lru_cache(maxsize=1)
def mirror() -> np.ndarray:
    """``(478,) int64``: the landmark that each one becomes when the picture is flipped left to right."""
    order = _stored()["mirror"].astype(np.int64)
    order.setflags(write=False)
    return order


@lru_cache(maxsize=1)
def actions() -> dict[str, np.ndarray]:
    """Facial actions at full strength: displacements ``(478, 3) float32`` in outer-eye distances.

    "left" and "right" are the person's. ``look_*`` move the lids that follow the gaze; irises are moved by
    :func:`gaze`.
    """
    stored = _stored()
    fields = stored["unit_fields"].astype(np.float32) * stored["unit_scales"][:, None, None]
    return {str(name): field for name, field in zip(stored["unit_names"], fields, strict=True)}


def expression(**strengths: np.ndarray) -> np.ndarray:
    """Displacements ``(F, 478, 3) float32`` of the sum of actions, each given as ``(F,)`` strengths.

    Raises:
        KeyError: there is no action of that name.
    """
    known = actions()
    total = np.zeros((), np.float32)
    for name, strength in strengths.items():
        total = total + np.asarray(strength, np.float32)[:, None, None] * known[name]
    return total


def gaze(right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Displacements ``(F, 478, 3) float32`` of the irises for eyes turned to the picture's right and down, degrees."""
    shift = EYEBALL_RADIUS * np.sin(np.radians(np.stack([right, down], -1)))
    moved = np.zeros((len(shift), LANDMARKS, 3), np.float32)
    moved[:, RIGHT_IRIS, :2] = moved[:, LEFT_IRIS, :2] = shift[:, None]
    return moved


@lru_cache(maxsize=1)
def expressive() -> np.ndarray:
    """``(478,) float32`` in [0, 1]: how much a landmark takes part in expressions (irises fully)."""
    movement = np.max([np.linalg.norm(field, axis=1) for field in actions().values()], axis=0)
    weight = np.clip(movement / EXPRESSIVE_MOVEMENT, 0, 1).astype(np.float32)
    weight[RIGHT_IRIS] = weight[LEFT_IRIS] = 1
    weight.setflags(write=False)
    return weight

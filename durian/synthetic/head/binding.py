"""Binding of worn things to a head: outfits are made for the neutral head and moved to somebody's."""

from __future__ import annotations

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares
from durian.synthetic.base.geometry import HatFit, Mesh, Strands
from durian.synthetic.head.head import BINDING_SOFTNESS, HeadModel

STIFFNESS, STIFF_NEIGHBOURS = 1.0, 6
"""How evenly (cm) things follow the skin around them, and how many of its vertices."""

FIELD_STEP = 1.0
FIELD_LOW, FIELD_HIGH = (-18.0, -32.0, -20.0), (18.0, 24.0, 18.0)
"""Spacing (cm) and corners of the lattice from which things take the displacement of the skin near them."""

UNDER_RIM = 0.15
"""cm below a hat's rim where hair begins to stand out again."""
PRESSED = 0.4
"""Thickness (cm) of the layer below a hat in which all hair lies that would stand out further, in the same order."""

EYES, RIGHT_EAR, LEFT_EAR, NOSE_BRIDGE = slice(36, 48), 0, 16, 27
"""Landmarks that glasses rest on."""
LENS_DEPTH = 11.5
"""z (cm) of lenses on the neutral head."""


class SkinField:
    """Displacements of the skin, carried into the space around it, for the hundred thousand points of hair and cloth.

    A lattice of nodes knows the skin near each; a point's displacement is interpolated from the eight nodes around it.
    """

    def __init__(self, head: HeadModel, softness: float = BINDING_SOFTNESS) -> None:
        """``softness`` as in :meth:`HeadModel.nearest`: hair follows the nearest skin, meshes are stiffer."""
        axes = [np.arange(low, high + FIELD_STEP / 2, FIELD_STEP) for low, high in zip(FIELD_LOW, FIELD_HIGH)]
        self.shape = tuple(len(axis) for axis in axes)
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        self._vertices, self._weights = head.nearest(nodes, STIFF_NEIGHBOURS, softness)

    def of(self, offsets: np.ndarray) -> np.ndarray:
        """The lattice ``(X, Y, Z, 3) float32`` of an identity's offsets ``(V, 3)``."""
        nodes = np.zeros((len(self._vertices), 3), np.float32)
        everywhere = np.arange(len(nodes), dtype=np.int32)
        in_shares(_carry, len(nodes), everywhere, self._vertices, self._weights, offsets, nodes)
        return nodes.reshape(*self.shape, 3)

    @staticmethod
    def follow(points: np.ndarray, lattice: np.ndarray) -> np.ndarray:
        """Points ``(N, 3)`` of the neutral head's space, moved: ``(N, 3) float32``."""
        moved = np.empty((len(points), 3), np.float32)
        low = np.array(FIELD_LOW, np.float32)
        in_shares(_follow, len(points), np.ascontiguousarray(points, np.float32), lattice, low, moved)
        return moved


@compiled
def _follow(first: int, last: int, points: np.ndarray, lattice: np.ndarray, low: np.ndarray, moved: np.ndarray) -> None:
    for i in range(first, last):
        x = min(max((points[i, 0] - low[0]) / FIELD_STEP, 0.0), lattice.shape[0] - 1.001)
        y = min(max((points[i, 1] - low[1]) / FIELD_STEP, 0.0), lattice.shape[1] - 1.001)
        z = min(max((points[i, 2] - low[2]) / FIELD_STEP, 0.0), lattice.shape[2] - 1.001)
        a, b, c = int(x), int(y), int(z)
        u, v, w = x - a, y - b, z - c
        for axis in range(3):
            near = lattice[a, b, c, axis] * (1 - u) + lattice[a + 1, b, c, axis] * u
            far = lattice[a, b, c + 1, axis] * (1 - u) + lattice[a + 1, b, c + 1, axis] * u
            near_up = lattice[a, b + 1, c, axis] * (1 - u) + lattice[a + 1, b + 1, c, axis] * u
            far_up = lattice[a, b + 1, c + 1, axis] * (1 - u) + lattice[a + 1, b + 1, c + 1, axis] * u
            offset = (near * (1 - w) + far * w) * (1 - v) + (near_up * (1 - w) + far_up * w) * v
            moved[i, axis] = points[i, axis] + offset


def carried(
    points: np.ndarray, moving: np.ndarray, vertices: np.ndarray, weights: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Points ``(P, 3) float32`` of which those numbered ``moving (Q,) int32`` follow skin: ``vertices (Q, k) int32``
    by ``weights (Q, k) float32``, which are moved by ``offsets (V, 3) float32``."""
    moved = points.copy()
    in_shares(_carry, len(moving), moving, vertices, weights, offsets, moved)
    return moved


@compiled
def _carry(
    first: int,
    last: int,
    moving: np.ndarray,
    vertices: np.ndarray,
    weights: np.ndarray,
    offsets: np.ndarray,
    moved: np.ndarray,
) -> None:
    for i in range(first, last):
        for axis in range(3):
            offset = np.float32(0)
            for k in range(vertices.shape[1]):
                offset += weights[i, k] * offsets[vertices[i, k], axis]
            moved[moving[i], axis] += offset


def bind_mesh(head: HeadModel, mesh: Mesh, face: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Vertices ``(V, 3) float32`` of a mesh on somebody.

    Args:
        head: the model.
        mesh: made for the neutral head.
        face: ``(V, 3)`` somebody's head, without expression.
        lattice: of :meth:`SkinField.of` at a softness of :data:`STIFFNESS`.
    """
    if mesh.binding == "glasses":
        return _seat_glasses(head, mesh.vertices, face)
    if mesh.binding == "rigid":
        return mesh.vertices + (SkinField.follow(mesh.vertices[:1], lattice) - mesh.vertices[:1])
    return SkinField.follow(mesh.vertices, lattice)


def _seat_glasses(head: HeadModel, vertices: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Glasses as wide as the head, in front of its eyes, on its nose."""
    before, after = head.neutral[head.landmarks68], face[head.landmarks68]
    wider = (after[LEFT_EAR, 0] - after[RIGHT_EAR, 0]) / (before[LEFT_EAR, 0] - before[RIGHT_EAR, 0])
    eyes_before, eyes_after = before[EYES].mean(axis=0), after[EYES].mean(axis=0)
    seated = (vertices - eyes_before) * np.array([wider, (wider + 1) / 2, wider]) + eyes_after
    # In depth the lenses keep their distance from the bridge of the nose.
    bridge = after[NOSE_BRIDGE, 2] - before[NOSE_BRIDGE, 2]
    seated[:, 2] += eyes_before[2] + bridge - (wider - 1) * (LENS_DEPTH - eyes_before[2]) - eyes_after[2]
    return seated.astype(np.float32)


def press_hair(strands: Strands, hat: HatFit) -> tuple[np.ndarray, np.ndarray]:
    """Hair under a hat.

    Returns:
        ``(S,) bool`` which strands can be seen at all, and the points ``(S, K, 3) float32`` of those, no further out
        than the hat lets them.
    """
    relative = strands.points - hat.centre
    distance = np.linalg.norm(relative, axis=-1)
    azimuth = np.arctan2(relative[..., 0], relative[..., 2])
    elevation = np.arcsin(np.clip(relative[..., 1] / (distance + 1e-6), -1, 1))
    limit = hat.radius(np.stack([azimuth.ravel(), elevation.ravel()], axis=1)).reshape(distance.shape)
    above = strands.points[..., 1] - hat.rim(strands.points[..., 2])
    hidden = ((above > 0) & np.isfinite(limit)).all(axis=1)
    limit = limit + np.maximum(-above - UNDER_RIM, 0) * hat.press
    excess = np.maximum(distance - (limit - PRESSED), 0)
    held = np.where(excess > 0, limit - PRESSED**2 / (PRESSED + excess), distance)
    pressed = hat.centre + relative * (held / (distance + 1e-6))[..., None]
    return ~hidden, pressed[~hidden].astype(np.float32)

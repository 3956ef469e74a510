"""Draws what the portrait itself has before new items: its own hat before new hair, and its hands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from durian.geometry.mesh import MESH_POINTS, WarpMesh
from durian.geometry.raster import Canvas


@dataclass(frozen=True)
class InFront:
    """What of a portrait itself lies before new items, ``mask (S, S) uint8``, and its mesh, with which that moves."""

    mask: np.ndarray
    mesh: WarpMesh

    def over(
        self, canvas: Canvas, frame: np.ndarray, before: np.ndarray, driving: np.ndarray, outer: np.ndarray
    ) -> None:
        """Bring that back from ``before (S, S, 3) uint8``, a frame without an item, into ``frame`` in place.

        Args:
            canvas: of the frame's size.
            frame: ``(S, S, 3) uint8``, the same with the item.
            before: is read only.
            driving: ``(478, 3)`` landmarks in the frame's pixels.
            outer: where the mesh's outer points lie there, ``(V, 3) float32``.
        """
        mesh, shown = self.mesh, np.zeros_like(frame)
        texture = np.dstack([*[self.mask] * 3, np.full_like(self.mask, 255)])
        rest, face_rest = (np.ascontiguousarray(part[:, :2]) for part in (mesh.rest, mesh.landmarks[:MESH_POINTS]))
        canvas.draw(shown, texture, outer, rest, mesh.outer_triangles, np.zeros(len(mesh.outer_triangles), np.float32))
        face = np.ascontiguousarray(driving[:MESH_POINTS], np.float32)
        front = np.ones(len(mesh.face_triangles), np.float32)
        canvas.draw(shown, texture, face, face_rest, mesh.face_triangles, front)
        share = shown.astype(np.float32) / 255
        frame[:] = (frame + share * (before.astype(np.float32) - frame) + 0.5).astype(np.uint8)

"""Paste baseline: the reference's own pixels, placed by the two faces' landmarks."""

from __future__ import annotations

import numpy as np

from durian.evaluation.data.tasks import Task
from durian.geometry.alignment import item_mesh
from durian.geometry.mesh import HeadPose
from durian.geometry.mirror import facing_like
from durian.geometry.raster import Canvas
from durian.request import Attribute

AT_REST = HeadPose(1.0, np.eye(3), np.zeros(3))


def pasted(task: Task) -> np.ndarray:
    """The portrait with all items on it, the same in every frame, ``(F, S, S, 3) uint8``.

    Where two are mixed, α weighs the two pictures.
    """
    frames = len(task.driving)
    if task.blend is None:
        worn = _with_items(task, sorted(task.attributes, key=lambda attribute: attribute.drawing_layer))
        return np.repeat(worn[None], frames, axis=0)
    first, second = (_with_items(task, [attribute]).astype(np.float32) for attribute in task.attributes)
    alphas = np.linspace(*task.blend, frames, dtype=np.float32)[:, None, None, None]
    return np.rint((1 - alphas) * first + alphas * second).astype(np.uint8)


def _with_items(task: Task, attributes: list[Attribute]) -> np.ndarray:
    picture, canvas = task.image.copy(), Canvas(task.size, task.size)
    for attribute in attributes:
        attribute = facing_like(attribute, task.landmarks)
        mesh = item_mesh(attribute, task.landmarks)
        texture = np.dstack([attribute.image * (attribute.mask[..., None] / 255), attribute.mask])
        vertices = mesh.positions(task.landmarks, AT_REST)
        cut_out = np.rint(texture).astype(np.uint8)
        canvas.draw(picture, cut_out, vertices, mesh.texture_points, mesh.triangles, mesh.facing)
    return picture

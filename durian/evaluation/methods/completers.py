"""Methods that complete a picture with a hole in it; a new one is a function and a line in :data:`COMPLETERS`.

The hole's own pixels never reach them: the task's picture is wiped out there before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from durian.errors import InvalidRequest
from durian.evaluation.data.tasks import Task, whole_crop
from durian.evaluation.methods.gap_layers import complete_gap
from durian.layers.fill import fill
from durian.request import AnimationRequest, ErasedName, Portrait, RenderOptions
from durian.schema import checked

RADIUS = 5.0
"""Pixels around a pixel that OpenCV's ways look at; at 512 px larger ones are slower and no better (Telea 2004)."""


@dataclass(frozen=True)
class Gap:
    """``picture`` ``(S, S, 3) uint8``, one grey inside the ``hole`` ``(S, S) bool``; the face's ``landmarks``
    ``(478, 3)``; ``kind`` of the item whose shape the hole has."""

    picture: np.ndarray
    hole: np.ndarray
    landmarks: np.ndarray
    kind: str


Completer = Callable[[Gap], np.ndarray]
"""From a gap to ``(S, S, 3) uint8``; only what it puts into the hole counts."""


def completed(complete: Completer, task: Task) -> np.ndarray:
    """The picture of a task with its hole completed, ``(S, S, 3) uint8``, equal to it everywhere else.

    Raises:
        InvalidRequest: the task has no hole.
    """
    if task.hole is None:
        raise InvalidRequest(f"Nothing is missing in {task.name}: use completers with the protocol completion.")
    made = complete(Gap(task.image, task.hole, task.landmarks, task.group))
    return np.where(task.hole[..., None], made, task.image)


def push_pull(gap: Gap) -> np.ndarray:
    """The preview's smooth continuation (:func:`durian.layers.fill.fill`) of all that surrounds the hole."""
    filled = fill(gap.picture.astype(np.float32), (~gap.hole).astype(np.float32))
    return np.rint(filled.clip(0, 255)).astype(np.uint8)


def taken_off(gap: Gap) -> np.ndarray:
    """As the preview takes an item off: skull, neck and background apart, each continued from its own kind."""
    from durian.renderer import get_renderer

    # The person's matte is looked for in a picture, and a grey slab in it would be taken for part of them.
    # Of glasses the preview takes off what it sees of them, and here it sees none; of lips it takes off all.
    kind = "lips" if gap.kind == "glasses" else gap.kind
    worn = {kind: gap.hole.astype(np.uint8) * 255}
    portrait = Portrait(push_pull(gap), gap.landmarks, whole_crop(len(gap.hole)), worn)
    options = RenderOptions(size=len(gap.hole), frames=1, label=False, expansion=0.0)
    return get_renderer("preview").still(
        AnimationRequest(portrait, options=options, erase=(checked(ErasedName, kind),))
    )


def telea(gap: Gap) -> np.ndarray:
    """Fast marching (Telea 2004), by OpenCV."""
    return cv2.inpaint(gap.picture, gap.hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)


def navier_stokes(gap: Gap) -> np.ndarray:
    """Isophotes continued as a fluid flows (Bertalmio et al. 2001), by OpenCV."""
    return cv2.inpaint(gap.picture, gap.hole.astype(np.uint8), RADIUS, cv2.INPAINT_NS)


def layers(gap: Gap) -> np.ndarray:
    """Face, neck and clothes, hair and background, each from its own kind (:mod:`durian.layers.completion`)."""
    made = complete_gap(push_pull(gap), gap.hole, gap.landmarks, gap.kind)
    return np.rint(made.clip(0, 255)).astype(np.uint8)


COMPLETERS: Mapping[str, Completer] = {
    "push-pull": push_pull,
    "taken-off": taken_off,
    "layers": layers,
    "telea": telea,
    "navier-stokes": navier_stokes,
}

"""Tasks: the inputs that a method is given, and the ground truth where there is any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from durian.errors import InvalidRequest
from durian.face import Crop, paste_back
from durian.renderer import Renderer
from durian.request import AnimationRequest, Attribute, Portrait, RenderOptions

ITEM_SHARE = 128
"""Share of a pixel, of 255, from which on it counts as the item's."""


@dataclass(frozen=True)
class Task:
    """A method's inputs, in the pixels of a square picture of S a side, and the truth if there is any.

    Attributes:
        name: unique in its protocol, fit for a file's name.
        group: what it is reported under besides the whole: the attribute, or a kind of clip.
        image: ``(S, S, 3) uint8`` the portrait.
        landmarks: ``(478, 3) float32`` of it.
        attributes: what it puts on.
        driving: ``(F, 478, 3) float32`` landmarks of the frames wanted, absolute: nothing is retargeted.
        fps: frames per second.
        truth: ``(F, S, S, 3) uint8``, or ``None``.
        tracked: what was found in each frame of the truth, ``(478, 3)`` or ``None``; ``driving`` has the gaps filled.
        masks: by attribute ``(F, S, S) uint8``, how much of each pixel of the truth the item covers.
        regions: further parts of the truth that are scored apart, ``(F, S, S) bool``.
        clip: ``(F, S, S, 3) uint8``, a real clip of the motion, where there is no truth: what sets are compared with.
        blend: α of the first and the last frame where two attributes are mixed.
        facts: numbers that describe the task, such as ``pose_gap``.
        crop: what of the portrait a renderer works on, pasted back into it afterwards; all of it if left out.
        undone: ``(F, S, S, 3) uint8``, what undoing exactly what was done to the truth gives, where that is known.
        hole: ``(S, S) bool``, what of the portrait is wiped out and to be completed.
    """

    name: str
    group: str
    image: np.ndarray
    landmarks: np.ndarray
    attributes: tuple[Attribute, ...]
    driving: np.ndarray
    fps: float
    truth: np.ndarray | None = None
    tracked: Sequence[np.ndarray | None] | None = None
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    regions: Mapping[str, np.ndarray] = field(default_factory=dict)
    clip: np.ndarray | None = None
    blend: tuple[float, float] | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    crop: Crop | None = None
    undone: np.ndarray | None = None
    hole: np.ndarray | None = None

    @property
    def size(self) -> int:
        return self.image.shape[0]

    def alone(self, index: int) -> Task:
        """Of a task that mixes two attributes: putting on one of them, as a still in the first frame's pose."""
        name = f"{self.name}-{('first', 'second')[index]}"
        one = (self.attributes[index],)
        return replace(self, name=name, attributes=one, driving=self.driving[:1], blend=None)


def make_request(task: Task, renderer: str, size: int, seed: int = 0) -> AnimationRequest:
    """The request of a task, but for its absolute landmarks; the whole picture is the crop unless the task has one."""
    start, end = task.blend or (0.5, 0.5)
    return AnimationRequest(
        portrait=Portrait(task.image, task.landmarks, task.crop or whole_crop(task.size)),
        attributes=task.attributes,
        options=RenderOptions(
            size=size, frames=len(task.driving), seed=seed, label=False, uncrop=task.crop is not None
        ),
        mode="wear" if task.blend is None else "blend",
        blend_start=start,
        blend_end=end,
        renderer=renderer,
    )


def whole_crop(side: int) -> Crop:
    """All of a square picture; pixel centres are at integers, so its middle is at half of ``side - 1``."""
    return Crop((side - 1) / 2, (side - 1) / 2, side)


def rendered(renderer: Renderer, task: Task, size: int, seed: int = 0) -> np.ndarray:
    """A renderer's frames of a task at ``size`` pixels, scaled to the task's own: ``(F, S, S, 3) uint8``.

    Raises:
        InvalidRequest: the renderer takes no absolute landmarks.
    """
    if not hasattr(renderer, "render_landmarks"):
        raise InvalidRequest(f"Renderer {renderer.name!r} takes no absolute landmarks: evaluate another one.")
    request = make_request(task, renderer.name, size, seed)
    driving = request.portrait.crop.points(task.driving, size)
    frames = renderer.render_landmarks(request, driving)
    if task.crop is None:
        return np.stack([scaled(frame, task.size) for frame in frames])
    return np.stack([paste_back(frame, task.image, task.crop) for frame in frames])


def scaled(frame: np.ndarray, size: int) -> np.ndarray:
    """A square picture at ``size`` pixels; averaged over areas where it shrinks."""
    if frame.shape[0] == size:
        return frame
    shrinks = size < frame.shape[0]
    return cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)

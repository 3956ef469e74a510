"""Inputs of the pipeline from a request: pictures, masks and keypoint images as squares of the model's size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from durian.face import Crop, Face, default_crop
from durian.geometry.alignment import mask_box, trimmed_mask
from durian.keypoints import draw_keypoints
from durian.preview.renderer import animate
from durian.request import AnimationRequest, Attribute
from durian.scene import Scene, prepare_scene

ROOM_AROUND_ITEM = 2.0
"""Side of the square around an item without a face, in the item's own longer sides (taste): on a face a hat or a
beard fills about as much of the portrait's crop."""


@dataclass(frozen=True)
class ReferencePicture:
    """An attribute's own picture: ``image (S, S, 3)``, soft ``mask (S, S)``, ``keypoints (S, S, 3)``, all uint8."""

    image: np.ndarray
    mask: np.ndarray
    keypoints: np.ndarray
    strength: float


@dataclass(frozen=True)
class ClipInputs:
    """All of a clip. ``portrait (S, S, 3)``, ``hole (S, S)`` (255 where attributes go), ``portrait_keypoints
    (S, S, 3)`` and ``keypoints (F, S, S, 3)`` are uint8; ``alphas (F,) float32`` where two references are blended;
    ``draft (F, P, P, 3) uint8``, the preview's frames, where they are wanted: P is S, or the request's size if that is
    larger."""

    portrait: np.ndarray
    hole: np.ndarray
    portrait_keypoints: np.ndarray
    references: tuple[ReferencePicture, ...]
    keypoints: np.ndarray
    alphas: np.ndarray | None
    draft: np.ndarray | None = None


def prepare_inputs(
    request: AnimationRequest,
    size: int,
    frame: int | None = None,
    driving: np.ndarray | None = None,
    with_draft: bool = False,
) -> ClipInputs:
    """Crop, align, retarget and draw.

    Args:
        request: what the visitor asked for.
        size: S, the side of the model's pictures in pixels.
        frame: this frame of the motion alone; ``None`` for all of them.
        driving: ``(F, 478, 3)`` absolute landmarks in crop pixels of the request's own size, instead of its motion.
        with_draft: whether the preview's frames are made, too.
    """
    scene = _scene(request, size, frame, driving)
    draft = None
    if with_draft:
        larger = request.options.size > size
        draft = np.stack(list(animate(_scene(request, request.options.size, frame, driving) if larger else scene)))
    return ClipInputs(
        portrait=scene.image,
        hole=scene.hole,
        portrait_keypoints=draw_keypoints(scene.landmarks, size),
        # Not the scene's items: those may be mirrored, and stand in drawing order.
        references=tuple(reference_picture(attribute, size) for attribute in scene.request.attributes),
        keypoints=np.stack([draw_keypoints(landmarks, size) for landmarks in scene.driving]),
        alphas=scene.alphas if scene.request.mode == "blend" else None,
        draft=draft,
    )


def _scene(request: AnimationRequest, size: int, frame: int | None, driving: np.ndarray | None) -> Scene:
    """The request at a size, moved as :func:`prepare_inputs` says."""
    if driving is not None:
        # Pixel centres lie at integers, so the crop's corner is at -0.5 in both sizes.
        scale, corner = size / request.options.size, np.array([0.5, 0.5, 0], np.float32)
        driving = (np.asarray(driving, np.float32) + corner) * np.float32(scale) - corner
    scene = prepare_scene(request, driving, size)
    if frame is None:
        return scene
    frame = min(max(frame, 0), len(scene.driving) - 1)
    shown = slice(frame, frame + 1)
    return replace(scene, driving=scene.driving[shown], alphas=scene.alphas[shown])


def reference_picture(attribute: Attribute, size: int) -> ReferencePicture:
    """Cut an attribute's picture around its face, as portraits are cut, or else around the item."""
    crop = _crop_around(attribute)
    drawn = np.zeros((size, size, 3), np.uint8)
    if attribute.landmarks is not None:
        drawn = draw_keypoints(crop.points(attribute.landmarks, size), size)
    return ReferencePicture(
        image=crop.apply(attribute.image, size),
        mask=crop.apply(trimmed_mask(attribute), size),
        keypoints=drawn,
        strength=attribute.strength,
    )


def _crop_around(attribute: Attribute) -> Crop:
    if attribute.landmarks is not None:
        return default_crop(Face(attribute.landmarks), attribute.image.shape)
    x0, y0, x1, y1 = mask_box(attribute.mask)
    return Crop((x0 + x1) / 2, (y0 + y1) / 2, ROOM_AROUND_ITEM * max(x1 - x0, y1 - y0))

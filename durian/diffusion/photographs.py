"""Inputs of a call from photographs: faces are found, pictures cropped, motions retargeted, keypoints drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from durian.diffusion.checks import AttributeReference
from durian.diffusion.inputs import ClipInputs, prepare_inputs
from durian.errors import InvalidRequest
from durian.masks import mask_of_picture
from durian.media.colour import in_8_bits, to_srgb_on_white
from durian.motion import Motion
from durian.prepare import AttributeSource, MotionSource, PortraitSource, build_request
from durian.request import LEAST_SIZE, AnimationRequest, Attribute, Portrait, RenderOptions
from durian.schema import shown
from durian.settings import get_settings

if TYPE_CHECKING:
    from durian.diffusion.pipeline import DurianPipeline

Photograph = Image.Image | np.ndarray
"""A picture of any mode, or ``(H, W, 3) uint8`` RGB."""
Mask = Image.Image | np.ndarray
"""White inside: a picture of any mode, or ``(H, W) uint8``, of its photograph's size."""


def set_photographs(
    pipeline: DurianPipeline,
    motion: str | Path | Motion | np.ndarray | Sequence[Image.Image],
    draft: np.ndarray | None,
    blend: np.ndarray | None,
    portrait: Photograph | Portrait,
    **found_in: Any,
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Set a pipeline's references from photographs; returns keypoints, draft and α of the call.

    Arguments and errors as of the pipeline's call, ``found_in`` as of :func:`clip_inputs`.
    """
    moves = isinstance(motion, (str, Path, Motion))
    made = clip_inputs(
        pipeline.config.size,
        motion if isinstance(motion, (str, Path, Motion)) else None,
        portrait,
        blend=blend,
        with_draft=pipeline.begins_with_drafts and moves and draft is None,
        **found_in,
    )
    pipeline.set_references(
        made.portrait,
        made.hole,
        [AttributeReference(r.image, r.mask, r.strength, r.keypoints) for r in made.references],
        blend=made.alphas is not None,
        portrait_keypoints=made.portrait_keypoints,
    )
    keypoints, wanted = made.keypoints if moves else keypoint_frames(motion), found_in.get("num_frames")
    if not moves and wanted not in (None, len(keypoints)):
        raise InvalidRequest(
            f"{wanted} frames of {len(keypoints)} keypoint images were asked for: leave num_frames out."
        )
    # A blend that stays at one end was made that one reference.
    return keypoints, made.draft if draft is None else draft, None if made.alphas is None else blend


def clip_inputs(
    size: int,
    motion: str | Path | Motion | None,
    portrait: Photograph | Portrait,
    references: Photograph | Attribute | Sequence[Photograph | Attribute] = (),
    masks: Mask | Sequence[Mask | None] | None = None,
    names: str | Sequence[str | None] | None = None,
    num_frames: int | None = None,
    blend: np.ndarray | None = None,
    seed: int = 0,
    with_draft: bool = False,
) -> ClipInputs:
    """What a model of ``size`` pixels takes, found in photographs. Arguments as of the pipeline's call.

    Args:
        motion: ``None`` for the portrait at rest.
        with_draft: whether the preview's frames are made, too.

    Raises:
        NoFaceFound: none is in the portrait, or in a frame of a driving video.
        InvalidRequest, UnreadableMedia, LimitExceeded: in one sentence, what was given and what is accepted.
    """
    items = _items(references, masks, names)
    person = portrait if isinstance(portrait, Portrait) else PortraitSource(_rgb(portrait, "portrait"))
    options = RenderOptions(size=max(size, LEAST_SIZE), frames=_count(motion, num_frames), seed=seed)
    source = None
    if isinstance(motion, (str, Path)):
        source = MotionSource(motion, whole=num_frames is None)
    ends = None if blend is None else _ends(blend, with_draft)
    # The limits of the app's diffusion renderer are its server's, not this pipeline's.
    request: AnimationRequest = build_request(person, items, source, options, ends, renderer="preview").request
    if isinstance(motion, Motion):
        request = replace(request, motion=motion)
    return prepare_inputs(request, size, with_draft=with_draft)


def _ends(blend: np.ndarray, with_draft: bool) -> tuple[float, float]:
    """The α of a request that keeps the references which ``blend (F,)`` needs.

    Raises:
        InvalidRequest: it is no α of frames, or drafts, which follow a straight line, would show another mixture.
    """
    alphas = np.asarray(blend)
    if alphas.ndim != 1 or not len(alphas) or alphas.dtype.kind not in "fiu":
        raise InvalidRequest(f"{shown(blend)} is no α of frames: give as many numbers from 0 to 1 as there are frames.")
    first, last = float(alphas[0]), float(alphas[-1])
    if np.allclose(alphas, np.linspace(first, last, len(alphas)), atol=1e-3):
        return first, last
    if with_draft:
        raise InvalidRequest(
            "This model begins with drafts, which mix along a straight line: give an α that runs straight, or draft."
        )
    return 0.0, 1.0  # both references


def keypoint_frames(motion: str | Path | Motion | np.ndarray | Sequence[Image.Image]) -> np.ndarray:
    """Ready keypoint images ``(F, S, S, 3) uint8``.

    Raises:
        InvalidRequest: a motion, which needs a portrait to become keypoints.
    """
    if isinstance(motion, np.ndarray):
        return motion
    if isinstance(motion, (list, tuple)) and motion and all(isinstance(one, Image.Image) for one in motion):
        return np.stack([_rgb(one, "keypoint image") for one in motion])
    raise InvalidRequest(f"{shown(motion)} needs a portrait to move: give one, or keypoint images (F, S, S, 3) uint8.")


def _count(motion: str | Path | Motion | None, num_frames: int | None) -> int:
    """How many frames are asked for; all of a motion where nobody says."""
    if num_frames is not None:
        return num_frames
    if not isinstance(motion, Motion):
        return RenderOptions.frames
    return min(get_settings().max_frames, max(1, round(motion.duration * RenderOptions.fps)))


def _items(references: Any, masks: Any, names: Any) -> list[AttributeSource | Attribute]:
    references, masks, names = (listed(given) for given in (references, masks, names))
    for what, given in (("masks", masks), ("names", names)):
        if given and len(given) != len(references):
            raise InvalidRequest(
                f"{len(given)} {what} were given for {len(references)} references: give one for each, or None."
            )
    masks, names = masks or [None] * len(references), names or [None] * len(references)
    items: list[AttributeSource | Attribute] = []
    for number, (picture, mask, name) in enumerate(zip(references, masks, names), start=1):
        if isinstance(picture, Attribute):
            items.append(picture)
            continue
        mask = None if mask is None else _levels(mask, f"mask {number}")
        items.append(AttributeSource(_rgb(picture, f"reference {number}"), name, mask))
    return items


def listed(given: Any) -> list[Any]:
    """None, one or several of something as a list."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _rgb(picture: Photograph, what: str) -> np.ndarray:
    if isinstance(picture, Image.Image):
        # As the app reads files: profiles become sRGB, what is transparent white.
        return to_srgb_on_white(in_8_bits(ImageOps.exif_transpose(picture)))
    if isinstance(picture, np.ndarray) and picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8:
        return picture
    given = f"{picture.dtype} {picture.shape}" if isinstance(picture, np.ndarray) else shown(picture)
    raise InvalidRequest(f"{given} cannot be the {what}: give a PIL image, or uint8 (H, W, 3).")


def _levels(mask: Mask, what: str) -> np.ndarray:
    if isinstance(mask, Image.Image):
        return mask_of_picture(ImageOps.exif_transpose(mask))
    if isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.dtype == np.uint8:
        return mask
    given = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else shown(mask)
    raise InvalidRequest(f"{given} cannot be {what}: give a PIL image, or uint8 (H, W).")

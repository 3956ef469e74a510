"""The pipeline's attribute input, and checks of everything the pipeline is given."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from durian.diffusion.output import OUTPUT_TYPES
from durian.diffusion.spatial import spatial_blocks
from durian.errors import InvalidRequest

if TYPE_CHECKING:
    from torch import Tensor

    from durian.diffusion.denoiser import Denoiser
    from durian.diffusion.pipeline import DurianPipeline

LARGEST_GUIDANCE = 30
"""Pictures have long burnt out there; beyond it a number is a mistake."""


@dataclass(frozen=True)
class AttributeReference:
    """One attribute: ``image (S, S, 3) uint8``, ``mask (S, S) uint8`` (255 inside), strength in [0, 1].

    ``keypoints (S, S, 3) uint8`` of the picture's own face, for reference nets that see them.
    """

    image: np.ndarray
    mask: np.ndarray
    strength: float = 1.0
    keypoints: np.ndarray | None = None


def check_references(
    pipeline: DurianPipeline,
    portrait: np.ndarray,
    portrait_hole: np.ndarray,
    attributes: Sequence[AttributeReference],
    blend: bool,
    portrait_keypoints: np.ndarray | None,
) -> None:
    """Check the pictures that a pipeline is given.

    Raises:
        InvalidRequest: in one sentence, what was given and what is accepted.
    """
    size = pipeline.config.size
    sees = pipeline.portrait_reference_net.keypoints is not None
    check_picture("portrait", portrait, portrait_hole, portrait_keypoints, size, sees)
    sees = pipeline.attribute_reference_net.keypoints is not None
    for number, one in enumerate(attributes, start=1):
        check_picture(f"attribute {number}", one.image, one.mask, one.keypoints, size, sees)
        check_strength(one.strength)
    if blend and len(attributes) != 2:
        raise InvalidRequest(f"Blending needs exactly two attributes, not {len(attributes)}.")
    missing = pipeline.image_encoder is None or pipeline.image_processor is None
    if pipeline.conditioner.config.kind == "clip" and missing:
        raise InvalidRequest("This model is conditioned by CLIP: load its image_encoder and image_processor.")


def check_call(
    pipeline: DurianPipeline,
    keypoints: np.ndarray,
    draft: np.ndarray | None,
    guidance_scale: float,
    window: int,
    blend: np.ndarray | None,
    seed: int,
) -> None:
    """Check the arguments of a call, once the references are set.

    Raises:
        InvalidRequest: in one sentence, what was given and what is accepted.
    """
    encoded = pipeline.encoded_references
    if encoded.dtype != pipeline.denoiser.dtype:
        raise InvalidRequest(
            f"The references were set in {encoded.dtype} and the model is now in {pipeline.denoiser.dtype}: call "
            "set_references again."
        )
    check_clip(keypoints, pipeline.config.size)
    check_draft(draft, len(keypoints), pipeline.config.size, pipeline.begins_with_drafts)
    check_window(window, pipeline.denoiser.config.motion_max_frames)
    check_guidance(guidance_scale)
    check_blend(blend, len(keypoints), encoded.blends)
    check_seed(seed)


def check_output_type(output_type: str) -> None:
    if output_type not in OUTPUT_TYPES:
        raise InvalidRequest(f"Output type {output_type!r} is not known: use one of {', '.join(OUTPUT_TYPES)}.")


def check_tensor_inputs(names: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise InvalidRequest(f"{unknown[0]!r} is no tensor that a callback can be given: use {' or '.join(known)}.")


def check_latents(latents: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(latents.shape) != shape:
        raise InvalidRequest(f"The latents are {tuple(latents.shape)}: give {shape}, one clip of noise.")


def check_eta(eta: float) -> None:
    if not 0 <= eta <= 1:
        raise InvalidRequest(f"An eta of {eta:g} is out of range: give 0 to 1.")


def check_processors(denoiser: Denoiser) -> None:
    """
    Raises:
        InvalidRequest: an attention processor takes no context; diffusers would leave the references out and only warn.
    """
    for block in spatial_blocks(denoiser.unet):
        for attention in (block.attn1, block.attn2):
            if "context" not in inspect.signature(attention.processor.__call__).parameters:
                raise InvalidRequest(
                    f"The denoiser's attention was given {type(attention.processor).__name__}, which cannot see "
                    "references: leave its processors as they are, and load the model again."
                )


def check_picture(
    what: str, image: np.ndarray, mask: np.ndarray, keypoints: np.ndarray | None, size: int, sees_keypoints: bool
) -> None:
    """
    Raises:
        InvalidRequest: the picture, its mask or its keypoint image is not of the model's size, or the last is missing.
    """
    pictures = [("picture", image, (size, size, 3)), ("mask", mask, (size, size))]
    if sees_keypoints:
        if keypoints is None:
            raise InvalidRequest(f"This model's reference nets see keypoints: give those of the {what}.")
        pictures.append(("keypoint image", keypoints, (size, size, 3)))
    for name, picture, shape in pictures:
        if picture.shape != shape or picture.dtype != np.uint8:
            raise InvalidRequest(
                f"The {name} of the {what} is {picture.dtype} {picture.shape}: this model takes uint8 {shape}."
            )


def check_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise InvalidRequest(f"Strength {strength:g} is out of range: give a value from 0 to 1.")


def check_clip(keypoints: np.ndarray, size: int) -> None:
    if keypoints.ndim != 4 or keypoints.shape[1:] != (size, size, 3) or keypoints.dtype != np.uint8:
        raise InvalidRequest(
            f"The keypoint images are {keypoints.dtype} {keypoints.shape}: give uint8 (frames, {size}, {size}, 3)."
        )
    if not len(keypoints):
        raise InvalidRequest("There is no keypoint image: give at least one frame.")


def check_draft(draft: np.ndarray | None, frames: int, size: int, expected: bool) -> None:
    """Drafts ``(F, P, P, 3) uint8``, P at least S, must be there exactly where the model begins with them."""
    if draft is None and expected:
        raise InvalidRequest("This model begins with drafts: give a draft of each frame, such as the preview's.")
    if draft is not None and not expected:
        raise InvalidRequest("Drafts were given, but this model takes none: leave them out.")
    if draft is None:
        return
    fits = draft.ndim == 4 and draft.shape == (frames, *2 * (max(size, draft.shape[1]),), 3)
    if not fits or draft.dtype != np.uint8:
        raise InvalidRequest(
            f"The drafts are {draft.dtype} {draft.shape}: give uint8 ({frames}, {size}, {size}, 3), or larger squares."
        )


def check_window(window: int, longest: int) -> None:
    if not 1 <= window <= longest:
        raise InvalidRequest(f"A window of {window} frames is not possible: this model takes 1 to {longest}.")


def check_guidance(scale: float) -> None:
    if not 0 <= scale <= LARGEST_GUIDANCE:
        raise InvalidRequest(f"A guidance scale of {scale:g} is out of range: give 0 to {LARGEST_GUIDANCE}.")


def check_seed(seed: int) -> None:
    if seed < 0:
        raise InvalidRequest(f"A seed of {seed} was given: choose 0 or more.")


def check_decode_chunk_size(frames: int) -> None:
    if frames < 1:
        raise InvalidRequest(f"Decoding {frames} frames at a time was asked for: choose 1 or more.")


def check_blend(blend: np.ndarray | None, frames: int, expected: bool) -> None:
    """α ``(F,)`` must be there exactly where the references were set to blend."""
    if expected and blend is None:
        raise InvalidRequest("The references were set to blend: give α for each frame.")
    if blend is not None and not expected:
        raise InvalidRequest("α was given but the references were not set to blend: set them with blend=True.")
    if blend is not None and (blend.shape != (frames,) or not (blend.min() >= 0 and blend.max() <= 1)):
        raise InvalidRequest(f"α has shape {blend.shape}: give {frames} values from 0 to 1, one for each frame.")

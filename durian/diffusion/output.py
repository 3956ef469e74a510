"""Results of a pipeline's call, in the shapes and number types that diffusers' video pipelines have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

if TYPE_CHECKING:
    from durian.diffusion.pipeline import DurianPipeline

CallbackOnStepEnd = Callable[["DurianPipeline", int, Tensor, dict[str, Tensor]], dict[str, Tensor] | None]
"""Of the pipeline, the step's index, its timestep and the tensors asked for, ``(1, C, F, h, w)`` each, by their names;
returns those that it changes."""
OUTPUT_TYPES = ("pil", "np", "pt", "latent")


@dataclass
class DurianPipelineOutput(BaseOutput):
    """``frames``: of a single clip, so that ``frames[0]`` is it. By the call's ``output_type``:

    ``"pil"``: a list of one list of F RGB pictures. ``"np"``: ``(1, F, P, P, 3) float32`` in [0, 1]. ``"pt"``:
    ``(1, F, 3, P, P) float32`` in [0, 1], on the CPU. ``"latent"``: ``(1, C, F, h, w)``, for
    :meth:`~durian.diffusion.pipeline.DurianPipeline.decode_latents`. P is the model's size, or the drafts' own. All but
    latents hold the same whole levels of 255, so that ``numpy.rint(255 * frames)`` and the pictures are equal.
    """

    frames: list[list[Image.Image]] | np.ndarray | Tensor


def as_output(frames: Iterable[np.ndarray], output_type: str) -> list[list[Image.Image]] | np.ndarray | Tensor:
    """Frames ``(P, P, 3) uint8`` as :class:`DurianPipelineOutput` has them, by any output type but latents."""
    if output_type == "pil":
        return [[Image.fromarray(frame) for frame in frames]]
    shares = np.stack(list(frames))[None].astype(np.float32) / 255
    return shares if output_type == "np" else torch.from_numpy(shares).permute(0, 1, 4, 2, 3)


def as_video(latents: Tensor) -> Tensor:
    """Latents of frames ``(F, C, h, w)`` as diffusers has those of videos, ``(1, C, F, h, w)``; a view."""
    return latents.transpose(0, 1)[None]


def as_frames(video: Tensor) -> Tensor:
    """The other way: ``(1, C, F, h, w)`` to ``(F, C, h, w)``; a view."""
    return video[0].transpose(0, 1)

"""The diffusion renderer: a request to frames by the paper's model."""

from __future__ import annotations

import copy
import gc
import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from durian.diffusion.find_model import ModelFound, fetch_model, require_model
from durian.diffusion.inputs import ClipInputs, prepare_inputs
from durian.errors import LimitExceeded
from durian.request import AnimationRequest
from durian.scene import prepare_scene, scene_overlays
from durian.settings import get_settings
from durian.watch import Watch

if TYPE_CHECKING:
    from torch import Tensor

    from durian.diffusion.pipeline import DurianPipeline

FRAMES_DECODED_AT_ONCE = 8
OUT_OF_MEMORY_WORDS = ("out of memory", "can't allocate memory", "alloc_failed")
"""Words by which torch's CPU allocator, CUDA, cuBLAS and cuDNN report it, in lower case."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chunks:
    """How much is denoised at once: windows, and whether guidance's two halves go together. Frames do not change."""

    windows: int
    guide_in_one_batch: bool = True


AT_ONCE = {"cuda": Chunks(4), "cpu": Chunks(1, guide_in_one_batch=False)}
"""Batch sizes that are tried first. Several windows of a long clip keep a GPU busier; on a CPU smaller batches stay in
its cache."""


class DiffusionRenderer:
    """The model that the settings name: see :class:`durian.renderer.Renderer` for what each method promises.

    Making one is instant; the model is opened when it is first needed.

    Args:
        model: another model than the settings name.

    Raises:
        WeightsMissing: there is no trained model that can be used.
    """

    name = "diffusion"

    def __init__(self, model: ModelFound | None = None) -> None:
        self._model = model or require_model()
        self._pipeline: DurianPipeline | None = None
        self._opening = threading.Lock()

    @property
    def model(self) -> ModelFound:
        return self._model

    def render(self, request: AnimationRequest, watch: Watch | None = None) -> Generator[np.ndarray, None, None]:
        pipeline = self._ready()
        if watch is not None:
            watch.check_cancelled()
        inputs = prepare_inputs(request, pipeline.config.size, with_draft=pipeline.begins_with_drafts)
        yield from _frames(pipeline, inputs, request, watch)

    def render_landmarks(self, request: AnimationRequest, driving: np.ndarray) -> Iterator[np.ndarray]:
        """Frames driven by absolute landmarks ``(F, 478, 3)`` in crop pixels, without retargeting."""
        pipeline = self._ready()
        inputs = prepare_inputs(request, pipeline.config.size, driving=driving, with_draft=pipeline.begins_with_drafts)
        yield from _frames(pipeline, inputs, request, None)

    def still(self, request: AnimationRequest, frame: int = 0) -> np.ndarray:
        pipeline = self._ready()
        inputs = prepare_inputs(request, pipeline.config.size, frame, with_draft=pipeline.begins_with_drafts)
        return next(_frames(pipeline, inputs, request, None))

    def overlays(self, request: AnimationRequest) -> dict[str, np.ndarray]:
        return scene_overlays(prepare_scene(request))

    def close(self) -> None:
        with self._opening:
            self._pipeline = None

    def _ready(self) -> DurianPipeline:
        """The pipeline, with references of its own: a still must not change those of a running animation."""
        with self._opening:
            if self._pipeline is None:
                self._model = fetch_model(self._model)
                _tell_revision(self._model)
                # Only now: torch takes seconds, and what cannot be fetched needs none of it.
                from durian.diffusion.load import open_pipeline

                self._pipeline = open_pipeline(self._model)
            return copy.copy(self._pipeline)


def _tell_revision(model: ModelFound) -> None:
    if model.revision and model.revision != get_settings().model_revision:
        log.warning(
            "%s is used at commit %s: set DURIAN_MODEL_REVISION to it, and nobody can change what is used.",
            model.name,
            model.revision,
        )


def _frames(
    pipeline: DurianPipeline, inputs: ClipInputs, request: AnimationRequest, watch: Watch | None
) -> Iterator[np.ndarray]:
    """Denoise the whole clip, then decode it frame by frame to the request's size."""
    from durian.diffusion.pipeline import AttributeReference

    size = request.options.size
    with _memory_errors_told(pipeline):
        pipeline.set_references(
            inputs.portrait,
            inputs.hole,
            [AttributeReference(r.image, r.mask, r.strength, r.keypoints) for r in inputs.references],
            blend=inputs.alphas is not None,
            portrait_keypoints=inputs.portrait_keypoints,
        )
        latents = _denoise(pipeline, inputs, request, watch)
        for frame in _decode(pipeline, latents, inputs.draft):
            yield resized(frame, size)


def _tell(
    watch: Watch, size: int, pipeline: DurianPipeline, index: int, timestep: Tensor, tensors: dict[str, Tensor]
) -> None:
    watch.step(index + 1, pipeline.num_timesteps)
    watch.check_cancelled()
    frames = tensors["estimate"].shape[2]
    shown = frames // 2 if watch.frame is None else min(max(watch.frame, 0), frames - 1)
    watch.estimate(resized(pipeline.preview(tensors["estimate"], [shown])[0], size))


def _denoise(pipeline: DurianPipeline, inputs: ClipInputs, request: AnimationRequest, watch: Watch | None) -> Tensor:
    """Latents of all frames ``(1, C, F, h, w)``, telling ``watch`` of each step; in smaller chunks as memory ends."""
    options = request.diffusion
    steps = options.steps or pipeline.config.steps

    ways = smaller_chunks(AT_ONCE[pipeline.device.type])
    for chunks in ways:
        if watch is not None:
            watch.step(0, steps)
        try:
            return pipeline(
                inputs.keypoints,
                draft=inputs.draft,
                num_inference_steps=options.steps,
                guidance_scale=options.guidance_scale,
                sampler=options.sampler,
                seed=request.options.seed,
                blend=inputs.alphas,
                window_batch=chunks.windows,
                guide_in_one_batch=chunks.guide_in_one_batch,
                cancelled=None if watch is None else watch.is_cancelled,
                callback_on_step_end=None if watch is None else partial(_tell, watch, request.options.size),
                callback_on_step_end_tensor_inputs=["estimate"],
                output_type="latent",
            ).frames
        except Exception as error:
            if chunks is ways[-1] or not is_out_of_memory(error):
                raise
            log.warning("Memory ended with %s: trying less at once.", chunks)
        _give_memory_back()
    raise AssertionError("the last way returned or raised")


def _decode(pipeline: DurianPipeline, latents: Tensor, draft: np.ndarray | None) -> Iterator[np.ndarray]:
    """Frames, decoded several at a time; fewer where memory ends."""
    done, batch = 0, FRAMES_DECODED_AT_ONCE
    while True:
        try:
            for frame in pipeline.decode_latents(latents[:, :, done:], batch, None if draft is None else draft[done:]):
                yield frame
                done += 1
            return
        except Exception as error:
            if batch == 1 or not is_out_of_memory(error):
                raise
            log.warning("Memory ended while decoding %d frames at once: trying fewer.", batch)
            batch //= 2
        _give_memory_back()


def smaller_chunks(first: Chunks) -> list[Chunks]:
    """Batch sizes to try one after another: ever fewer windows together, at last each half of guidance by itself."""
    ways, windows = [], first.windows
    while windows >= 1:
        ways.append(Chunks(windows, first.guide_in_one_batch))
        windows //= 2
    return [*ways, Chunks(1, guide_in_one_batch=False)] if first.guide_in_one_batch else ways


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is a GPU's or the system's memory running out, in the words of torch and CUDA's libraries."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in OUT_OF_MEMORY_WORDS)


@contextmanager
def _memory_errors_told(pipeline: DurianPipeline) -> Iterator[None]:
    """
    Raises:
        LimitExceeded: memory did not suffice for the smallest chunks.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        where = "GPU" if pipeline.device.type == "cuda" else "machine"
        raise LimitExceeded(
            f"This {where}'s memory does not suffice for the diffusion renderer: close other programs, take fewer "
            "frames, or use the preview."
        ) from error


def _give_memory_back() -> None:
    """Between two tries: what the first one left behind would be missing in the second."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def resized(frame: np.ndarray, size: int) -> np.ndarray:
    """``(S, S, 3)`` to ``(size, size, 3)``, a new array; averaged over areas when it shrinks."""
    if frame.shape[0] == size:
        return frame.copy()
    interpolation = cv2.INTER_AREA if size < frame.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(frame, (size, size), interpolation=interpolation)

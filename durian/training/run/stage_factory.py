"""Making of the recipe's stages: the starting model, the stage itself, and its samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from durian.clips import Clip
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.presets import build
from durian.errors import InvalidRequest
from durian.training.data.dataset import Samples
from durian.training.data.sample import KEYPOINTS
from durian.training.recipe import DIFFUSION, Recipe
from durian.training.run.checkpoints import open_model
from durian.training.stages.autoencoder import AutoencoderSettings, AutoencoderStage
from durian.training.stages.diffusion import ImageStage, TemporalStage
from durian.training.stages.networks import start_alike
from durian.training.stages.stage import PipelineStage

KINDS: dict[str, Callable[..., PipelineStage]] = {
    stage.name: stage for stage in (AutoencoderStage, ImageStage, TemporalStage)
}
VALIDATION_SEED = 1_000_000_007
"""Added to the recipe's, so that samples of the same clips are others."""


def starting_pipeline(recipe: Recipe, start: Path | None = None) -> DurianPipeline:
    """The model that a stage begins with, in float32 on the CPU.

    Args:
        recipe: says the shape and, for a model from nothing, its first numbers.
        start: a model's folder; without one published weights where the preset has sources, fresh ones where not.

    Raises:
        InvalidRequest: the folder holds no model, or one of another preset.
        WeightsMissing: weights are damaged or out of reach.
    """
    preset = recipe.shape
    if start is not None:
        pipeline = open_model(start)
        if pipeline.config.preset != preset.name:
            raise InvalidRequest(
                f"The model in {start} is a {pipeline.config.preset}, the recipe is for {preset.name}: take a recipe "
                "of its preset."
            )
    elif preset.sources is not None:
        from durian.diffusion.warm_start import warm_start

        pipeline = warm_start(preset, seed=recipe.seed)
    else:
        pipeline = build(preset, recipe.seed)
        if recipe.start_alike:
            start_alike(pipeline, recipe.seed)
    if recipe.size is not None:
        pipeline.register_to_config(size=recipe.size)
    if recipe.prediction is not None:
        # Pure noise says nothing of the picture, so that nothing could be learned of it by predicting the noise.
        ends_in_noise = recipe.prediction != "epsilon" and pipeline.scheduler.config.rescale_betas_zero_snr
        pipeline.scheduler = type(pipeline.scheduler).from_config(
            pipeline.scheduler.config, prediction_type=recipe.prediction, rescale_betas_zero_snr=ends_in_noise
        )
    return pipeline


def make_stage(name: str, pipeline: DurianPipeline, recipe: Recipe) -> PipelineStage:
    """A stage around a pipeline's components."""
    return KINDS[name](pipeline, recipe.stages[name].loss)


def make_samples(name: str, clips: Sequence[Clip], recipe: Recipe, for_validation: bool = False) -> Samples:
    """A stage's samples; those to validate with are others, their references as they are."""
    settings = recipe.samples.without_augmentation() if for_validation else recipe.samples
    seed = recipe.seed + (VALIDATION_SEED if for_validation else 0)
    preset, frames = recipe.shape, recipe.stages[name].frames
    drafted = name in DIFFUSION and preset.denoiser.get("draft_channels", 0) > 0
    loss = recipe.stages[name].loss
    drawn = loss.drawn if isinstance(loss, AutoencoderSettings) else KEYPOINTS
    return Samples(clips, preset.size, frames, seed, settings, drafted, drawn)

"""A tiny training: the smallest preset, drawn faces, a few steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from training_samples_made import clip

from durian.clips import Clip
from durian.training.data.dataset import collate
from durian.training.recipe import DiffusionRecipe, Recipe, Running, ValidationRecipe
from durian.training.run.learning import Learner
from durian.training.run.stage_factory import make_samples, starting_pipeline
from durian.training.stages.diffusion import Drawn, ImageStage
from durian.training.stages.noise import Noise

IMAGE = DiffusionRecipe(steps=6, batch=4, micro_batch=2, rate=1e-3, average=0.9, precision="float32")


def recipe(running: Running | None = None, validation: ValidationRecipe | None = None, **image: Any) -> Recipe:
    """Of the image stage alone."""
    return Recipe(
        preset="mini-64",
        image=replace(IMAGE, **image),
        running=running or Running(workers=0, report_every=2, keep_every=100),
        validation=validation or ValidationRecipe(every=0, samples=2, held_out=0.0),
    )


def drawn_clips(folder: Path) -> list[Clip]:
    """Hair of three people, six frames each."""
    return [
        clip(folder, name, "tttttt", source=name, colour=colour, wide=wide)
        for name, colour, wide in (("a", (220, 40, 40), 1.0), ("b", (40, 200, 60), 1.2), ("c", (40, 60, 220), 0.8))
    ]


class AlikeStage(ImageStage):
    """Draws the same noise and timestep for every sample, so that batches can be split and compared."""

    def draw(self, clips: int, frames: int, generator: torch.Generator) -> Drawn:
        one = super().draw(1, frames, torch.Generator().manual_seed(5))
        noise = Noise(*(part.expand(clips, *part.shape[1:]) for part in (one.noise.timesteps, one.noise.noise)))
        return Drawn(noise, torch.zeros(clips, dtype=torch.bool), torch.zeros(clips, dtype=torch.bool))


class BrokenStage(AlikeStage):
    """Its loss is not a number in the steps that ``broken`` names."""

    broken: tuple[int, ...] = ()

    def forward(self, batch: Any, generator: torch.Generator, step: int) -> dict[str, torch.Tensor]:
        losses = super().forward(batch, generator, step)
        return {name: value * float("nan") for name, value in losses.items()} if step in self.broken else losses


def learner(made: Recipe, kind: type[ImageStage] = AlikeStage) -> Learner:
    """On the CPU, from fresh weights."""
    stage = kind(starting_pipeline(made), made.image.loss)
    return Learner(stage, "image", made, Accelerator(cpu=True, mixed_precision="no"))


def micro_batches(made: Recipe, clips: list[Clip], size: int, count: int) -> list[dict[str, Any]]:
    """The first samples, in batches."""
    samples = make_samples("image", clips, made)
    return [collate([samples[first + place] for place in range(size)]) for first in range(0, size * count, size)]

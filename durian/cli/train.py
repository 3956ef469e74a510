"""``durian train``: training of the parser, of faces' relief and of the diffusion model."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from durian.cli.progress import progress
from durian.errors import InvalidRequest

if TYPE_CHECKING:
    from durian.clips import Clip
    from durian.training.recipe import Recipe
    from durian.training.run.stage_run import Trained

MOST_SHOWN = 16
"""Samples of a batch on a sheet."""


def run(arguments: argparse.Namespace) -> dict[str, object] | None:
    """The action's report: see :func:`train_parser`, :func:`train_relief` and :func:`train_diffusion`."""
    actions = {"parser": train_parser, "relief": train_relief, "diffusion": train_diffusion}
    return actions[arguments.action](arguments)


def train_parser(arguments: argparse.Namespace) -> dict[str, object]:
    """``weights``, the parser's file, and its ``megabytes``; the ``stage`` that was reached, its ``step`` of how many
    ``steps``; and why it ``stopped`` before the end."""
    from durian.segmentation.drawn import read_drawn_masks
    from durian.settings import get_settings
    from durian.training.parser.loop import train_parser
    from durian.training.parser.recipe import ParserRecipe

    names = ("shards", "steps", "click_steps", "seed", "rate", "real_share")
    given = {name: getattr(arguments, name) for name in names}
    recipe = replace(ParserRecipe(), **{name: value for name, value in given.items() if value is not None})
    device = arguments.device or get_settings().torch_device()
    portraits = sorted(arguments.portraits.iterdir()) if arguments.portraits else []
    drawn = []
    if arguments.masks is not None:
        if arguments.pictures is None:
            raise InvalidRequest("--masks are drawn on photographs: give the folder of these as --pictures.")
        drawn = read_drawn_masks(arguments.masks, arguments.pictures, "train")
    with progress("shard") as shards, progress("step") as steps:
        trained = train_parser(
            arguments.out,
            arguments.data,
            recipe,
            device,
            workers=arguments.workers,
            max_minutes=arguments.max_minutes,
            portraits=portraits,
            drawn=drawn,
            start=arguments.start,
            on_step=steps,
            on_shard=shards,
        )
    megabytes = round(trained.model.stat().st_size / 1e6, 1)
    return {"weights": str(trained.model), "megabytes": megabytes, **_reached(trained)}


def train_relief(arguments: argparse.Namespace) -> dict[str, object]:
    """``weights``, the file that was written, and its ``kilobytes``; from how many ``photographs``."""
    from durian.media.files import atomic_output
    from durian.segmentation.drawn import read_drawn_masks
    from durian.training.face_relief import MODES, learn_relief

    drawn = read_drawn_masks(arguments.masks, arguments.pictures, "train")
    with progress("photograph") as photographs:
        relief = learn_relief(drawn, arguments.modes or MODES, arguments.seed, on_photograph=photographs)
    with atomic_output(arguments.out) as temporary:
        relief.write(temporary)
    kilobytes = round(arguments.out.stat().st_size / 1e3)
    return {"weights": str(arguments.out), "kilobytes": kilobytes, "photographs": len(drawn)}


def train_diffusion(arguments: argparse.Namespace) -> dict[str, object] | None:
    """``model``, a folder that the app opens; the ``stage`` that was reached, its ``step`` of how many ``steps``; and
    why it ``stopped`` before the end. Only the first of several processes reports."""
    from accelerate import PartialState

    from durian.clips import open_clips
    from durian.settings import get_settings
    from durian.training.recipe import load_recipe
    from durian.training.run.loop import train

    recipe = _with_steps(load_recipe(arguments.recipe), arguments.steps)
    clips = [clip for folder in arguments.clips for clip in open_clips(folder)]
    if arguments.show_batch:
        return _show_batch(arguments, recipe, clips)
    with progress("step") as steps:
        trained = train(
            recipe,
            clips,
            arguments.out,
            stages=arguments.stage,
            start=arguments.start,
            device=arguments.device or get_settings().torch_device(),
            max_minutes=arguments.max_minutes,
            on_step=steps,
        )
    if not PartialState().is_main_process:
        return None
    return {"model": str(trained.model), **_reached(trained)}


def _reached(trained: Trained) -> dict[str, object]:
    return {
        "stage": trained.stage,
        "step": trained.step,
        "steps": trained.steps,
        "stopped": trained.stopped or "at its end",
    }


def _with_steps(recipe: Recipe, steps: int | None) -> Recipe:
    if steps is None:
        return recipe
    stages: dict[str, Any] = {name: replace(stage, steps=steps) for name, stage in recipe.stages.items()}
    return replace(recipe, **stages)


def _show_batch(arguments: argparse.Namespace, recipe: Recipe, clips: list[Clip]) -> dict[str, object]:
    from durian.training.data.batch_sheet import write_batch_sheet
    from durian.training.run.stage_factory import make_samples

    name = (arguments.stage or list(recipe.stages))[0]
    samples = make_samples(name, clips, recipe)
    shown = [samples[number] for number in range(recipe.stages[name].batch)]
    return {"sheet": str(write_batch_sheet(arguments.show_batch, shown[:MOST_SHOWN])), "samples": len(shown)}

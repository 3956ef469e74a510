"""Checkpoints of a training: full ones from which it goes on exactly, and light ones that are models.

A stage's folder holds ``recipe.json``, by which it belongs to one recipe, ``checkpoints/0001000/`` (weights, average,
optimiser and random numbers as they were) and ``model/`` (averaged weights in half precision, laid out as the app opens
them). A folder of these names is whole: it was written under another and renamed.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from durian.diffusion.find_model import INDEX, ModelFound
from durian.errors import InvalidRequest, OutputFailed
from durian.media.files import atomic_output
from durian.training.recipe import AnyRecipe

if TYPE_CHECKING:
    from accelerate import Accelerator

    from durian.diffusion.pipeline import DurianPipeline

CLAIM, FULL, LIGHT = "recipe.json", "checkpoints", "model"
"""In a stage's folder."""
BEFORE = f".{LIGHT}-before"
"""The light checkpoint before, while a new one takes its place."""
DIGITS = 7
"""Of a checkpoint's name."""
UNCLAIMED = ("running", "validation")
"""Parts of a recipe that may change from one run to the next."""


# Whose folder it is


def claim(folder: Path, recipe: AnyRecipe, stage: str, model: Path) -> None:
    """Make a stage's folder this recipe's.

    Args:
        folder: the stage's.
        recipe: whose it becomes.
        stage: its name.
        model: where its weights are, which another recipe may begin with.

    Raises:
        InvalidRequest: it has checkpoints of another recipe; the sentence has the settings that differ.
    """
    wanted = json.loads(json.dumps(_claimed(recipe, stage)))
    path = folder / CLAIM
    if path.is_file() and latest(folder) is not None:
        before = json.loads(path.read_text())
        if changed := differences(before, wanted):
            raise InvalidRequest(
                f"{folder} was trained by another recipe ({'; '.join(changed)}): take that recipe again, or give "
                f"another --out and, to go on from its weights, --from {model}."
            )
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, json.dumps(wanted, indent=1))
    if (folder / BEFORE).is_dir() and not (folder / LIGHT).is_dir():
        # A run ended between two renames.
        (folder / BEFORE).replace(folder / LIGHT)


def _claimed(recipe: AnyRecipe, stage: str) -> dict[str, Any]:
    """The part of a recipe that concerns a stage."""
    others = {name for name in recipe.stages if name != stage}
    return {name: value for name, value in asdict(recipe).items() if name not in others and name not in UNCLAIMED}


def differences(before: Mapping[str, Any], now: Mapping[str, Any], within: str = "") -> list[str]:
    """Differences of two recipes, such as ``"steps was 10, is 20"``; of JSON's types, or both of Python's."""
    found = []
    for name in {**before, **now}:
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{within}{name}.")
        elif old != new:
            found.append(f"{within}{name} was {old}, is {new}")
    return found


# Full checkpoints


def latest(folder: Path) -> int | None:
    """The step of a stage's latest full checkpoint."""
    return max(_steps(folder), default=None)


def keep(accelerator: Accelerator, folder: Path, step: int, count: int) -> None:
    """Write a full checkpoint and remove all but the latest ``count``. Every process must call it.

    Raises:
        OutputFailed: it cannot be written, for example because the disk is full; those before it stay.
    """
    name = f"{step:0{DIGITS}d}"
    final, temporary = folder / FULL / name, folder / FULL / f".{name}"
    if accelerator.is_main_process:
        shutil.rmtree(temporary, ignore_errors=True)
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(temporary))
    except (OSError, RuntimeError) as error:
        # torch's own writer tells of a full disk by a RuntimeError.
        raise OutputFailed(f"The checkpoint of step {step} could not be written to {folder}: {error}") from error
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        shutil.rmtree(final, ignore_errors=True)
        temporary.replace(final)
        for old in sorted(_steps(folder))[:-count]:
            shutil.rmtree(folder / FULL / f"{old:0{DIGITS}d}")
    accelerator.wait_for_everyone()


def restore(accelerator: Accelerator, folder: Path) -> int:
    """Put everything back as the latest full checkpoint has it; returns its step, 0 where there is none."""
    step = latest(folder)
    if step is None:
        return 0
    accelerator.load_state(str(folder / FULL / f"{step:0{DIGITS}d}"))
    return step


def _steps(folder: Path) -> list[int]:
    return [int(path.name) for path in (folder / FULL).glob("[0-9]*") if path.is_dir()]


# Light checkpoints


def keep_model(pipeline: DurianPipeline, folder: Path) -> Path:
    """Write a pipeline's weights as they are now, in float16, as a model; returns its folder."""
    final, temporary, before = folder / LIGHT, folder / f".{LIGHT}", folder / BEFORE
    shutil.rmtree(temporary, ignore_errors=True)
    halved(pipeline).save_pretrained(temporary, safe_serialization=True)
    _forget_origin(temporary)
    if final.is_dir():
        final.replace(before)
    temporary.replace(final)
    shutil.rmtree(before, ignore_errors=True)
    return final


def _forget_origin(folder: Path) -> None:
    """Take out of a model's configs where its parts were opened from: a path of this machine, for nobody else."""
    for path in folder.rglob("config.json"):
        config = json.loads(path.read_text())
        if config.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def halved(pipeline: DurianPipeline) -> DurianPipeline:
    """A copy of a pipeline in float16, on the host. Half precision's eleven bits of fraction are enough for weights."""
    # diffusers' own method of this name warns of parts that need float32, of which there are none.
    parts = {
        name: nn.Module.to(copy.deepcopy(part), "cpu", torch.float16) if isinstance(part, nn.Module) else part
        for name, part in pipeline.components.items()
    }
    settings = {k: v for k, v in pipeline.config.items() if k not in parts and not k.startswith("_")}
    return type(pipeline)(**parts, **settings)


def open_model(folder: Path) -> DurianPipeline:
    """A light checkpoint, or any model in that layout, in float32 on the CPU, to train on.

    Raises:
        InvalidRequest: there is none.
        WeightsMissing: it is damaged.
    """
    from diffusers.utils.logging import disable_progress_bar

    from durian.diffusion.load import check_complete
    from durian.diffusion.pipeline import DurianPipeline

    if not (folder / INDEX).is_file():
        raise InvalidRequest(f"There is no model in {folder}: give a folder with a {INDEX}, such as a run's {LIGHT}.")
    disable_progress_bar()
    pipeline = DurianPipeline.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, local_files_only=True)
    check_complete(pipeline, ModelFound(str(folder), folder.name))
    return pipeline


def _write(path: Path, text: str) -> None:
    with atomic_output(path) as temporary:
        temporary.write_text(text)

"""One step of a stage: gradients of micro batches, the update of the weights, and of their average."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from durian.errors import InvalidRequest, LimitExceeded
from durian.training.recipe import AnyRecipe, StageRecipe
from durian.training.run.averaging import Average
from durian.training.run.optimisers import make_optimisers
from durian.training.run.speed import counted_flop
from durian.training.stages.stage import Stage


@dataclass(frozen=True)
class Shares:
    """How micro batches are dealt out: number ``m`` of a step goes to device ``m % processes``.

    Attributes:
        stage: its ``batch / micro_batch`` micro batches make a step.
        process, processes: which device of how many.

    Raises:
        InvalidRequest: some devices would get more than others.
    """

    stage: StageRecipe
    process: int = 0
    processes: int = 1

    def __post_init__(self) -> None:
        if self.of_a_step % self.processes:
            raise InvalidRequest(
                f"A batch of {self.stage.batch} in micro batches of {self.stage.micro_batch} is not for "
                f"{self.processes} devices: give a micro_batch by which each gets as many."
            )

    @property
    def of_a_step(self) -> int:
        """Micro batches of a step, over all devices."""
        return self.stage.batch // self.stage.micro_batch

    @property
    def mine(self) -> range:
        """Their numbers within a step that are this device's."""
        return range(self.process, self.of_a_step, self.processes)


class Learner:
    """A stage with its optimisers and average, on one device or one of several.

    Args:
        stage: on the CPU.
        name: the stage's, of the recipe.
        recipe: its numbers.
        accelerator: devices and precision.
    """

    def __init__(self, stage: Stage, name: str, recipe: AnyRecipe, accelerator: Accelerator) -> None:
        self._recipe: StageRecipe = recipe.stages[name]
        self._seed, self._most_bad = recipe.seed, recipe.running.bad_steps
        self._accelerator = accelerator
        # As the spatial transformers want it: nothing is copied between pictures and tokens.
        self.stage = stage.to(accelerator.device, memory_format=torch.channels_last).train()
        for part in stage.averaged_modules().values():
            if recipe.running.checkpointing and getattr(part, "_supports_gradient_checkpointing", False):
                part.enable_gradient_checkpointing()
        if recipe.running.compile:
            # In place, so that names of weights stay as they are.
            for part in self.stage.components.values():
                part.compile()
        optimisers = make_optimisers(stage.groups(), self._recipe)
        self._wrapped, *self._optimisers = accelerator.prepare(stage, *optimisers)
        self.average = Average(stage, self._recipe.average)
        accelerator.register_for_checkpointing(self.average)
        self.shares = Shares(self._recipe, accelerator.process_index, accelerator.num_processes)
        self.flop = 0.0
        self.bad_in_a_row = 0

    def learn(self, batches: Iterator[Mapping[str, Any]], step: int) -> dict[str, Tensor]:
        """One step; returns the means of its losses on this device, and the gradient's norm before clipping.

        A gradient that is not finite changes nothing: the step is left out, and ``bad_in_a_row`` counts it.

        Args:
            batches: gives this device's micro batches, in order.
            step: steps before this one.

        Raises:
            LimitExceeded: the GPU's memory is full.
            InvalidRequest: too many steps in a row had no finite gradient.
        """
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate_of(self._recipe, step) * group.get("share", 1.0)
        means: dict[str, Tensor] = {}
        mine = self.shares.mine
        try:
            for micro in mine:
                # Gradients of several devices are averaged once, with the last micro batch.
                with nullcontext() if micro == mine[-1] else self._accelerator.no_sync(self._wrapped):
                    losses = self._gradient(next(batches), step, micro)
                for name, value in losses.items():
                    means[name] = means.get(name, 0.0) + value.detach().float() / len(mine)
            norm = self._accelerator.clip_grad_norm_(self.stage.trainable(), self._recipe.clip)
        except torch.OutOfMemoryError as error:
            raise LimitExceeded(
                f"The GPU's memory is full with micro batches of {self._recipe.micro_batch} samples of "
                f"{self._recipe.frames} frames: give the recipe a smaller micro_batch, or checkpointing = true."
            ) from error
        self._take(bool(norm.isfinite()), step)
        return {**means, "gradient_norm": norm}

    def _gradient(self, batch: Mapping[str, Any], step: int, micro: int) -> dict[str, Tensor]:
        """Adds a micro batch's part of the gradient; returns its losses."""
        moved = {
            name: value.to(self._accelerator.device, non_blocking=True) if isinstance(value, Tensor) else value
            for name, value in batch.items()
        }
        with counted_flop() if self._counts_flop else nullcontext() as flop:
            with self.in_its_precision():
                losses = self._wrapped(moved, generator_of(self._seed, step, micro), step)
            self._accelerator.backward(losses["total"] / len(self.shares.mine))
        if flop is not None:
            self.flop = flop() * len(self.shares.mine)
        return losses

    def in_its_precision(self) -> torch.autocast:
        """Within, networks compute in the recipe's precision; on a processor, few of which are fast in any other, in
        float32."""
        device = self._accelerator.device.type
        return torch.autocast(device, torch.bfloat16, self._recipe.precision == "bfloat16" and device != "cpu")

    @property
    def _counts_flop(self) -> bool:
        return not self.flop and self._accelerator.device.type == "cuda"

    def _take(self, is_finite: bool, step: int) -> None:
        """Change the weights, unless the gradient is not finite."""
        if is_finite:
            for optimiser in self._optimisers:
                optimiser.step()
            self.average.follow()
        self.bad_in_a_row = 0 if is_finite else self.bad_in_a_row + 1
        for optimiser in self._optimisers:
            optimiser.zero_grad()
        if self.bad_in_a_row >= self._most_bad:
            raise InvalidRequest(
                f"The loss was not finite in {self.bad_in_a_row} steps in a row, until step {step + 1}: go on from the "
                "last checkpoint with a smaller rate, or with precision float32."
            )


def rate_of(recipe: StageRecipe, step: int) -> float:
    """The learning rate of a step: a line up over ``warm_up`` steps, then level, or half a cosine down to nothing."""
    if step < recipe.warm_up:
        return recipe.rate * (step + 1) / (recipe.warm_up + 1)
    if recipe.schedule == "constant":
        return recipe.rate
    done = (step - recipe.warm_up) / (recipe.steps - recipe.warm_up)
    return recipe.rate * 0.5 * (1 + math.cos(math.pi * done))


def generator_of(seed: int, step: int, micro: int) -> torch.Generator:
    """The random numbers of a micro batch, on the CPU: they follow from its number alone, on whatever device it is."""
    state = np.random.SeedSequence([seed, step, micro]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))

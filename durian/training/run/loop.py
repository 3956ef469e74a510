"""The training loop, from clips to a model: stage after stage, with a time limit; a run that was stopped goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from durian.clips import Clip
from durian.diffusion.pipeline import DurianPipeline
from durian.errors import InvalidRequest
from durian.training.data.dataset import load_batches, split_clips
from durian.training.recipe import DIFFUSION, Recipe
from durian.training.run.checkpoints import LIGHT, claim, keep, keep_model, latest, open_model, restore
from durian.training.run.learning import Learner, rate_of
from durian.training.run.logbook import Logbook
from durian.training.run.speed import Speed, peak_flops
from durian.training.run.stage_factory import make_samples, make_stage, starting_pipeline
from durian.training.run.stopping import Stopping
from durian.training.run.validation import validate
from durian.training.stages.stage import Stage

DISK_BYTES_PER_SECOND = 200e6
"""How fast a checkpoint is written until one was: a slow disk's."""

REASONS = (None, "time", "signal")
"""To stop; the last one counts for all processes."""


@dataclass(frozen=True)
class Trained:
    """The outcome of one run of a training.

    ``stage``, ``step``, ``steps``: the last stage that ran, and how far it is. ``model``: its light checkpoint.
    ``stopped``: ``time`` or ``signal`` where more is to be done, ``None`` where all is.
    """

    stage: str
    step: int
    steps: int
    model: Path
    stopped: str | None


def train(
    recipe: Recipe,
    clips: Sequence[Clip],
    out: Path,
    *,
    stages: Sequence[str] = (),
    start: Path | None = None,
    device: str | None = None,
    max_minutes: float | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train the stages of a recipe, each from the model of the one before; what is done is not done again.

    ``accelerate launch`` makes it one of several processes that train together.

    Args:
        recipe: what to do.
        clips: to learn from.
        out: each stage has a folder there.
        stages: only these; all of the recipe if not given.
        start: a model's folder to begin from instead of fresh or published weights.
        device: ``cpu``, or what accelerate finds.
        max_minutes: stop in time, with a checkpoint, after one step at least.
        on_step: called with (steps of the stage done, in all).

    Raises:
        InvalidRequest: stage, clips or folder do not go with the recipe, or the loss is not finite any more.
        LimitExceeded: the GPU's memory is full.
        OutputFailed: a checkpoint cannot be written.
    """
    unknown = [name for name in stages if name not in recipe.stages]
    if unknown:
        raise InvalidRequest(f"This recipe has no stage {unknown[0]}: it has {', '.join(recipe.stages)}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidRequest("Training on cuda was asked for, but no GPU was found: leave the device out or give cpu.")
    names = [name for name in recipe.stages if name in stages or not stages]
    with Stopping(max_minutes) as stopping:
        model = start
        for name in names:
            run = _Run(name, recipe, clips, out / name, model or _before(name, recipe, out), device)
            trained = run.train(stopping, on_step)
            model = trained.model
            if trained.stopped:
                break
    all_is_done = name == names[-1] and trained.step == trained.steps
    return replace(trained, stopped=None) if all_is_done else trained


def _before(name: str, recipe: Recipe, out: Path) -> Path | None:
    """The model of the stage before, where the recipe has one.

    Raises:
        InvalidRequest: it was not trained yet.
    """
    names = list(recipe.stages)
    if name == names[0]:
        return None
    model = out / names[names.index(name) - 1] / LIGHT
    if not model.is_dir():
        raise InvalidRequest(
            f"Stage {name} goes on from stage {model.parent.name}, which is not in {out}: train that first, or give "
            "--from and a model."
        )
    return model


class _Run:
    """One stage, from where its folder is to as far as time allows."""

    def __init__(
        self, name: str, recipe: Recipe, clips: Sequence[Clip], folder: Path, start: Path | None, device: str | None
    ) -> None:
        self.name, self.recipe, self.folder = name, recipe, folder
        self.settings = recipe.stages[name]
        self.accelerator = Accelerator(cpu=device == "cpu", mixed_precision="no")
        if self.accelerator.is_main_process:
            claim(folder, recipe, name)
        self.accelerator.wait_for_everyone()
        set_seed(recipe.seed)
        goes_on = latest(folder) is not None
        pipeline = open_model(folder / LIGHT) if goes_on else starting_pipeline(recipe, start)
        pipeline.set_progress_bar_config(disable=True)
        self.history: dict[str, int] = dict((pipeline.config.training or {}).get("steps", {}))
        self.stage: Stage = make_stage(name, pipeline, recipe)
        self.learner = Learner(self.stage, name, recipe, self.accelerator)
        self.step = restore(self.accelerator, folder)
        seen, unseen = split_clips(clips, recipe.validation.held_out)
        if not seen:
            raise InvalidRequest(f"All {len(clips)} clips are held out for validation: use more, or held_out = 0.")
        self.samples = make_samples(name, seen, recipe)
        self.looked_at = make_samples(name, unseen or seen, recipe, for_validation=True)
        self.speed = Speed()
        self.seconds_to_keep = self._bytes() / DISK_BYTES_PER_SECOND
        self.seconds_to_validate = 0.0

    def train(self, stopping: Stopping, on_step: Callable[[int, int], None] | None) -> Trained:
        steps, running = self.settings.steps, self.recipe.running
        is_main = self.accelerator.is_main_process
        logbook = Logbook(self.folder, self.step) if is_main else None
        if self.step == 0 and self._validates_at(0):
            self._validate(logbook)
        batches = self._batches()
        sums: dict[str, torch.Tensor] = {}
        good, kept, stopped = 0, self.step, None
        while self.step < steps and stopped is None:
            with self.speed.step(self.settings.batch, self.learner.flop):
                values = self.learner.learn(batches, self.step)
            self.step += 1
            if not self.learner.bad_in_a_row:
                good += 1
                sums = {name: sums.get(name, 0.0) + value for name, value in values.items()}
            if self.step % running.report_every == 0 or self.step == steps:
                self._report(logbook, sums, good)
                sums, good = {}, 0
            if self._validates_at(self.step):
                self._validate(logbook)
            if self.step % running.keep_every == 0 and not self.learner.bad_in_a_row:
                self._keep()
                kept = self.step
            if on_step is not None and is_main:
                on_step(self.step, steps)
            stopped = self._reason_to_stop(stopping)
        if kept < self.step or latest(self.folder) is None:
            self._keep()
        if logbook is not None:
            logbook.close()
        return Trained(self.name, self.step, steps, self.folder / LIGHT, stopped)

    def _batches(self) -> Iterator[Mapping[str, Any]]:
        """This device's micro batches from here to the last step; time spent waiting for them is noted."""
        shares = self.learner.shares
        loader = load_batches(
            self.samples,
            self.step * shares.of_a_step + shares.process,
            self.settings.steps * shares.of_a_step,
            self.settings.micro_batch,
            self.recipe.running.workers,
            pin_memory=self.accelerator.device.type == "cuda",
            every=shares.processes,
        )
        batches = iter(loader)
        while True:
            with self.speed.waiting():
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _report(self, logbook: Logbook | None, sums: Mapping[str, torch.Tensor], good: int) -> None:
        """Means over ``good`` steps, those without a finite gradient left out."""
        means = self.accelerator.reduce({name: value / good for name, value in sums.items()}, reduction="mean")
        values = {name: float(value) for name, value in means.items()}
        values |= {"rate": rate_of(self.settings, self.step - 1), "good_steps": good}
        values |= self.speed.report(peak_flops(self.accelerator.device))
        if logbook is not None:
            logbook.write(self.step, values)

    def _validates_at(self, step: int) -> bool:
        every = self.recipe.validation.every
        return every > 0 and (step % every == 0 or step == self.settings.steps)

    def _validate(self, logbook: Logbook | None) -> None:
        """Scores and a sheet from the average of weights, by the first process."""
        before, seed = time.monotonic(), self.recipe.validation.seed
        with self.speed.pausing():
            if logbook is not None:
                samples = [self.looked_at[number] for number in range(self.recipe.validation.samples)]
                with self._shown() as pipeline, self.learner.in_its_precision():
                    found = validate(pipeline, samples, self.name, seed)
                logbook.write(self.step, found.scores)
                logbook.show(self.step, found.rows)
            self.accelerator.wait_for_everyone()
        self.seconds_to_validate = max(self.seconds_to_validate, time.monotonic() - before)

    @contextmanager
    def _shown(self) -> Iterator[DurianPipeline]:
        """The pipeline as somebody would open it who stopped here: averaged weights, not compiled, in eval mode."""
        steps = {**self.history, self.name: self.step}
        self.stage.eval()
        with self.learner.average.shown(), torch.compiler.set_stance("force_eager"):
            yield self.stage.pipeline(sum(steps.get(name, 0) for name in DIFFUSION), {"steps": steps})
        self.stage.train()

    def _keep(self) -> None:
        before = time.monotonic()
        with self.speed.pausing():
            if self.accelerator.is_main_process:
                with self._shown() as pipeline:
                    keep_model(pipeline, self.folder)
            keep(self.accelerator, self.folder, self.step, self.recipe.running.keep)
        self.seconds_to_keep = max(self.seconds_to_keep, time.monotonic() - before)

    def _reason_to_stop(self, stopping: Stopping) -> str | None:
        """The same for all processes."""
        due = self.seconds_to_validate if self._validates_at(self.step + 1) else 0.0
        reason = stopping.reason(self.speed.longest_step + self.seconds_to_keep + due)
        if self.accelerator.num_processes == 1:
            return reason
        number = torch.tensor(REASONS.index(reason), device=self.accelerator.device)
        return REASONS[int(self.accelerator.gather(number[None]).max())]

    def _bytes(self) -> int:
        """Of a full checkpoint: all weights, and of those that train the average and AdamW's two moments."""
        trained = sum(parameter.nbytes for parameter in self.stage.trainable())
        return sum(tensor.nbytes for tensor in self.stage.state_dict().values()) + 3 * trained

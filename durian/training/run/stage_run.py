"""A stage's run, whatever is trained: steps, reports, validation, checkpoints, stopping; what stopped goes on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader, Dataset

from durian.errors import InvalidRequest
from durian.training.data.dataset import load_batches
from durian.training.recipe import AnyRecipe
from durian.training.run.checkpoints import claim, keep, latest, restore
from durian.training.run.learning import Learner, rate_of
from durian.training.run.logbook import Logbook
from durian.training.run.speed import Speed, peak_flops
from durian.training.run.stopping import Stopping
from durian.training.run.validation import Validation
from durian.training.stages.stage import Batch, Stage

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


class StageRun(ABC):
    """One stage, from where its folder is to as far as time allows; what is trained on what is its subclass's.

    Attributes:
        model: the light checkpoint, a file or a folder.

    Args:
        name: the stage's, of the recipe.
        recipe: its numbers.
        folder: the stage's; another recipe's is refused.
        start: a model to begin from, where the folder has no checkpoint.
        device: ``cpu``, or what accelerate finds.

    Raises:
        InvalidRequest: the folder has checkpoints of another recipe, or there is no such device.
    """

    def __init__(self, name: str, recipe: AnyRecipe, folder: Path, start: Path | None, device: str | None) -> None:
        self.name, self.recipe, self.folder = name, recipe, folder
        self.settings = recipe.stages[name]
        if device == "cuda" and not torch.cuda.is_available():
            raise InvalidRequest(
                "Training on cuda was asked for, but no GPU was found: leave the device out or give cpu."
            )
        self.accelerator = Accelerator(cpu=device == "cpu", mixed_precision="no")
        if self.accelerator.is_main_process:
            claim(folder, recipe, name, self.model)
        self.accelerator.wait_for_everyone()
        set_seed(recipe.seed)
        self.stage = self.make_stage(None if latest(folder) is None else self.model, start)
        self.learner = Learner(self.stage, name, recipe, self.accelerator)
        self.step = restore(self.accelerator, folder)
        self.speed = Speed()
        self.seconds_to_keep = self._bytes() / DISK_BYTES_PER_SECOND
        self.seconds_to_validate = 0.0

    @property
    @abstractmethod
    def model(self) -> Path: ...

    @abstractmethod
    def make_stage(self, before: Path | None, start: Path | None) -> Stage:
        """The stage on the CPU.

        Args:
            before: :attr:`model` where this run goes on; weights of the full checkpoint follow.
            start: what a run that begins begins from, if not from the recipe's own beginning.
        """

    @abstractmethod
    def batches(self) -> Iterable[Batch]:
        """This device's micro batches from here to the last step (:meth:`load`), each asked for when it is needed."""

    @abstractmethod
    def keep_model(self) -> None:
        """Write the stage's weights as they are now to :attr:`model`."""

    def validate(self) -> Validation:
        """Scores and pictures of the weights as they are now; of a recipe that never validates not called."""
        raise NotImplementedError

    def train(self, stopping: Stopping, on_step: Callable[[int, int], None] | None) -> Trained:
        """Train until all steps are done or it is time to stop; the last step's checkpoint is kept."""
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
        return Trained(self.name, self.step, steps, self.model, stopped)

    def load(self, samples: Dataset, first: int, last: int, stacked: Callable[..., Batch]) -> DataLoader:
        """This device's micro batches of the steps ``first`` to ``last - 1``."""
        shares = self.learner.shares
        return load_batches(
            samples,
            first * shares.of_a_step + shares.process,
            last * shares.of_a_step,
            self.settings.micro_batch,
            self.recipe.running.workers,
            pin_memory=self.accelerator.device.type == "cuda",
            every=shares.processes,
            stacked=stacked,
        )

    def _batches(self) -> Iterator[Batch]:
        """As of :meth:`batches`; time spent waiting for them is noted."""
        batches = iter(self.batches())
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
        before = time.monotonic()
        with self.speed.pausing():
            if logbook is not None:
                with self._shown(), self.learner.in_its_precision():
                    found = self.validate()
                logbook.write(self.step, found.scores)
                logbook.show(self.step, found.rows)
            self.accelerator.wait_for_everyone()
        self.seconds_to_validate = max(self.seconds_to_validate, time.monotonic() - before)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Within, the stage is as somebody would open it who stopped here: averaged weights, not compiled, in eval
        mode."""
        self.stage.eval()
        with self.learner.average.shown(), torch.compiler.set_stance("force_eager"):
            yield
        self.stage.train()

    def _keep(self) -> None:
        before = time.monotonic()
        with self.speed.pausing():
            if self.accelerator.is_main_process:
                with self._shown():
                    self.keep_model()
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


def run_in_turn(
    names: Sequence[str],
    make: Callable[[str, Path | None], StageRun],
    start: Path | None,
    stopping: Stopping,
    on_step: Callable[[int, int], None] | None,
) -> Trained:
    """Stages one after the other, each from the model of the one before, until it is time to stop.

    Args:
        names: of the stages, one at least.
        make: a stage's run, of its name and of the model that it begins from.
        start: the first one's.
        stopping: says when.
        on_step: called with (steps of the stage done, in all).
    """
    for name in names:
        trained = make(name, start).train(stopping, on_step)
        start = trained.model
        if trained.stopped:
            break
    all_is_done = name == names[-1] and trained.step == trained.steps
    return replace(trained, stopped=None) if all_is_done else trained

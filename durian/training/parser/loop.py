"""Training of the parser, from photos to a file of weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from torch.utils.data import default_collate

from durian.media.files import atomic_output
from durian.segmentation.drawn import DrawnMask
from durian.segmentation.parser.network import ParserNetwork
from durian.segmentation.parser.running import read_network, save_network
from durian.segmentation.parser.weights import FILE
from durian.training.parser.drawn import drawn_photos
from durian.training.parser.examples import Examples
from durian.training.parser.imagenet import imagenet_file, load_imagenet
from durian.training.parser.photos import Photos, prepare_photos
from durian.training.parser.portraits import label_portraits
from durian.training.parser.recipe import CLASSES, CLICKS, ParserRecipe
from durian.training.parser.stages import STAGES, ParserStage
from durian.training.run.checkpoints import claim
from durian.training.run.stage_run import StageRun, Trained, run_in_turn
from durian.training.run.stopping import Stopping
from durian.training.stages.stage import Batch

TEACHER = "teacher"
"""Folder of the weights that labelled the portraits, beside those of the stages."""


@dataclass(frozen=True)
class Real:
    """Real portraits to learn from: ``portraits`` without labels, or, instead of them, ``drawn`` masks."""

    portraits: Sequence[Path] = ()
    drawn: Sequence[DrawnMask] = ()

    def __bool__(self) -> bool:
        return bool(self.portraits or self.drawn)


def train_parser(
    out: Path,
    data: Path,
    recipe: ParserRecipe,
    device: str | None = None,
    workers: int = 2,
    max_minutes: float | None = None,
    portraits: Sequence[Path] = (),
    drawn: Sequence[DrawnMask] = (),
    start: Path | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_shard: Callable[[int, int], None] | None = None,
) -> Trained:
    """Render what is missing, train, and write ``parser.safetensors`` in half precision.

    Args:
        out: gets the weights; each stage has a folder there, from which training goes on.
        data: folder of photos.
        recipe: what to do.
        device: ``cpu``, or what accelerate finds.
        workers: processes that render.
        max_minutes: stop in time, with a checkpoint, after one step at least; rendering does not count.
        portraits: real ones, without labels.
        drawn: real ones with drawn masks, from the first step on; instead of ``portraits``.
        start: a parser's file to begin with instead of ImageNet's weights.
        on_step: called with (steps of the stage done, in all).
        on_shard: called with (shards rendered, missing ones in all).

    Raises:
        WeightsMissing: photos must be rendered and there is no head model; or ImageNet's weights are not installed.
        InvalidRequest: ``out`` has checkpoints of another recipe, or the loss is not finite any more.
        OutputFailed: a checkpoint cannot be written.
    """
    # Asked first: photos may take hours.
    for name in recipe.stages:
        claim(out / name, recipe, name, out / name / FILE)
    shards = [Photos.open(path) for path in prepare_photos(data, recipe.shards, recipe.seed, workers, on_shard)]
    real = Real(portraits, drawn)

    def make(name: str, model: Path | None) -> ParserRun:
        return ParserRun(name, recipe, shards, real, out / name, model, device)

    with Stopping(max_minutes) as stopping:
        trained = run_in_turn(list(recipe.stages), make, start, stopping, on_step)
    with atomic_output(out / FILE) as temporary:
        shutil.copyfile(trained.model, temporary)
    return replace(trained, model=out / FILE)


class ParserRun(StageRun):
    """One stage of the parser.

    Args:
        name, recipe, folder, start, device: as of :class:`~durian.training.run.stage_run.StageRun`.
        shards: rendered photos to learn from.
        real: portraits to learn from beside them.
    """

    stage: ParserStage
    recipe: ParserRecipe

    def __init__(
        self,
        name: str,
        recipe: ParserRecipe,
        shards: Sequence[Photos],
        real: Real,
        folder: Path,
        start: Path | None,
        device: str | None,
    ) -> None:
        super().__init__(name, recipe, folder, start, device)
        self._shards, self._real = shards, real

    @property
    def model(self) -> Path:
        """A file as the app opens it."""
        return self.folder / FILE

    def make_stage(self, before: Path | None, start: Path | None) -> ParserStage:
        """See :meth:`StageRun.make_stage`."""
        network = _first_network(start) if before is None else read_network(before)
        return STAGES[self.name](network, self.recipe)

    def batches(self) -> Iterator[Batch]:
        """See :meth:`StageRun.batches`. Portraits without labels wait until the network can label them."""
        steps, waits = self.settings.steps, self.name == CLASSES and not self._real.drawn
        real_from = round(self.recipe.real_from * steps) if waits else 0
        if self._real and self.step < real_from:
            yield from self.load(self._examples(None), self.step, real_from, default_collate)
        if self.step < steps:
            yield from self.load(self._examples(self._real_photos), self.step, steps, default_collate)

    def keep_model(self) -> None:
        """See :meth:`StageRun.keep_model`."""
        before = self.recipe.steps if self.name == CLICKS else 0
        about = {"recipe": json.dumps(asdict(self.recipe)), "steps": str(before + self.step)}
        save_network(self.stage.network, self.folder, about)

    def _examples(self, real: Photos | None) -> Examples:
        recipe = self.recipe
        key = (recipe.seed, list(STAGES).index(self.name))
        return Examples(self._shards, recipe.side, key, real, recipe.real_share, self.name == CLICKS)

    @cached_property
    def _real_photos(self) -> Photos | None:
        if not self._real:
            return None
        if self._real.drawn:
            return drawn_photos(self._real.drawn)
        return label_portraits(self._real.portraits, self._teacher())

    def _teacher(self) -> Path:
        """The weights that label portraits: those of when they were first wanted, also where a run goes on."""
        folder = self.folder.parent / TEACHER
        if self.accelerator.is_main_process and not (folder / FILE).is_file():
            folder.mkdir(exist_ok=True)
            with self.learner.average.shown():
                save_network(self.stage.network, folder, {})
        self.accelerator.wait_for_everyone()
        return folder / FILE


def _first_network(start: Path | None) -> ParserNetwork:
    """A network to train: a parser's weights, or an encoder that knows ImageNet and the rest fresh."""
    if start is not None:
        return read_network(start)
    network = ParserNetwork()
    load_imagenet(network.encoder, imagenet_file())
    return network

"""The parser's training, from photos to a file of weights: one command, one seed, minutes on two cores."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from durian.errors import InvalidRequest
from durian.segmentation.drawn import DrawnMask
from durian.segmentation.parser.network import ParserNetwork
from durian.segmentation.parser.running import load_network, save_network
from durian.segmentation.parser.weights import FILE
from durian.training.checkpoints import differences
from durian.training.parser.drawn import drawn_photos
from durian.training.parser.examples import Examples
from durian.training.parser.losses import parser_loss
from durian.training.parser.photos import Photos, prepare_photos
from durian.training.parser.portraits import label_portraits

CHECKPOINT, LOG, TEACHER = "parser.pt", "parser.jsonl", "teacher"
"""What a run leaves in its folder besides the weights: the state to go on from, losses, and the weights that labelled
the portraits."""
REPORT_EVERY, KEEP_EVERY = 50, 500
"""Steps."""


@dataclass(frozen=True)
class ParserRecipe:
    """Everything that decides the outcome.

    Attributes:
        seed: of photos, examples and first weights.
        shards: of photos to learn from (:data:`durian.training.parser.photos.PEOPLE` people each).
        steps: of the optimiser.
        batch: examples of a step.
        sides: pixels of examples, and the share of the steps until which they have them.
        rate: largest learning rate (AdamW); it rises for ``warm_up`` of the steps and falls as a cosine.
        decay: weight decay.
        average: of the weights that are kept: share of the old average after each step, less at the beginning.
        real_from: share of the steps after which real portraits are among the examples, if there are any; by then the
            network is good enough to label them.
        real_share: how many of the examples they are.
        loaders: processes that make examples; the examples follow from their number too.
        decoder_only: learn only the way back up and the outputs; what the network sees in pictures stays, and so do the
            statistics of normalisation. For a few real pictures, which would make it forget the many rendered ones.
    """

    seed: int = 0
    shards: int = 100
    steps: int = 12_000
    batch: int = 16
    sides: tuple[tuple[int, float], ...] = ((192, 0.65), (256, 1.0))
    rate: float = 2e-3
    warm_up: float = 0.04
    decay: float = 1e-4
    average: float = 0.998
    real_from: float = 0.6
    real_share: float = 0.15
    loaders: int = 2
    decoder_only: bool = False


def train_parser(
    out: Path,
    data: Path,
    recipe: ParserRecipe = ParserRecipe(),
    device: str = "cpu",
    workers: int = 2,
    max_minutes: float | None = None,
    portraits: Sequence[Path] = (),
    drawn: Sequence[DrawnMask] = (),
    start: Path | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_shard: Callable[[int, int], None] | None = None,
) -> Path:
    """Render what is missing, train, and write ``parser.safetensors`` in half precision.

    Args:
        out: folder of the weights, a checkpoint (training goes on from it) and a log of losses.
        data: folder of photos.
        recipe: what to do.
        device: where.
        workers: processes that render.
        max_minutes: stop in time, with a checkpoint.
        portraits: real ones, without labels.
        drawn: real ones with drawn masks, from the first step on; instead of ``portraits``.
        start: a parser's file to begin with instead of fresh weights.
        on_step: called with (steps done, in all).
        on_shard: called with (shards rendered, missing ones in all).

    Raises:
        WeightsMissing: photos must be rendered and there is no head model.
        InvalidRequest: ``out`` has a checkpoint of another recipe.
    """
    # Asked first: photos may take hours.
    there = _checkpoint(out / CHECKPOINT, recipe)
    shards = [Photos.open(path) for path in prepare_photos(data, recipe.shards, recipe.seed, workers, on_shard)]
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    run = _Run(recipe, device, start)
    if there is not None:
        run.resume(there)
    sums: dict[str, float] = {}
    real, real_from = None, round(recipe.real_from * recipe.steps) if portraits else recipe.steps
    if drawn:
        real, real_from = _apart(drawn_photos, list(drawn)), 0
    while run.step < recipe.steps and not _is_late(began, max_minutes):
        if run.step >= real_from and real is None:
            real = run.label(portraits, out / TEACHER)
        side, until = next(phase for phase in run.phases if run.step < phase[1])
        until = min(until, real_from) if run.step < real_from else until
        examples = Examples(shards, side, recipe.seed, run.step, real, recipe.real_share)
        for batch in DataLoader(examples, recipe.batch, num_workers=recipe.loaders, drop_last=True):
            for name, value in run.learn(batch).items():
                sums[name] = sums.get(name, 0.0) + value / REPORT_EVERY
            if run.step % REPORT_EVERY == 0:
                _log(out / LOG, run.step, sums, began)
                sums.clear()
            if run.step % KEEP_EVERY == 0:
                run.keep(out / CHECKPOINT)
            if on_step is not None:
                on_step(run.step, recipe.steps)
            if run.step >= until or _is_late(began, max_minutes):
                break
    run.keep(out / CHECKPOINT)
    return save_network(run.average, out, {"recipe": json.dumps(asdict(recipe)), "steps": str(run.step)})


class _Run:
    """Network, average, optimiser and step."""

    def __init__(self, recipe: ParserRecipe, device: str, start: Path | None = None) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.step = recipe, device, 0
        self.phases = [(side, round(until * recipe.steps)) for side, until in recipe.sides]
        network = ParserNetwork() if start is None else deepcopy(load_network(start))
        self.network = network.requires_grad_().to(device, memory_format=torch.channels_last)
        self.average = deepcopy(self.network).eval()
        if recipe.decoder_only:
            self.network.stem.requires_grad_(False)
            self.network.down.requires_grad_(False)
        learned = [p for p in self.network.parameters() if p.requires_grad]
        decayed = [p for p in learned if p.ndim > 1]
        others = [p for p in learned if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": recipe.decay}, {"params": others, "weight_decay": 0.0}], lr=recipe.rate
        )

    def learn(self, batch: list[torch.Tensor]) -> dict[str, float]:
        """One step on a batch of examples; returns its losses."""
        inputs, classes, share, clicked = (part.to(self.device) for part in batch)
        self._set_rate()
        self.network.train(not self.recipe.decoder_only)
        with torch.autocast(self.device, torch.bfloat16):
            logits, clicked_logits = self.network(inputs.contiguous(memory_format=torch.channels_last))
        losses = parser_loss(logits, clicked_logits, classes, share, clicked)
        self.optimiser.zero_grad()
        losses["total"].backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        self._follow()
        return {name: float(value.detach()) for name, value in losses.items()}

    def _set_rate(self) -> None:
        done, warm = self.step / self.recipe.steps, self.recipe.warm_up
        factor = done / warm if done < warm else 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * max(factor, 1e-3)

    @torch.no_grad()
    def _follow(self) -> None:
        """The average of weights, and of the statistics of normalisation."""
        old = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.state_dict().values(), self.network.state_dict().values())
        for average, now in pairs:
            if average.dtype.is_floating_point:
                average.lerp_(now, 1 - old)
            else:
                average.copy_(now)

    def label(self, portraits: Sequence[Path], folder: Path) -> Photos:
        """Label portraits with the network as it is; a run that goes on labels them as before."""
        folder.mkdir(exist_ok=True)
        weights = folder / FILE
        if not weights.is_file():
            save_network(self.average, folder, {})
        return _apart(label_portraits, list(portraits), weights)

    def keep(self, path: Path) -> None:
        """Write a checkpoint."""
        temporary = path.with_name(f".{path.name}")
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser")}
        torch.save({**parts, "step": self.step, "recipe": asdict(self.recipe)}, temporary)
        temporary.replace(path)

    def resume(self, there: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint holds."""
        for name in ("network", "average", "optimiser"):
            getattr(self, name).load_state_dict(there[name])
        self.step = there["step"]


def _apart(make: Callable[..., Photos], *arguments: Any) -> Photos:
    """Photos made in a process of their own: MediaPipe's threads would not survive the forks that make examples."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(make, *arguments).result()


def _checkpoint(path: Path, recipe: ParserRecipe) -> Mapping[str, Any] | None:
    """What a run left there; ``None`` where there was none.

    Raises:
        InvalidRequest: it was of another recipe; the sentence has the settings that differ.
    """
    if not path.is_file():
        return None
    there = torch.load(path, map_location="cpu", weights_only=True)
    if changed := differences(there["recipe"], asdict(recipe)):
        raise InvalidRequest(
            f"{path.parent} was trained by another recipe ({'; '.join(changed)}): take that recipe again, or give "
            f"another --out and, to go on from its weights, --from {path.parent / FILE}."
        )
    return there


def _is_late(began: float, max_minutes: float | None) -> bool:
    return max_minutes is not None and time.monotonic() - began > 60 * max_minutes


def _log(path: Path, step: int, losses: dict[str, float], began: float) -> None:
    line = {"step": step, "minutes": round((time.monotonic() - began) / 60, 2)}
    with path.open("a") as file:
        file.write(json.dumps({**line, **{name: round(value, 4) for name, value in losses.items()}}) + "\n")

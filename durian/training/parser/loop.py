"""Training loop of the parser, from photos to a file of weights."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from durian.errors import InvalidRequest
from durian.media.files import atomic_output
from durian.segmentation.drawn import DrawnMask
from durian.segmentation.parser.network import ParserNetwork
from durian.segmentation.parser.running import load_network, save_network
from durian.segmentation.parser.weights import FILE
from durian.training.parser.drawn import drawn_photos
from durian.training.parser.examples import Examples
from durian.training.parser.imagenet import imagenet_file, load_imagenet
from durian.training.parser.losses import class_losses, click_losses
from durian.training.parser.photos import Photos, prepare_photos
from durian.training.parser.portraits import label_portraits
from durian.training.parser.rounds import rounds_of_clicks
from durian.training.run.checkpoints import differences

CHECKPOINT, LOG, TEACHER = "parser.pt", "parser.jsonl", "teacher"
"""What a run leaves in its folder besides the weights: the state to go on from, losses, and the weights that labelled
the portraits."""
REPORT_EVERY, KEEP_EVERY = 50, 500
"""Steps."""


@dataclass(frozen=True)
class ParserRecipe:
    """Everything that decides the outcome. First the classes are learned, then, with what sees them held still, clicks.

    Attributes:
        seed: of photos, examples and first weights.
        shards: of photos to learn from (:data:`durian.training.parser.photos.PEOPLE` people each).
        steps: of the optimiser, for the classes.
        click_steps: the same for the clicks.
        batch: examples of a step.
        side: pixels of examples.
        rate: largest learning rate (AdamW); it rises for ``warm_up`` of the steps of either kind and falls as a cosine.
        decay: weight decay.
        average: of the weights that are kept: share of the old average after each step, less at the beginning.
        real_from: share of the steps after which real portraits are among the examples, if there are any; by then the
            network is good enough to label them.
        real_share: how many of the examples they are.
        loaders: processes that make examples; the examples follow from their number too.
        encoder_rate: learning rate of the encoder, which has seen a million pictures, as a share of ``rate``. Its
            statistics of normalisation stay: a step's few examples would give it others each time.
    """

    seed: int = 0
    shards: int = 100
    steps: int = 12_000
    click_steps: int = 6_000
    batch: int = 8
    side: int = 256
    rate: float = 1.5e-3
    warm_up: float = 0.04
    decay: float = 1e-4
    average: float = 0.998
    real_from: float = 0.6
    real_share: float = 0.15
    loaders: int = 2
    encoder_rate: float = 0.3


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
        start: a parser's file to begin with instead of ImageNet's weights.
        on_step: called with (steps done, in all).
        on_shard: called with (shards rendered, missing ones in all).

    Raises:
        WeightsMissing: photos must be rendered and there is no head model; or ImageNet's weights are not installed.
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
    losses: dict[str, list[float]] = defaultdict(list)
    real, real_from = None, round(recipe.real_from * recipe.steps) if portraits else run.steps
    if drawn:
        real, real_from = _in_own_process(drawn_photos, list(drawn)), 0
    while run.step < run.steps and not _is_late(began, max_minutes):
        if run.step >= real_from and real is None:
            real = run.label(portraits, out / TEACHER)
        until = min(step for step in (real_from, recipe.steps, run.steps) if run.step < step)
        clicked = run.step >= recipe.steps
        if clicked:
            run.hold_classes()
        examples = Examples(shards, recipe.side, recipe.seed, run.step, real, recipe.real_share, clicked)
        for batch in DataLoader(examples, recipe.batch, num_workers=recipe.loaders, drop_last=True):
            for name, value in run.learn(batch).items():
                losses[name].append(value)
            if run.step % REPORT_EVERY == 0:
                _log(out / LOG, run.step, {name: fmean(values) for name, values in losses.items()}, began)
                losses.clear()
            if run.step % KEEP_EVERY == 0:
                run.keep(out / CHECKPOINT)
            if on_step is not None:
                on_step(run.step, run.steps)
            if run.step >= until or _is_late(began, max_minutes):
                break
    run.keep(out / CHECKPOINT)
    return save_network(run.average, out, {"recipe": json.dumps(asdict(recipe)), "steps": str(run.step)})


class _Run:
    """Network, average, optimiser and step."""

    def __init__(self, recipe: ParserRecipe, device: str, start: Path | None = None) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.step = recipe, device, 0
        self.steps = recipe.steps + recipe.click_steps
        network = _first_network(start)
        self.network = network.requires_grad_().to(device, memory_format=torch.channels_last)
        self.average = deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(self._groups(), lr=recipe.rate)

    def _groups(self) -> list[dict[str, Any]]:
        """Parameters with their share of the rate and their decay, which only what multiplies has."""
        seen = {id(p) for p in self.network.encoder.parameters()}
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for p in self.network.parameters():
            share = self.recipe.encoder_rate if id(p) in seen else 1.0
            groups.setdefault((share, self.recipe.decay if p.ndim > 1 else 0.0), []).append(p)
        return [{"params": ps, "share": share, "weight_decay": decay} for (share, decay), ps in groups.items()]

    def learn(self, batch: list[torch.Tensor]) -> dict[str, float]:
        """One step on a batch of examples, of clicks once the classes are learned; returns its losses."""
        inputs, *rest = (part.to(self.device) for part in batch)
        self._set_rate()
        of_step = self._of_classes if self.step < self.recipe.steps else self._of_clicks
        losses = of_step(inputs.contiguous(memory_format=torch.channels_last), *rest)
        self.optimiser.zero_grad()
        sum(losses.values()).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        self._update_average()
        return {name: float(value.detach()) for name, value in losses.items()}

    def _of_classes(self, inputs: torch.Tensor, classes: torch.Tensor, share: torch.Tensor) -> dict[str, torch.Tensor]:
        self.network.train()
        self.network.encoder.eval()
        with torch.autocast(torch.device(self.device).type, torch.bfloat16):
            logits = self.network(inputs)
        return class_losses(logits, classes, share)

    def hold_classes(self) -> None:
        """What sees classes becomes its average and stays; the clicks' network is all that learns."""
        average = self.average.state_dict()
        seeing = {name: value for name, value in average.items() if not name.startswith("clicks.")}
        self.network.load_state_dict(seeing, strict=False)
        self.network.requires_grad_(False).eval()
        self.network.clicks.requires_grad_().train()

    def _of_clicks(
        self, inputs: torch.Tensor, drawn: torch.Tensor, before: torch.Tensor, clicked: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.recipe.seed, self.step])
        with torch.autocast(torch.device(self.device).type, torch.bfloat16):
            logits = rounds_of_clicks(self.network, inputs, drawn, before, clicked, rng)
        return click_losses(logits, clicked)

    def _set_rate(self) -> None:
        ended, warm = self.recipe.steps, self.recipe.warm_up
        done = self.step / ended if self.step < ended else (self.step - ended) / self.recipe.click_steps
        factor = done / warm if done < warm else 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * group["share"] * max(factor, 1e-3)

    @torch.no_grad()
    def _update_average(self) -> None:
        """Average the weights, and the statistics of normalisation."""
        done = self.step if self.step <= self.recipe.steps else self.step - self.recipe.steps
        old = min(self.recipe.average, (1 + done) / (10 + done))
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
        return _in_own_process(label_portraits, list(portraits), weights)

    def keep(self, path: Path) -> None:
        """Write a checkpoint."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser")}
        with atomic_output(path) as temporary:
            torch.save({**parts, "step": self.step, "recipe": asdict(self.recipe)}, temporary)

    def resume(self, there: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint holds."""
        for name in ("network", "average", "optimiser"):
            getattr(self, name).load_state_dict(there[name])
        self.step = there["step"]


def _first_network(start: Path | None) -> ParserNetwork:
    """A network to train: a parser's weights, or an encoder that knows ImageNet and the rest fresh."""
    if start is not None:
        return deepcopy(load_network(start))
    network = ParserNetwork()
    load_imagenet(network.encoder, imagenet_file())
    return network


def _in_own_process(make: Callable[..., Photos], *arguments: Any) -> Photos:
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

"""Stages of the parser's training: the classes, then the clicks with all that sees classes held still."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from durian.segmentation.parser.network import ParserNetwork
from durian.training.parser.losses import class_losses, click_losses
from durian.training.parser.recipe import CLASSES, CLICKS, ParserRecipe
from durian.training.parser.rounds import rounds_of_clicks
from durian.training.stages.stage import Batch, Stage


class ParserStage(Stage):
    """A stage around the network, which becomes its own; weight decay is only of what multiplies.

    Args:
        network: to train.
        recipe: says at which share of the rate the encoder learns.
    """

    def __init__(self, network: ParserNetwork, recipe: ParserRecipe) -> None:
        super().__init__({"network": network}, ("network",))
        self._encoder_rate = recipe.encoder_rate
        for part in self.held:
            part.requires_grad_(False)

    @property
    def network(self) -> ParserNetwork:
        """The network that trains."""
        return self.components["network"]

    @property
    @abstractmethod
    def held(self) -> list[nn.Module]:
        """Parts that do not train."""

    def groups(self) -> list[dict[str, Any]]:
        """See :meth:`Stage.groups`."""
        seeing = {id(weight) for weight in self.network.encoder.parameters()}
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for weight in self.trainable():
            groups.setdefault((id(weight) in seeing, weight.ndim > 1), []).append(weight)
        return [
            {
                "params": weights,
                "share": self._encoder_rate if sees else 1.0,
                **({} if multiplies else {"weight_decay": 0.0}),
            }
            for (sees, multiplies), weights in groups.items()
        ]


class ClassesStage(ParserStage):
    """The classes of ``inputs (B, 5, S, S)``, ``classes`` and ``share (B, S, S) uint8``; clicks learn nothing."""

    name = CLASSES

    @property
    def held(self) -> list[nn.Module]:
        return [self.network.clicks]

    def train(self, mode: bool = True) -> ClassesStage:
        """As usual, except that the encoder keeps its statistics."""
        super().train(mode)
        self.network.encoder.eval()
        return self

    def forward(self, batch: Batch, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """See :meth:`Stage.forward`; nothing is random, and ``step`` changes nothing."""
        logits = self.network(_laid_out(batch["inputs"]))
        return _with_total(class_losses(logits, batch["classes"], batch["share"]))


class ClicksStage(ParserStage):
    """Clicks on ``inputs (B, 5, S, S)``: ``drawn (B, 2, S, S)`` first ones, ``(B, S, S)`` masks ``before`` them, and
    ``clicked`` ones that are meant; what sees classes stays as it is."""

    name = CLICKS

    @property
    def held(self) -> list[nn.Module]:
        return [part for name, part in self.network.named_children() if name != "clicks"]

    def train(self, mode: bool = True) -> ClicksStage:
        """As usual, except that what does not train stays in eval mode."""
        super().train(mode)
        for part in self.held:
            part.eval()
        return self

    def forward(self, batch: Batch, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """See :meth:`Stage.forward`; ``step`` changes nothing."""
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        drawn, before, clicked = (batch[name] for name in ("drawn", "before", "clicked"))
        logits = rounds_of_clicks(self.network, _laid_out(batch["inputs"]), drawn, before, clicked, rng)
        return _with_total(click_losses(logits, clicked))


STAGES: dict[str, type[ParserStage]] = {stage.name: stage for stage in (ClassesStage, ClicksStage)}


def _laid_out(inputs: Tensor) -> Tensor:
    return inputs.contiguous(memory_format=torch.channels_last)


def _with_total(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"total": sum(losses.values())} | {name: value.detach() for name, value in losses.items()}

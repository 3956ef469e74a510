"""The interface of a training stage: one module whose forward pass is the loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from durian.diffusion.pipeline import DurianPipeline

Batch = Mapping[str, Any]
"""What a stage learns from. Of the paper's model: pictures of :data:`durian.training.data.sample.PICTURES` as
``(B, ...) uint8`` tensors on the stage's device, and lists: ``category``, ``has_truth`` and ``clip``."""


class Stage(nn.Module, ABC):
    """A part of a training, around a model's components; they are trained in place.

    Parameters that do not train have no ``requires_grad`` and their modules stay in eval mode. All that is random comes
    from the generator, so that a step can be repeated, and nothing is kept from one step to the next but buffers.

    Attributes:
        name: of the recipe's stage.

    Args:
        components: untrained, or as the stage before left them. They become the stage's own.
        trained: names of those of which something trains.
    """

    name: str

    def __init__(self, components: Mapping[str, nn.Module], trained: tuple[str, ...]) -> None:
        super().__init__()
        self._trained = trained
        self.components = nn.ModuleDict(components)
        for name, part in self.components.items():
            part.requires_grad_(name in trained)

    @abstractmethod
    def forward(self, batch: Batch, generator: torch.Generator, step: int) -> dict[str, Tensor]:
        """Losses of a batch: scalars, means over its samples, so that batches of equal size can be accumulated.

        Args:
            batch: see :data:`Batch`.
            generator: on the CPU, seeded anew for every batch.
            step: optimiser steps that were made before.

        Returns:
            ``total``, which is minimised, and its parts, detached, for people.
        """

    def averaged_modules(self) -> dict[str, nn.Module]:
        """Components, by their names, whose weights train: an average of weights follows these."""
        return {name: self.components[name] for name in self._trained}

    def trainable(self) -> list[nn.Parameter]:
        """The parameters for the optimiser; besides :meth:`averaged_modules` perhaps helpers such as a
        discriminator."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def groups(self) -> list[dict[str, Any]]:
        """:meth:`trainable` for the optimiser, as torch's parameter groups: ``params``, and where it differs
        ``weight_decay`` and ``share``, that of the recipe's rate which they learn at."""
        return [{"params": self.trainable()}]

    def train(self, mode: bool = True) -> Stage:
        """As usual, except that what does not train stays in eval mode."""
        super().train(mode)
        for name, part in self.components.items():
            part.train(mode and name in self._trained)
        return self


class PipelineStage(Stage):
    """A stage of the paper's model: ``autoencoder``, ``image`` or ``temporal``.

    Args:
        pipeline: untrained, or as the stage before left it. Its components become the stage's own.
        trained: names of the components of which something trains.
    """

    def __init__(self, pipeline: DurianPipeline, trained: tuple[str, ...]) -> None:
        parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
        super().__init__(parts, trained)
        self._pipeline = pipeline

    def pipeline(self, trained_steps: int, training: dict[str, Any] | None = None) -> DurianPipeline:
        """The pipeline around the weights as they are now, to sample from or to save; put averaged ones in before.

        Args:
            trained_steps: optimiser steps behind the weights, over all stages; 0 marks weights nobody should use.
            training: how they were trained, for people.
        """
        self._pipeline.register_to_config(trained_steps=trained_steps, training=training)
        return self._pipeline

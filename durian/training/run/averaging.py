"""Moving average of the weights, which is validated, kept and sampled from in place of the last step's weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch.nn.modules.batchnorm import _BatchNorm

from durian.training.stages.stage import Stage


class Average:
    """An exponential moving average of a stage's :meth:`~durian.training.stages.stage.Stage.averaged_modules`.

    After step n the old average counts ``min(decay, n / (n + 9))``, nothing at first: diffusers' ``EMAModel``. The
    running statistics of batch normalisation are averaged as weights are: those of the last step go with its weights.

    Args:
        stage: on its device.
        decay: in [0, 1); 0 follows the weights.
    """

    def __init__(self, stage: Stage, decay: float) -> None:
        modules = stage.averaged_modules().values()
        self._weights = [p for module in modules for p in module.parameters() if p.requires_grad]
        self._average = EMAModel(self._weights, decay=decay, foreach=True)
        layers = [part for module in modules for part in module.modules() if isinstance(part, _BatchNorm)]
        self._statistics = [values for layer in layers for values in (layer.running_mean, layer.running_var)]
        self._average_statistics = [values.clone() for values in self._statistics]

    def follow(self) -> None:
        """Take in the weights as they are after a step."""
        self._average.step(self._weights)
        for average, now in zip(self._average_statistics, self._statistics):
            average.lerp_(now, 1 - self._average.cur_decay_value)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Within, the stage's weights are the average; after it, to the bit what they were."""
        # Beside each other on the device: EMAModel's own store would carry them to the host and back.
        shown = [*self._weights, *self._statistics]
        before = [values.detach().clone() for values in shown]
        with torch.no_grad():
            torch._foreach_copy_(shown, [*self._average.shadow_params, *self._average_statistics])
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(shown, before)

    def state_dict(self) -> dict[str, Any]:
        return {**self._average.state_dict(), "statistics": self._average_statistics}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._average.load_state_dict(state)
        device = self._weights[0].device
        self._average.to(device)
        self._average_statistics = [values.to(device) for values in state.get("statistics", [])]

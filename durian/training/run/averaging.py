"""Moving average of the weights, which is validated, kept and sampled from in place of the last step's weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers.training_utils import EMAModel

from durian.training.stages.stage import Stage


class Average:
    """An exponential moving average of a stage's :meth:`~durian.training.stages.stage.Stage.averaged_modules`.

    After step n the old average counts ``min(decay, n / (n + 9))``, nothing at first: diffusers' ``EMAModel``.

    Args:
        stage: on its device.
        decay: in [0, 1); 0 follows the weights.
    """

    def __init__(self, stage: Stage, decay: float) -> None:
        modules = stage.averaged_modules().values()
        self._weights = [p for module in modules for p in module.parameters() if p.requires_grad]
        self._average = EMAModel(self._weights, decay=decay, foreach=True)

    def follow(self) -> None:
        """Take in the weights as they are after a step."""
        self._average.step(self._weights)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Within, the stage's weights are the average; after it, to the bit what they were."""
        # Beside each other on the device: EMAModel's own store would carry them to the host and back.
        before = [weight.detach().clone() for weight in self._weights]
        self._average.copy_to(self._weights)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self._weights, before)

    def state_dict(self) -> dict[str, object]:
        return self._average.state_dict()

    def load_state_dict(self, state: dict[str, object]) -> None:
        self._average.load_state_dict(state)
        self._average.to(self._weights[0].device)

"""Speed of a training: steps, the wait for data, and the share of the chip's peak that is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

PEAK_FLOPS = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "A6000": 155e12,
    "4090": 165e12,
}
"""Of chips by what their names contain: FLOP a second in bfloat16 without sparsity, as NVIDIA's data sheets say."""


class Speed:
    """Time between reports, and the share of it in which nothing could be done for want of data.

    Args:
        clock: seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.longest_step = 0.0
        self._restart()

    def _restart(self) -> None:
        self._since, self._waited, self._paused, self._samples, self._flop = self._clock(), 0.0, 0.0, 0, 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around whatever waits for samples."""
        before = self._clock()
        yield
        self._waited += self._clock() - before

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """Around what is no training: checkpoints, validation."""
        before = self._clock()
        yield
        self._paused += self._clock() - before

    @contextmanager
    def step(self, samples: int, flop: float) -> Iterator[None]:
        """Around a step, waiting included.

        Args:
            samples: of this step, over all devices.
            flop: floating-point operations of this device.
        """
        before = self._clock()
        yield
        self._samples += samples
        self._flop += flop
        # The first steps compile; how long they took is forgotten within some twenty.
        self.longest_step = max(0.9 * self.longest_step, self._clock() - before)

    def report(self, peak: float | None = None) -> dict[str, float]:
        """``samples_per_second``, ``waiting_share`` and, with a chip's peak, ``utilisation``, since the last report."""
        seconds = max(self._clock() - self._since - self._paused, 1e-9)
        values = {"samples_per_second": self._samples / seconds, "waiting_share": self._waited / seconds}
        if peak and self._flop:
            values["utilisation"] = self._flop / seconds / peak
        self._restart()
        return values


def peak_flops(device: torch.device) -> float | None:
    """The chip's entry in :data:`PEAK_FLOPS`; ``None`` for one that is not there, and for CPUs."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in PEAK_FLOPS.items() if all(word in name for word in part.split())), None)


@contextmanager
def counted_flop() -> Iterator[Callable[[], float]]:
    """Counts the floating-point operations of matrix products and convolutions, uncompiled.

    What gradient checkpointing computes twice counts twice, and so does utilisation.
    """
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.compiler.set_stance("force_eager"), counter:
        yield counter.get_total_flops

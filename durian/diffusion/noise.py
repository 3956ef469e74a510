"""Noise of each frame: from a seed and the frame's number, or from torch generators that a caller brings.

Randomness belongs to frames: neither the number of frames, nor windows, nor how many of them run together change what
a frame starts from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from durian.errors import InvalidRequest

INITIAL_NOISE, STEP_NOISE = 0, 1
"""Streams of random numbers of a frame. Were they one, the first noise LCM adds would be what sampling began from."""


def frame_generators(seed: int, frames: int, stream: int = STEP_NOISE) -> list[torch.Generator]:
    """One CPU generator per frame; frame f's depends on the seed (0 or more), f and the stream alone.

    Seeds are hashed, so that frame 1 of seed 0 is not frame 0 of seed 1. CPU generators give the same numbers on
    every device.
    """
    seeds = (np.random.SeedSequence([seed, frame, stream]).generate_state(1)[0] for frame in range(frames))
    return [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def initial_noise(
    shape_of_one: tuple[int, int, int],
    frames: int,
    seed: int,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Standard normal noise ``(F, C, h, w)`` of a seed, for frames of ``shape_of_one = (C, h, w)``."""
    return drawn_noise(shape_of_one, frame_generators(seed, frames, INITIAL_NOISE)).to(device, dtype)


def drawn_noise(shape_of_one: tuple[int, int, int], generators: Sequence[torch.Generator]) -> Tensor:
    """Standard normal noise ``(F, C, h, w)``, each frame's from its own generator and on that one's device.

    It is drawn in float32, so that half precision starts from the same noise.
    """
    device = generators[0].device
    return randn_tensor((len(generators), *shape_of_one), generator=list(generators), device=device)


def noise_streams(
    generator: torch.Generator | Sequence[torch.Generator] | None, seed: int, frames: int
) -> tuple[list[torch.Generator], list[torch.Generator]]:
    """For each frame the generator of its initial noise, and that of what a sampler adds between steps.

    Args:
        generator: one for the whole clip stands for a seed, see :func:`seed_of`. Of a sequence each frame has its own,
            for both. ``None`` takes ``seed``.
        seed: 0 or more.
        frames: F.

    Raises:
        InvalidRequest: a sequence of another length than F.
    """
    if generator is None or isinstance(generator, torch.Generator):
        seed = seed if generator is None else seed_of(generator)
        return frame_generators(seed, frames, INITIAL_NOISE), frame_generators(seed, frames)
    if len(generator) != frames:
        raise InvalidRequest(
            f"{len(generator)} generators were given for {frames} frames: give one, or one for each frame."
        )
    return list(generator), list(generator)


def seed_of(generator: torch.Generator) -> int:
    """The seed that a generator stands for: its own as long as nothing was drawn from it, then the next number of it.

    So ``torch.Generator().manual_seed(5)`` gives the frames of seed 5, and used a second time gives others. One number
    is drawn from it.
    """
    first = generator.initial_seed()
    fresh = torch.Generator(generator.device).manual_seed(first)
    is_fresh = torch.equal(generator.get_state(), fresh.get_state())
    drawn = torch.randint(2**63 - 1, (), generator=generator, device=generator.device)
    return first if is_fresh else int(drawn)

"""Between pictures and what the networks of a pipeline see: the half of ``DurianPipeline`` that no sampling is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from durian.diffusion.checks import check_decode_chunk_size
from durian.diffusion.detail import at_size, keep_detail
from durian.diffusion.latents import decode, encode, latent_factor
from durian.diffusion.output import as_frames

if TYPE_CHECKING:
    from diffusers import AutoencoderTiny

    from durian.diffusion.denoiser import Denoiser
    from durian.diffusion.guider import KeypointGuider
    from durian.diffusion.latents import Autoencoder

GUIDER_BATCH = 8
"""Keypoint images that go through the guider together."""
ENCODED_TOGETHER = 16
"""Pictures that go through the autoencoder together; bounds memory where there are many."""


class CodingPipeline(DiffusionPipeline):
    """Pictures to latents and features, and latents to pictures. Its components are those of ``DurianPipeline``."""

    vae: Autoencoder
    tiny_vae: AutoencoderTiny | None
    denoiser: Denoiser
    guider: KeypointGuider

    @property
    def begins_with_drafts(self) -> bool:
        """Whether a call needs a draft of each frame."""
        return self.denoiser.config.draft_channels > 0

    def encoded(self, pictures: np.ndarray | Tensor) -> Tensor:
        """Latents ``(N, C, h, w)`` of pictures ``(N, S, S, 3) uint8``, some at a time."""
        chunks = [pictures[first : first + ENCODED_TOGETHER] for first in range(0, len(pictures), ENCODED_TOGETHER)]
        return torch.cat([encode(self.vae, self.pixels(chunk) * 2 - 1) for chunk in chunks])

    def decode_latents(
        self, latents: Tensor, decode_chunk_size: int = 4, draft: np.ndarray | None = None
    ) -> Iterator[np.ndarray]:
        """Frames one after another, of the latents of a call. Offloaded models leave the accelerator after the last.

        Args:
            latents: ``(1, C, F, h, w)``, what a call of output type ``"latent"`` gives.
            decode_chunk_size: how many go through the decoder together; does not change the frames.
            draft: ``(F, P, P, 3) uint8`` that they began with, P at least S: their detail is kept where nothing was
                changed (:func:`~durian.diffusion.detail.keep_detail`).

        Yields:
            ``(S, S, 3) uint8``; with drafts ``(P, P, 3)``.

        Raises:
            InvalidRequest: chunks of less than one frame.
        """
        check_decode_chunk_size(decode_chunk_size)
        try:
            frames = decode(self.vae, as_frames(latents), decode_chunk_size)
            if draft is None:
                yield from frames
                return
            with torch.no_grad():
                rough = self.encoded(at_size(draft, self.config.size))
            for frame, of_draft, whole in zip(frames, decode(self.vae, rough, decode_chunk_size), draft, strict=True):
                yield keep_detail(frame, of_draft, whole)
        finally:
            self.maybe_free_model_hooks()

    def preview(self, estimate: Tensor, frames: Sequence[int]) -> list[np.ndarray]:
        """Decode some frames of a step's estimate, by the tiny decoder where there is one.

        Args:
            estimate: ``(1, C, F, h, w)``, the tensor input of that name of ``callback_on_step_end``.
            frames: their numbers.
        """
        vae = self.tiny_vae if self.tiny_vae is not None else self.vae
        return list(decode(vae, as_frames(estimate)[list(frames)], len(frames)))

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """``(C, h, w)`` of one frame."""
        side = self.config.size // latent_factor(self.vae)
        return self.denoiser.config.latent_channels, side, side

    def guide(self, keypoints: np.ndarray, window: int) -> Tensor:
        """The guider's features of all frames ``(F, C, h, w)``, run once.

        A clip of more than one window keeps them on the host, since they are larger than the latents.
        """
        device = self._execution_device
        home = device if len(keypoints) <= window else torch.device("cpu")
        chunks = [
            self.guider(self.pixels(torch.from_numpy(np.array(chunk)).to(device))).to(home)
            for chunk in np.split(keypoints, range(GUIDER_BATCH, len(keypoints), GUIDER_BATCH))
        ]
        return torch.cat(chunks)

    def pixels(self, pictures: np.ndarray | Tensor) -> Tensor:
        """``(N, S, S, C) uint8`` as ``(N, C, S, S)`` in [0, 1], in the model's dtype; arrays come on to the device."""
        (there,) = self.on_device(pictures)
        return there.permute(0, 3, 1, 2).to(self.denoiser.dtype) / 255

    def on_device(self, *pictures: np.ndarray | Tensor) -> list[Tensor]:
        """Arrays as tensors on the device; tensors stay on theirs.

        For the device diffusers looks through all modules, which takes longer than a step of a small model's training:
        it is asked once for all pictures, and not where there are no arrays.
        """
        device = self._execution_device if any(isinstance(one, np.ndarray) for one in pictures) else None
        # Copies, since arrays may be shared and not to be written to.
        return [one if isinstance(one, Tensor) else torch.from_numpy(np.array(one)).to(device) for one in pictures]

"""One sampling step's prediction: from noisy latents of some windows to the guided output of the denoiser."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from durian.diffusion.conditioning import Conditioner, SemanticTokens, stacked
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.encoded_references import EncodedReferences
from durian.diffusion.sampling import guided


@dataclass(frozen=True)
class Prediction:
    """The denoiser's guided prediction, with all inputs that stay the same over the steps of one clip.

    ``guidance``: the guider's features of all frames ``(F, C, h, w)``, on any device. ``blend``: α ``(F,)``, or
    ``None``. ``in_one_batch``: run guidance's unconditional rows with the others.
    ``draft``: latents of all frames' drafts ``(F, C, h, w)``, which the unconditional rows see too, or ``None``.
    ``signal``: ``√ᾱ`` of every timestep where the denoiser's input is scaled by it, or ``None``.
    """

    denoiser: Denoiser
    conditioner: Conditioner
    encoded: EncodedReferences
    guidance: Tensor
    blend: np.ndarray | None
    in_one_batch: bool
    draft: Tensor | None = None
    signal: Tensor | None = None

    def __call__(self, latents: Tensor, timestep: Tensor, windows: list[np.ndarray], scale: float) -> Tensor:
        """The denoiser's output for ``W`` windows: ``(W·Fw, C, h, w)`` in and out, guided.

        A scale of 1 leaves the unconditional rows out.
        """
        rows, frames = len(windows), len(windows[0])
        indices = np.concatenate(windows)
        guidance = self.guidance[indices].to(latents.device)
        blend = None if self.blend is None else torch.from_numpy(self.blend[indices]).to(latents.device)
        draft = None if self.draft is None else self.draft[indices].to(latents)
        seen = self._tokens(rows, frames, blend)
        references = replace(self.encoded.projected, blend=blend)
        if self.signal is not None:
            latents = latents * float(self.signal[int(timestep)])
        denoiser, timestep = self.denoiser, timestep.to(latents.device)
        shared = {"frames": frames, "guidance": guidance, "draft": draft}
        if scale == 1:
            return denoiser(latents, timestep, seen, references=references, **shared)
        null = self.conditioner.denoiser_tokens([], None).expanded(seen.tokens.shape[0])
        if self.in_one_batch:
            output = denoiser(
                torch.cat([latents, latents]),
                timestep,
                stacked(null, seen),
                frames=frames,
                references=replace(references, unseen=len(latents)),
                guidance=torch.cat([guidance, guidance]),
                draft=None if draft is None else torch.cat([draft, draft]),
            )
            unconditional, conditional = output.chunk(2)
            return guided(unconditional, conditional, scale)
        unconditional = denoiser(latents, timestep, null, **shared)
        conditional = denoiser(latents, timestep, seen, references=references, **shared)
        return guided(unconditional, conditional, scale)

    def _tokens(self, rows: int, frames: int, blend: Tensor | None) -> SemanticTokens:
        """Semantic tokens of the conditional rows, ``(rows, T, D)``; ``(rows · frames, T, D)`` with a blend."""
        encoded = self.encoded
        if blend is None:
            tokens = self.conditioner.denoiser_tokens(
                list(encoded.attributes), encoded.portrait, list(encoded.log_weights) or None
            )
            return tokens.expanded(rows)
        first, second = encoded.attributes
        mixed = torch.lerp(first, second, blend[:, None, None].to(first))
        return self.conditioner.denoiser_tokens([mixed], encoded.portrait)

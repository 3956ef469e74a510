"""Feed-forward layers of transformer blocks, a part of the tokens at a time."""

from __future__ import annotations

import torch
from diffusers.models.attention import BasicTransformerBlock, FeedForward
from torch import Tensor, nn

CHUNK_BYTES = {"cpu": 4 << 20, "cuda": 128 << 20}
"""Size of the widest tensor in between, which is eight times as wide as the tokens.

Measured: on a CPU 4 MB stay in the cache, and tensors above 32 MB cost twice the time, since glibc gives their memory
back to the system each time. On a GPU 128 MB keep it busy, and all tokens at once would be the peak of a step's memory.
"""


class ChunkedFeedForward(nn.Module):
    """diffusers' feed-forward layer, around the same parameters. Tokens do not see each other in it."""

    def __init__(self, plain: FeedForward) -> None:
        super().__init__()
        self.net = plain.net

    def forward(self, tokens: Tensor) -> Tensor:
        """``(…, C)`` in and out; all at once where gradients are wanted, which would keep every chunk anyway."""
        flat = tokens.reshape(-1, tokens.shape[-1])
        width = self.net[0].proj.out_features * tokens.element_size()
        rows = max(1, CHUNK_BYTES.get(tokens.device.type, CHUNK_BYTES["cuda"]) // width)
        if torch.is_grad_enabled() or len(flat) <= rows:
            return self._run(tokens)
        return torch.cat([self._run(part) for part in flat.split(rows)]).reshape(tokens.shape)

    def _run(self, tokens: Tensor) -> Tensor:
        for layer in self.net:
            tokens = layer(tokens)
        return tokens


def chunk_feed_forward(block: BasicTransformerBlock) -> None:
    """Put a :class:`ChunkedFeedForward` in the place of a block's layer."""
    block.ff = ChunkedFeedForward(block.ff)

"""Attention maps: they sum to one, and times V they give the layer's output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusion_made import attribute, half_mask, picture, tiny_pipeline

from durian.diffusion.attention_maps import attention_maps, token_weights
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.spatial import join_heads, project, spatial_blocks
from durian.errors import InvalidRequest

POINTS = [(0.0, 0.0), (9.5, 20.0), (31.9, 31.9)]
TOKENS = [0, 2 * 4 + 1, 15]
"""Of the points, in 4 x 4 tokens of 8 pixels."""
LATENTS = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(1))


def made(blend: bool = False, drop: bool = True, **strength: float) -> DurianPipeline:
    pipeline = tiny_pipeline(drop_outside_masks=drop)
    worn = [replace(attribute(2), **strength), attribute(3)]
    pipeline.set_references(picture(1), half_mask(), worn, blend=blend, portrait_keypoints=picture(51))
    return pipeline


@torch.no_grad()
@pytest.mark.parametrize("alpha", [None, 0.3])
@pytest.mark.parametrize("drop", [False, True])
def test_weights_times_values_are_what_the_layer_puts_out(alpha, drop):
    pipeline = made(alpha is not None, drop, strength=0.4)
    layer = spatial_blocks(pipeline.denoiser.unet)[-1].attn1
    seen = []
    hook = layer.register_forward_hook(lambda _, args, out: seen.append((args[0][0], out[0])))
    maps = attention_maps(pipeline, picture(4), LATENTS, 500, POINTS, alpha=alpha)
    hook.remove()
    ((hidden, out),) = seen
    parts = pipeline.encoded_references.parts
    last = len(spatial_blocks(pipeline.denoiser.unet)) - 1
    weights = token_weights(layer, hidden, TOKENS, parts, last, alpha)
    tokens = torch.cat([hidden, *(part.features[last][0] for part in parts)])
    _, value = project(layer, tokens[None])
    assert torch.allclose(layer.to_out[0](join_heads(weights[None] @ value))[0], out[TOKENS], atol=1e-5)
    for point, of_point, found in zip(POINTS, weights.mean(0), maps):
        assert found.point == point
        shown = np.concatenate([part.ravel() for part in (found.own, found.portrait, *found.attributes)])
        assert np.allclose(shown, of_point.numpy(), atol=1e-6)
        assert sum(found.shares) == pytest.approx(1, abs=1e-5)


def test_what_lies_outside_a_mask_gets_nothing():
    found = attention_maps(made(), picture(4), LATENTS, 500, POINTS)[0]
    # The portrait's hole is its left half, and the attributes lie in the right halves of theirs.
    for part in (found.portrait, *found.attributes):
        assert part[:, :2].max() == 0 < part[:, 2:].min()


def test_less_strength_is_less_attention():
    """The weight multiplies what the attribute's tokens count among all, as ``w · exp(logit)`` has it."""
    whole = attention_maps(made(), picture(4), LATENTS, 500, POINTS, layer=0)
    half = attention_maps(made(strength=0.5), picture(4), LATENTS, 500, POINTS, layer=0)
    for one, other in zip(whole, half):
        # At the first layer nothing else has changed: hidden states do not yet know of the references.
        before = one.shares[2]
        assert other.shares[2] == pytest.approx(0.5 * before / (1 - 0.5 * before), abs=0.02)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"points": [(32.0, 1.0)]}, "outside the picture: give x and y from 0 to below 32."),
        ({"points": [(1.0, -0.1)]}, "outside the picture"),
        ({"layer": 7}, "no spatial attention layer 7: this model has 7."),
        ({"layer": -8}, "no spatial attention layer -8"),
        ({"keypoints": picture(4)[:16]}, "keypoint images are"),
        ({"alpha": 0.5}, "not set to blend"),
    ],
)
def test_what_does_not_fit_is_refused(options, sentence):
    given = {"keypoints": picture(4), "latents": LATENTS, "timestep": 500, "points": POINTS}
    with pytest.raises(InvalidRequest, match=sentence):
        attention_maps(made(), **(given | options))

"""Semantic tokens: pooled, weighed, hidden, dropped; each against its formula or the unpadded run."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusion_made import TOKEN_WIDTH, made_references, tiny_denoiser
from diffusion_plain import attention

from durian.diffusion.conditioning import Conditioner, SemanticTokens, stacked
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.reference_net import ReferenceFeatures
from durian.diffusion.references import References
from durian.diffusion.spatial import Context, spatial_blocks

EXACT = 1e-5


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    torch.manual_seed(0)
    return tiny_denoiser()


@pytest.fixture(scope="module")
def conditioner() -> Conditioner:
    torch.manual_seed(0)
    return Conditioner("pooled", TOKEN_WIDTH, 12, 12, tokens=2).eval()


def random_tensor(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def error(one: torch.Tensor, other: torch.Tensor) -> float:
    assert one.shape == other.shape
    return float((one - other).abs().max())


# Cross-attention


@torch.no_grad()
def test_weights_of_semantic_tokens_count_them(denoiser):
    layer = spatial_blocks(denoiser.unet)[0].attn2
    hidden, tokens = 2 * random_tensor(4, 6, 16), 2 * random_tensor(2, 3, TOKEN_WIDTH)
    counts = torch.tensor([[1.0, 0.3, 0.0], [0.5, 1.0, 2.0]])
    out = layer(hidden, encoder_hidden_states=tokens, context=Context(token_log_weight=counts.log()))
    # A row's two frames share its tokens.
    expected = torch.stack([attention(layer, frame, tokens[f // 2], counts[f // 2]) for f, frame in enumerate(hidden)])
    assert error(out, expected.float()) < EXACT
    assert error(out, layer(hidden, encoder_hidden_states=tokens)) > 1e-2


@torch.no_grad()
def test_rows_of_fewer_tokens_are_as_without_padding(denoiser):
    latents = random_tensor(5, 4, 4, 4)
    rows = [
        SemanticTokens(random_tensor(2, 2, TOKEN_WIDTH, seed=2)),
        SemanticTokens(random_tensor(2, 5, TOKEN_WIDTH, seed=3), random_tensor(2, 5, seed=4)),
        SemanticTokens(random_tensor(1, 1, TOKEN_WIDTH, seed=5)),
    ]
    together = denoiser(latents, 500, stacked(*rows))
    alone = [denoiser(part, 500, row) for part, row in zip(latents.split([2, 2, 1]), rows)]
    assert error(together, torch.cat(alone)) < EXACT


@torch.no_grad()
def test_an_attribute_of_half_strength_twice_is_one_attribute(denoiser, conditioner):
    portrait, attribute = random_tensor(1, 2, TOKEN_WIDTH), random_tensor(1, 2, TOKEN_WIDTH, seed=2)
    half = torch.tensor([0.5]).log()
    once = conditioner.denoiser_tokens([attribute], portrait)
    twice = conditioner.denoiser_tokens([attribute, attribute], portrait, [half, half])
    mixed = conditioner.denoiser_tokens([attribute, random_tensor(1, 2, TOKEN_WIDTH, seed=3)], portrait, [half, None])
    latents = random_tensor(1, 4, 4, 4)
    assert error(denoiser(latents, 500, once), denoiser(latents, 500, twice)) < EXACT
    assert error(denoiser(latents, 500, once), denoiser(latents, 500, mixed)) > 1e-3


# Pooled from the reference nets


@torch.no_grad()
def test_pooled_tokens_are_learned_queries_over_what_lies_inside_the_mask(conditioner):
    middle = random_tensor(2, 12, 2, 2)
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, 0, 0, 3] = 0.1  # touches the position at the top right alone
    found = conditioner.of_attribute(ReferenceFeatures((), middle, mask))
    pool = conditioner.attribute
    for sample, positions in ((0, [1]), (1, [0, 1, 2, 3])):  # an empty mask counts as all
        tokens = pool.norm(middle[sample].flatten(1).T[positions])
        key, value = pool.key_value(tokens).chunk(2, -1)
        weights = (pool.queries[0] @ key.T / TOKEN_WIDTH**0.5).softmax(-1)
        assert error(found[sample], pool.out(weights @ value)) < EXACT


@torch.no_grad()
def test_a_dropped_sample_is_an_unconditional_row(denoiser, conditioner):
    """Dropout takes a sample's tokens in spatial attention and its embedding together: what guidance subtracts."""
    drop = torch.tensor([True, False])
    hidden = torch.zeros(2).masked_fill(drop, -torch.inf)
    references = made_references(denoiser, 1, samples=2, masked=True)
    dropped = References(tuple(replace(part, log_weight=hidden) for part in references.parts))
    attribute, portrait = random_tensor(2, 2, TOKEN_WIDTH), random_tensor(2, 2, TOKEN_WIDTH, seed=2)
    tokens = conditioner.denoiser_tokens(
        [conditioner.dropped(attribute, drop, "attribute")], conditioner.dropped(portrait, drop, "portrait")
    )
    latents = random_tensor(2, 4, 4, 4)
    nothing = denoiser(latents[:1], 500, conditioner.denoiser_tokens([], None))
    both = conditioner.denoiser_tokens([attribute], portrait)
    everything = denoiser(latents, 500, both, references=references)
    for with_gradients in (False, True):
        with torch.set_grad_enabled(with_gradients):
            out = denoiser(latents, 500, tokens, references=dropped).detach()
        assert error(out, torch.cat([nothing, everything[1:]])) < EXACT
    assert error(nothing, everything[:1]) > 1e-3


# From embeddings


@torch.no_grad()
def test_clip_gives_one_token():
    torch.manual_seed(0)
    clip = Conditioner("clip", token_width=8)
    embedding = random_tensor(3, 8)
    assert torch.equal(clip.of_attribute(embedding), embedding[:, None])


@torch.no_grad()
def test_with_clip_the_denoiser_sees_attributes_and_no_portrait():
    conditioner = Conditioner("clip", token_width=8)
    first, second = random_tensor(2, 1, 8), random_tensor(2, 1, 8, seed=2)
    assert conditioner.of_portrait(None) is None
    assert torch.equal(conditioner.denoiser_tokens([first, second], None).tokens, torch.cat([first, second], 1))
    assert torch.equal(conditioner.denoiser_tokens([], None).tokens, conditioner.null_attribute)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'words' is not known: use clip or pooled"):
        Conditioner(kind="words")

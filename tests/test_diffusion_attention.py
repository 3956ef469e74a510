"""Spatial attention: the fast way and the differentiable way against the formula as printed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from diffusion_made import TOKEN_WIDTH, image_model, made_references, tiny_denoiser
from diffusion_plain import frame_by_frame, plain_denoiser

from durian.diffusion.conditioning import SemanticTokens
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.references import References
from durian.diffusion.spatial import Context, spatial_blocks

EXACT = 1e-5
"""Largest difference in float32 between two orders of the same sums, of outputs of about 1. The goal is 1e-4."""
PATHS = pytest.mark.parametrize("grad", [False, True], ids=["fast", "differentiable"])


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    torch.manual_seed(0)
    return tiny_denoiser()


def random_tensor(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def attend(denoiser: Denoiser, hidden: torch.Tensor, references: References, unseen: int = 0, layer: int = 0):
    """One spatial attention layer by Durian's processor."""
    projected = denoiser.project(references, unseen)
    return spatial_blocks(denoiser.unet)[layer].attn1(hidden, context=Context(projected))


def run(denoiser: Denoiser, references, rows: int, frames: int = 1, seed: int = 1, **others) -> torch.Tensor:
    """The whole denoiser on ``rows`` different latents of 4 x 4; semantic tokens are the same in all."""
    tokens = SemanticTokens(random_tensor(1, 3, TOKEN_WIDTH, seed=9).expand(rows // frames, -1, -1))
    return denoiser(
        random_tensor(rows, 4, 4, 4, seed=seed), 500, tokens, frames=frames, references=references, **others
    )


def error(one: torch.Tensor, other: torch.Tensor) -> float:
    assert one.shape == other.shape
    return float((one - other).detach().abs().max())


@PATHS
@pytest.mark.parametrize("masked", [False, True], ids=["all tokens", "masked"])
@pytest.mark.parametrize("weighted", [False, True], ids=["equal", "weighted"])
@pytest.mark.parametrize(
    ("attributes", "blended"), [(0, False), (1, False), (2, False), (2, True), (3, False), (3, True)]
)
def test_attention_is_the_printed_formula(denoiser, attributes, blended, weighted, masked, grad):
    layer = 3
    block = spatial_blocks(denoiser.unet)[layer].attn1
    for samples, frames, unconditional in itertools.product((1, 2), (1, 3), (False, True)):
        rows, unseen = samples * frames, frames * unconditional
        blend = torch.linspace(0, 1, rows + 2)[1:-1] if blended else None
        references = made_references(denoiser, attributes, samples, weighted, masked, blend)
        hidden = 2 * random_tensor(unseen + rows, 6, block.to_q.in_features)
        with torch.set_grad_enabled(grad):
            out = attend(denoiser, hidden, references, unseen, layer)
        expected = frame_by_frame(block, layer, hidden, references, unseen)
        assert error(out, expected) < EXACT, (samples, frames, unconditional)
        assert error(expected[unseen:], frame_by_frame(block, layer, hidden[unseen:], None)) > 0.05


@PATHS
@pytest.mark.parametrize("samples", [1, 2])
def test_the_whole_denoiser_is_the_plain_one(denoiser, grad, samples):
    frames, unseen = 2, 2
    for masked, blend in itertools.product((False, True), (None, torch.linspace(0.1, 0.8, samples * frames))):
        references = made_references(denoiser, 3, samples, weighted=True, masked=masked, blend=blend)
        rows = unseen + samples * frames
        with torch.set_grad_enabled(grad):
            out = run(denoiser, denoiser.project(references, unseen), rows, frames)
        expected = run(plain_denoiser(denoiser, references, unseen), None, rows, frames)
        assert error(out, expected) < EXACT


@PATHS
def test_the_order_of_attributes_does_not_matter(denoiser, grad):
    references = made_references(denoiser, 3, weighted=True, masked=True)
    portrait, *attributes = references.parts
    with torch.set_grad_enabled(grad):
        expected = run(denoiser, references, 2)
        for order in itertools.permutations(attributes):
            assert error(run(denoiser, References((portrait, *order)), 2), expected) < EXACT


@PATHS
def test_a_blend_of_0_or_1_is_one_attribute_alone(denoiser, grad):
    portrait, first, second = made_references(denoiser, 2, weighted=True, masked=True).parts
    with torch.set_grad_enabled(grad):
        blended = run(denoiser, References((portrait, first, second), torch.tensor([0.0, 1.0])), 2)
        only_first = run(denoiser, References((portrait, first)), 2)[:1]
        only_second = run(denoiser, References((portrait, second)), 2)[1:]
    assert error(blended, torch.cat([only_first, only_second])) < EXACT
    assert error(only_first, run(denoiser, References((portrait, second)), 2)[:1]) > 1e-3


@PATHS
def test_a_blend_per_frame_is_frames_run_one_by_one(grad):
    denoiser = image_model(tiny_denoiser())
    alphas = torch.tensor([0.0, 0.3, 1.0])
    references = made_references(denoiser, 3, masked=True, blend=alphas)
    latents = random_tensor(3, 4, 4, 4)
    tokens = SemanticTokens(random_tensor(1, 2, TOKEN_WIDTH))
    with torch.set_grad_enabled(grad):
        together = denoiser(latents, 500, tokens, frames=3, references=references)
        for frame, alpha in enumerate(alphas):
            alone = replace(references, blend=alpha[None])
            one = denoiser(latents[frame : frame + 1], 500, tokens, references=alone)
            assert error(together[frame : frame + 1], one) < EXACT


@PATHS
def test_every_row_of_a_guided_batch_is_that_row_alone(denoiser, grad):
    frames, samples = 3, 2
    references = made_references(denoiser, 2, samples, weighted=True, masked=True)
    latents = random_tensor(2 * samples * frames, 4, 4, 4)
    tokens = random_tensor(2 * samples, 2, TOKEN_WIDTH)
    timesteps = torch.tensor([900, 20, 400, 700])
    with torch.set_grad_enabled(grad):
        projected = denoiser.project(references, unseen=samples * frames)
        together = denoiser(latents, timesteps, SemanticTokens(tokens), frames=frames, references=projected)
        for row in range(2 * samples):
            of_row = slice(row * frames, (row + 1) * frames)
            seen = None if row < samples else sample_of(references, row - samples)
            one = SemanticTokens(tokens[row : row + 1])
            alone = denoiser(latents[of_row], timesteps[row], one, frames=frames, references=seen)
            assert error(together[of_row], alone) < EXACT


def sample_of(references: References, sample: int) -> References:
    one = slice(sample, sample + 1)
    return References(
        tuple(
            replace(
                part,
                features=tuple(tokens[one] for tokens in part.features),
                keep=None if part.keep is None else tuple(keep[one] for keep in part.keep),
                log_weight=None if part.log_weight is None else part.log_weight[one],
            )
            for part in references.parts
        )
    )


@PATHS
def test_unconditional_rows_do_not_change_with_the_references(denoiser, grad):
    with torch.set_grad_enabled(grad):
        one, other = (
            run(denoiser, denoiser.project(made_references(denoiser, 2, seed=seed), unseen=2), 4, frames=2)
            for seed in (0, 1)
        )
    assert torch.equal(one[:2], other[:2])
    assert error(one[2:], other[2:]) > 1e-3


@PATHS
def test_strength_0_is_no_attribute(denoiser, grad):
    portrait, first, second = made_references(denoiser, 2).parts
    gone = replace(second, log_weight=torch.tensor([-torch.inf]))
    with torch.set_grad_enabled(grad):
        without = run(denoiser, References((portrait, first)), 2)
        assert error(run(denoiser, References((portrait, first, gone)), 2), without) < EXACT
        assert error(run(denoiser, References((portrait, first, second)), 2), without) > 1e-3


@PATHS
def test_an_attribute_given_twice_at_half_strength_is_that_attribute_once(denoiser, grad):
    portrait, attribute = made_references(denoiser, 1).parts
    half = replace(attribute, log_weight=torch.tensor([0.5]).log())
    with torch.set_grad_enabled(grad):
        twice = run(denoiser, References((portrait, half, half)), 2)
        assert error(twice, run(denoiser, References((portrait, attribute)), 2)) < EXACT


@PATHS
def test_a_reference_that_is_masked_out_altogether_is_not_there(denoiser, grad):
    portrait, attribute = made_references(denoiser, 1).parts
    nothing = replace(attribute, keep=tuple(torch.zeros(x.shape[:2], dtype=torch.bool) for x in attribute.features))
    with torch.set_grad_enabled(grad):
        out = run(denoiser, References((portrait, nothing)), 2)
        assert error(out, run(denoiser, References((portrait,)), 2)) < EXACT
        out = run(denoiser, References((nothing, nothing)), 2)
        assert error(out, run(denoiser, None, 2)) < EXACT


@PATHS
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.05), (torch.float16, 0.01)])
def test_half_precision_is_close(denoiser, dtype, tolerance, grad):
    """Within 5 % of the largest output for bfloat16's 8 bits, 1 % for float16's 11."""
    references = made_references(denoiser, 2, weighted=True)
    layer = spatial_blocks(denoiser.unet)[0].attn1
    hidden = random_tensor(3, 6, layer.to_q.in_features)
    expected = frame_by_frame(layer, 0, hidden, references)
    half = tiny_denoiser().to(dtype)
    half.load_state_dict(denoiser.state_dict())
    with torch.set_grad_enabled(grad):
        out = attend(half, hidden.to(dtype), as_dtype(references, dtype))
    assert out.dtype == dtype
    assert error(out.float(), expected) < tolerance * float(expected.detach().abs().max())


def as_dtype(references: References, dtype: torch.dtype, device: str = "cpu") -> References:
    return References(
        tuple(
            replace(
                part,
                features=tuple(tokens.to(device, dtype) for tokens in part.features),
                keep=None if part.keep is None else tuple(keep.to(device) for keep in part.keep),
                log_weight=None if part.log_weight is None else part.log_weight.to(device),
            )
            for part in references.parts
        ),
        None if references.blend is None else references.blend.to(device),
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@PATHS
@pytest.mark.parametrize("width", [16, 40], ids=["heads of 8", "heads of 20"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, EXACT), (torch.bfloat16, 0.05), (torch.float16, 0.01)]
)
def test_attention_is_the_printed_formula_on_a_gpu(dtype, tolerance, width, grad):
    torch.manual_seed(0)
    denoiser = tiny_denoiser(block_out_channels=(width, 2 * width))
    layer = spatial_blocks(denoiser.unet)[0].attn1
    on_gpu = tiny_denoiser(block_out_channels=(width, 2 * width)).to("cuda", dtype)
    on_gpu.load_state_dict(denoiser.state_dict())
    for masked, blended in itertools.product((False, True), (False, True)):
        blend = torch.tensor([0.1, 0.5, 0.9]) if blended else None
        references = made_references(denoiser, 3, weighted=True, masked=masked, blend=blend)
        hidden = random_tensor(5, 37, width)
        expected = frame_by_frame(layer, 0, hidden, references, unseen=2)
        with torch.set_grad_enabled(grad):
            out = attend(on_gpu, hidden.to("cuda", dtype), as_dtype(references, dtype, "cuda"), unseen=2)
        assert error(out.float().cpu(), expected) < tolerance * max(1.0, float(expected.abs().max()))

"""The denoiser: wired as diffusers' U-Net is, time by a written-out formula, gradients where training wants them."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusion_made import (
    GUIDER_CHANNELS,
    SHAPE,
    TOKEN_WIDTH,
    image_model,
    made_references,
    tiny_denoiser,
    tiny_reference_net,
    woken,
)
from torch import nn

from durian.diffusion.conditioning import Conditioner, SemanticTokens
from durian.diffusion.denoiser import Denoiser
from durian.diffusion.guider import KeypointGuider
from durian.diffusion.references import References
from durian.diffusion.temporal import TemporalTransformer

EXACT = 1e-5
STEP = 1e-6
"""Of central differences: in float64, small against the weights and large against rounding."""


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    torch.manual_seed(0)
    return tiny_denoiser()


def random_tensor(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def error(one: torch.Tensor, other: torch.Tensor) -> float:
    assert one.shape == other.shape
    return float((one - other).detach().abs().max())


# The image model


def test_the_paper_scale_has_the_published_numbers_of_parameters():
    with torch.device("meta"):
        denoiser = Denoiser()
    counts = {False: 0, True: 0}
    for name, parameter in denoiser.named_parameters():
        counts["motion_modules" in name] += parameter.numel()
    assert counts == {False: 859_520_964, True: 453_209_280}


@torch.no_grad()
def test_without_references_a_frame_is_what_diffusers_unet_makes_of_it(denoiser):
    unet = UNet2DConditionModel(
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
        block_out_channels=SHAPE["block_out_channels"],
        layers_per_block=1,
        attention_head_dim=SHAPE["num_attention_heads"],
        norm_num_groups=SHAPE["norm_num_groups"],
        cross_attention_dim=TOKEN_WIDTH,
    ).eval()
    image_weights = {key: x for key, x in denoiser.unet.state_dict().items() if "motion_modules" not in key}
    unet.load_state_dict(image_weights)
    latents, tokens = random_tensor(3, 4, 8, 8), random_tensor(3, 2, TOKEN_WIDTH)
    timesteps = torch.tensor([999, 500, 0])
    expected = unet(latents, timesteps, tokens).sample
    assert error(denoiser(latents, timesteps, SemanticTokens(tokens)), expected) < EXACT


@torch.no_grad()
def test_new_motion_modules_and_a_new_guider_change_nothing(denoiser):
    torch.manual_seed(1)
    fresh = Denoiser(**SHAPE, cross_attention_dim=TOKEN_WIDTH, motion_num_attention_heads=2, motion_max_frames=8)
    guider = KeypointGuider(SHAPE["block_out_channels"][0], GUIDER_CHANNELS)
    latents, tokens = random_tensor(4, 4, 8, 8), SemanticTokens(random_tensor(1, 2, TOKEN_WIDTH))
    keypoints = random_tensor(4, 3, 64, 64).sigmoid()
    references = made_references(fresh, 1)

    def clip(model: Denoiser, **others) -> torch.Tensor:
        return model(latents, 500, tokens, frames=4, references=references, **others)

    frames = [fresh(one[None], 500, tokens, references=references) for one in latents]
    assert error(clip(fresh), torch.cat(frames)) < EXACT
    assert error(clip(fresh, guidance=guider(keypoints)), clip(fresh)) == 0
    assert error(clip(fresh, guidance=woken(guider)(keypoints)), clip(fresh)) > 1e-3
    frames = [denoiser(one[None], 500, tokens, references=references) for one in latents]
    assert error(clip(denoiser), torch.cat(frames)) > 1e-3


# Time


def plain_temporal(module: TemporalTransformer, hidden: torch.Tensor, frames: int) -> torch.Tensor:
    """AnimateDiff's motion module, position by position, in float64: each attends to itself in its clip's frames."""
    hidden = hidden.double()
    rows, _, height, width = hidden.shape
    module = module.double()
    out = hidden.clone()
    for first in range(0, rows, frames):
        clip = hidden[first : first + frames]
        normed = torch.stack([module.norm(frame[None])[0] for frame in clip])
        for y in range(height):
            for x in range(width):
                track = module.proj_in(normed[:, :, y, x])  # F x C
                for block in module.transformer_blocks:
                    for norm, attention in ((block.norm1, block.attn1), (block.norm2, block.attn2)):
                        track = track + self_attention(attention, norm(track) + block.pos_embed.pe[0, :frames])
                    track = track + block.ff(block.norm3(track))
                out[first : first + frames, :, y, x] += module.proj_out(track)
    module.float()
    return out.float()


def self_attention(layer, tokens: torch.Tensor) -> torch.Tensor:
    heads = []
    for q, k, v in zip(*(W(tokens).chunk(layer.heads, -1) for W in (layer.to_q, layer.to_k, layer.to_v))):
        heads.append((q @ k.T / q.shape[1] ** 0.5).softmax(-1) @ v)
    return layer.to_out[0](torch.cat(heads, -1))


@pytest.fixture
def motion(denoiser) -> TemporalTransformer:
    return denoiser.unet.down_blocks[0].motion_modules[0]


@torch.no_grad()
def test_each_position_attends_to_itself_over_time(motion):
    hidden = 2 * random_tensor(2 * 5, 16, 3, 2)
    out = motion(hidden, num_frames=5)
    assert error(out, plain_temporal(motion, hidden, 5)) < EXACT
    assert error(out, hidden) > 0.1


@torch.no_grad()
def test_attention_over_time_knows_no_place_but_knows_the_order_of_frames(motion):
    hidden = 2 * random_tensor(5, 16, 4, 4)
    out = motion(hidden, num_frames=5)
    places = torch.randperm(16, generator=torch.Generator().manual_seed(0))

    def moved(x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2)[:, :, places].reshape(x.shape)

    assert error(motion(moved(hidden), num_frames=5), moved(out)) < EXACT
    assert error(motion(hidden.flip(0), num_frames=5), out.flip(0)) > 0.01


# Training


class Training(nn.Module):
    """All that trains, and one forward pass as a training step makes it: three pairs, of which one is dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.attribute_net, self.portrait_net = tiny_reference_net(), tiny_reference_net()
        self.denoiser = tiny_denoiser()
        self.guider = woken(KeypointGuider(SHAPE["block_out_channels"][0], GUIDER_CHANNELS))
        self.conditioner = Conditioner("pooled", TOKEN_WIDTH, 32, 32, tokens=2)

    def forward(self, frames: int) -> torch.Tensor:
        dtype = self.denoiser.dtype
        drop = torch.tensor([False, True, False])
        log_weight = torch.zeros(3).masked_fill(drop, -torch.inf)
        mask = (random_tensor(3, 1, 4, 4, seed=2) > 0).to(dtype)
        keypoints = random_tensor(3, 3, 32, 32, seed=3).sigmoid().to(dtype)
        attribute = self.attribute_net(random_tensor(3, 4, 4, 4, seed=4).to(dtype), mask, keypoints=keypoints)
        portrait = self.portrait_net(random_tensor(3, 4, 4, 4, seed=5).to(dtype), 1 - mask, keypoints=keypoints)
        conditioner = self.conditioner
        output = self.denoiser(
            random_tensor(3 * frames, 4, 4, 4, seed=6).to(dtype),
            torch.tensor([10, 500, 900]),
            conditioner.denoiser_tokens(
                [conditioner.dropped(conditioner.of_attribute(attribute), drop, "attribute")],
                conditioner.dropped(conditioner.of_portrait(portrait), drop, "portrait"),
            ),
            frames=frames,
            references=References(
                (portrait.reference(log_weight=log_weight), attribute.reference(True, log_weight=log_weight))
            ),
            guidance=self.guider(random_tensor(3 * frames, 3, 32, 32, seed=7).sigmoid().to(dtype)),
        )
        return (output - random_tensor(3 * frames, 4, 4, 4, seed=8)).square().mean()

    def is_motion(self, name: str) -> bool:
        return "motion_modules" in name


@pytest.mark.parametrize("frames", [1, 3], ids=["images", "motion"])
def test_gradients_reach_all_that_trains_and_nothing_else(frames):
    """Stage 1 trains all but time on single frames, stage 2 time alone on clips."""
    torch.manual_seed(0)
    training = Training()
    for name, parameter in training.named_parameters():
        parameter.requires_grad_(training.is_motion(name) is (frames > 1))
    training(frames).backward()
    reached = {name for name, parameter in training.named_parameters() if parameter.grad is not None}
    trainable = {name for name, parameter in training.named_parameters() if parameter.requires_grad}
    assert reached == trainable
    assert all(float(training.get_parameter(name).grad.norm()) > 0 for name in trainable)


def test_gradients_are_slopes_of_the_loss():
    """Along a random direction of each part's parameters, by central differences in float64."""
    torch.manual_seed(0)
    training = Training().double()
    training(frames=2).backward()
    for part in training.children():
        towards = [torch.randn_like(parameter) for parameter in part.parameters()]
        slope = sum(float((parameter.grad * way).sum()) for parameter, way in zip(part.parameters(), towards))
        losses = []
        with torch.no_grad():
            for step in (STEP, -2 * STEP, STEP):
                for parameter, way in zip(part.parameters(), towards):
                    parameter.add_(step * way)
                losses.append(training(frames=2).item())
        assert (losses[0] - losses[1]) / (2 * STEP) == pytest.approx(slope, rel=1e-4)


def test_gradients_are_the_same_with_checkpointing():
    torch.manual_seed(0)
    training = Training().train()
    gradients = []
    for checkpointing in (False, True):
        for part in (training.attribute_net, training.portrait_net, training.denoiser):
            part.enable_gradient_checkpointing() if checkpointing else part.disable_gradient_checkpointing()
        assert training.denoiser.is_gradient_checkpointing is checkpointing
        training.zero_grad()
        training(frames=3).backward()
        gradients.append({name: parameter.grad for name, parameter in training.named_parameters()})
    plain, checkpointed = gradients
    for name, gradient in plain.items():
        assert checkpointed[name] is not None, name
        assert error(gradient, checkpointed[name]) < EXACT * max(1.0, float(gradient.abs().max())), name


def test_references_that_do_not_matter_get_no_gradient():
    """A dropped sample's features: the -inf of its weight must not become a NaN on the way back."""
    denoiser = image_model(tiny_denoiser())
    references = made_references(denoiser, 1, samples=2)
    for part in references.parts:
        for features in part.features:
            features.requires_grad_()
    weight = torch.tensor([0.0, -torch.inf])
    hidden = References(tuple(type(part)(part.features, part.keep, log_weight=weight) for part in references.parts))
    tokens = SemanticTokens(random_tensor(2, 2, TOKEN_WIDTH))
    denoiser(random_tensor(2, 4, 4, 4), 500, tokens, references=hidden).square().sum().backward()
    for part in references.parts:
        for features in part.features:
            assert float(features.grad[0].abs().max()) > 0
            assert float(features.grad[1].abs().max()) == 0


# Half precision


@torch.no_grad()
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.05), (torch.float16, 0.01)])
def test_half_precision_is_close(denoiser, dtype, tolerance):
    """All layers, clip and guidance: root mean square error below 5 % (bfloat16, 8 bits) and 1 % (float16, 11)."""
    half = tiny_denoiser().to(dtype)
    half.load_state_dict(denoiser.state_dict())
    latents, tokens = random_tensor(8, 4, 4, 4), random_tensor(2, 2, TOKEN_WIDTH)
    guidance = random_tensor(8, 16, 4, 4)
    references = made_references(denoiser, 2)
    expected = denoiser(
        latents,
        500,
        SemanticTokens(tokens),
        frames=4,
        references=denoiser.project(references, unseen=4),
        guidance=guidance,
    )
    rounded = References(
        tuple(type(part)(tuple(features.to(dtype) for features in part.features)) for part in references.parts)
    )
    out = half(
        latents.to(dtype),
        500,
        SemanticTokens(tokens.to(dtype)),
        frames=4,
        references=half.project(rounded, unseen=4),
        guidance=guidance.to(dtype),
    )
    assert out.dtype == dtype
    assert float((out.float() - expected).square().mean().sqrt()) < tolerance * float(expected.square().mean().sqrt())

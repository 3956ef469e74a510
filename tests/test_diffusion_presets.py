"""Registry of presets: parameter counts, costs, and the components they build."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from durian.diffusion.latents import latent_factor
from durian.diffusion.presets import MINI_256, PRESETS, build, components, get_preset, parameter_counts
from durian.diffusion.references import References
from durian.diffusion.sampling import TrailingDDIM
from durian.diffusion.warm_start import reference_net_tail
from durian.errors import InvalidRequest


@pytest.fixture(scope="module")
def mini():
    return build(MINI_256, seed=3)


def test_the_papers_scale_counts_what_stable_diffusion_and_animatediff_count():
    counts = parameter_counts(get_preset("sd15-512"))
    assert counts["denoiser"] == 859_520_964
    assert counts["motion_modules"] == 453_209_280
    assert counts["vae"] == 83_653_863
    assert counts["image_encoder"] == 303_966_208
    assert counts["attribute_reference_net"] == counts["portrait_reference_net"]


def test_a_reference_net_is_the_u_net_without_its_tail_and_one_more_channel():
    preset = get_preset("sd15-512")
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768)
    tail = reference_net_tail(preset.reference_net)
    kept = [tensor for key, tensor in unet.state_dict().items() if not f"unet.{key}".startswith(tail)]
    counts = parameter_counts(preset)
    assert counts["attribute_reference_net"] == sum(tensor.numel() for tensor in kept) + 2_880


def test_mini_fits_its_budget():
    total = sum(parameter_counts(MINI_256).values())
    assert total <= 16_000_000
    assert 2 * total <= 32_000_000


@torch.no_grad()
def test_mini_costs_about_five_gflop_per_frame_and_step(mini):
    """Attention to two references included; torch does not count the CPU's attention by itself."""
    frames, (channels, side, _) = 4, mini.latent_shape
    inside, drawn = torch.ones(1, 1, side, side), torch.zeros(1, 3, 256, 256)
    seen = mini.portrait_reference_net(torch.zeros(1, channels, side, side), inside, None, drawn)
    references = mini.denoiser.project(References((seen.reference(), seen.reference())))
    tokens = mini.conditioner.denoiser_tokens([mini.conditioner.of_attribute(seen)], mini.conditioner.of_portrait(seen))
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    with FlopCounterMode(display=False, custom_mapping={attention: _attention_flop}) as counter:
        latents = torch.zeros(frames, channels, side, side)
        mini.denoiser(latents, torch.tensor(500), tokens, frames=frames, references=references, draft=latents)
    assert 4e9 < counter.get_total_flops() / frames < 6e9


def _attention_flop(query, key, value, *args, out_shape=None, **kwargs) -> int:
    return sdpa_flop_count(query, key, value)


def test_mini_hangs_together(mini):
    """Numbers that one component must share with another."""
    assert latent_factor(mini.vae) == 8
    assert mini.vae.config.latent_channels == mini.denoiser.config.latent_channels == 32
    assert mini.denoiser.config.draft_channels == 32
    assert mini.guider.config.out_channels == mini.denoiser.config.block_out_channels[0]
    assert mini.conditioner.config.attribute_width == mini.denoiser.config.block_out_channels[-1]
    assert mini.conditioner.config.token_width == mini.denoiser.config.cross_attention_dim
    assert mini.image_encoder is None


@pytest.mark.parametrize("name", PRESETS)
def test_both_reference_nets_and_the_denoiser_have_one_shape(name):
    preset = PRESETS[name]
    shared = set(preset.reference_net) & set(preset.denoiser) - {"cross_attention_dim"}
    assert {"block_out_channels", "attention_levels", "layers_per_block", "num_attention_heads"} <= shared
    assert all(preset.reference_net[key] == preset.denoiser[key] for key in shared)
    assert preset.window <= preset.denoiser["motion_max_frames"]
    assert preset.overlap < preset.window


@pytest.mark.parametrize("name", PRESETS)
def test_widths_that_two_components_share_are_the_same_in_both(name):
    preset = PRESETS[name]
    widths, conditioner = preset.denoiser["block_out_channels"], preset.conditioner
    assert preset.guider["out_channels"] == widths[0]
    assert conditioner["token_width"] == preset.denoiser["cross_attention_dim"]
    if preset.image_encoder is None:
        assert conditioner["attribute_width"] == conditioner["portrait_width"] == widths[-1]
    else:
        assert conditioner["attribute_width"] == conditioner["portrait_width"] == preset.image_encoder["projection_dim"]


def test_what_is_built_is_untrained_and_takes_the_presets_defaults(mini):
    config = mini.config
    assert config.trained_steps == 0
    assert (config.preset, config.size) == ("mini-256", 256)
    assert type(mini.scheduler) is TrailingDDIM
    assert (config.steps, config.guidance_scale, config.window, config.overlap) == (1, 1.0, 24, 4)
    assert not config.drop_outside_masks
    assert mini.scheduler.config.prediction_type == "sample"
    assert mini.scheduler.alphas_cumprod[-1] == 0
    assert mini.scheduler.final_alpha_cumprod == 1  # the last step leaves no noise
    assert mini.scheduler.alphas_cumprod[0] == pytest.approx(1 - 0.00085)


def test_weights_depend_on_the_seed_alone(mini):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    same, other = components(MINI_256, seed=3), components(MINI_256, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    for name, module in same.items():
        weights = getattr(mini, name).state_dict()
        assert all(torch.equal(tensor, weights[key]) for key, tensor in module.state_dict().items())
        differs = any(not torch.equal(tensor, weights[key]) for key, tensor in other[name].state_dict().items())
        assert differs == (name != "vae")  # whose numbers are a formula's


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(InvalidRequest, match=r"'maxi-1024'.*sd15-512, mini-256"):
        get_preset("maxi-1024")

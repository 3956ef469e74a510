"""Warm start, from tiny models of the published kinds that are made and saved here."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from durian.diffusion.conditioning import SemanticTokens
from durian.diffusion.presets import SD15_512, Preset, Sources, get_preset
from durian.diffusion.warm_start import fill, reference_net_tail, warm_start
from durian.errors import InvalidRequest, WeightsMissing

VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "patch_size": 14,
    "image_size": 28,
    "projection_dim": 16,
}
SHAPE = {
    "latent_channels": 4,
    "block_out_channels": (16, 32, 32),
    "attention_levels": (True, True, False),
    "layers_per_block": 1,
    "num_attention_heads": 2,
    "norm_num_groups": 8,
    "cross_attention_dim": 16,
}
AUTOENCODER = {
    "block_out_channels": (8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
    "latent_channels": 4,
    "norm_num_groups": 4,
}
FRAMES, ROWS = 3, 2


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Sources:
    """Folders as the hub has them: a U-Net in its own, a VAE, CLIP, and a motion adapter whose layers end in zero."""
    torch.manual_seed(1)
    root = tmp_path_factory.mktemp("published")
    unet = UNet2DConditionModel(
        block_out_channels=(16, 32, 32),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        attention_head_dim=2,
        cross_attention_dim=16,
        norm_num_groups=8,
    )
    unet.save_pretrained(root / "sd" / "unet")
    AutoencoderKL(**AUTOENCODER).save_pretrained(root / "vae")
    motion = MotionAdapter(
        block_out_channels=(16, 32, 32),
        motion_layers_per_block=1,
        motion_num_attention_heads=2,
        motion_norm_num_groups=8,
        motion_max_seq_length=8,
    )
    for name, parameter in motion.named_parameters():
        if ".proj_out." in name and ".transformer_blocks." not in name:
            torch.nn.init.zeros_(parameter)
    motion.save_pretrained(root / "motion")
    text = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text |= {"vocab_size": 30, "bos_token_id": 0, "eos_token_id": 1, "projection_dim": 16}
    CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=16)).save_pretrained(root / "clip")
    CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(root / "clip")
    return Sources(
        unet=str(root / "sd"),
        vae=str(root / "vae"),
        motion_adapter=str(root / "motion"),
        image_encoder=str(root / "clip"),
    )


@pytest.fixture(scope="module")
def preset(sources) -> Preset:
    return replace(
        SD15_512,
        name="tiny",
        size=16,
        vae=AUTOENCODER,
        denoiser={**SHAPE, "motion_num_attention_heads": 2, "motion_max_frames": 8},
        reference_net=SHAPE,
        guider={"out_channels": 16, "block_out_channels": (4, 4)},
        conditioner={"kind": "clip", "token_width": 16},
        image_encoder=VISION,
        sources=sources,
    )


@pytest.fixture(scope="module")
def started(preset):
    return warm_start(preset)


@pytest.fixture(scope="module")
def published(sources) -> UNet2DConditionModel:
    return UNet2DConditionModel.from_pretrained(sources.unet, subfolder="unet", use_safetensors=True)


@torch.no_grad()
def test_the_denoiser_begins_as_the_image_model(started, published):
    """With a zero guider, zero motion and no references every frame is what Stable Diffusion makes of it alone."""
    random = torch.Generator().manual_seed(2)
    latents = torch.randn(ROWS * FRAMES, 4, 8, 8, generator=random)
    tokens = torch.randn(ROWS, 2, 16, generator=random)
    timestep = torch.tensor([10, 700])
    guidance = started.guider(torch.rand(ROWS * FRAMES, 3, 16, 16, generator=random))
    ours = started.denoiser(latents, timestep, SemanticTokens(tokens), frames=FRAMES, guidance=guidance)
    for index in range(ROWS * FRAMES):
        row = index // FRAMES
        theirs = published(latents[index : index + 1], timestep[row], tokens[row : row + 1]).sample
        torch.testing.assert_close(ours[index : index + 1], theirs, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_reference_nets_begin_as_the_image_model(started, published):
    """Their features are the inputs of its self-attention at timestep 0, whatever the mask: its slice is zero."""
    seen = []
    blocks = [*published.down_blocks, published.mid_block, *published.up_blocks]
    layers = [a for block in blocks for a in getattr(block, "attentions", ())]
    hooks = [
        layer.transformer_blocks[0].attn1.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        for layer in layers
    ]
    random = torch.Generator().manual_seed(3)
    latents, tokens = torch.randn(1, 4, 8, 8, generator=random), torch.randn(1, 1, 16, generator=random)
    published(latents, 0, tokens)
    for hook in hooks:
        hook.remove()
    for net in (started.attribute_reference_net, started.portrait_reference_net):
        features = net(latents, torch.rand(1, 1, 8, 8, generator=random), tokens).features
        assert len(features) == len(seen) == 7
        for ours, theirs in zip(features, seen):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_motion_modules_take_the_adapter(preset, sources, tmp_path):
    torch.manual_seed(4)
    adapter = MotionAdapter.from_pretrained(sources.motion_adapter)
    for parameter in adapter.parameters():
        torch.nn.init.normal_(parameter)
    adapter.save_pretrained(tmp_path)
    ours = warm_start(preset, replace(sources, motion_adapter=str(tmp_path))).denoiser.unet.state_dict()
    theirs = adapter.state_dict()
    assert {key for key in ours if "motion_modules" in key} == set(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@torch.no_grad()
def test_vae_and_clip_are_the_published_ones(started, sources):
    images = torch.rand(1, 3, 28, 28, generator=torch.Generator().manual_seed(5))
    vae = AutoencoderKL.from_pretrained(sources.vae)
    assert torch.equal(started.vae.encode(images).latent_dist.mode(), vae.encode(images).latent_dist.mode())
    clip = CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION)).eval()
    file = load_file(f"{sources.image_encoder}/model.safetensors")
    clip.load_state_dict({key: file[key] for key in clip.state_dict()})
    torch.testing.assert_close(started.image_encoder(images).image_embeds, clip(images).image_embeds)
    assert started.image_processor.crop_size["height"] == 28


def test_the_older_names_in_published_vae_files_are_read(preset, sources, tmp_path, started):
    """The ft-mse file calls its attention query, key, value and proj_attn; diffusers renames them while loading."""
    folder = Path(shutil.copytree(sources.vae, tmp_path / "vae"))
    file = folder / "diffusion_pytorch_model.safetensors"
    older = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    tensors = load_file(file)
    for new, old in older.items():
        tensors = {key.replace(new, old): tensor for key, tensor in tensors.items()}
    assert "encoder.mid_block.attentions.0.query.weight" in tensors
    save_file(tensors, file, metadata={"format": "pt"})
    read = warm_start(preset, replace(sources, vae=str(folder))).vae.state_dict()
    expected = started.vae.state_dict()
    assert all(torch.equal(read[key], expected[key]) for key in expected)


def test_a_warm_start_is_untrained_and_repeats_with_its_seed(started, preset):
    assert started.config.trained_steps == 0
    assert not any(net.training for net in (started.denoiser, started.attribute_reference_net, started.guider))
    other = warm_start(preset, seed=1)
    again = warm_start(preset, seed=0)
    for name in ("guider", "conditioner"):
        ours, same, new = (getattr(p, name).state_dict() for p in (started, again, other))
        assert all(torch.equal(ours[key], same[key]) for key in ours)
        assert any(not torch.equal(ours[key], new[key]) for key in ours)


def test_the_tail_names_exactly_what_reference_nets_lack(started, published):
    source = {f"unet.{key}" for key in published.state_dict()}
    net = started.attribute_reference_net
    tail = {key for key in source if key.startswith(reference_net_tail(net.config))}
    assert source - tail == set(net.state_dict())
    assert all(any(key.startswith(name) for key in source) for name in reference_net_tail(net.config)[:2])


@pytest.mark.parametrize("which", ["unet", "vae", "motion_adapter", "image_encoder"])
@pytest.mark.parametrize("change", ["missing", "unexpected"])
def test_a_file_that_lacks_or_adds_a_tensor_is_refused_by_name(preset, sources, tmp_path, which, change):
    folder = shutil.copytree(getattr(sources, which), tmp_path / "copy")
    file = next(Path(folder).rglob("*.safetensors"))
    tensors = load_file(file)
    if change == "missing":
        name = next(key for key in sorted(tensors) if key.endswith("weight") and not key.startswith("text"))
        del tensors[name]
    else:
        name = "quite.new.weight"
        tensors[name] = torch.zeros(1)
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(InvalidRequest, match=f"{change} .*{name}"):
        warm_start(preset, replace(sources, **{which: str(folder)}))


def test_another_shape_is_refused_by_name(preset):
    shape = {**preset.denoiser, "cross_attention_dim": 24}
    with pytest.raises(InvalidRequest, match=r"of another shape .*attn2\.to_k\.weight"):
        warm_start(replace(preset, denoiser=shape))


def test_filling_names_both_sides():
    target, source = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, bias=False)
    with pytest.raises(InvalidRequest, match="missing bias"):
        fill(target, source.state_dict())
    with pytest.raises(InvalidRequest, match="unexpected bias"):
        fill(source, target.state_dict())
    before = target.bias.clone()
    fill(target, source.state_dict(), fresh=["bias"])
    assert torch.equal(target.weight, source.weight)
    assert torch.equal(target.bias, before)


def test_only_safetensors_are_read(preset, sources, tmp_path):
    """A pickle runs code when it is opened, so a folder with nothing else counts as empty."""
    AutoencoderKL.from_pretrained(sources.vae).save_pretrained(tmp_path, safe_serialization=False)
    assert not list(Path(tmp_path).glob("*.safetensors"))
    with pytest.raises(WeightsMissing, match=r"VAE is not in .*safetensors"):
        warm_start(preset, replace(sources, vae=str(tmp_path)))


def test_a_hub_out_of_reach_is_one_sentence(preset, sources, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsMissing, match=r"U-Net \(nobody/nothing\) is not on this machine .* huggingface\.co"):
        warm_start(preset, replace(sources, unet="nobody/nothing"))


@pytest.mark.parametrize(("suffix", "revision"), [("", None), ("@0a1b2c3", "0a1b2c3")])
def test_a_source_may_be_pinned_to_a_commit(preset, sources, monkeypatch, suffix, revision):
    asked = []

    def from_pretrained(name: str, **options: object) -> None:
        asked.append((name, options["revision"], options["use_safetensors"]))
        raise OSError

    monkeypatch.setattr(UNet2DConditionModel, "from_pretrained", from_pretrained)
    with pytest.raises(WeightsMissing):
        warm_start(preset, replace(sources, unet=f"someone/model{suffix}"))
    assert asked == [("someone/model", revision, True)]


def test_a_preset_without_sources_has_no_warm_start():
    with pytest.raises(InvalidRequest, match="trained from nothing"):
        warm_start(get_preset("mini-256"))

"""Pictures to latents and back, through both kinds of autoencoder and every size of patch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import AutoencoderKL, AutoencoderTiny

from durian.diffusion.latents import decode, encode, latent_factor, patch_size
from durian.errors import InvalidRequest

SIZE = 32


def autoencoder(patch: int = 2, scaling_factor: float = 0.5, levels: int = 2) -> AutoencoderKL:
    torch.manual_seed(patch)
    return AutoencoderKL(
        in_channels=3 * patch**2,
        out_channels=3 * patch**2,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=(8,) * levels,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=scaling_factor,
        mid_block_add_attention=False,
    ).eval()


def tiny_autoencoder() -> AutoencoderTiny:
    torch.manual_seed(0)
    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
        scaling_factor=0.5,
    ).eval()


KINDS = {"patch 1": lambda: autoencoder(1), "patch 2": autoencoder, "patch 4": lambda: autoencoder(4)}
KINDS["tiny"] = tiny_autoencoder


@pytest.fixture(params=KINDS)
def vae(request):
    return KINDS[request.param]()


def images(count: int, seed: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(("patch", "levels", "factor"), [(1, 2, 2), (2, 2, 4), (2, 3, 8), (4, 1, 4)])
def test_patch_and_factor_are_read_off_the_autoencoder(patch, levels, factor):
    vae = autoencoder(patch, levels=levels)
    assert patch_size(vae) == patch
    assert latent_factor(vae) == factor
    assert encode(vae, images(1)).shape == (1, 4, SIZE // factor, SIZE // factor)
    assert latent_factor(tiny_autoencoder()) == 4


@torch.no_grad()
def test_encoding_is_the_mean_of_patches_scaled_once(vae):
    pictures = images(2)
    patch = patch_size(vae)
    # Written out: channel c · p² + row · p + column holds that pixel of every patch.
    folded = torch.cat(
        [pictures[:, c : c + 1, y::patch, x::patch] for c in range(3) for y in range(patch) for x in range(patch)], 1
    )
    mean = vae.encoder(folded)
    if isinstance(vae, AutoencoderKL):
        mean = vae.quant_conv(mean)[:, :4]
    torch.testing.assert_close(encode(vae, pictures), mean * 0.5)


@torch.no_grad()
def test_decoding_undoes_the_scaling_once_and_unfolds_the_patches(vae):
    latents = encode(vae, images(3)) * 3
    folded = vae.decode(latents / 0.5).sample
    patch = patch_size(vae)
    expected = np.zeros((3, SIZE, SIZE, 3))
    for channel, plane in enumerate(folded.permute(1, 0, 2, 3).numpy()):
        colour, place = divmod(channel, patch**2)
        expected[:, place // patch :: patch, place % patch :: patch, colour] = plane
    expected = np.clip(expected * 127.5 + 127.5, 0, 255)
    frames = np.stack(list(decode(vae, latents, 2)))
    assert frames.dtype == np.uint8
    assert np.ptp(frames) > 5
    assert np.abs(frames - expected).max() < 0.51


def test_pictures_survive_an_autoencoder_that_does_nothing():
    """Convolutions that hand channels through: what remains are the folding, the scaling and the rounding."""
    vae = autoencoder(levels=1)
    vae.encoder, vae.decoder = through(12, 24), through(12, 12)
    vae.quant_conv = vae.post_quant_conv = None
    pictures = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    given = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    latents = encode(vae, given)
    assert torch.equal(latents, F.pixel_unshuffle(given, 2) * 0.5)
    assert np.array_equal(np.stack(list(decode(vae, latents, 1))), pictures)


def through(channels: int, out_channels: int) -> torch.nn.Conv2d:
    """Channels as they are, then zeros."""
    convolution = torch.nn.Conv2d(channels, out_channels, 1, bias=False).requires_grad_(False)
    convolution.weight[:, :, 0, 0] = torch.eye(out_channels, channels)
    return convolution


def test_the_batch_does_not_change_the_frames(vae):
    latents = torch.randn(5, 4, SIZE // latent_factor(vae), SIZE // latent_factor(vae)) * 2
    alone = np.stack(list(decode(vae, latents, 1))).astype(int)
    for batch in (2, 5, 8):
        together = np.stack(list(decode(vae, latents, batch)))
        assert together.shape == (5, SIZE, SIZE, 3)
        # A level may round the other way where sums are added in another order.
        assert np.abs(together - alone).max() <= 1
        assert (together != alone).mean() < 0.001


def test_frames_are_decoded_when_they_are_taken():
    """Constant memory: the second chunk does not exist yet while the first is looked at."""
    vae = autoencoder()
    latents = torch.randn(4, 4, 8, 8)
    unchanged = list(decode(vae, latents, 2))
    stream = decode(vae, latents, 2)
    first = next(stream)
    latents[1:] = 0
    rest = list(stream)
    black = next(decode(vae, torch.zeros(1, 4, 8, 8), 1))
    assert np.array_equal(first, unchanged[0])
    assert np.array_equal(rest[0], unchanged[1])
    assert np.abs(rest[1].astype(int) - black).max() <= 1
    assert np.abs(rest[1].astype(int) - unchanged[2]).max() > 1


def test_half_precision_is_close_to_full(vae):
    pictures = images(2)
    full, half = encode(vae, pictures), encode(vae.to(torch.bfloat16), pictures)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), full, atol=0.05, rtol=0.05)
    frames = np.stack(list(decode(vae, full, 2))).astype(int)
    exact = np.stack(list(decode(vae.float(), full, 2)))
    assert np.abs(frames - exact).mean() < 2


def test_sides_that_do_not_fit_are_refused():
    with pytest.raises(InvalidRequest, match=r"32 x 30 .* multiples of 4"):
        encode(autoencoder(), images(1)[:, :, :30])


def test_other_input_channels_are_refused():
    vae = AutoencoderKL(in_channels=4, out_channels=4, block_out_channels=(8,), norm_num_groups=4)
    with pytest.raises(InvalidRequest, match=r"4 input channels .* use 3, 12"):
        patch_size(vae)

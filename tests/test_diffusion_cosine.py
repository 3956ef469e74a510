"""The cosine autoencoder: the transform of the textbook, few coefficients for much of a picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from scipy.fft import dctn

from durian.diffusion.cosine_autoencoder import CosineAutoencoder, cosine_basis
from durian.diffusion.latents import decode, encode, latent_factor
from durian.media import read_image


def picture(project_root, name: str) -> torch.Tensor:
    """256 px of somebody, ``(1, 3, 256, 256)`` in [-1, 1]."""
    image = torch.from_numpy(read_image(project_root / "assets" / name)).permute(2, 0, 1)[None].float() / 127.5 - 1
    side = min(image.shape[2:])
    return F.interpolate(image[..., :side, :side], 256, mode="area")


def psnr(found: np.ndarray, expected: torch.Tensor) -> float:
    wanted = (expected[0].permute(1, 2, 0).numpy() + 1) * 127.5
    return float(10 * np.log10(255**2 / np.square(found - wanted).mean()))


@pytest.mark.parametrize("patch", [2, 8])
def test_the_basis_is_orthonormal(patch):
    basis, frequency = cosine_basis(patch)
    assert torch.allclose(basis @ basis.T, torch.eye(3 * patch**2), atol=1e-5)
    assert frequency[0] == 0
    assert frequency.max() == pytest.approx((patch - 1) * 2**0.5)


def test_brightness_is_scipys_transform():
    grey = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    folded = torch.from_numpy(np.tile(grey, (3, 1, 1))).reshape(-1)
    basis, _ = cosine_basis(8)
    found = np.sort((basis @ folded).abs().numpy())[-64:]
    expected = np.sort(np.abs(3**0.5 * dctn(grey, norm="ortho")).ravel())
    assert np.allclose(found, expected, atol=1e-4)


def test_all_coefficients_lose_nothing(project_root):
    vae = CosineAutoencoder(latent_channels=192, emphasis=0.7, scaling_factor=1.3)
    image = picture(project_root, "portrait-amara.webp")
    frame = next(decode(vae, encode(vae, image), 1))
    assert np.abs(frame - (image[0].permute(1, 2, 0).numpy() + 1) * 127.5).max() <= 0.51


def test_slicing_takes_one_picture_after_another(project_root, monkeypatch):
    vae = CosineAutoencoder()
    names = ("portrait-amara.webp", "portrait-finn.webp")
    patches = F.pixel_unshuffle(torch.cat([picture(project_root, name) for name in names]), 8)
    latents, restored = vae.encode(patches).latents, vae.decode(vae.encode(patches).latents).sample
    vae.enable_slicing()
    rows, whole = [], F.conv2d
    monkeypatch.setattr(F, "conv2d", lambda *given: rows.append(len(given[0])) or whole(*given))
    assert torch.allclose(vae.encode(patches).latents, latents, atol=1e-5)
    assert torch.allclose(vae.decode(latents).sample, restored, atol=1e-5)
    assert rows == [1, 1, 1, 1]


@pytest.mark.parametrize(("channels", "least"), [(16, 29), (32, 33), (64, 38)])
def test_few_coefficients_restore_a_photo(project_root, channels, least):
    vae = CosineAutoencoder(latent_channels=channels)
    assert latent_factor(vae) == 8
    scores = []
    for name in ("portrait-amara.webp", "portrait-finn.webp", "hair-afro.webp"):
        image = picture(project_root, name)
        latents = encode(vae, image)
        assert latents.shape == (1, channels, 32, 32)
        scores.append(psnr(next(decode(vae, latents, 1)), image))
    assert np.mean(scores) > least


def test_emphasis_makes_frequencies_more_alike(project_root):
    image = picture(project_root, "hair-afro.webp")
    spread = {}
    for emphasis in (0.0, 0.5, 1.0):
        deviations = encode(CosineAutoencoder(emphasis=emphasis), image).std((0, 2, 3))
        spread[emphasis] = float(deviations.max() / deviations.min())
    assert spread[0.0] > spread[0.5] > spread[1.0]


def test_it_is_saved_and_opened_like_any_other(tmp_path):
    made = CosineAutoencoder(latent_channels=20, scaling_factor=0.7)
    made.save_pretrained(tmp_path)
    opened = CosineAutoencoder.from_pretrained(tmp_path)
    assert opened.config.scaling_factor == 0.7
    assert torch.equal(opened.analysis, made.analysis)

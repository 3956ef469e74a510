"""Training and pipeline agree: a tiny model trained on two samples reproduces them through the pipeline."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusion_made import SIZE, frames_of
from training_made import small_pipeline, smooth_batch, trained

from durian.diffusion.pipeline import AttributeReference
from durian.training.stages.autoencoder import AutoencoderSettings, AutoencoderStage
from durian.training.stages.diffusion import ImageStage

REPEATED = 4
"""How often each sample's target is in a batch, with noise of its own."""


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR in dB of uint8 pictures."""
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


@pytest.mark.slow
def test_two_samples_are_learned_by_heart_and_the_pipeline_knows_them():
    """Autoencoder, then image stage; the frames sampled from each sample's references are its target's, in 6 steps."""
    pipeline, batch = small_pipeline(), smooth_batch()
    autoencoder = AutoencoderStage(pipeline, AutoencoderSettings(crop=SIZE))
    trained(autoencoder, batch, 120, 1e-2)
    pipeline = autoencoder.pipeline(0)
    repeated = {
        name: value.repeat_interleave(REPEATED, 1) if name in ("targets", "keypoints", "inside") else value
        for name, value in batch.items()
    }
    stage = ImageStage(pipeline)
    losses = trained(stage, repeated, 110, 4e-3)
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:20])
    pipeline = stage.pipeline(110)
    targets = batch["targets"][:, 0].numpy()
    for row in range(2):
        one = {name: value[row].numpy() for name, value in batch.items() if isinstance(value, torch.Tensor)}
        worn = AttributeReference(one["attribute"], one["attribute_mask"], keypoints=one["attribute_keypoints"])
        pipeline.set_references(one["portrait"], one["hole"], [worn], portrait_keypoints=one["portrait_keypoints"])
        (frame,) = frames_of(pipeline, one["keypoints"], seed=row)
        assert likeness(frame, targets[row]) > 20
        assert likeness(frame, targets[row]) > likeness(frame, targets[1 - row]) + 6

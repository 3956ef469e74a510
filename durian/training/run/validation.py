"""Validation on samples that were not trained on: scores, and a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from durian.diffusion.latents import decode, encode
from durian.diffusion.pipeline import AttributeReference, DurianPipeline
from durian.evaluation.metrics import compare_in
from durian.training.data.sample import Sample

DECODED = 4
"""Frames that go through the autoencoder together."""
REGIONS = ("all", "inside", "outside")
"""Whole frames, where the item is, and the rest."""


@dataclass(frozen=True)
class Validation:
    """``scores``: mean PSNR in dB over samples and frames, ``psnr_all``, ``psnr_inside`` and ``psnr_outside``.

    ``rows``: of each sample, equally large ``(S, S, 3) uint8`` pictures.
    """

    scores: dict[str, float]
    rows: list[list[np.ndarray]]


def validate(pipeline: DurianPipeline, samples: Sequence[Sample], stage: str, seed: int) -> Validation:
    """Make the targets of samples and compare.

    The autoencoder's stage decodes what it encoded, the others sample as the pipeline does when nobody says otherwise.
    A row is the attribute outside which all is grey, the portrait with its hole, keypoints, the draft if there is one,
    target and prediction of the middle frame; of the autoencoder target and prediction alone.

    Args:
        pipeline: in eval mode.
        samples: of its size.
        stage: its name.
        seed: of the noise of the first sample; the next one's is higher by one.
    """
    found: dict[str, list[float]] = {region: [] for region in REGIONS}
    rows = []
    for number, sample in enumerate(samples):
        is_autoencoder = stage == "autoencoder"
        frames = restored(pipeline, sample) if is_autoencoder else predicted(pipeline, sample, seed + number)
        for frame, target, inside in zip(frames, sample.targets, sample.inside):
            is_inside = inside > 127
            masks = {"all": None, "inside": is_inside, "outside": ~is_inside}
            for region, score in compare_in(frame, target, masks).items():
                found[region].append(score.psnr)
        middle = len(frames) // 2
        shown = [] if is_autoencoder else references_of(sample, middle)
        rows.append([*shown, sample.targets[middle], frames[middle]])
    return Validation({f"psnr_{region}": float(np.mean(found[region])) for region in REGIONS if found[region]}, rows)


def predicted(pipeline: DurianPipeline, sample: Sample, seed: int) -> np.ndarray:
    """``(F, S, S, 3) uint8``: what a request of the sample's pictures gives."""
    worn = AttributeReference(sample.attribute, sample.attribute_mask, keypoints=sample.attribute_keypoints)
    pipeline.set_references(sample.portrait, sample.hole, [worn], portrait_keypoints=sample.portrait_keypoints)
    return np.stack(pipeline(sample.keypoints, draft=sample.drafts, seed=seed).frames[0])


@torch.no_grad()
def restored(pipeline: DurianPipeline, sample: Sample) -> np.ndarray:
    """``(F, S, S, 3) uint8``: the targets through the autoencoder."""
    pixels = torch.from_numpy(sample.targets).permute(0, 3, 1, 2).to(pipeline.vae.device) / 127.5 - 1
    latents = torch.cat([encode(pipeline.vae, chunk) for chunk in pixels.split(DECODED)])
    return np.stack(list(decode(pipeline.vae, latents, DECODED)))


def references_of(sample: Sample, frame: int) -> list[np.ndarray]:
    """The pictures a sample's frame is made from, as the networks see them."""
    worn = without(sample.attribute, 255 - sample.attribute_mask)
    draft = [] if sample.drafts is None else [sample.drafts[frame]]
    return [worn, without(sample.portrait, sample.hole), sample.keypoints[frame], *draft]


def without(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """``(S, S, 3) uint8``, grey where ``hole (S, S) uint8`` is 255."""
    part = hole[..., None].astype(np.float32) / 255
    return np.round(image + part * (127.5 - image)).astype(np.uint8)

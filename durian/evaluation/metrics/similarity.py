"""Similarity to the reference: CLIP-I on whole pictures, DINO on the item alone."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric
from durian.evaluation.metrics.pictures import as_tensor, batches, normalised, resized
from durian.evaluation.metrics.weights import Pretrained, kept, why_missing

CLIP = Pretrained(name="clip", what="CLIP, ViT-L/14,", hub="openai/clip-vit-large-patch14")
DINO = Pretrained(name="dino", what="DINO, ViT-S/16,", hub="facebook/dino-vits16")
"""The network of DreamBooth's DINO score (Ruiz et al. 2023)."""
WHITE = 255


class ClipSimilarity(Metric):
    """Whole pictures, as in DreamBooth: it sees the person and the background, too."""

    name, title = "clip_i", "CLIP-I"
    higher_is_better, best = True, 1.0
    kind, needs_truth, needs_weights = "reference", False, True
    definition = "Cosine of the CLIP ViT-L/14 image embeddings of reference and rendered frame, averaged over frames."

    def available(self) -> str | None:
        return why_missing(clip)

    @torch.no_grad()
    def score(self, case: Case) -> dict[str, float]:
        reference = clip_embedding(as_tensor(case.reference[None]))
        cosines = [clip_embedding(images) @ reference[0] for images in batches(case.frames)]
        return {"all": float(torch.cat(cosines).double().mean())}


class MaskedDino(Metric):
    """The item alone, on white: of the reference by its mask, of a frame by what the face parser finds.

    A frame in which it finds none is a white picture and gets that picture's similarity.
    """

    name, title = "dino", "Masked DINO"
    higher_is_better, best = True, 1.0
    kind, needs_truth, needs_weights = "reference", False, True
    definition = (
        "Cosine of the DINO ViT-S/16 class tokens of the reference's item on white and the rendered frame's item, as "
        "the face parser finds it, on white, in the middle frame of a clip."
    )

    def available(self) -> str | None:
        return why_missing(dino)

    @torch.no_grad()
    def score(self, case: Case) -> dict[str, float]:
        reference = dino_embedding(as_tensor(on_white(case.reference, case.reference_mask)[None]))
        shown = np.stack([on_white(case.frames[number], mask) for number, mask in case.parsed.items()])
        return {"all": float((dino_embedding(as_tensor(shown)) @ reference[0]).double().mean())}


def on_white(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``(S, S, 3) uint8`` with white where ``mask`` ``(S, S) bool`` is not."""
    return np.where(mask[..., None], image, np.uint8(WHITE))


def clip_embedding(images: Tensor) -> Tensor:
    """``(B, D)`` of length 1, of ``(B, 3, S, S)`` in 0 to 255.

    Raises:
        WeightsMissing: the model is not to be had.
    """
    from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

    model = clip()
    pictures = resized(images, model.config.image_size, "bicubic").clamp(0, 255)
    return F.normalize(model(normalised(pictures, OPENAI_CLIP_MEAN, OPENAI_CLIP_STD)).image_embeds, dim=-1)


def dino_embedding(images: Tensor) -> Tensor:
    """``(B, D)`` of length 1, of ``(B, 3, S, S)`` in 0 to 255: the class token.

    Raises:
        WeightsMissing: the model is not to be had.
    """
    from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

    model = dino()
    pictures = resized(images, model.config.image_size, "bicubic").clamp(0, 255)
    tokens = model(normalised(pictures, IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)).last_hidden_state
    return F.normalize(tokens[:, 0], dim=-1)


@kept
def clip() -> torch.nn.Module:
    """CLIP's image tower."""
    from transformers import CLIPVisionModelWithProjection

    return CLIP.load(CLIPVisionModelWithProjection)


@kept
def dino() -> torch.nn.Module:
    """DINO's vision transformer, without the head that it was trained with."""
    from transformers import ViTModel

    return DINO.load(ViTModel, add_pooling_layer=False)

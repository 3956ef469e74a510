"""All references of a request, encoded once for every call: features, keys and values, semantic tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from durian.diffusion.reference_inputs import ReferenceInputs
from durian.diffusion.reference_net import ReferenceFeatures
from durian.diffusion.references import ProjectedReferences, Reference, References

if TYPE_CHECKING:
    from durian.diffusion.checks import AttributeReference
    from durian.diffusion.pipeline import DurianPipeline


@dataclass(frozen=True)
class EncodedReferences:
    """Everything about a request's pictures that is independent of timestep, frame and motion."""

    parts: tuple[Reference, ...]
    """The pictures' features: portrait first, then attributes in the order in which they were given."""
    projected: ProjectedReferences
    attributes: tuple[Tensor, ...]
    """Semantic tokens of each attribute, ``(1, T, D)``."""
    log_weights: tuple[Tensor | None, ...]
    portrait: Tensor | None
    blends: bool

    @property
    def dtype(self) -> torch.dtype:
        """The number type that they were encoded in."""
        return self.parts[0].features[0].dtype

    @classmethod
    def of(
        cls,
        pipeline: DurianPipeline,
        portrait: np.ndarray,
        portrait_hole: np.ndarray,
        attributes: Sequence[AttributeReference],
        blend: bool,
        portrait_keypoints: np.ndarray | None,
    ) -> EncodedReferences:
        """Encode pictures that were checked; arguments as of :meth:`DurianPipeline.set_references`."""
        worn = [attribute for attribute in attributes if attribute.strength > 0 or blend]
        drawn = None if portrait_keypoints is None else portrait_keypoints[None]
        inputs = ReferenceInputs.of(pipeline, portrait[None], 255 - portrait_hole[None], drawn)
        shown = inputs.seen_by(pipeline.portrait_reference_net)
        looks = [_encode_attribute(pipeline, attribute) for attribute in worn]
        device = inputs.latents.device
        log_weights = [None if blend else _log_weight(attribute.strength, device) for attribute in worn]
        drop = pipeline.config.drop_outside_masks
        parts = (shown.reference(drop), *(f.reference(drop, w) for (f, _), w in zip(looks, log_weights)))
        # α is only known when called; any value says that the last two parts are alternatives.
        placeholder = torch.zeros(1, device=device) if blend else None
        return cls(
            parts=parts,
            projected=pipeline.denoiser.project(References(parts, placeholder)),
            attributes=tuple(tokens for _, tokens in looks),
            log_weights=tuple(log_weights),
            portrait=pipeline.conditioner.of_portrait(shown),
            blends=blend,
        )


def _encode_attribute(pipeline: DurianPipeline, attribute: AttributeReference) -> tuple[ReferenceFeatures, Tensor]:
    """The reference net's features of an attribute, and its semantic tokens."""
    drawn = None if attribute.keypoints is None else attribute.keypoints[None]
    inputs = ReferenceInputs.of(pipeline, attribute.image[None], attribute.mask[None], drawn)
    features = inputs.seen_by(pipeline.attribute_reference_net)
    return features, pipeline.conditioner.of_attribute(features if inputs.embedding is None else inputs.embedding)


def _log_weight(strength: float, device: torch.device) -> Tensor | None:
    return None if strength == 1 else torch.tensor([strength], device=device).log()

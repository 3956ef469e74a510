"""Registry of all metrics, in the order in which reports list them."""

from __future__ import annotations

from functools import lru_cache

from durian.errors import InvalidRequest
from durian.evaluation.metrics.attribute import AttributeColour, AttributeOverlap
from durian.evaluation.metrics.flicker import Flicker
from durian.evaluation.metrics.gradients import GradientSimilarity
from durian.evaluation.metrics.interface import Metric, SetMetric
from durian.evaluation.metrics.landmarks import FacesFound, LandmarkError
from durian.evaluation.metrics.pairwise import L1, PSNR, SSIM


@lru_cache(maxsize=1)
def all_metrics() -> dict[str, Metric]:
    """Metrics of one clip by name; one instance of each for the process, so that models are loaded once."""
    from durian.evaluation.metrics.identity import Identity
    from durian.evaluation.metrics.perceptual import LPIPS
    from durian.evaluation.metrics.similarity import ClipSimilarity, MaskedDino

    pairwise = (L1, PSNR, SSIM, GradientSimilarity, LPIPS, Flicker, LandmarkError, AttributeOverlap, AttributeColour)
    reference = (ClipSimilarity, MaskedDino, Identity, FacesFound)
    return {kind.name: kind() for kind in (*pairwise, *reference)}


def all_set_metrics() -> dict[str, SetMetric]:
    """Metrics of sets by name, new and empty."""
    from durian.evaluation.metrics.frechet import FID, VideoFIDI3D, VideoFIDResNeXt

    return {kind.name: kind() for kind in (FID, VideoFIDI3D, VideoFIDResNeXt)}


def get_metric(name: str) -> Metric:
    """A metric of one clip.

    Raises:
        InvalidRequest: none has that name.
    """
    metrics = all_metrics()
    if name not in metrics:
        raise InvalidRequest(f"There is no metric named {name!r}: use one of {', '.join(metrics)}.")
    return metrics[name]

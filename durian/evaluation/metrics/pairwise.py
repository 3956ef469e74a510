"""L1, PSNR and SSIM of frames against the true frames."""

from __future__ import annotations

from durian.evaluation.metrics.case import Case
from durian.evaluation.metrics.interface import Metric
from durian.evaluation.metrics.pixels import BEST_PSNR


class _Pixelwise(Metric):
    """One figure of :class:`~durian.evaluation.metrics.pixels.Score`, averaged over a clip's frames."""

    kind = "pairwise"
    needs_truth = True

    def score(self, case: Case) -> dict[str, float]:
        return {region: getattr(score, self.name) for region, score in case.pixel_scores.items()}


class L1(_Pixelwise):
    name, title = "l1", "L1"
    higher_is_better, best = False, 0.0
    definition = "Mean absolute difference of the colours, in units of full brightness."


class PSNR(_Pixelwise):
    name, title, unit = "psnr", "PSNR", "dB"
    higher_is_better, best = True, BEST_PSNR
    definition = f"Peak signal-to-noise ratio of each frame, at most {BEST_PSNR:g} dB, averaged over frames."


class SSIM(_Pixelwise):
    name, title = "ssim", "SSIM"
    higher_is_better, best = True, 1.0
    definition = "Structural similarity (Wang et al. 2004; uniform 7 × 7 window), averaged over pixels and colours."

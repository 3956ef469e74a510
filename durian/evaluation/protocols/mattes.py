"""Mattes of rendered heads against the exact coverage of every pixel.

Each matte starts from the same rough mask, the truth as somebody sees it who sees no strands, so that what is measured
is the matte and not the mask. The errors are those of alphamatting.com (Rhemann et al., "A perceptually motivated
online benchmark for image matting", 2009), over the whole picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import cv2
import numpy as np

MATTED = ("hair", "hat")
SAMPLES = 4
"""Squared, of each pixel: the truth has seventeen levels and strands their thickness."""
ROUGH = 0.04
"""Detail that the rough mask lacks, in distances of the outer eye corners."""
OUTER_EYES = (36, 45)
"""Numbers of the outer eye corners among the 68 landmarks."""
GRADIENT_SIGMA = 1.4
"""Of the Gaussian whose derivatives are compared, pixels (the benchmark's)."""
THOUSAND = 1000.0


def evaluate_mattes(
    limit: int | None = None, size: int = 512, seed: int = 0, on_scene: Callable[[int, int], None] | None = None
) -> dict:
    """Measure mattes of hair and hats on heads that are rendered for it.

    Args:
        limit: so many heads for each item; 12 if left out.
        size: pixels along a picture's side.
        seed: of the heads.
        on_scene: called with (heads done, heads in all).

    Returns:
        ``scenes`` and, for each item, the mean errors of each of :func:`mattes_of`: ``sad`` and ``gradient`` in
        thousands, ``mse`` in thousandths.

    Raises:
        WeightsMissing: there is no head model.
    """
    count = 12 if limit is None else limit
    report: dict = {"scenes": count * len(MATTED)}
    done = 0
    for kind in MATTED:
        errors = defaultdict(list)
        for image, truth, unit in rendered_heads(kind, count, size, seed):
            for name, alpha in mattes_of(image, rough_mask(truth, unit), unit, kind).items():
                errors[name].append(matte_errors(alpha, truth))
            done += 1
            if on_scene is not None:
                on_scene(done, count * len(MATTED))
        report[kind] = {
            name: {error: round(float(np.mean([row[error] for row in rows])), 3) for error in rows[0]}
            for name, rows in errors.items()
        }
    return report


def mattes_of(image: np.ndarray, mask: np.ndarray, unit: float, kind: str) -> dict[str, np.ndarray]:
    """The ``mask (H, W) float32`` itself, what the preview's ``outline`` and what the layers' ``matte`` make of it."""
    from durian.layers.mattes import soft_matte
    from durian.preview.light import MATTE_BAND
    from durian.preview.matte import refined_matte

    return {
        "mask": mask,
        "outline": refined_matte(image.astype(np.float32), mask, MATTE_BAND * unit),
        "matte": soft_matte(image, mask, unit, kind),
    }


def rendered_heads(kind: str, count: int, size: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Pictures ``(size, size, 3) uint8`` of people who wear an item, its exact matte ``(size, size) float32``, and
    the distance of their outer eye corners in pixels."""
    from durian.synthetic.head.head import HeadModel
    from durian.synthetic.scenes.scenes import Recipe, scene
    from durian.synthetic.studio.studio import Studio

    studio, recipe = Studio(HeadModel.load()), Recipe(kinds={"triplet": 1.0}, attributes={kind: 1.0}, frames=1)
    for number in range(count):
        drawn = scene(number, recipe, seed)
        shot = drawn.shots[drawn.items[0].shots[0]]
        picture = studio.render(shot.person, shot.view, size, SAMPLES)
        eyes = picture.landmarks[list(OUTER_EYES)]
        unit = float(np.linalg.norm(eyes[0] - eyes[1]))
        yield picture.rgb, picture.coverage[kind].astype(np.float32) / 255, unit


def rough_mask(truth: np.ndarray, unit: float) -> np.ndarray:
    """Where most of the surroundings are the item, ``(H, W) float32``, 0 and 1."""
    return (cv2.GaussianBlur(truth, (0, 0), max(0.5, ROUGH * unit)) > 0.5).astype(np.float32)


def matte_errors(alpha: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Errors of a matte, both ``(H, W) float32`` in [0, 1].

    Returns:
        ``sad``: sum of absolute differences, in thousands; ``mse``: mean squared difference, in thousandths;
        ``gradient``: sum of squared differences of the gradients' magnitudes, in thousands.
    """
    difference = alpha.astype(np.float64) - truth
    edges = _gradient(alpha) - _gradient(truth)
    return {
        "sad": float(np.abs(difference).sum() / THOUSAND),
        "mse": float((difference**2).mean() * THOUSAND),
        "gradient": float((edges**2).sum() / THOUSAND),
    }


def _gradient(alpha: np.ndarray) -> np.ndarray:
    """Magnitude of the first derivatives of a Gaussian, ``(H, W) float64``."""
    reach = np.arange(-round(3 * GRADIENT_SIGMA), round(3 * GRADIENT_SIGMA) + 1, dtype=np.float64)
    bell = np.exp(-(reach**2) / (2 * GRADIENT_SIGMA**2))
    slope = -reach * bell
    bell, slope = bell / np.linalg.norm(bell), slope / np.linalg.norm(slope)
    alpha = alpha.astype(np.float64)
    across, down = cv2.sepFilter2D(alpha, -1, slope, bell), cv2.sepFilter2D(alpha, -1, bell, slope)
    return np.hypot(across, down)

"""Soft mattes: an item's share of each pixel, solved on the picture within a trimap's band.

The matting equation is I = αF + (1 - α)B. Colours sampled on both sides of the band give a first α and how far to
believe it (Gastal and Oliveira, "Shared sampling for real-time alpha matting", 2010). The matting Laplacian carries it
to where they say nothing (Levin, Lischinski and Weiss, "A closed-form solution to natural image matting", 2008): in
small windows α is linear in the colours, which also brings a matte solved at a lower resolution up to the picture's.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import smoothstep
from durian.layers.trimap import IN, OUT, UNKNOWN, trimap

WORKING_SIDE = 256
"""Longest side, in pixels, of what the Laplacian is solved on."""
REGULARISATION = 1e-5
"""ε of the Laplacian, for colours in [0, 1] (Levin's is 1e-7; photographs from files have noise)."""
SAMPLING = (0.0, 0.15, 0.4)
"""Distances of the places around a pixel whose nearest sure pixels are its samples, in distances of the outer eye
corners; four places at each."""
SPREAD = 0.2
"""Standard deviation of α among pairs that fit from which on they tell nothing."""
NOISE = 6.0
"""Levels by which a mixture of samples may miss the pixel."""
APART = (12.0, 50.0)
"""Distance of two samples (levels, RGB) below which they tell nothing and from which on they tell all."""
SAMPLES_WEIGHT, PRIOR_WEIGHT = 0.07, 0.02
"""Of the samples' α and of the mask's in the Laplacian's equation."""
WISP, HAZE = 0.02, (0.1, 0.7)
"""Half the width of a strand, in distances of the outer eye corners; and α from which on and until which what is
broader counts as nothing."""
ITERATIONS, TOLERANCE = 150, 1e-4
"""Of the conjugate gradients."""
LEAST, MOST = 0.06, 0.94
"""α below and above which a pixel is nothing and all of the item: the solution only comes near both."""
HELD = 0.15
"""α from which on what hangs together with the item's inside is part of it; specks are not."""


def soft_matte(
    image: np.ndarray, share: np.ndarray, unit: float, kind: str = "hair", barred: np.ndarray | None = None
) -> np.ndarray:
    """An item's matte.

    Args:
        image: ``(H, W, 3) uint8`` or ``float32`` RGB, 0-255.
        share: ``(H, W) float32`` in [0, 1]: a mask, or how sure a parser is of the item.
        unit: distance of the outer eye corners, pixels.
        kind: of item, one of :data:`durian.layers.trimap.BANDS`; others count as ``"other"``.
        barred: ``(H, W) bool``, where the item surely is not, such as brows when it is hair.

    Returns:
        ``(H, W) float32`` in [0, 1]: the trimap outside its band, and nothing that hangs in the air.
    """
    known = trimap(share, unit, kind, image)
    if barred is not None:
        known = np.where(barred, np.float32(OUT), known)
    return matte_within(image, known, share, unit, kind)


def matte_within(image: np.ndarray, known: np.ndarray, share: np.ndarray, unit: float, kind: str) -> np.ndarray:
    """The matte of a trimap, ``known (H, W) float32``; the rest as of :func:`soft_matte`."""
    rows, columns = np.nonzero(known == UNKNOWN)
    if not len(rows) or not (known == IN).any() or not (known == OUT).any():
        return np.where(known == UNKNOWN, share, known).astype(np.float32)
    # Samples of the sure sides lie within the widest ring around the band.
    margin = round(max(SAMPLING) * unit) + 3
    area = tuple(slice(max(0, int(at.min()) - margin), int(at.max()) + margin + 1) for at in (rows, columns))
    alpha = known.copy()
    alpha[area] = _solved(image[area].astype(np.float32), known[area], share[area].astype(np.float32), unit)
    alpha = np.clip((alpha - LEAST) / (MOST - LEAST), 0, 1)
    alpha = np.where(known == UNKNOWN, alpha, known)
    return _held(alpha.astype(np.float32), known)


def sampled_alpha(image: np.ndarray, known: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """α of each unknown pixel by the pair of sure colours near it that mixes best to its own.

    Args:
        image: ``(H, W, 3) float32``, 0-255.
        known: ``(H, W) float32`` trimap.
        unit: distance of the outer eye corners, pixels.

    Returns:
        α, how far to believe it, and how far the colours of both sides are apart, 0 where they tell nothing, each
        ``(H, W) float32`` in [0, 1]; 0 in known pixels.
    """
    rows, columns = np.nonzero(known == UNKNOWN)
    colours = image[rows, columns]
    item, item_way = _samples(image, known == IN, rows, columns, unit)
    behind, behind_way = _samples(image, known == OUT, rows, columns, unit)
    total, squares, weights, believed, told, nearness = np.zeros((6, len(rows)), np.float32)
    for f, far_f in zip(item, item_way, strict=True):
        for b, far_b in zip(behind, behind_way, strict=True):
            difference = f - b
            squared = np.einsum("nc,nc->n", difference, difference)
            share = np.clip(np.einsum("nc,nc->n", colours - b, difference) / np.maximum(squared, 1), 0, 1)
            missed = colours - b - share[:, None] * difference
            misfit = np.einsum("nc,nc->n", missed, missed) / NOISE**2
            weight = np.exp(-0.5 * (misfit + far_f + far_b)) + 1e-20
            apart = np.clip((np.sqrt(squared) - APART[0]) / (APART[1] - APART[0]), 0, 1)
            total += weight * share
            squares += weight * share**2
            weights += weight
            believed += weight * apart * np.exp(-0.5 * misfit)
            near = np.exp(-0.5 * (far_f + far_b))
            told += near * apart
            nearness += near
    alpha = total / weights
    # Pairs that say different things, all of them fitting: the colours are on both sides.
    spread = np.sqrt(np.maximum(squares / weights - alpha**2, 0))
    trust = believed / weights * np.clip(1 - spread / SPREAD, 0, 1)
    result = np.zeros((3, *known.shape), np.float32)
    result[:, rows, columns] = alpha, trust, told / np.maximum(nearness, 1e-20)
    return result[0], result[1], result[2]


def _samples(
    image: np.ndarray, sure: np.ndarray, rows: np.ndarray, columns: np.ndarray, unit: float
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Colours ``(N, 3)`` of sure pixels around each place, and how far off they are, ``(N,)``, 1 being ``unit / 4``."""
    smooth = _mean_within(image, sure)
    _, nearest = cv2.distanceTransformWithLabels(
        (~sure).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    sure_rows, sure_columns = np.nonzero(sure)
    place = np.empty((2, nearest.max() + 1), np.int32)
    place[:, nearest[sure_rows, sure_columns]] = sure_rows, sure_columns
    height, width = sure.shape
    colours, far = [], []
    for ring, radius in enumerate(SAMPLING):
        # Each ring is turned against the one before, so that no direction is left out.
        for angle in (np.arange(4 if radius else 1) + 0.5 * ring) * (np.pi / 2):
            there = (
                np.clip(rows + round(radius * unit * np.sin(angle)), 0, height - 1),
                np.clip(columns + round(radius * unit * np.cos(angle)), 0, width - 1),
            )
            y, x = place[:, nearest[there]]
            colours.append(smooth[y, x])
            far.append((np.hypot(y - rows, x - columns) / (unit / 4)).astype(np.float32))
    return colours, far


def _mean_within(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Each pixel's mean with its neighbours in ``where``, ``(H, W, 3) float32``: a sample without noise."""
    weight = where.astype(np.float32)
    total = cv2.blur(image * weight[..., None], (3, 3))
    return total / np.maximum(cv2.blur(weight, (3, 3)), 1e-6)[..., None]


def _solved(image: np.ndarray, known: np.ndarray, share: np.ndarray, unit: float) -> np.ndarray:
    """α by the Laplacian at :data:`WORKING_SIDE`, brought up by its own linear models, ``(H, W) float32``."""
    height, width = known.shape
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(3, round(width * scale)), max(3, round(height * scale)))

    def small(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA) if scale < 1 else values

    colours = small(image)
    sure_in, sure_out = small(known == IN) > 0.999, small(known == OUT) > 0.999
    part = np.where(sure_in, IN, np.where(sure_out, OUT, UNKNOWN))
    sampled, trust, told = sampled_alpha(colours, part, scale * unit)
    weight = SAMPLES_WEIGHT * trust + PRIOR_WEIGHT
    wanted = (SAMPLES_WEIGHT * trust * sampled + PRIOR_WEIGHT * small(share)) / weight
    alpha = closed_form(colours / 255, sure_in, part == UNKNOWN, wanted, weight)
    if scale < 1:
        alpha, told = brought_up(alpha, colours / 255, image / 255), cv2.resize(told, (width, height))
    return without_haze(alpha, 1 - told, unit)


def without_haze(alpha: np.ndarray, alike: np.ndarray, unit: float) -> np.ndarray:
    """A matte without what is neither strand nor edge where colours tell nothing.

    Dark hair before a dark wall: the Laplacian carries α from the hair to the wall over the whole band, which would be
    a grey haze before anything bright.

    Args:
        alpha: ``(H, W) float32``.
        alike: ``(H, W) float32`` in [0, 1], how alike the colours on both sides are.
        unit: distance of the outer eye corners, pixels.

    Returns:
        ``(H, W) float32`` in [0, 1].
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(WISP * unit)) + 1,) * 2)
    broad = cv2.morphologyEx(alpha, cv2.MORPH_OPEN, disc)
    return alpha - alike * broad * (1 - smoothstep(broad, *HAZE))


def closed_form(
    picture: np.ndarray, sure_in: np.ndarray, unknown: np.ndarray, wanted: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Solve ``(L + W) α = W wanted`` for the unknown pixels, L being the matting Laplacian of 3 × 3 windows.

    Args:
        picture: ``(h, w, 3) float32`` in [0, 1].
        sure_in: ``(h, w) bool``, where α is 1.
        unknown: ``(h, w) bool``, what is solved for; α is 0 elsewhere.
        wanted: ``(h, w) float32`` α by other means, which ``weight (h, w) float32`` pulls to.

    Returns:
        ``(h, w) float32`` in [0, 1].
    """
    from scipy.sparse import csr_matrix, diags
    from scipy.sparse.linalg import cg

    alpha = sure_in.astype(np.float32)
    numbers = np.flatnonzero(unknown)
    if not len(numbers):
        return alpha
    pixels, values = _window_terms(picture, unknown)
    count = unknown.size
    rows = np.repeat(pixels, 9, axis=1).ravel()
    columns = np.tile(pixels, (1, 9)).ravel()
    order = np.full(count, -1, np.int64)
    order[numbers] = np.arange(len(numbers))
    kept = order[rows] >= 0
    matrix = csr_matrix((values.ravel()[kept], (order[rows[kept]], columns[kept])), shape=(len(numbers), count))
    pull = weight.ravel()[numbers].astype(np.float64)
    target = pull * wanted.ravel()[numbers] - matrix @ alpha.ravel().astype(np.float64)
    among = matrix[:, numbers] + diags(pull)
    scaling = diags(1 / among.diagonal())
    start = wanted.ravel()[numbers].astype(np.float64)
    solution, _ = cg(among, target, x0=start, rtol=TOLERANCE, maxiter=ITERATIONS, M=scaling)
    alpha.ravel()[numbers] = np.clip(solution, 0, 1)
    return alpha


def _window_terms(picture: np.ndarray, unknown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels ``(N, 9) int64`` of all windows that hold unknown ones, and their terms of L, ``(N, 9, 9) float64``
    (Levin et al., equation 12)."""
    width = unknown.shape[1]
    touched = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    y, x = np.nonzero(touched)
    offsets = (np.arange(3)[:, None] * width + np.arange(3)).ravel()
    pixels = (y * width + x)[:, None] + offsets
    colours = picture.reshape(-1, 3)[pixels].astype(np.float64)
    centred = colours - colours.mean(axis=1, keepdims=True)
    covariance = np.einsum("nki,nkj->nij", centred, centred) / 9 + np.eye(3) * (REGULARISATION / 9)
    likeness = centred @ np.linalg.inv(covariance) @ centred.transpose(0, 2, 1)
    return pixels, np.eye(9) - (1 + likeness) / 9


def brought_up(alpha: np.ndarray, small: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A small matte at the picture's size: windows' linear models of α in the colours, applied there.

    Args:
        alpha: ``(h, w) float32``.
        small: ``(h, w, 3) float32`` in [0, 1], the picture at its size.
        picture: ``(H, W, 3) float32`` in [0, 1].

    Returns:
        ``(H, W) float32`` in [0, 1].
    """

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (3, 3))

    average, level = mean(small), mean(alpha)
    products = mean((small[..., :, None] * small[..., None, :]).reshape(*alpha.shape, 9))
    covariance = products.reshape(*alpha.shape, 3, 3) - average[..., :, None] * average[..., None, :]
    covariance = covariance + np.eye(3, dtype=np.float32) * np.float32(1e-4)
    with_alpha = mean(small * alpha[..., None]) - average * level[..., None]
    slope = np.linalg.solve(covariance, with_alpha[..., None])[..., 0].astype(np.float32)
    offset = level - (slope * average).sum(axis=-1)
    size = picture.shape[1::-1]
    slope, offset = (cv2.resize(mean(values), size, interpolation=cv2.INTER_LINEAR) for values in (slope, offset))
    return np.clip((slope * picture).sum(axis=-1) + offset, 0, 1)


def _held(alpha: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Without what does not hang together with the sure inside."""
    _, parts = cv2.connectedComponents((alpha > HELD).astype(np.uint8), connectivity=8)
    loose = ~np.isin(parts, np.unique(parts[known == IN])) & (parts > 0)
    around = cv2.dilate(loose.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    held = (parts > 0) & ~loose
    return np.where(around & ~held, np.float32(0), alpha)

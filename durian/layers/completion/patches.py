"""Compiled loops of patch search: PatchMatch (Barnes et al. 2009), and votes (Wexler et al. 2007).

A picture lies flat, ``(H, W * 3) float32``, so that a row of a patch is one run of memory. Patches are squares of
``2 * reach + 1`` pixels about their centres, which lie at least ``reach`` inside the picture. A patch may be taken with
another brightness and tint than it has (the *shift*, at most ``limit`` levels), which costs ``price`` times its square.
What else is known of each place (``guide (H, W, G) float32``, in levels) is compared in the middle of patches.
"""

from __future__ import annotations

import numpy as np

from durian.jit import kept_jit

ROUNDING = np.float32(1.001)
"""How much rounding may make of a cost, as a factor and, less 1, as what is added."""


@kept_jit(nogil=True)
def patch_cost(picture, means, guide, reach, ty, tx, sy, sx, limit, price, best):
    """Mean squared difference per value of the patch at ``(ty, tx)`` to that at ``(sy, sx)``; more than ``best`` when
    it is surely no better."""
    side = 2 * reach + 1
    saved = np.float32(0)
    for k in range(3):
        off = means[ty, tx * 3 + k] - means[sy, sx * 3 + k]
        shift = min(max(off, -limit), limit)
        saved += off * off - (off - shift) * (off - shift) - price * shift * shift
    for k in range(guide.shape[2]):
        off = guide[ty, tx, k] - guide[sy, sx, k]
        saved -= off * off
    area = np.float32(side * side)
    bound = best * 3 * area + saved * area
    total = np.float32(0)
    first, second = (tx - reach) * 3, (sx - reach) * 3
    for row in range(-reach, reach + 1):
        part = np.float32(0)
        for j in range(3 * side):
            off = picture[ty + row, first + j] - picture[sy + row, second + j]
            part += off * off
        total += part
        if total > bound:
            return np.float32(3e38)
    return max((total - saved * area) / (3 * area), np.float32(0))


@kept_jit(nogil=True)
def is_unlike(means, guide, ty, tx, sy, sx, limit, price, best):
    """Whether :func:`patch_cost` is surely more than ``best`` without a look at pixels: patches differ at least as much
    as their means do."""
    least = np.float32(0)
    for k in range(3):
        off = means[ty, tx * 3 + k] - means[sy, sx * 3 + k]
        shift = min(max(off, -limit), limit)
        least += (off - shift) * (off - shift) + price * shift * shift
    for k in range(guide.shape[2]):
        off = guide[ty, tx, k] - guide[sy, sx, k]
        least += off * off
    return least > 3 * (ROUNDING * best + (ROUNDING - np.float32(1)))


@kept_jit(nogil=True)
def cost_all(picture, means, guide, targets, reach, limit, price, match_y, match_x, cost):
    """The cost of every match as it is now, into ``cost (H, W) float32``."""
    for t in range(targets.shape[0]):
        y, x = targets[t, 0], targets[t, 1]
        cost[y, x] = patch_cost(
            picture, means, guide, reach, y, x, match_y[y, x], match_x[y, x], limit[y, x], price, np.float32(1e30)
        )


@kept_jit(nogil=True)
def search(
    picture,
    means,
    guide,
    targets,
    source,
    reach,
    limit,
    price,
    sweeps,
    widest,
    state,
    match_y,
    match_x,
    cost,
    is_target,
):
    """Better matches: each target tries its neighbours' and random ones ever nearer to its own.

    Args:
        picture, means: ``(H, W * 3) float32`` picture, and the means of its patches.
        guide: ``(H, W, G) float32``.
        targets: ``(N, 2) int32`` centres that look for a match, in reading order.
        source: ``(H, W) bool`` centres that may be matched.
        limit: ``(H, W) float32`` how far a patch may be shifted, levels.
        price: of a shift.
        sweeps: how often all targets are visited, forwards and backwards in turn.
        widest: pixels of the first random search.
        state: ``(1,) uint64`` of the random numbers, changed.
        match_y, match_x: ``(H, W) int32`` matches, changed.
        cost: ``(H, W) float32`` their costs, changed.
        is_target: ``(H, W) bool``.
    """
    height, width = source.shape
    seed = state[0]
    count = targets.shape[0]
    for sweep in range(sweeps):
        step = 1 if sweep % 2 == 0 else -1
        for number in range(count):
            t = number if step == 1 else count - 1 - number
            y, x = targets[t, 0], targets[t, 1]
            best, best_y, best_x = cost[y, x], match_y[y, x], match_x[y, x]
            for across in range(2):
                near_y, near_x = (y, x - step) if across == 0 else (y - step, x)
                if near_y < 0 or near_x < 0 or near_y >= height or near_x >= width or not is_target[near_y, near_x]:
                    continue
                sy = match_y[near_y, near_x] + (0 if across == 0 else step)
                sx = match_x[near_y, near_x] + (step if across == 0 else 0)
                if sy < 0 or sx < 0 or sy >= height or sx >= width or not source[sy, sx]:
                    continue
                if sy == best_y and sx == best_x:
                    continue
                if is_unlike(means, guide, y, x, sy, sx, limit[y, x], price, best):
                    continue
                found = patch_cost(picture, means, guide, reach, y, x, sy, sx, limit[y, x], price, best)
                if found < best:
                    best, best_y, best_x = found, sy, sx
            radius = widest
            while radius >= 1:
                seed ^= seed << np.uint64(13)
                seed ^= seed >> np.uint64(7)
                seed ^= seed << np.uint64(17)
                sy = best_y + int(seed & np.uint64(0xFFFF)) * (2 * radius + 1) // 65536 - radius
                sx = best_x + int((seed >> np.uint64(16)) & np.uint64(0xFFFF)) * (2 * radius + 1) // 65536 - radius
                radius //= 2
                if sy < 0 or sx < 0 or sy >= height or sx >= width or not source[sy, sx]:
                    continue
                if is_unlike(means, guide, y, x, sy, sx, limit[y, x], price, best):
                    continue
                found = patch_cost(picture, means, guide, reach, y, x, sy, sx, limit[y, x], price, best)
                if found < best:
                    best, best_y, best_x = found, sy, sx
            cost[y, x], match_y[y, x], match_x[y, x] = best, best_y, best_x
    state[0] = seed


@kept_jit(nogil=True)
def vote(picture, means, targets, hole, reach, limit, match_y, match_x, weight, window, total, votes):
    """Sum of the matches' votes for each pixel of the hole.

    Args:
        picture, means, targets, reach, limit, match_y, match_x: as for :func:`search`.
        hole: ``(H, W) bool`` pixels that are voted on.
        weight: ``(H, W) float32`` of the patch about each target.
        window: ``(side, side) float32`` of the places in a patch.
        total: ``(H, W * 3) float32``, written: the sum of weighted votes.
        votes: ``(H, W) float32``, written: the sum of weights.
    """
    total[:] = 0
    votes[:] = 0
    for t in range(targets.shape[0]):
        y, x = targets[t, 0], targets[t, 1]
        sy, sx = match_y[y, x], match_x[y, x]
        own, most = weight[y, x], limit[y, x]
        first = min(max(means[y, x * 3] - means[sy, sx * 3], -most), most)
        second = min(max(means[y, x * 3 + 1] - means[sy, sx * 3 + 1], -most), most)
        third = min(max(means[y, x * 3 + 2] - means[sy, sx * 3 + 2], -most), most)
        for row in range(-reach, reach + 1):
            for column in range(-reach, reach + 1):
                px, qx = x + column, sx + column
                if not hole[y + row, px]:
                    continue
                w = own * window[row + reach, column + reach]
                total[y + row, px * 3] += w * (picture[sy + row, qx * 3] + first)
                total[y + row, px * 3 + 1] += w * (picture[sy + row, qx * 3 + 1] + second)
                total[y + row, px * 3 + 2] += w * (picture[sy + row, qx * 3 + 2] + third)
                votes[y + row, px] += w

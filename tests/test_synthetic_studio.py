"""The rasteriser against plain arithmetic, and pictures of heads: the same each time, with masks that fit."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from durian.synthetic.base.geometry import Label, Outfit
from durian.synthetic.base.person import View
from durian.synthetic.render.raster import NOTHING, STEPS, rasterise

SIDE = 48


def random_triangles(count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    places = random.uniform(-8, SIDE + 8, (2, 3 * count))
    seen = np.stack([*(np.round(places * STEPS) / STEPS), random.uniform(0.1, 1, 3 * count)]).astype(np.float32)
    return seen, np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def plainly(seen: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Winner and nearness at the middle of each pixel, by barycentric coordinates in double precision."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    nearest, winner = np.zeros((SIDE, SIDE)), np.full((SIDE, SIDE), NOTHING)
    for number, corners in enumerate(triangles):
        (xa, xb, xc), (ya, yb, yc), depth = seen[:, corners].astype(float)
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        b = ((x - xa) * (yc - ya) - (xc - xa) * (y - ya)) / area
        c = ((xb - xa) * (y - ya) - (x - xa) * (yb - ya)) / area
        near = (1 - b - c) * depth[0] + b * depth[1] + c * depth[2]
        ahead = (b > 0) & (c > 0) & (b + c < 1) & (near > nearest)
        nearest[ahead], winner[ahead] = near[ahead], number
    return winner, nearest


def test_the_nearest_triangle_wins_everywhere():
    seen, triangles = random_triangles(60)
    index, nearness = rasterise(seen, triangles, SIDE, SIDE)
    winner, nearest = plainly(seen, triangles)
    same = index[:, 0] == winner
    # Where two cross, or an edge meets a pixel's middle, single precision may decide otherwise.
    assert same.mean() > 0.998
    np.testing.assert_allclose(nearness[:, 0][same], nearest[same], atol=1e-4)


def test_a_picture_of_any_width_is_the_left_of_a_wider_one():
    seen, triangles = random_triangles(3000)
    seen[2] += np.float32(0.5) * (np.arange(seen.shape[1]) < 300)  # some hide most of the others
    whole, narrow = (rasterise(seen, triangles, SIDE, width, 4)[0] for width in (SIDE, SIDE - 3))
    assert np.array_equal(whole[..., : SIDE - 3], narrow)


def test_a_common_edge_leaves_no_gap_and_covers_nothing_twice():
    corners = np.array([[3, 40.3, 44, 7.7], [5.1, 2, 41, 45], [1, 1, 1, 1]], np.float32)
    both, first, second = (
        rasterise(corners, np.array(triangles, np.int32), SIDE, SIDE, 4)[0]
        for triangles in ([[0, 1, 2], [0, 2, 3]], [[0, 1, 2]], [[0, 2, 3]])
    )
    outline, _ = rasterise(corners, np.array([[0, 1, 3], [1, 2, 3]], np.int32), SIDE, SIDE, 4)
    assert np.array_equal(both != NOTHING, outline != NOTHING)
    assert not ((first != NOTHING) & (second != NOTHING)).any()


def test_threads_change_nothing():
    seen, triangles = random_triangles(200)
    before = numba.get_num_threads()
    try:
        pictures = []
        for threads in (1, min(2, before)):
            numba.set_num_threads(threads)
            pictures.append(rasterise(seen, triangles, SIDE, SIDE, 4))
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*pictures):
        assert np.array_equal(one, other)


@pytest.fixture(scope="module")
def studio(head_model):
    from durian.synthetic.studio.studio import Studio

    return Studio(head_model)


@pytest.mark.slow
def test_a_head_is_drawn_the_same_each_time_with_masks_that_fit(studio):
    from durian.synthetic.worn.hats import HatLook, make_hat

    meshes, fit = make_hat(studio.head, HatLook(style="beanie"))
    outfit, view = Outfit(meshes=meshes, hat=fit), View(yaw=0.3)
    first, again = (studio.render_outfit(outfit, view, size=64) for _ in range(2))
    assert np.array_equal(first.rgb, again.rgb)
    hat = first.classes == Label.HAT
    assert 0.02 < hat.mean() < 0.5
    # The soft mask is full where the class is, and nothing far from it.
    assert first.coverage["hat"][hat].min() > 80
    assert abs(first.coverage["hat"].mean() / 255 - hat.mean()) < 0.02
    assert first.classes[0, 0] == Label.BACKGROUND
    assert first.depth[0, 0] == 0
    x, y = np.floor(first.landmarks[27:36].T).astype(int)
    assert set(first.classes[y, x]) <= {Label.FACE, Label.NOSE}
    bare = studio.render_outfit(Outfit(), view, size=64)
    assert not (bare.classes == Label.HAT).any()
    assert bare.coverage["hat"].max() == 0


@pytest.mark.slow
def test_a_turned_head_turns_towards_its_light(studio):
    left, right = (studio.render_outfit(Outfit(), View(yaw=yaw), size=64) for yaw in (-0.5, 0.5))
    assert left.landmarks[30, 0] < 32 < right.landmarks[30, 0]

"""Dressing: ambient occlusion of a person, and worn things that follow their skin."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from durian.synthetic.hair.growth import arc_length, curl, frames, resample_evenly
from durian.synthetic.head.binding import STIFF_NEIGHBOURS, STIFFNESS, SkinField, carried
from durian.synthetic.head.distance import DistanceField
from durian.synthetic.render.ambient import directions, see_surroundings

UP = np.array([0, 1, 0], np.float32)


def plate(height: float, half: float) -> tuple[np.ndarray, np.ndarray]:
    """A level square of two triangles."""
    corners = [(-half, height, -half), (half, height, -half), (half, height, half), (-half, height, half)]
    return np.array(corners, np.float32), np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def seen_below(half: float, between: bool = False) -> np.ndarray:
    """What three points see, 4 cm below the middle of a plate and far beside it."""
    corners, triangles = plate(4.0, half)
    points = np.concatenate([corners, np.array([[0, 0, 0], [5, 0, 0], [15, 0, 0]], np.float32)])
    skipped = np.array([False] * 5 + [between, False])
    return see_surroundings(points, np.tile(UP, (7, 1)), np.zeros(7, bool), skipped, triangles, np.zeros(0, np.int32))[
        4:
    ]


def test_a_plate_hides_the_sky_above_a_point_and_nothing_else():
    seen, towards = seen_below(6.0), directions()
    up = towards[:, 1] > 0.75  # within 41 degrees of straight up; the plate reaches 56 degrees
    aside = (towards[:, 1] > 0) & (towards[:, 1] < 0.35)
    assert seen[0, up].max() == 0
    assert seen[0, aside].min() == 255
    assert seen[2, up].min() == 255
    assert seen[0, towards[:, 1] < -0.4].max() == 0  # it faces away from what is below


def test_large_triangles_have_no_holes():
    up = directions()[:, 1] > 0.75
    for half in (6.0, 6.3, 7.1):
        assert seen_below(half)[0, up].max() == 0


def test_points_between_others_see_the_mean():
    plain, skipped = seen_below(6.0).astype(int), seen_below(6.0, between=True).astype(int)
    assert np.array_equal(skipped[[0, 2]], plain[[0, 2]])
    assert np.array_equal(skipped[1], (plain[0] + plain[2] + 1) // 2)


def test_threads_see_the_same():
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = seen_below(6.0, between=True)
        numba.set_num_threads(min(2, before))
        assert np.array_equal(seen_below(6.0, between=True), alone)
    finally:
        numba.set_num_threads(before)


def test_points_are_carried_by_their_vertices():
    offsets = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 4]], np.float32)
    vertices, weights = np.array([[0, 1, 2]], np.int32), np.array([[0.5, 0.25, 0.25]], np.float32)
    moved = carried(np.ones((3, 3), np.float32), np.array([1], np.int32), vertices, weights, offsets)
    np.testing.assert_allclose(moved, [[1, 1, 1], [1.5, 1.5, 2], [1, 1, 1]])


def test_the_lattice_moves_things_as_the_skin_near_them(head_model):
    random = np.random.default_rng(2)
    offsets = head_model.identity(random.normal(size=head_model.identity_count))
    skin = head_model.neutral[head_model.skin_vertices]
    points = (skin + head_model.normals[head_model.skin_vertices])[random.integers(len(skin), size=500)]
    vertices, weights = head_model.nearest(points, STIFF_NEIGHBOURS, STIFFNESS)
    exact = points + np.einsum("nk,nkc->nc", weights, offsets[vertices])
    field = SkinField(head_model, STIFFNESS)
    off = np.linalg.norm(SkinField.follow(points, field.of(offsets)) - exact, axis=1)
    assert np.linalg.norm(offsets[vertices[:, 0]], axis=1).mean() > 0.2  # people differ by millimetres
    assert np.median(off) < 0.03


@pytest.fixture(scope="module")
def ball() -> DistanceField:
    """The field of a ball 5 cm in radius."""
    random = np.random.default_rng(1)
    normals = random.normal(size=(4000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return DistanceField((5 * normals).astype(np.float32), normals.astype(np.float32))


def test_points_in_a_ball_are_pushed_out_of_it(ball):
    points = np.random.default_rng(0).normal(size=(200, 3))
    points *= np.linspace(3, 7, 200)[:, None] / np.linalg.norm(points, axis=1, keepdims=True)
    gap, outward = ball.at(points)
    radius = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(gap, radius - 5, atol=0.1)
    assert (np.sum(outward * points, axis=1) / radius).min() > 0.97
    pushed = np.linalg.norm(ball.pushed_out(points, 0.5, times=4), axis=1)
    np.testing.assert_allclose(pushed, np.maximum(radius, 5.5), atol=0.1)


def test_strands_are_measured_spaced_and_wound():
    x = np.linspace(0, 1, 9, dtype=np.float32) ** 2 * 6
    line = np.stack([x, 0 * x, 0 * x], axis=1)[None]
    np.testing.assert_allclose(arc_length(line)[0], x, atol=1e-5)
    even = resample_evenly(line, 13)
    np.testing.assert_allclose(even[0, :, 0], np.linspace(0, 6, 13), atol=0.1)
    sideways, outward = frames(line, UP[None])
    np.testing.assert_allclose(sideways[0], np.tile([0, 0, 1], (9, 1)), atol=1e-6)
    np.testing.assert_allclose(outward[0], np.tile(UP, (9, 1)), atol=1e-6)
    wound = curl(even, UP[None], 0.5, 0.25, np.zeros(1, np.float32))
    angle = 2 * np.pi * 0.25 * even[0, :, 0]
    radius = 0.5 * np.minimum(1, even[0, :, 0] / 2)
    np.testing.assert_allclose(wound[0, :, 2], radius * np.cos(angle), atol=0.01)
    np.testing.assert_allclose(wound[0, :, 1], radius * np.sin(angle), atol=0.01)

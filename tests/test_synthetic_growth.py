"""Strands and how they grow, on a ball."""

from __future__ import annotations

import numpy as np
import pytest

from durian.synthetic.base.geometry import Label, Material, SurfacePoints
from durian.synthetic.base.shapes import sphere, vertex_normals
from durian.synthetic.hair.fibres import as_strands, turned_grey
from durian.synthetic.hair.growth import (
    Opening,
    Wander,
    arc_length,
    clump,
    curl,
    find_clumps,
    frames,
    grow,
    push_out,
    resample,
    resample_evenly,
    trim,
    unit,
)
from durian.synthetic.hair.tufts import thinned
from durian.synthetic.head.distance import DistanceField

RADIUS = 6.0


DOWN = np.float32([0, -1, 0])


@pytest.fixture(scope="module")
def ball() -> DistanceField:
    made = sphere([1, 2, 3], RADIUS, rings=40, material=Material.SKIN, label=Label.FACE, colour=(1, 1, 1))
    return DistanceField(made.vertices, vertex_normals(made.vertices, made.triangles))


@pytest.fixture(scope="module")
def roots() -> tuple[np.ndarray, np.ndarray]:
    normals = unit(np.random.default_rng(0).normal(size=(400, 3))).astype(np.float32)
    return np.float32([1, 2, 3]) + RADIUS * normals, normals


def straight(count: int = 5, points: int = 9, length: float = 8.0) -> np.ndarray:
    """Strands side by side that hang down."""
    path = np.zeros((count, points, 3), np.float32)
    path[..., 0] = np.arange(count)[:, None]
    path[..., 1] = -np.linspace(0, length, points)
    return path


class TestDistance:
    def test_it_is_the_distance_to_a_ball(self, ball, roots):
        points, normals = roots
        for off in (-1.0, 0.0, 0.5, 2.0):
            distance, outward = ball.at(points + off * normals)
            np.testing.assert_allclose(distance, off, atol=0.08)
            assert (np.einsum("nc,nc->n", outward, normals) > 0.99).all()

    def test_far_away_is_far(self, ball):
        assert ball.at(np.array([[100.0, 0, 0]]))[0] > 2


class TestGrowth:
    def test_nothing_enters_the_ball(self, ball, roots):
        points, normals = roots
        path = grow(
            ball,
            points,
            normals,
            np.full(400, 9.0),
            lambda at, _: np.broadcast_to(DOWN, at.shape),
            points=14,
            clearance=0.2,
        )
        distance = ball.at(path[:, 1:].reshape(-1, 3))[0]
        assert distance.min() > 0.02
        assert path.shape == (400, 14, 3)

    def test_free_strands_have_the_length_asked_for(self, ball, roots):
        points, normals = roots
        wanted = np.linspace(1, 5, 400)
        path = grow(ball, points, normals, wanted, lambda at, _: normals, points=8, clearance=0.0)
        np.testing.assert_allclose(arc_length(path)[:, -1], wanted, atol=0.25)

    def test_what_hugs_stays_near(self, ball, roots):
        points, normals = roots
        settings = {"points": 14, "clearance": 0.2, "hangs_below": -99.0}
        flow = lambda at, _: np.broadcast_to(DOWN, at.shape)  # noqa: E731
        free = grow(ball, points, normals, np.full(400, 9.0), flow, **settings)
        held = grow(ball, points, normals, np.full(400, 9.0), flow, hug=0.2, **settings)
        assert ball.at(held[:, -1])[0].mean() < 0.5 * ball.at(free[:, -1])[0].mean()

    def test_clearance_lifts_strands(self, ball, roots):
        points, normals = roots
        flow = lambda at, _: np.broadcast_to(DOWN, at.shape)  # noqa: E731
        gaps = [
            ball.at(grow(ball, points, normals, np.full(400, 6.0), flow, points=12, clearance=clearance)[:, -1])[
                0
            ].min()
            for clearance in (0.1, 0.6, 1.2)
        ]
        assert gaps == sorted(gaps)
        assert gaps[-1] > 1.0

    def test_strands_are_pushed_out(self, ball, roots):
        points, normals = roots
        path = np.stack([points, points - 0.5 * normals, points + normals], axis=1)
        moved = push_out(ball, path, 0.1)
        np.testing.assert_array_equal(moved[:, [0, 2]], path[:, [0, 2]])
        np.testing.assert_allclose(ball.at(moved[:, 1])[0], 0.1, atol=0.05)

    def test_an_opening_stays_free(self):
        opening = Opening(side=np.float32([1, -1, 1]))
        before = np.float32([[6.5, 0, 8], [-6.5, 0, 8], [3, 0, -5]])
        after = opening.keep(before, before, np.full(3, 1.0))
        assert after[0, 0] > 6.5
        assert after[1, 0] < -6.5
        np.testing.assert_array_equal(after[2], before[2])  # behind the face


class TestShaping:
    def test_trim_cuts_at_the_level(self):
        path = straight()
        level = np.float32([-1, -2.5, -4, -7.9, -100])[:, None]
        tips = trim(path, level - path[..., 1])[:, -1, 1]
        np.testing.assert_allclose(tips, [-1, -2.5, -4, -7.9, -8], atol=0.05)

    def test_resampling_keeps_ends_and_course(self):
        path = straight()
        path[..., 2] = np.sin(np.linspace(0, 3, 9))
        more = resample(path, 33)
        np.testing.assert_allclose(more[:, [0, -1]], path[:, [0, -1]], atol=1e-5)
        np.testing.assert_allclose(more[:, ::4], path, atol=1e-5)
        np.testing.assert_allclose(resample(path, 5, keep=0.5)[:, -1], path[:, 4], atol=1e-5)

    def test_even_resampling_is_even(self):
        path = straight()
        path[..., 1] = -8 * (0.4 * np.linspace(0, 1, 9) + 0.6 * np.linspace(0, 1, 9) ** 2)
        even = resample_evenly(path, 17)
        np.testing.assert_allclose(np.diff(arc_length(even), axis=1), 0.5, atol=0.12)
        np.testing.assert_allclose(even[:, -1], path[:, -1], atol=1e-5)

    def test_clumps_gather_tips_and_leave_roots(self):
        path = straight(40)
        leader = find_clumps(path[:, 0], 4, np.random.default_rng(0))
        assert len(np.unique(leader)) == 4
        assert (leader[np.unique(leader)] == np.unique(leader)).all()
        gathered = clump(path, leader, 0.8)
        np.testing.assert_array_equal(gathered[:, 0], path[:, 0])
        np.testing.assert_array_equal(gathered[leader[0]], path[leader[0]])
        apart = np.abs(path[:, -1, 0] - path[leader, -1, 0])
        np.testing.assert_allclose(np.abs(gathered[:, -1, 0] - path[leader, -1, 0]), 0.2 * apart, atol=1e-5)

    def test_curls_wind_around_the_course(self):
        path, normals = straight(points=80), np.tile(np.float32([0, 0, 1]), (5, 1))
        phase = np.zeros(5)
        ringlets = curl(path, normals, 0.4, 0.5, phase, straight_root=0.5)
        off = np.linalg.norm((ringlets - path)[..., [0, 2]], axis=-1)
        np.testing.assert_allclose(off[:, 10:], 0.4, atol=0.01)
        assert (arc_length(ringlets)[:, -1] > 1.2 * arc_length(path)[:, -1]).all()
        waves = curl(path, normals, 0.4, 0.5, phase, flat=1.0)
        np.testing.assert_allclose(waves[..., 2], 0, atol=1e-5)  # along the surface, which faces z
        np.testing.assert_array_equal(curl(path, normals, 0.0, 0.5, phase), path)

    def test_frames_are_square(self, ball, roots):
        points, normals = roots
        path = grow(ball, points, normals, np.full(400, 9.0), lambda at, _: DOWN + 0 * at, points=14, clearance=0.2)
        sideways, outward = frames(path, normals)
        tangent = unit(np.gradient(path, axis=1))
        for a, b in ((sideways, outward), (sideways, tangent), (outward, tangent)):
            assert np.abs((a * b).sum(axis=-1)).max() < 1e-3

    def test_neighbours_wander_together(self):
        wander, points = Wander(np.random.default_rng(0), 4.0), np.random.default_rng(1).uniform(-20, 20, (4000, 3))
        values = wander(points)
        np.testing.assert_allclose(np.sqrt((values**2).mean()), 1, atol=0.1)
        assert np.abs(wander(points + 0.05) - values).max() < 0.5


class TestFibres:
    def make(self, grey: float = 0.0, colour: tuple[float, float, float] = (0.1, 0.05, 0.02), strands: int = 40):
        roots = SurfacePoints(np.zeros((strands, 3), np.int32), np.ones((strands, 3), np.float32) / 3)
        return as_strands(
            straight(strands),
            roots,
            width=0.1,
            bright=np.linspace(0.1, 5, strands),
            grey=(np.arange(strands) < strands * grey).astype(float),
            colour=colour,
            label=Label.HAIR,
            binding="skin",
            root_shade=0.5,
        )

    def test_tips_are_fine(self):
        width = self.make().width
        np.testing.assert_allclose(width[:, 0], 0.1, atol=1e-6)
        np.testing.assert_allclose(width[:, -1], 0.03, atol=1e-6)
        assert (np.diff(width, axis=1) <= 0).all()

    def test_tints_are_kept_within_reason_and_grey_is_grey(self):
        assert self.make().tint.min() >= 0.5
        assert self.make().tint.max() <= 2
        for colour in ((0.1, 0.05, 0.02), (0.5, 0.3, 0.1)):
            strands = self.make(grey=0.5, colour=colour)
            shade = strands.tint[:20] * strands.colour
            np.testing.assert_allclose(shade / shade[:, :1], np.tile(shade[:1] / shade[0, 0], (20, 1)), rtol=1e-5)
            assert (np.ptp(shade, axis=1) < 0.05 * shade.max(axis=1)).all()

    def test_hair_turns_grey_unevenly(self):
        tufts, rng = np.repeat(np.arange(100) * 20, 20), np.random.default_rng(0)
        means = [turned_grey(mean, tufts, rng) for mean in (0.0, 0.3, 0.6, 1.0)]
        assert not means[0].any()
        np.testing.assert_allclose([grey.mean() for grey in means[1:3]], [0.3, 0.6], atol=0.08)
        assert means[3].mean() > 0.85
        assert 0.15 < means[2].std() < 0.4

    def test_thinned_hair_covers_as_much(self):
        whole = self.make(strands=4000)
        few = thinned(whole, 0.25)
        assert len(few.points) == len(few.tint) == len(few.roots.vertices) == len(few.root_shade) == 1000
        np.testing.assert_allclose(few.width[0], 2 * whole.width[0], rtol=1e-5)
        assert thinned(self.make(), 0.25).points.shape == self.make().points.shape  # a few are not too many

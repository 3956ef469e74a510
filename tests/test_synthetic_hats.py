"""Hats: every style over its ranges, on an egg and on the head model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from wear_made import ALL_HATS, EGG, HALF_AXES, MIDDLE, hat, looks_of, middle, vertices_of

from durian.synthetic.base.looks import HatLook
from durian.synthetic.head.skull import Skull, directions, level_rim, rim_elevation, skull_of
from durian.synthetic.worn import hats

BRIMS = ("bucket_hat", "fedora", "straw_hat", "cowboy_hat")
OPEN_HATS = ("headband", "knotted_headband")
HIDING = ("headscarf", "head_wrap", "towel")
"""What hides all hair, also below its rim."""


class TestSkull:
    def test_distances_are_those_of_an_ellipsoid(self):
        azimuth, elevation = np.meshgrid(np.linspace(-3, 3, 40), np.linspace(-0.3, 1.5, 20))
        way = directions(azimuth, elevation)
        start = (skull_of(EGG).centre - MIDDLE) / HALF_AXES
        a, b, c = (
            ((way / HALF_AXES) ** 2).sum(-1),
            2 * (way / HALF_AXES * start).sum(-1),
            (start**2).sum() - 1,
        )
        expected = (-b + np.sqrt(b**2 - 4 * a * c)) / (2 * a)
        in_reach = np.abs(expected * way[..., 0]) < 7.2  # wider than that is left to the ears
        np.testing.assert_allclose(skull_of(EGG).radius(azimuth, elevation)[in_reach], expected[in_reach], atol=0.12)

    def test_there_is_no_seam(self):
        skull = skull_of(EGG)
        edge = skull.radius(np.array([np.pi - 1e-6, -np.pi + 1e-6]), np.zeros(2))
        np.testing.assert_allclose(*edge, atol=1e-4)

    def test_angles_invert_directions(self):
        skull = Skull(EGG.neutral)
        azimuth, elevation = np.array([0.4, -2.0, 3.0]), np.array([0.1, 1.2, -0.5])
        found = skull.angles(skull.centre + 5 * directions(azimuth, elevation))
        np.testing.assert_allclose(found, [azimuth, elevation, [5, 5, 5]], atol=1e-9)

    def test_a_rim_runs_where_it_should(self):
        skull, rim = skull_of(EGG), level_rim(9.0, 3.0)
        azimuth = np.linspace(-3, 3, 30)
        elevation = rim_elevation(skull, rim, 0.5, azimuth)
        places = skull.centre + directions(azimuth, elevation) * (skull.radius(azimuth, elevation) + 0.5)[:, None]
        np.testing.assert_allclose(places[:, 1], rim(places[:, 2]), atol=0.02)

    def test_points_within_are_pushed_out(self):
        skull = skull_of(EGG)
        places = skull.centre + directions(np.array([0.3, 1.0]), np.array([0.5, 0.9])) * np.array([[2.0], [30.0]])
        pushed = skull.push_out(places, 0.4)
        azimuth, elevation, distance = skull.angles(pushed)
        assert distance[0] == pytest.approx(skull.radius(azimuth[:1], elevation[:1])[0] + 0.4)
        np.testing.assert_array_equal(pushed[1], places[1])


class TestHats:
    @pytest.mark.parametrize("style", ALL_HATS)
    def test_hats_clear_the_skull(self, style, head):
        skull = skull_of(head)
        skin = head.neutral[head.skin_vertices]
        for look in looks_of("hats", style):
            meshes, fit = hat(head, look)
            places = vertices_of(meshes)
            rim = np.maximum(fit.rim(places[:, 2]), 5.0)
            above = places[places[:, 1] > rim + 0.3]
            azimuth, elevation, distance = skull.angles(above)
            assert (distance - skull.radius(azimuth, elevation)).min() > 0.05
        crown = skin[skin[:, 1] > 11]
        assert skull.angles(places)[2].max() > skull.angles(crown)[2].max()

    @pytest.mark.parametrize("style", [style for style in ALL_HATS if style not in (*OPEN_HATS, *HIDING, "hood")])
    def test_pressed_hair_stays_under_the_hat(self, style, head):
        for look in looks_of("hats", style):
            meshes, fit = hat(head, look)
            places = vertices_of(meshes) - fit.centre
            distance = np.linalg.norm(places, axis=1)
            azimuth, elevation = np.meshgrid(np.linspace(-np.pi, np.pi, 24), np.linspace(0.2, 1.5, 8))
            angles = np.stack([azimuth.ravel(), elevation.ravel()], axis=1)
            inside = fit.radius(angles)
            way = directions(angles[:, 0], angles[:, 1])
            hair = fit.centre + way * inside[:, None]
            covered = hair[:, 1] > fit.rim(hair[:, 2]) + 1.0
            apart, near = cKDTree(places / distance[:, None]).query(way, k=12)
            outermost = np.where(apart < 0.12, distance[near], 0).max(axis=1)
            assert (outermost > inside - 0.02)[covered].mean() > 0.98  # the gap of a cap is open

    @pytest.mark.parametrize("style", OPEN_HATS)
    def test_headbands_leave_the_crown_free(self, style):
        _, fit = hats.make_hat(EGG, middle("hats", style))
        up, forehead = np.array([[0.0, 1.55]]), np.array([[0.0, 0.42]])
        skull = skull_of(EGG).radius(*forehead.T)[0]
        assert np.isinf(fit.radius(up)[0])
        assert fit.radius(forehead)[0] < skull + 0.6
        assert fit.press > 1

    @pytest.mark.parametrize("style", HIDING)
    def test_what_hides_all_hair_does(self, style):
        _, fit = hats.make_hat(EGG, middle("hats", style))
        assert (fit.rim(np.array([-9.0, 0.0, 9.0])) < -30).all()

    @pytest.mark.parametrize("style", ["head_wrap", "towel"])
    def test_wound_cloth_covers_the_whole_crown_and_faces_outwards(self, style, head):
        skull = skull_of(head)
        azimuth, elevation = np.meshgrid(np.linspace(-np.pi, np.pi, 40), np.linspace(0.45, 1.5, 16))
        way = directions(azimuth, elevation).reshape(-1, 3)
        for look in looks_of("hats", style):
            mesh = hat(head, look)[0][0]
            middles = mesh.vertices[mesh.triangles].mean(axis=1) - skull.centre
            far = np.linalg.norm(middles, axis=1)
            apart, near = cKDTree(middles / far[:, None]).query(way, k=12)
            assert apart[:, 0].max() < 0.1
            outermost = near[np.arange(len(way)), far[near].argmax(axis=1)]
            a, b, c = mesh.vertices[mesh.triangles[outermost]].swapaxes(0, 1)
            assert ((np.cross(b - a, c - a) * middles[outermost]).sum(axis=1) > 0).mean() > 0.95

    def test_a_towel_hangs_down_behind(self, head):
        low, high = (
            vertices_of(hats.make_hat(head, HatLook("towel", {"tail": tail, "swing": 6.0}))[0]) for tail in (4, 14)
        )
        lowest = high[high[:, 1].argmin()]
        assert low[:, 1].min() - lowest[1] == pytest.approx(10, abs=2.5)
        assert lowest[0] > 1.5
        assert lowest[2] < -8

    def test_a_head_wrap_is_higher_than_a_turban(self):
        wrap, turban = (vertices_of(hats.make_hat(EGG, middle("hats", style))[0]) for style in ("head_wrap", "turban"))
        assert (np.ptp(wrap, axis=0) > np.ptp(turban, axis=0) + 1).all()

    def test_a_hood_leaves_the_face_free_and_shows_hair_only_in_front(self, head):
        for look in looks_of("hats", "hood"):
            (mesh,), fit = hat(head, look)
            face = np.hypot(mesh.vertices[:, 0] / 5.5, (mesh.vertices[:, 1] - 1) / 7) < 1
            assert (mesh.vertices[face, 2] < 0).all()
            at_forehead, behind = fit.rim(np.array([9.0, -6.0]))
            assert at_forehead > 20
            assert behind < -30
            hanging, at_crown = fit.radius(np.array([[0.4, -0.8], [0.0, 1.4]]))
            assert np.isinf(hanging)
            assert at_crown < skull_of(head).radius(np.array([0.0]), np.array([1.4]))[0] + 2

    def test_a_hood_comes_forward_over_the_forehead(self, head):
        def reach(forward: float) -> float:
            places = vertices_of(hats.make_hat(head, HatLook("hood", {"forward": forward}))[0])
            return places[(np.abs(places[:, 0]) < 1) & (places[:, 1] > 9), 2].max()

        assert reach(4.0) - reach(1.0) == pytest.approx(3, abs=0.3)

    @pytest.mark.parametrize("style", BRIMS)
    def test_brims_reach_outwards(self, style, head):
        for look in looks_of("hats", style):
            places = vertices_of(hat(head, look)[0])
            crown_width = np.ptp(
                skull_of(head).radius(np.array([np.pi / 2, -np.pi / 2]), np.zeros(2))[None] * [[1], [-1]]
            )
            width = look.parameters["brim_width"]
            slope = np.hypot(1, 0.75 * look.parameters.get("slope", 0.0))
            assert np.ptp(places[:, 0]) > crown_width + 1.3 * width / slope
            assert places[:, 2].max() > 9 + 0.8 * width / slope  # worn back, a rim begins there

    @pytest.mark.parametrize(("style", "ahead"), [("baseball_cap", 1), ("backwards_cap", -1)])
    def test_visors_point_where_they_should(self, style, ahead, head):
        for look in looks_of("hats", style):
            z = ahead * vertices_of(hat(head, look)[0])[:, 2]
            assert z.max() > 9 + 0.7 * look.parameters["visor_length"]
            assert z.min() > -13

    def test_a_cap_has_a_gap_behind(self):
        look = middle("hats", "baseball_cap")
        mesh = hats.make_hat(EGG, look)[0][0]
        corners_at = mesh.vertices[mesh.triangles].mean(axis=1)
        behind = (corners_at[:, 2] < -9) & (np.abs(corners_at[:, 0]) < 1.5) & (np.abs(corners_at[:, 1] - 7.5) < 0.6)
        front = (corners_at[:, 2] > 9) & (np.abs(corners_at[:, 0]) < 1.5) & (np.abs(corners_at[:, 1] - 11) < 0.6)
        assert front.any()
        assert not behind.any()

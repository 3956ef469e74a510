"""Clothes, parts attached to them and their prints, on an egg and on the head model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from wear_made import ALL_CLOTH, EGG, NECK_RADIUS, looks_of, middle, vertices_of, worn

from durian.synthetic.base.geometry import HatFit, Label, Material, Mesh, Strands, SurfacePoints
from durian.synthetic.base.looks import ClothLook
from durian.synthetic.base.shapes import grid, vertex_normals
from durian.synthetic.hair.drape import ClothFit, laid_on
from durian.synthetic.head.binding import press_hair
from durian.synthetic.worn import cloth, fabric, hats
from durian.synthetic.worn.prints import printed
from durian.synthetic.worn.torso import Torso, torso_of

CHIN = -7.6


class TestCloth:
    @pytest.mark.parametrize("style", ALL_CLOTH)
    def test_clothes_stay_below_the_chin(self, style, head):
        for look in looks_of("cloth", style):
            places = vertices_of(worn("cloth", head, look))
            assert places[:, 1].max() < -4.5
            assert places[(places[:, 2] > 2) & (np.abs(places[:, 0]) < 5)][:, 1].max() < CHIN
            assert places[:, 1].min() < -30
            assert np.ptp(places[:, 0]) > 40

    def test_skin_does_not_show_through(self, head_model):
        mesh = cloth.make_cloth(head_model, middle("cloth", "crew"))[0]
        skin = head_model.neutral[head_model.skin_vertices]
        below = skin[skin[:, 1] < -15]
        normals = vertex_normals(mesh.vertices, mesh.triangles)
        distance, near = cKDTree(mesh.vertices).query(below)
        outside = ((below - mesh.vertices[near]) * normals[near]).sum(axis=1)
        assert (outside < 0)[distance < 3].all()
        assert (distance < 3).mean() > 0.5

    def test_the_torso_lies_over_what_it_covers(self, head):
        torso = torso_of(head)
        level, azimuth = np.meshgrid(np.linspace(0.3, 5, 20), np.linspace(-3, 3, 40))
        places = torso.place(level, azimuth)
        neck = places[np.abs(places[..., 1] + 10) < 0.5]
        assert (np.hypot(neck[:, 0], neck[:, 2]) > NECK_RADIUS - 1.2).all()
        off = torso.place(level, azimuth, 1.0)
        np.testing.assert_allclose(np.linalg.norm(off - places, axis=-1), 1, atol=1e-6)

    def test_a_torso_makes_room(self):
        normal = np.array([[0.0, 0.0, 1.0]])
        bare = Torso(np.empty((0, 3)), np.empty((0, 3)))
        before = bare.place(np.array([5.0]), np.zeros(1))
        pushed = Torso(before + np.array([0, 0, 0.8]), normal).place(np.array([5.0]), np.zeros(1))
        assert before[0, 2] + 0.3 < pushed[0, 2] < before[0, 2] + 2
        sunk = Torso(before - np.array([0, 0, 5.0]), normal).place(np.array([5.0]), np.zeros(1))
        np.testing.assert_allclose(sunk, before)

    def test_a_v_neck_is_deep_in_front_only(self):
        crew, v_neck = (cloth.make_cloth(EGG, ClothLook(style))[0] for style in ("crew", "v_neck"))
        for mesh, deep in ((crew, False), (v_neck, True)):
            place = mesh.vertices
            front = place[(np.abs(place[:, 0]) < 0.5) & (place[:, 2] > 0)]
            assert (front[:, 1].max() < -15) == deep


class TestDrape:
    @pytest.mark.parametrize("style", ["hoodie", "scarf", "suit", "turtleneck"])
    def test_long_hair_lies_on_the_clothes(self, style):
        fit = ClothFit.of(cloth.make_cloth(EGG, ClothLook(style)))
        x, z = np.meshgrid(np.linspace(-8, 8, 9), np.linspace(-8, 6, 8))
        below = np.linspace(0, -20, 24)[:, None] * [0, 1, 0]
        path = np.stack([x, 0 * x, z], axis=-1).reshape(-1, 1, 3) + below
        laid = laid_on(_strands(path), fit).points
        assert (fit.clearance(path) < -1).any()
        np.testing.assert_array_less(0.01, fit.clearance(laid[:, 1:]))
        high = fit.clearance(path) > 6
        assert np.median(np.linalg.norm(laid - path, axis=-1)[high]) < 1e-3

    def test_hair_below_a_hat_keeps_its_order(self):
        fit = HatFit(np.zeros(3), lambda angles: np.full(len(angles), 9.0), lambda z: 0 * z - 20, 1.0)
        out = np.linspace(7, 13, 30)
        path = np.stack([out, 0 * out, 0 * out], axis=1)[:, None] * np.ones((1, 4, 1))
        path[:, -1, 1] = -21  # tips below the rim: nothing is hidden
        kept, pressed = press_hair(_strands(path), fit)
        assert kept.all()
        distance = np.linalg.norm(pressed[:, 0], axis=1)
        assert distance.max() < 9
        assert (np.diff(distance) > 1e-3).all()
        np.testing.assert_allclose(distance[out < 8.5], out[out < 8.5], rtol=1e-5)

    def test_short_hair_stays(self):
        fit = ClothFit.of(cloth.make_cloth(EGG, ClothLook("hoodie")))
        short = _strands(np.linspace([0, 0, -7.0], [0, -7.5, -7.0], 8)[None])
        np.testing.assert_array_equal(laid_on(short, fit).points, short.points)


def _strands(path: np.ndarray) -> Strands:
    nowhere = SurfacePoints(np.zeros((len(path), 3), np.int32), np.full((len(path), 3), 1 / 3, np.float32))
    width, tint = np.full(path.shape[:2], 0.05, np.float32), np.ones((len(path), 3), np.float32)
    return Strands(path.astype(np.float32), width, tint, nowhere)


class TestFabric:
    BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

    def sheet(self, pattern: str) -> Mesh:
        """Twelve centimetres of cloth, through vertices 0.3 cm apart."""
        x, y = np.meshgrid(np.linspace(0, 12, 41), np.linspace(0, 12, 41))
        points, uv = np.stack([x, y, 0 * x], axis=-1), np.stack([x, y], axis=-1)
        cloth = grid(points, material=Material.CLOTH, label=Label.CLOTH, colour=self.BLACK, uv=uv)
        return printed(cloth, pattern, 2.0, self.BLACK, self.WHITE)

    @pytest.mark.parametrize(
        ("pattern", "share"),
        [
            ("plain", 0.0),
            ("stripes", 0.36),
            ("checks", 0.5),
            ("dots", np.pi * 0.25**2),
            ("zigzag", 0.45),
        ],
    )
    def test_patterns_cover_their_share_with_sharp_edges(self, pattern, share):
        sheet = self.sheet(pattern)
        a, b, c = sheet.vertices[sheet.triangles].astype(np.float64).swapaxes(0, 1)
        area = np.cross(b - a, c - a)[:, 2] / 2
        assert (area < 1e-6).all()  # none is turned over
        colour = sheet.colour[sheet.triangles]
        assert (np.ptp(colour, axis=1) == 0).all()
        assert np.abs(area).sum() == pytest.approx(144, rel=1e-5)
        assert (np.abs(area) * colour[:, 0, 0]).sum() / 144 == pytest.approx(share, abs=0.02)
        assert set(np.unique(colour)) <= {0.0, 0.5, 1.0}

    def test_stripes_run_across_and_repeat(self):
        sheet = self.sheet("stripes")
        white = sheet.vertices[sheet.colour[:, 0] == 1]
        within = (white[:, 1] / 2) % 1
        assert 0.5 - 0.18 - 1e-4 <= within.min() < 0.33
        assert 0.67 < within.max() <= 0.5 + 0.18 + 1e-4

    def test_ornaments_have_an_edge_and_two_inks_on_their_ground(self):
        x, y = np.meshgrid(np.linspace(0, 12, 121), np.linspace(0, 12, 121))
        points, uv = np.stack([x, y, 0 * x], axis=-1), np.stack([x, y], axis=-1)
        cloth = grid(points, material=Material.CLOTH, label=Label.CLOTH, colour=self.WHITE, uv=uv)
        ground, accent = (0.5, 0.4, 0.4), (0.0, 0.6, 0.2)
        sheet = printed(cloth, "ornament", 3.0, ground, accent, shade=np.full(121 * 121, 0.5))
        a, b, c = sheet.vertices[sheet.triangles].swapaxes(0, 1)
        area = np.abs(np.cross(b - a, c - a)[:, 2]) / 2
        colours, number = np.unique(np.round(2 * sheet.colour[sheet.triangles[:, 0]], 3), axis=0, return_inverse=True)
        share = dict(zip((tuple(colour) for colour in colours), np.bincount(number.ravel(), area) / 144))
        share = {tuple(round(float(channel), 3) for channel in colour): part for colour, part in share.items()}
        edge, third = (0.0, 0.1, 0.05), (0.14, 0.0, 0.42)
        assert set(share) == {ground, edge, third, accent}
        assert share[ground] == pytest.approx(1 - np.pi * 0.47**2, abs=0.01)
        assert share[edge] == pytest.approx(np.pi * (0.47**2 - 0.42**2), abs=0.01)
        assert 0.15 < share[accent] < 0.25

    def test_bold_prints_are_in_strong_colours(self):
        rng = np.random.default_rng(3)
        looks = [hats.sample_hat_look(rng, ["head_wrap"]) for _ in range(60)]
        bold = [look for look in looks if look.pattern in fabric.BOLD_PRINTS]
        assert 20 < len(bold) < 55
        spread = [max(np.ptp(look.colour) / max(look.colour), np.ptp(look.accent) / max(look.accent)) for look in bold]
        assert np.median(spread) > 0.8

    def test_unknown_patterns_are_named(self):
        with pytest.raises(ValueError, match="plain, stripes, checks, dots"):
            self.sheet("paisley")

    def test_accents_differ_from_their_ground(self):
        rng = np.random.default_rng(1)
        for _ in range(200):
            colour = fabric.sample_dye(rng)
            ratio = (sum(fabric.sample_accent(colour, rng)) + 0.02) / (sum(colour) + 0.02)
            assert not 0.6 < ratio < 1.6

"""Hats, glasses, earrings and clothes: every style over its ranges, on an egg and on the head model."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
from scipy.spatial import cKDTree
from wear_made import HALF_AXES, MIDDLE, NECK_RADIUS, EggHead

from durian.errors import InvalidRequest
from durian.synthetic import cloth, earrings, fabric, glasses, hats
from durian.synthetic.binding import STIFFNESS, SkinField, bind_mesh, press_hair
from durian.synthetic.drape import ClothFit, laid_on
from durian.synthetic.frames import TEMPLE_TIP, outline, outward_normals
from durian.synthetic.geometry import HatFit, Label, Material, Mesh, Strands, SurfacePoints
from durian.synthetic.looks import ClothLook, EarringLook, GlassesLook, HatLook
from durian.synthetic.prints import printed
from durian.synthetic.shapes import grid, vertex_normals
from durian.synthetic.skull import Skull, directions, level_rim, rim_elevation, skull_of
from durian.synthetic.torso import Torso, torso_of
from durian.synthetic.wear import NONE, Look, Numbers, Style, ripples, smooth_maximum

EGG = EggHead()

KINDS = {
    "hats": (hats.STYLES, hats.sample_hat_look, lambda head, look: hats.make_hat(head, look)[0], Label.HAT),
    "glasses": (glasses.STYLES, glasses.sample_glasses_look, glasses.make_glasses, None),
    "earrings": (earrings.STYLES, earrings.sample_earring_look, earrings.make_earrings, Label.EARRING),
    "cloth": (cloth.STYLES, cloth.sample_cloth_look, cloth.make_cloth, Label.CLOTH),
}
ALL = [(kind, style) for kind, (styles, *_) in KINDS.items() for style in styles]
ALL_HATS, ALL_GLASSES, ALL_CLOTH, ALL_EARRINGS = (
    [style for other, style in ALL if other == kind] for kind in ("hats", "glasses", "cloth", "earrings")
)
BRIMS = ("bucket_hat", "fedora", "straw_hat", "cowboy_hat")
OPEN_HATS = ("headband", "knotted_headband")
HIDING = ("headscarf", "head_wrap", "towel")
"""What hides all hair, also below its rim."""
CHIN = -7.6
COLOURS_ONLY = ("period", "print_size", "frost")
WITHOUT_EFFECT = {("aviator", "brow"), ("rimless", "brow")}
"""Numbers that all glasses have, of rims that these have not."""


@pytest.fixture(params=["egg", "model"])
def head(request):
    """The egg, and the model if there is one."""
    return EGG if request.param == "egg" else request.getfixturevalue("head_model")


def corners(style: Style) -> list[dict[str, float]]:
    """The lowest, the highest and two mixed settings of a style."""
    ends = np.array(list(style.ranges.values()))
    odd = np.arange(len(ends)) % 2
    settings = [ends[:, 0], ends[:, 1], ends[np.arange(len(ends)), odd]]
    settings.append(ends[np.arange(len(ends)), 1 - odd])
    return [dict(zip(style.ranges, setting)) for setting in settings]


def looks_of(kind: str, style: str) -> list[Look]:
    """A style at the corners of its ranges, in colours and patterns of chance."""
    styles, sample, *_ = KINDS[kind]
    rng = np.random.default_rng(5)
    return [dataclasses.replace(sample(rng, [style]), parameters=Numbers(corner)) for corner in corners(styles[style])]


def middle(kind: str, style: str) -> Look:
    """A style in the middle of its ranges, plain."""
    look = dataclasses.replace(KINDS[kind][1](np.random.default_rng(2), [style]), parameters=Numbers())
    return dataclasses.replace(look, pattern="plain") if hasattr(look, "pattern") else look


@lru_cache(maxsize=200)
def hat(head: object, look: HatLook) -> tuple[list[Mesh], HatFit]:
    """A hat, made once for all tests."""
    return hats.make_hat(head, look)


@lru_cache(maxsize=200)
def worn(kind: str, head: object, look: Look) -> list[Mesh]:
    """Meshes of something, made once for all tests."""
    return hat(head, look)[0] if kind == "hats" else KINDS[kind][2](head, look)


def vertices_of(meshes: list[Mesh]) -> np.ndarray:
    return np.concatenate([mesh.vertices for mesh in meshes])


class TestLooks:
    def test_a_look_is_a_key(self):
        a, b = (HatLook("fedora", {"pinch": 1.0, "band": 3}, seed=4) for _ in range(2))
        assert a == b
        assert hash(a) == hash(b)
        assert {a: 1}[b] == 1
        assert a != dataclasses.replace(a, parameters={"pinch": 1.1, "band": 3})
        assert a.parameters == {"band": 3.0, "pinch": 1.0}

    def test_numbers_cannot_change(self):
        with pytest.raises(TypeError):
            Numbers({"a": 1})["a"] = 2

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_same_chance_gives_the_same_look(self, kind):
        _, sample, *_ = KINDS[kind]
        one, again, other = (sample(np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert one == again
        assert one != other

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_is_drawn_lies_in_the_ranges_and_all_styles_come(self, kind):
        styles, sample, *_ = KINDS[kind]
        rng = np.random.default_rng(0)
        drawn = [sample(rng) for _ in range(60 * len(styles))]
        assert {look.style for look in drawn} == set(styles)
        for look in drawn:
            limits = styles[look.style].ranges
            assert set(look.parameters) == set(limits)
            assert all(low <= look.parameters[name] <= high for name, (low, high) in limits.items())
            assert all(0 <= channel <= 1 for channel in look.colour)

    @pytest.mark.parametrize("kind", KINDS)
    def test_styles_can_be_chosen(self, kind):
        styles, sample, make, _ = KINDS[kind]
        name = list(styles)[-1]
        assert sample(np.random.default_rng(0), [name]).style == name
        nothing = sample(np.random.default_rng(0), [NONE])
        assert not nothing.is_worn
        assert make(EGG, nothing) == []

    def test_nothing_on_the_head_has_no_fit(self):
        assert hats.make_hat(EGG, HatLook()) == ([], None)

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_does_not_exist_is_said(self, kind):
        styles, sample, make, _ = KINDS[kind]
        look = sample(np.random.default_rng(0))
        with pytest.raises(InvalidRequest, match="no style 'crown of thorns': use none, " + next(iter(styles))):
            make(EGG, dataclasses.replace(look, style="crown of thorns"))
        with pytest.raises(InvalidRequest, match="no number 'colour' here: use"):
            make(EGG, dataclasses.replace(look, parameters={"colour": 1.0}))


class TestMeshes:
    @pytest.mark.parametrize(("kind", "style"), ALL)
    def test_every_style_builds_over_its_ranges(self, kind, style, head):
        label = KINDS[kind][-1]
        for look in looks_of(kind, style):
            meshes = worn(kind, head, look)
            for mesh in meshes:
                assert np.isfinite(mesh.vertices).all()
                assert np.isfinite(mesh.uv).all()
                assert mesh.vertices.dtype == mesh.colour.dtype == np.float32
                assert mesh.triangles.min() == 0
                assert mesh.triangles.max() == len(mesh.vertices) - 1
                assert len(mesh.material) == len(mesh.label) == len(mesh.triangles)
                assert (np.ptp(mesh.vertices, axis=0) < 60).all()
                if mesh.lens is None:
                    assert (mesh.colour >= 0).all()
                    assert (mesh.colour <= 1.1).all()
                if label is not None:
                    assert set(mesh.label) == {label}

    @pytest.mark.parametrize(("kind", "style"), ALL)
    def test_the_same_look_gives_the_same_mesh(self, kind, style):
        _, sample, make, _ = KINDS[kind]
        look = sample(np.random.default_rng(9), [style])
        for one, other in zip(make(EGG, look), make(EGG, look)):
            for name in ("vertices", "triangles", "colour", "uv", "material"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))

    @pytest.mark.parametrize(("kind", "style"), ALL)
    def test_shapes_change_continuously(self, kind, style):
        styles, _, make, _ = KINDS[kind]
        look = middle(kind, style)
        before = vertices_of(make(EGG, look))
        complete = styles[style].complete({})
        for name, (low, high) in styles[style].ranges.items():
            for share in (1e-3, 0.25):
                numbers = complete | {name: complete[name] + share * (high - low)}
                after = vertices_of(make(EGG, dataclasses.replace(look, parameters=numbers)))
                assert after.shape == before.shape
                moved = np.linalg.norm(after - before, axis=1)
                if share == 1e-3:
                    # A fold of a turban that passes under the next one jumps by its thickness, at few vertices.
                    assert moved.max() < 0.35, name
                    assert moved.mean() < 0.02, name
                elif name not in COLOURS_ONLY and (style, name) not in WITHOUT_EFFECT:
                    assert moved.max() > 1e-3, name


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


class TestGlasses:
    @pytest.mark.parametrize("style", ALL_GLASSES)
    def test_pairs_are_symmetric(self, style):
        for look in looks_of("glasses", style):
            for mesh in worn("glasses", EGG, look):
                mirrored = mesh.vertices * [-1, 1, 1]
                assert cKDTree(mesh.vertices).query(mirrored)[0].max() < 2e-3

    @pytest.mark.parametrize("style", [style for style in ALL_GLASSES if style != "rimless"])
    def test_lenses_lie_inside_frames(self, style, head):
        for look in looks_of("glasses", style):
            frame, glass = worn("glasses", head, look)
            lens = glass.vertices[glass.vertices[:, 0] > 0]
            centre = lens.mean(axis=0)
            front = frame.vertices[(frame.vertices[:, 0] > 0) & (np.abs(frame.vertices[:, 2] - centre[2]) < 2.5)]
            turn = np.linspace(0.2, np.pi - 0.2, 20)
            if glasses.BUILDS[style][0].rims != "upper":
                turn = np.concatenate([turn, turn + np.pi])
            for angle in turn:
                way = np.array([np.cos(angle), np.sin(angle)])
                reach = []
                for places in (front, lens):
                    flat = places[:, :2] - centre[:2]
                    along = flat @ way
                    near = np.abs(flat @ np.array([-way[1], way[0]])) < 0.35
                    reach.append(along[near].max())
                assert reach[0] > reach[1]

    @pytest.mark.parametrize("style", ALL_GLASSES)
    def test_temples_end_behind_the_ears(self, style, head):
        for look in looks_of("glasses", style):
            frame = worn("glasses", head, look)[0]
            end = frame.vertices[np.argmin(frame.vertices[:, 2])]
            np.testing.assert_allclose(end[1:], TEMPLE_TIP, atol=0.6)
            assert 6.5 < abs(end[0]) < 9
            ear = head.neutral[np.unique(head.triangles[head.labels == Label.EAR])]
            assert np.linalg.norm(ear - end, axis=1).min() < 2.2

    @pytest.mark.parametrize("style", ALL_GLASSES)
    def test_glass_is_before_the_eyes_and_the_face_behind_it(self, style, head):
        for look in looks_of("glasses", style):
            glass = worn("glasses", head, look)[1]
            skin = head.skin_vertices[head.neutral[head.skin_vertices, 2] > 4]
            near, index = cKDTree(head.neutral[skin]).query(glass.vertices)
            before = ((glass.vertices - head.neutral[skin[index]]) * head.normals[skin[index]]).sum(axis=1)
            assert before.min() > 0
            assert near.min() > 0.05
            eyes = head.neutral[head.landmarks68[42:48]].mean(axis=0)
            left = glass.vertices[glass.vertices[:, 0] > 0]
            assert np.ptp(left[:, 0]) > 4
            assert left[:, 0].min() < eyes[0] < left[:, 0].max()
            assert left[:, 1].min() < eyes[1] < left[:, 1].max()

    def test_the_seat_follows_the_eyes(self):
        look = GlassesLook("round", {"slip": 0.2})
        glass = glasses.make_glasses(EGG, look)[1]
        eyes = EGG.neutral[EGG.landmarks68[36:48], 1].mean()
        assert (glass.vertices[:, 1].max() + glass.vertices[:, 1].min()) / 2 == pytest.approx(eyes - 0.2, abs=0.05)

    def test_outlines_have_the_size_that_is_asked_for(self):
        plain = outline(5.0, 3.0, 4.0, 0.0, 0.0, 0.0)
        np.testing.assert_allclose(np.ptp(plain, axis=0), [5.0, 3.0], atol=0.02)
        gaps = np.linalg.norm(plain - np.roll(plain, 1, axis=0), axis=1)
        assert np.ptp(gaps) < 0.05 * gaps.mean()
        assert ((plain + 0.1 * outward_normals(plain)) ** 2).sum() > (plain**2).sum()
        assert outline(5.0, 3.0, 4.0, 0.0, 1.0, 0.0)[:, 1].max() > 1.7

    def test_lenses_are_tinted(self):
        clear, gradient = (
            glasses.make_glasses(EGG, GlassesLook("aviator", {}, 0, lens=kind, tint=(0.1, 0.12, 0.1)))[1]
            for kind in ("dark", "gradient")
        )
        np.testing.assert_allclose(clear.lens.tint, [0.1, 0.12, 0.1])
        assert (clear.colour == 1).all()
        above, below = (gradient.colour[extreme(gradient.vertices[:, 1])] for extreme in (np.argmax, np.argmin))
        np.testing.assert_allclose(above * gradient.lens.tint, [0.1, 0.12, 0.1], atol=0.01)
        assert (below * gradient.lens.tint > 0.6).all()

    def test_tortoise_is_mottled_and_metal_has_pads(self):
        plain, metal, mottled = (
            glasses.make_glasses(EGG, GlassesLook("round", {}, 3, finish=finish))[0] for finish in glasses.FINISHES
        )
        assert len(np.unique(plain.colour, axis=0)) == 1
        assert len(np.unique(mottled.colour, axis=0)) > 100
        assert len(metal.vertices) > len(plain.vertices) + 100


class TestEarrings:
    @pytest.mark.parametrize("style", ALL_EARRINGS)
    def test_they_hang_from_the_lobes(self, style, head):
        hole = earrings.lobe(head)
        for look in looks_of("earrings", style):
            left, right = worn("earrings", head, look)
            np.testing.assert_allclose(left.vertices * [-1, 1, 1], right.vertices)
            assert left.binding == right.binding == "rigid"
            assert np.linalg.norm(left.vertices[0] - hole) < 0.3
            assert left.vertices[:, 0].min() > 5.5
            assert -12 < left.vertices[:, 1].min() < hole[1]
            assert left.vertices[:, 1].max() < hole[1] + 0.7

    def test_the_hole_is_in_the_ear(self, head_model):
        ear = head_model.neutral[np.unique(head_model.triangles[head_model.labels == Label.EAR])]
        assert np.linalg.norm(ear - earrings.lobe(head_model), axis=1).min() < 0.35

    def test_a_longer_drop_hangs_lower(self):
        lows = [
            earrings.make_earrings(EGG, EarringLook("drop", {"length": length}))[0].vertices[:, 1].min()
            for length in (1.0, 2.0)
        ]
        assert lows[0] - lows[1] == pytest.approx(1.0, abs=0.01)


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


class TestEarringsOnSomebody:
    def test_they_stay_as_they_are_and_in_the_lobe(self, head_model):
        weights = np.random.default_rng(0).normal(size=100).astype(np.float32)
        offsets = head_model.identity(weights)
        face, lattice = head_model.neutral + offsets, SkinField(head_model, STIFFNESS).of(offsets)
        ears = head_model.triangles[head_model.labels == Label.EAR]
        for made in earrings.make_earrings(head_model, EarringLook("dangle")):
            worn = bind_mesh(head_model, made, face, lattice)
            moved = worn - made.vertices
            np.testing.assert_allclose(moved, np.tile(moved[:1], (len(moved), 1)), atol=1e-5)
            assert np.linalg.norm(moved[0]) > 0.1
            distance = cKDTree(face[np.unique(ears)]).query(worn[0])[0]
            assert distance < 0.3


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


def test_ripples_are_smooth_and_of_unit_strength():
    rng = np.random.default_rng(0)
    places = np.random.default_rng(1).uniform(-50, 50, (20000, 3))
    waves = ripples(places, 5.0, rng)
    assert 0.8 < waves.std() < 1.2
    step = ripples(places + 0.01, 5.0, np.random.default_rng(0)) - waves
    assert np.abs(step).max() < 0.2


def test_a_smooth_maximum_is_above_both():
    a, b = np.array([0.0, 1.0, 5.0]), np.array([1.0, 1.0, 0.0])
    found = smooth_maximum(a, b, 0.1)
    assert (found >= np.maximum(a, b)).all()
    np.testing.assert_allclose(found, [1, 1.05, 5], atol=0.01)

"""Hair: looks as data, and where strands are on the head."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from durian.errors import InvalidRequest
from durian.synthetic.base.geometry import Label
from durian.synthetic.base.looks import BeardLook, BrowLook, HairLook
from durian.synthetic.hair import beard, brows
from durian.synthetic.hair.beard import sample_beard_look
from durian.synthetic.hair.brows import sample_brow_look
from durian.synthetic.hair.growth import (
    arc_length,
    unit,
)
from durian.synthetic.hair.hair import CUTS, hairline, make_hair, scalp_colour, scalp_shade
from durian.synthetic.hair.scalp import bald_cover, hairline_distance
from durian.synthetic.hair.styles import PARAMETERS, STYLES, complete_parameters, ranges_of, sample_hair_look
from durian.synthetic.head.distance import distance_to_skin

RADIUS = 6.0


THIN = {"density": 0.25}
"""A quarter of the hair is enough to see where it is."""


@pytest.fixture(scope="module")
def roots() -> tuple[np.ndarray, np.ndarray]:
    normals = unit(np.random.default_rng(0).normal(size=(400, 3))).astype(np.float32)
    return np.float32([1, 2, 3]) + RADIUS * normals, normals


class TestLooks:
    def test_there_are_many_styles_and_all_their_parameters_are_explained(self):
        assert len(STYLES) >= 16
        for name, style in STYLES.items():
            assert style.cut in CUTS
            assert set(ranges_of(name)) <= set(PARAMETERS)
            assert all(low <= high for low, high in ranges_of(name).values())
            assert style.men + style.women > 0

    def test_what_a_look_leaves_out_is_the_middle(self):
        look = HairLook("bob", {"length": -6.0})
        parameters = complete_parameters(look)
        assert parameters["length"] == -6.0
        assert parameters["parting"] == 0.0
        assert hash(look) == hash(HairLook("bob", {"length": -6.0}))

    @pytest.mark.parametrize(
        "complete",
        [
            lambda: complete_parameters(HairLook("mullet")),
            lambda: complete_parameters(HairLook("bob", {"legnth": 1.0})),
            lambda: beard.complete_parameters(BeardLook("goat")),
            lambda: beard.complete_parameters(BeardLook("goatee", {"legnth": 1.0})),
            lambda: brows.complete_parameters(BrowLook(parameters={"legnth": 1.0})),
        ],
    )
    def test_what_there_is_not_is_said(self, complete):
        with pytest.raises(InvalidRequest, match=r"There is no .*: use "):
            complete()

    def test_samples_are_looks_and_follow_age_and_sex(self):
        def drawn(sample, feminine, age):
            return [sample(np.random.default_rng(seed), feminine, age) for seed in range(300)]

        for feminine, age in ((0.0, 20), (0.0, 70), (1.0, 40), (0.5, 55)):
            for name, parameters in drawn(sample_hair_look, feminine, age):
                assert (
                    complete_parameters(HairLook(name, parameters)) == parameters if name != "none" else not parameters
                )
            for name, parameters in drawn(sample_beard_look, feminine, age):
                assert name == "none" or beard.complete_parameters(BeardLook(name, parameters)) == parameters
            for name, parameters in drawn(sample_brow_look, feminine, age):
                assert brows.complete_parameters(BrowLook(name, parameters)) == parameters
        assert not any(p["grey"] for _, p in drawn(sample_hair_look, 0.0, 25) if p)
        assert np.mean([p["grey"] for _, p in drawn(sample_hair_look, 0.0, 75) if p]) > 0.6
        assert not any(name == "horseshoe" for name, _ in drawn(sample_hair_look, 0.0, 25))
        assert not any(name != "none" for name, _ in drawn(sample_beard_look, 1.0, 30))
        thickness = [np.mean([p["thickness"] for _, p in drawn(sample_brow_look, f, 30)]) for f in (0.0, 0.5, 1.0)]
        assert thickness == sorted(thickness, reverse=True)

    def test_looks_are_light_to_import(self):
        program = (
            "import sys, durian.synthetic.hair.styles, durian.synthetic.hair.beard, durian.synthetic.hair.brows\n"
            "print(*({'scipy', 'numba', 'skimage'} & set(sys.modules)))"
        )
        assert (
            subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"
        )


class TestHairline:
    FOREHEAD = np.stack([np.zeros(60), np.linspace(8, 14, 60), np.linspace(10.3, 5, 60)], axis=1)

    def test_it_is_soft_and_rises(self):
        cover = hairline(self.FOREHEAD)
        assert cover[0] == 0
        assert cover[-1] == 1
        assert (np.diff(cover) >= 0).all()
        assert np.diff(cover).max() < 0.15

    def test_it_recedes(self):
        heights = [np.interp(0.5, hairline(self.FOREHEAD, recede), self.FOREHEAD[:, 1]) for recede in (-0.5, 0, 1, 2)]
        assert heights == sorted(heights)
        np.testing.assert_allclose(np.diff(heights), [0.5, 1, 1], atol=0.35)

    def test_no_hair_on_faces_necks_or_ears(self):
        bare = np.array([[0, 3, 11], [5, 0, 7], [7.5, -3, 3], [0, -9, -6], [8.8, 2, 0]])
        assert (hairline_distance(bare) < 0).all()
        assert (hairline_distance(np.array([[0, 14.5, 0], [7.6, 8, 0], [0, 0, -7.4]])) > 1).all()

    def test_baldness_leaves_a_horseshoe(self):
        top, side = np.array([[0, 14.4, 0.0]]), np.array([[7.8, 6.5, -2.0]])
        covers = [float(bald_cover(top, baldness)[0]) for baldness in (0.0, 0.3, 0.6, 1.0)]
        assert covers == sorted(covers, reverse=True)
        assert covers[-1] == 0
        assert bald_cover(side, 1.0) > 0.9


class TestHair:
    @pytest.mark.parametrize("style", list(STYLES))
    def test_every_style_lies_on_the_head(self, head_model, style):
        look = HairLook(style, THIN, seed=5, colour=(0.2, 0.1, 0.05))
        strands = make_hair(head_model, look)
        surface = distance_to_skin(head_model)
        assert sum(len(part.points) for part in strands) > 800
        for part in strands:
            count, points = part.points.shape[:2]
            assert part.width.shape == (count, points)
            assert part.tint.shape == (count, 3)
            assert np.isfinite(part.points).all()
            assert (part.width > 0).all()
            assert part.label == Label.HAIR
            assert part.binding == "skin"
            np.testing.assert_allclose(part.colour, look.colour)
            assert surface.at(part.points[:, 1:].reshape(-1, 3))[0].min() > -0.2
            np.testing.assert_allclose(part.roots.weights.sum(axis=1), 1, atol=1e-4)
        first = strands[0]
        inside = hairline_distance(first.points[:, 0], complete_parameters(look)["recede"])
        assert np.quantile(inside, 0.01) > -0.3
        assert inside.min() > -1.3
        assert np.abs(surface.at(first.points[:, 0])[0]).max() < 0.35

    def test_none_is_none(self, head_model):
        assert make_hair(head_model, HairLook()) == []
        assert not scalp_shade(head_model.neutral, HairLook()).any()

    def test_a_seed_is_a_head_of_hair(self, head_model):
        first, again, other = (make_hair(head_model, HairLook("lob", THIN, seed)) for seed in (1, 1, 2))
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a.points, b.points)
            np.testing.assert_array_equal(a.tint, b.tint)
        assert not np.array_equal(first[0].points[0], other[0].points[0])
        np.testing.assert_allclose(
            first[0].points.mean((0, 1)), other[0].points.mean((0, 1)), atol=0.7
        )  # the same look

    def measured(self, head, style, name, values, measure) -> np.ndarray:
        """A figure of the first strands of a style, for each of some values of one of its parameters."""
        return np.array([measure(make_hair(head, HairLook(style, {**THIN, name: value}, 3))[0]) for value in values])

    @pytest.mark.parametrize(
        ("style", "name", "values", "low", "high"),
        [
            ("afro", "length", (3.0, 4.5, 6.5), 0.9, 1.2),
            ("bob", "length", (-4.0, -6.0, -7.5), 0.9, 1.1),
            # Waved hair is longer than it is high, and the sides of a crop are shorter than its top.
            ("long_wavy", "length", (-13.0, -16.0, -19.0), 1.1, 1.4),
            ("crop", "length", (1.8, 2.6, 3.4), 0.4, 0.6),
            ("crop", "sides", (0.3, 0.45, 0.6), 0.7, 1.2),
            ("long_wavy", "wave", (0.2, 0.6, 1.0), 2.5, 4.5),
        ],
    )
    def test_longer_is_longer(self, head_model, style, name, values, low, high):
        """The mean hair, in cm for each unit of the parameter: about one for a length that all of the hair has."""
        lengths = self.measured(
            head_model, style, name, values, lambda part: float(arc_length(part.points)[:, -1].mean())
        )
        gained = np.diff(lengths) / np.abs(np.diff(values))
        assert (gained > low).all(), gained
        assert (gained < high).all(), gained

    @pytest.mark.parametrize(
        ("style", "name", "values"),
        [
            ("side_part", "volume", (0.4, 1.0, 2.0)),
            ("long_straight", "volume", (0.6, 1.2, 2.0)),
            ("bun", "tightness", (0.95, 0.7, 0.5)),
            ("quiff", "quiff", (0.0, 0.5, 1.0)),
        ],
    )
    def test_fuller_hair_stands_off_further(self, head_model, style, name, values):
        surface = distance_to_skin(head_model)

        def gap(part):
            upper = part.points[part.points[..., 1] > 6]
            return float(surface.at(upper)[0].mean())

        gaps = self.measured(head_model, style, name, values, gap)
        assert (np.diff(gaps) > 0.03).all(), gaps

    def test_density_and_baldness_count_hairs(self, head_model):
        counts = [len(make_hair(head_model, HairLook("crop", {"density": d}, 1))[0].points) for d in (0.1, 0.2, 0.4)]
        assert counts == sorted(counts)
        bald = [make_hair(head_model, HairLook("thinning", {**THIN, "baldness": b}, 1))[0] for b in (0.2, 0.5, 1.0)]
        on_top = [int((part.points[:, 0, 1] > 12).sum()) for part in bald]
        assert on_top == sorted(on_top, reverse=True)
        assert on_top[0] > 3 * on_top[-1]

    @pytest.mark.parametrize(("style", "parting"), [("bob", 3.0), ("bob", -3.0), ("side_part", 3.5), ("curtains", 0.0)])
    def test_a_parting_has_roots_and_hair_on_both_sides(self, head_model, style, parting):
        path = make_hair(head_model, HairLook(style, {"parting": parting, "flyaways": 0.0, "density": 0.5}, 2))[
            0
        ].points
        root, tip = path[:, 0], path[:, -1]
        near = (np.abs(root[:, 2] - 6.0) < 1.5) & (root[:, 1] > 10)
        line = parting * (1 - 10 / 20.2)  # it runs from z = 16 to the crown at -4.2
        for side in (-1, 1):
            beside = near & (side * (root[:, 0] - line) > 0.3) & (side * (root[:, 0] - line) < 1.2)
            assert beside.sum() > 10
            assert (side * (tip[beside, 0] - root[beside, 0]) > 0).mean() > 0.85

    @pytest.mark.parametrize("style", ["long_straight", "long_curls", "bob_fringe", "shag", "locs", "braids"])
    def test_eyes_and_mouth_stay_free(self, head_model, style):
        eyes, mouth = (
            head_model.neutral[head_model.landmarks68[36:48]],
            head_model.neutral[head_model.landmarks68[48:60]],
        )
        for part in make_hair(head_model, HairLook(style, {**THIN, "flyaways": 0.0}, 4)):
            points = part.points[part.points[..., 2] > 6]
            for place in (eyes[:6], eyes[6:], mouth):
                low, high = place.min(axis=0)[:2], place.max(axis=0)[:2]
                assert ((points[:, :2] > low) & (points[:, :2] < high)).all(axis=1).sum() <= 0.002 * len(points)

    def test_the_scalp_turns_grey_with_the_hair(self):
        young, old = (scalp_colour(HairLook("bob", {"grey": grey}, colour=(0.2, 0.06, 0.02))) for grey in (0.0, 1.0))
        np.testing.assert_allclose(young, (0.2, 0.06, 0.02))
        assert np.ptp(old) < 0.05 * old.max()

    def test_messy_hair_still_hangs(self, head_model):
        for seed in range(3):
            lengths = make_hair(head_model, HairLook("shag", {"mess": 0.45, "flyaways": 0.0}, seed))[0]
            assert lengths.points[..., 1].max() < head_model.neutral[:, 1].max() + 4
            assert lengths.points[:, -1, 1].max() < 12

    def test_stray_hairs_are_short_and_fine(self, head_model):
        calm, wild = (make_hair(head_model, HairLook("bob", {**THIN, "flyaways": share}, 2))[0] for share in (0.0, 1.0))
        assert arc_length(wild.points)[:, -1].mean() < 0.6 * arc_length(calm.points)[:, -1].mean()
        assert wild.width.mean() < 0.5 * calm.width.mean()

    def test_the_edge_of_hair_on_the_forehead_is_soft(self, head_model):
        hair = make_hair(head_model, HairLook("long_straight", {"flyaways": 0.0}, 1))[0]
        root, edge = hair.points[:, 0], hairline_distance(hair.points[:, 0], 0.05)
        front = root[:, 2] > 6
        at_hem, inside = front & (edge < 0.3), front & (edge > 2)
        assert np.median(hair.width[at_hem, 0]) < 0.5 * np.median(hair.width[inside, 0])
        np.testing.assert_array_less(0.7, np.quantile(hair.root_shade[at_hem], 0.5))
        x, y, z = hair.points[:, :, 0], hair.points[:, :, 1], hair.points[:, :, 2]
        on_forehead = (np.abs(x) < 3) & (z > 8) & (y > 4) & (y < 9.5)
        assert on_forehead.mean() < 0.002

    def test_rows_of_braids_begin_at_even_distances(self, head_model):
        rows = make_hair(head_model, HairLook("cornrows", {"rows": 15.0}, 3))[1:]
        starts = np.array([row.points[:, 0].mean(axis=0) for row in rows])
        steps = np.linalg.norm(np.diff(starts, axis=0), axis=1)
        assert len(rows) == 15
        assert steps.max() < 1.5 * steps.min()

    def test_a_fringe_ends_where_it_says(self, head_model):
        for fringe in (5.5, 6.5, 7.5):
            bangs = make_hair(head_model, HairLook("bob_fringe", {"fringe": fringe, "sweep": 0.0, "flyaways": 0.0}))[1]
            tips = bangs.points[np.abs(bangs.points[:, -1, 0]) < 2, -1, 1]
            np.testing.assert_allclose(np.median(tips), fringe, atol=0.35)

    def test_the_scalp_takes_the_hairs_colour_softly(self, head_model):
        skin = head_model.neutral[head_model.skin_vertices]
        full, buzz, bald = (scalp_shade(skin, HairLook(style)) for style in ("bob", "buzz", "horseshoe"))
        for shade in (full, buzz, bald):
            assert shade.min() == 0
            assert shade.max() <= 1
        face = (skin[:, 2] > 8) & (skin[:, 1] < 8)
        assert not full[face].any()
        crown = skin[:, 1] > 13.5
        assert (full[crown] > 0.9).all()
        assert (bald[crown] < 0.1).all()
        assert buzz[crown].mean() < full[crown].mean()

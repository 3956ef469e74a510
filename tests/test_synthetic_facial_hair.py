"""Beards and brows: where their strands are on the head."""

from __future__ import annotations

import numpy as np
import pytest

from durian.synthetic.base.geometry import Label
from durian.synthetic.base.looks import BeardLook, BrowLook
from durian.synthetic.hair import beard
from durian.synthetic.hair.beard import beard_shade, make_beard, stubble_density
from durian.synthetic.hair.brows import brow_density, make_brows
from durian.synthetic.hair.facial_hair import lips
from durian.synthetic.hair.growth import (
    arc_length,
)
from durian.synthetic.head.distance import distance_to_skin

THIN = {"density": 0.25}
"""A quarter of the hair is enough to see where it is."""


class TestBeard:
    @pytest.mark.parametrize("style", list(beard.STYLES))
    def test_every_style_grows_on_the_face_and_off_the_lips(self, head_model, style):
        strands = make_beard(head_model, BeardLook(style, seed=2))
        shade = beard_shade(head_model.neutral, BeardLook(style))
        assert shade.max() > 0.3
        assert not shade[head_model.neutral[:, 1] > 5].any()
        if style == "stubble":
            assert strands == []
            return
        (part,) = strands
        assert part.label == Label.BEARD
        assert part.binding == "root"
        assert len(part.points) > 300
        assert lips(part.points.reshape(-1, 3)).max() < 0.12
        assert (part.points[:, 0, 1] < 4).all()
        assert distance_to_skin(head_model).at(part.points[:, 1:].reshape(-1, 3))[0].min() > -0.15

    @pytest.mark.parametrize(
        ("style", "values"), [("short", (0.5, 0.8, 1.1)), ("full", (1.6, 2.4, 3.2)), ("long", (4.5, 6.5, 9.0))]
    )
    def test_longer_is_longer(self, head_model, style, values):
        lengths = [
            arc_length(make_beard(head_model, BeardLook(style, {**THIN, "length": value}))[0].points)[:, -1].mean()
            for value in values
        ]
        assert lengths == sorted(lengths)

    def test_a_seed_is_a_beard(self, head_model):
        first, again, other = (make_beard(head_model, BeardLook("goatee", THIN, seed))[0] for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.points, again.points)
        assert not np.array_equal(first.points[:10], other.points[:10])

    def test_stubble_is_soft_and_where_beards_are(self):
        places = {
            "chin": [0, -6.5, 10.8], "lip": [1.2, -2.0, 11.3], "cheek": [5.0, -3.0, 7.0], "mouth": [0, -3.4, 11.3],
            "nose": [0, 1, 13], "forehead": [0, 9, 10], "eye": [3, 3.5, 9.4], "nape": [0, -5, -5.7],
        }  # fmt: skip
        density = dict(zip(places, stubble_density(np.array(list(places.values()), float))))
        assert density["chin"] > density["cheek"] > 0.2
        assert density["lip"] > 0.5
        assert not any(density[name] for name in ("mouth", "nose", "forehead", "eye", "nape"))
        up_the_cheek = np.stack([np.full(200, 5.0), np.linspace(-5, 3, 200), np.full(200, 6.5)], axis=1)
        assert np.abs(np.diff(stubble_density(up_the_cheek))).max() < 0.06
        weak, strong = (beard_shade(up_the_cheek, BeardLook("stubble", {"density": d})).max() for d in (0.3, 0.9))
        assert strong > 2 * weak


class TestBrows:
    def test_they_lie_on_the_brows(self, head_model):
        (part,) = make_brows(head_model, BrowLook())
        marks = head_model.neutral[head_model.landmarks68[17:27]]
        apart = np.linalg.norm(part.points[:, 0, None] - marks, axis=2).min(axis=1)
        assert apart.max() < 1.6
        assert part.label == Label.BROW
        assert part.binding == "root"
        assert part.width.max() < 0.05
        left = (part.points[:, 0, 0] > 0).mean()
        assert 0.4 < left < 0.6
        assert (np.abs(part.points[:, -1, 0]) > np.abs(part.points[:, 0, 0])).mean() > 0.9  # outwards

    def test_their_shape_follows_their_parameters(self, head_model):
        def measured(name, values, measure):
            results = [measure(make_brows(head_model, BrowLook(parameters={name: value}))[0]) for value in values]
            assert results == sorted(results)
            assert results[-1] > results[0]

        measured("density", (0.4, 0.8, 1.2), lambda part: len(part.points))
        measured("thickness", (0.15, 0.25, 0.4), lambda part: len(part.points))
        measured("hairs", (0.4, 0.6, 0.9), lambda part: arc_length(part.points)[:, -1].mean())
        measured(
            "arch",
            (0.0, 0.2, 0.4),
            lambda part: part.points[np.abs(np.abs(part.points[:, 0, 0]) - 4) < 0.5, 0, 1].mean(),
        )
        measured("gap", (-0.2, 0.1, 0.4), lambda part: np.abs(part.points[:, 0, 0]).min())
        assert make_brows(head_model, BrowLook("none")) == []

    def test_their_shade_is_soft(self):
        up = np.stack([np.full(200, 3.0), np.linspace(4, 8, 200), np.full(200, 10.0)], axis=1)
        density = brow_density(up, BrowLook())
        assert density.max() > 0.5
        assert density[[0, -1]].max() == 0
        assert np.abs(np.diff(density)).max() < 0.12

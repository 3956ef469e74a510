"""The common base of worn things' looks, and earrings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial import cKDTree
from wear_made import ALL, ALL_EARRINGS, EGG, KINDS, looks_of, middle, vertices_of, worn

from durian.errors import InvalidRequest
from durian.synthetic.base.geometry import Label
from durian.synthetic.base.looks import EarringLook, HatLook
from durian.synthetic.base.wear import NONE, Numbers, ripples, smooth_maximum
from durian.synthetic.head.binding import STIFFNESS, SkinField, bind_mesh
from durian.synthetic.worn import earrings, hats

COLOURS_ONLY = ("period", "print_size", "frost")
WITHOUT_EFFECT = {("aviator", "brow"), ("rimless", "brow")}
"""Numbers that all glasses have, of rims that these have not."""


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

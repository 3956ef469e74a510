"""Skin, age and eyes of synthetic people."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest

from durian.synthetic.base.geometry import Label
from durian.synthetic.base.looks import BeardLook
from durian.synthetic.base.person import Person
from durian.synthetic.render.surface import FACE_SIDE
from durian.synthetic.skin.atlas import BLOOD, PIGMENT, Layers, atlas_of, chance, side_for
from durian.synthetic.skin.complexion import skin_maps
from durian.synthetic.skin.lips import inside_lips, is_nose
from durian.synthetic.skin.patterns import clouds, spots
from durian.synthetic.skin.physique import EYE_REACH, EYE_SIZE, physique
from durian.synthetic.skin.wrinkles import FAMILIES

PIXEL = 0.25
"""cm: textures of 128 x 128 texels are enough for most of what is asked here."""
MAN = Person(seed=4, feminine=0.0, age=30.0)


@pytest.fixture(scope="module")
def atlas(head_model):
    return atlas_of(head_model, side_for(PIXEL))


def at(atlas, values: np.ndarray, place: tuple[float, float, float], around: float = 0.5) -> np.ndarray:
    """Texels of a map within ``around`` cm of the place on the neutral head that is nearest to a point."""
    nearest = atlas.points[np.linalg.norm(atlas.points - np.float32(place), axis=1).argmin()]
    near = np.linalg.norm(atlas.points - nearest, axis=1) < around
    return values.reshape(-1, *values.shape[3:])[atlas.index[near]]


CHEEK, NOSE_TIP, UPPER_LIP, LOWER_LIP, CHIN = (
    (4.3, 0.3, 9.0), (0.0, 0.4, 13.07), (0.0, -2.9, 11.7), (0.0, -3.95, 11.6), (0.0, -6.4, 10.5),
)  # fmt: skip


def test_texels_are_no_larger_than_pixels_and_no_smaller_than_half_of_one():
    for pixel in (0.033, 0.06, 0.129, 0.2):
        assert pixel / 2 < FACE_SIDE / side_for(pixel) <= pixel


def test_an_atlas_knows_where_texels_lie(head_model, atlas):
    # The tip of the nose, by its texture coordinate.
    vertex = head_model.landmarks68[30]
    u, v = head_model.face_uv[vertex]
    texel = int((1 - v) * atlas.side) * atlas.side + int(u * atlas.side)
    found = atlas.points[np.searchsorted(atlas.index, texel)]
    assert np.linalg.norm(found - head_model.neutral[vertex]) < 1.5 * atlas.texel


def test_blood_takes_green_and_pigment_blue(atlas):
    layers = Layers(atlas, (1.0, 1.0, 1.0))
    layers.blood[:] = 0.5
    red, green, blue = layers.maps().colour.reshape(-1, 3)[atlas.index[0]]
    np.testing.assert_allclose([red, green, blue], np.exp(-0.5 * np.array(BLOOD)), rtol=1e-5)
    assert green < blue < red
    assert PIGMENT[0] < PIGMENT[1] < PIGMENT[2]


def test_what_covers_all_has_its_own_colour(atlas):
    tone = np.array([0.5, 0.4, 0.3])
    layers = Layers(atlas, tone)
    layers.cover(np.ones(2), (0.1, 0.2, 0.3), np.array([5, 9]))
    layers.cover(np.full(1, 0.5), (0.3, 0.2, 0.1), np.array([9]))
    np.testing.assert_allclose(layers.tint[[5, 9]] * tone, [[0.1, 0.2, 0.3], [0.2, 0.2, 0.2]], rtol=1e-6)
    assert (layers.tint[6] == 1).all()


def test_spots_come_one_after_the_other_and_cover_as_much_in_coarse_maps():
    plane = np.stack(np.meshgrid(np.linspace(0, 12, 400), np.linspace(0, 12, 400), [0.0]), axis=-1)
    points = plane.reshape(-1, 3).astype(np.float32)

    def covered(density: float, texel: float = 0.01) -> np.ndarray:
        return spots(
            points, 0.5, (0.05, 0.12), np.full(len(points), density, np.float32), np.random.default_rng(3), texel
        )

    assert covered(0.0).max() == 0
    few, many = covered(0.3), covered(0.8)
    assert (many >= few).all()
    assert many.mean() > 1.5 * few.mean() > 0
    coarse = covered(0.8, texel=0.35)
    assert coarse.max() < 0.7 * many.max()
    assert 0.6 < coarse.mean() / many.mean() < 1.6


def test_threads_change_nothing(head_model):
    person, before = replace(MAN, freckles=0.6, beard=BeardLook("stubble")), numba.get_num_threads()
    try:
        made = []
        for threads in (1, min(2, before)):
            numba.set_num_threads(threads)
            made.append(skin_maps(head_model, person, PIXEL))
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*made):
        assert np.array_equal(one, other)


def test_clouds_have_the_size_asked_for():
    line = np.zeros((4000, 3), np.float32)
    line[:, 0] = np.linspace(0, 400, 4000)
    crossings = [
        np.count_nonzero(np.diff(np.sign(clouds(line, size, np.random.default_rng(1))))) for size in (2.0, 8.0)
    ]
    assert 3 < crossings[0] / crossings[1] < 5.5


def test_one_purpose_does_not_disturb_another():
    assert chance(3, "moles").random() == chance(3, "moles").random()
    assert chance(3, "moles").random() != chance(3, "lips").random()


def test_noses_and_cheeks_are_redder_than_foreheads(head_model, atlas):
    def redness(place: tuple[float, float, float], seed: int) -> float:
        red, green, _ = at(atlas, skin_maps(head_model, replace(MAN, seed=seed), PIXEL).colour, place, 1.0).mean(0)
        return red / green

    for place in (CHEEK, (0.0, 0.2, 12.5)):
        differences = [redness(place, seed) - redness((0.0, 8.5, 10.5), seed) for seed in range(6)]
        assert np.mean(differences) > 0.05


def test_lips_have_their_colour_and_label_and_the_nose_its_label(head_model, atlas):
    person = Person(seed=1, lips=(0.9, 0.4, 0.5), makeup=0.0)
    maps = skin_maps(head_model, person, PIXEL)
    lower = at(atlas, maps.colour, LOWER_LIP, 0.3).mean(axis=0)
    assert (np.abs(lower / lower[0] - np.array([0.9, 0.4, 0.5]) / 0.9) < 0.12).all()
    for place, label in ((UPPER_LIP, Label.LIPS), (LOWER_LIP, Label.LIPS), (NOSE_TIP, Label.NOSE), (CHEEK, 0)):
        assert set(at(atlas, maps.label, place, 0.2)) == {label}


def test_lips_end_where_their_landmarks_are(head_model):
    x, y = head_model.neutral[head_model.landmarks68[48:60], :2].T
    np.testing.assert_allclose(inside_lips(x, y), 0, atol=0.1)
    assert inside_lips(np.array([0.0]), np.array([-3.4]))[0] > 0.8
    assert inside_lips(np.array([0.0]), np.array([-5.4]))[0] < -0.8


def test_the_nose_has_its_landmarks_and_no_others(head_model):
    places = head_model.neutral[head_model.landmarks68]
    assert is_nose(places[27:36]).all()
    assert not is_nose(np.delete(places, slice(27, 36), axis=0)).any()


def test_lines_deepen_with_the_years_in_the_same_places(head_model):
    heights = [skin_maps(head_model, replace(MAN, age=age), 0.13).height for age in (25.0, 45.0, 70.0)]
    young, middle, old = (height.std() for height in heights)
    assert 2.0 * young < middle
    assert 1.3 * middle < old
    # Somebody stays who they are: more than what two people of that age have in common.
    other = skin_maps(head_model, replace(MAN, age=70.0, seed=5), 0.13).height

    def alike(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

    assert alike(heights[1], heights[2]) > 0.8
    assert alike(heights[1], heights[2]) > alike(other, heights[2]) + 0.1


def test_every_family_of_lines_is_in_the_face(atlas):
    ax, y, z = np.abs(atlas.points[:, 0]), atlas.points[:, 1], atlas.points[:, 2]
    for name, family in FAMILIES.items():
        within = np.ones(len(ax), bool)
        for values, (low, high) in zip((ax, y, z), family.box):
            within &= (values >= low) & (values <= high)
        across, along = family.coordinates(ax[within], y[within], z[within])
        for at_, begin, end in family.lines:
            on = (np.abs(across - at_) < 0.25) & (along > begin) & (along < end)
            assert on.any(), (name, at_)


def test_skin_changes_little_when_a_person_does(head_model):
    person = replace(MAN, age=44.0, freckles=0.4, makeup=0.3, beard=BeardLook("stubble", {"density": 0.6}))
    for change in ({"age": 44.2}, {"freckles": 0.41}, {"makeup": 0.31}, {"feminine": 0.02}):
        one, other = (skin_maps(head_model, made, PIXEL) for made in (person, replace(person, **change)))
        assert np.abs(one.colour - other.colour).max() < 0.06, change
        assert np.abs(one.height - other.height).max() < 0.004, change


def test_freckles_are_brown_spots_on_the_cheeks(head_model, atlas):
    bare, freckled = (skin_maps(head_model, replace(MAN, freckles=much), 0.13).colour for much in (0.0, 1.0))
    fine = atlas_of(head_model, side_for(0.13))
    factor = at(fine, freckled / bare, CHEEK, 1.5)
    assert (factor <= 1 + 1e-5).all()
    assert factor[:, 2].min() < 0.75 < np.median(factor[:, 2])
    assert factor[:, 2].mean() < factor[:, 0].mean()
    back = at(fine, freckled / bare, (0.0, 8.0, -9.0), 2.0)
    assert np.abs(back - 1).max() < 1e-4


def test_a_worn_beard_is_in_the_mask_and_a_shaved_one_only_in_the_colour(head_model, atlas):
    boy, shaved, stubbly = (
        skin_maps(head_model, person, PIXEL)
        for person in (replace(MAN, feminine=1.0), MAN, replace(MAN, beard=BeardLook("stubble", {"density": 1.0})))
    )
    assert shaved.beard.max() == 0
    assert at(atlas, stubbly.beard, CHIN).min() > 0.7
    assert at(atlas, stubbly.beard, (0.0, 8.5, 10.5)).max() == 0
    assert at(atlas, stubbly.beard, LOWER_LIP, 0.2).max() == 0
    chins = [at(atlas, maps.colour, CHIN).mean() for maps in (boy, shaved, stubbly)]
    assert chins[0] > chins[1] > chins[2]
    outside = stubbly.beard.reshape(-1)[atlas.index] == 0
    same = [maps.colour.reshape(-1, 3)[atlas.index][outside] for maps in (shaved, stubbly)]
    np.testing.assert_array_equal(*same)


def test_makeup_darkens_lids_and_reddens_cheeks(head_model, atlas):
    bare, painted = (skin_maps(head_model, Person(seed=2, makeup=much), PIXEL).colour for much in (0.0, 1.0))
    lids = [at(atlas, colour, (3.2, 4.25, 9.6), 0.35).mean() for colour in (bare, painted)]
    assert lids[1] < 0.92 * lids[0]
    cheeks = [at(atlas, colour, (5.0, 0.7, 8.3), 0.8).mean(axis=0) for colour in (bare, painted)]
    assert cheeks[1][0] / cheeks[1][1] > 1.03 * cheeks[0][0] / cheeks[0][1]


def test_eyes_grow_about_their_middle_and_move_as_much_further(head_model):
    usual, large = (physique(head_model, Person(eye_size=size)) for size in (1.0, 1.2))
    ball = np.unique(head_model.triangles[head_model.in_region("sclera_l")])
    before, after = (head_model.neutral[ball] + shape.offsets[ball] for shape in (usual, large))
    np.testing.assert_allclose(np.ptp(after, axis=0) / np.ptp(before, axis=0), 1.2, rtol=0.02)
    middle = (head_model.neutral[ball].min(axis=0) + head_model.neutral[ball].max(axis=0)) / 2
    np.testing.assert_allclose((after.min(axis=0) + after.max(axis=0)) / 2, middle, atol=0.02)
    np.testing.assert_allclose(large.motion[ball], 1.2 * EYE_SIZE, rtol=0.02)
    away = np.linalg.norm(head_model.neutral * [-1, 1, 1] - middle, axis=1) > 12
    away &= np.linalg.norm(head_model.neutral - middle, axis=1) > EYE_REACH[1]
    assert (usual.motion[away] == 1).all()


def test_lids_still_close_over_large_eyes(head_model):
    offsets = head_model.expression({"eyeBlink_L": 1.0, "eyeBlink_R": 1.0})
    upper, lower = ([head_model.landmarks68[i] for i in which] for which in ((43, 44), (47, 46)))
    for size in (0.85, 1.0, 1.2):
        shape = physique(head_model, Person(age=20, eye_size=size))
        face = head_model.neutral + shape.offsets + shape.motion * offsets
        plain = head_model.neutral + offsets
        gap, usual = (np.abs(places[upper, 1] - places[lower, 1]).max() for places in (face, plain))
        assert gap < 1.35 * usual + 0.05


def test_faces_sag_and_ears_and_noses_grow_with_the_years(head_model):
    young, old = (head_model.neutral + physique(head_model, Person(age=age)).offsets for age in (20, 75))
    marks = head_model.landmarks68
    assert old[marks[30], 1] < young[marks[30], 1] - 0.1
    lips = [np.linalg.norm(face[marks[51]] - face[marks[57]]) for face in (young, old)]
    assert lips[1] < 0.95 * lips[0]
    jowl = np.linalg.norm(head_model.neutral - [4.2, -5.9, 7.6], axis=1).argmin()
    assert old[jowl, 1] < young[jowl, 1] - 0.2
    ears = np.unique(head_model.triangles[head_model.labels == Label.EAR])
    heights = [np.ptp(face[ears, 1]) for face in (young, old)]
    assert heights[1] > heights[0] + 0.2
    steps = [physique(head_model, Person(age=age)).offsets for age in (50.0, 50.1)]
    assert np.abs(steps[1] - steps[0]).max() < 0.01


def test_women_s_jaws_are_narrower_than_men_s(head_model):
    man, woman = (head_model.neutral + physique(head_model, Person(feminine=f)).offsets for f in (0.0, 1.0))
    jaw = head_model.landmarks68[[4, 12]]
    assert np.ptp(woman[jaw, 0]) < np.ptp(man[jaw, 0]) - 0.3
    between = physique(head_model, Person(feminine=0.5)).offsets
    np.testing.assert_allclose(2 * between, man + woman - 2 * head_model.neutral, atol=1e-4)

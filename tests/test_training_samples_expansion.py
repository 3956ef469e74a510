"""Expanded holes: they contain the item and reach beyond it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_samples_made import SIZE, clip, face, frame, item, triplet

from durian.errors import InvalidRequest
from durian.face import eye_distance
from durian.masks import expand, union
from durian.training.data.expansion import (
    ExpansionSettings,
    MaskBank,
    filled,
    is_seen,
    item_of,
    make_hole,
    person_of,
    whole_item,
)

KINDS = ("hair", "glasses", "hat", "beard")


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    a, b = first > 127, second > 127
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("category", KINDS)
def test_a_hole_contains_the_item_soft_edges_included(category):
    soft = np.round(item(category) * 0.4).astype(np.uint8)  # below half throughout: no outline to grow from
    own = union([item(category, wide=0.7), soft])
    lent = item_of(face(yaw=0.2), item(category, wide=0.5), category)
    for growth in (0.0, 0.1):
        hole = make_hole(frame(0, {category: own}, face()), category, [lent], growth)
        assert (hole >= own).all()


@pytest.mark.parametrize("category", KINDS)
def test_a_wider_item_widens_the_hole_beyond_the_own_outline(category):
    portrait = frame(0, {category: item(category, wide=0.7)}, face())
    tight = make_hole(portrait, category, [], 0.05)
    wide = make_hole(portrait, category, [item_of(face(), item(category, wide=1.2), category)], 0.05)
    assert (wide >= tight).all()
    assert (wide > 127).sum() > 1.3 * (tight > 127).sum()


@pytest.mark.parametrize("category", KINDS)
def test_an_item_of_the_same_face_lies_where_it_was(category):
    mask = item(category, wide=1.1)
    hole = make_hole(frame(0, {}, face()), category, [item_of(face(), mask, category)], 0)
    assert overlap(hole, mask) > 0.85


def test_a_borrowed_item_follows_the_portraits_face():
    lent = item_of(face(unit=0.3, place=(0.6, 0.4)), _glasses_at(0.3, (0.6, 0.4)), "glasses")
    hole = make_hole(frame(0, {}, face(unit=0.2, place=(0.35, 0.6))), "glasses", [lent], 0)
    assert overlap(hole, _glasses_at(0.2, (0.35, 0.6))) > 0.8


def test_without_borrowing_the_hole_is_the_item_grown_by_eye_distances():
    own = item("beard")
    portrait = frame(0, {"beard": own}, face())
    hole = make_hole(portrait, "beard", [], 0.15)
    np.testing.assert_array_equal(hole, expand(own, 0.15 * eye_distance(portrait.landmarks)))


def test_a_hat_presses_the_hair_above_its_edge_and_leaves_the_rest():
    long = np.zeros((SIZE, SIZE), np.uint8)
    long[10:90, 20:76] = 255
    portrait = frame(0, {"hair": long}, face())
    hat = item("hat", wide=0.6)
    hole = make_hole(portrait, "hat", [item_of(face(), hat, "hat")], 0)
    bottom = np.flatnonzero(hat.any(1))[-1]
    left, right = np.flatnonzero(hat.any(0))[[0, -1]]
    assert (hole[14 : bottom - 8, left : right + 1] == 255).all()
    # Seen from the face, what sticks out above the hat is wider than the hat; what hangs beside its edge is kept.
    assert (hole[14, left - 12 : right + 13] == 255).all()
    assert not hole[bottom - 2 :, 20 : left - 1].any()
    assert not hole[bottom - 2 :, right + 2 : 76].any()
    assert not hole[bottom + 20 :, 40:56].any()
    # For glasses nobody's hair is in the way.
    assert not make_hole(portrait, "glasses", [], 0).any()


def test_nobody_borrows_from_themselves(tmp_path):
    clips = [
        clip(tmp_path, "one", source="film.mp4", wide=0.6),
        clip(tmp_path, "two", source="film.mp4", wide=0.6),
        clip(tmp_path, "three", source="other.mp4", wide=1.4),
    ]
    bank, rng = MaskBank(clips), np.random.default_rng(0)
    wide = item("hair", wide=1.4)
    for _ in range(30):
        np.testing.assert_array_equal(bank.borrow("hair", person_of(clips[0]), rng).mask, wide)
    assert MaskBank(clips[:2]).borrow("hair", person_of(clips[0]), rng) is None
    assert bank.borrow("hat", person_of(clips[0]), rng) is None


def test_a_scene_lends_what_its_targets_wear(tmp_path):
    made = triplet(tmp_path, "a", "hat", source="scene a")
    # People are numbered within their scene.
    assert person_of(made) != person_of(triplet(tmp_path, "b", source="scene b"))
    bank, rng = MaskBank([made]), np.random.default_rng(0)
    targets = made.landmarks[4:]
    for _ in range(20):
        lent = bank.borrow("hat", "nobody", rng)
        assert any(np.array_equal(lent.landmarks, landmarks) for landmarks in targets)


def test_the_same_chance_borrows_the_same(tmp_path):
    bank = MaskBank([clip(tmp_path, str(number), wide=0.5 + 0.1 * number) for number in range(6)])

    def masks(seed: int) -> list[int]:
        rng = np.random.default_rng(seed)
        return [int(bank.borrow("hair", "nobody", rng).mask.sum()) for _ in range(10)]

    assert masks(1) == masks(1) != masks(2)
    assert len(set(masks(1))) > 2


def test_gaps_between_hairs_are_filled_and_solid_items_stay():
    rng = np.random.default_rng(0)
    pepper = item("beard") * (rng.random((SIZE, SIZE)) < 0.6)
    assert 0.5 < (pepper > 127).sum() / (item("beard") > 127).sum() < 0.7
    whole = filled(pepper)
    assert (whole >= pepper).all()
    assert overlap(whole, item("beard")) > 0.85
    assert not whole[item("beard") == 0].any()
    stubble = np.round(item("beard") * 0.4).astype(np.uint8)
    np.testing.assert_array_equal(filled(stubble), item("beard"))
    np.testing.assert_array_equal(filled(item("hat")), item("hat"))
    thin = np.round(item("beard") * 0.1).astype(np.uint8)
    assert set(np.unique(filled(thin))) == {0, 104}  # 26 of 255, four times


def test_only_rendered_masks_are_filled(tmp_path):
    stubble = np.round(item("beard") * 0.4).astype(np.uint8)
    np.testing.assert_array_equal(whole_item(clip(tmp_path, "film"), stubble), stubble)
    np.testing.assert_array_equal(whole_item(clip(tmp_path, "scene", kind="none"), stubble), item("beard"))


def test_specks_are_no_items():
    speck = np.zeros((100, 100), np.uint8)
    speck[:2, :2] = 255
    assert not is_seen(speck)
    assert not is_seen(None)
    speck[:2, :3] = 255
    assert is_seen(speck)


def test_what_cannot_be_seen_is_not_lent(tmp_path):
    bank, rng = MaskBank([clip(tmp_path, "a", "tttt", bare=(0, 1, 2))]), np.random.default_rng(0)
    lent = [bank.borrow("hair", "nobody", rng) for _ in range(40)]
    assert 3 <= sum(item is not None for item in lent) <= 20


def test_holes_do_not_shrink():
    with pytest.raises(InvalidRequest, match="distances from 0 to 1"):
        ExpansionSettings(growth=(-0.1, 0.1))
    with pytest.raises(InvalidRequest, match="0 masks or more"):
        replace(ExpansionSettings(), borrowed=-1)


def _glasses_at(unit: float, place: tuple[float, float]) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    x, y = place[0] * SIZE, place[1] * SIZE
    reach = unit * SIZE
    mask[round(y - 0.2 * reach) : round(y + 0.2 * reach), round(x - 0.6 * reach) : round(x + 0.6 * reach)] = 255
    return mask

"""Choice of a sample's frames."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from training_samples_made import clip, face, triplet

from durian.errors import InvalidRequest
from durian.training.data.pairs import Pairs, PairSettings, categories_of, pose_distance

DRAWS = 300


def drawn(pairs: Pairs, count: int = DRAWS, seed: int = 0) -> list:
    rng = np.random.default_rng(seed)
    return [pairs.draw(rng) for _ in range(count)]


@pytest.mark.parametrize("frames", [1, 4, 6])
def test_targets_are_never_among_the_references(tmp_path, frames):
    pairs = Pairs([clip(tmp_path, "a"), triplet(tmp_path, "b")], frames, PairSettings(strides=(1, 2)))
    seen = set()
    for pair in drawn(pairs):
        assert len(set(pair.targets)) == frames
        assert pair.attribute not in pair.targets
        assert pair.portrait not in pair.targets
        assert pair.attribute != pair.portrait
        assert len(set(np.diff(pair.targets))) <= 1
        assert set(np.diff(pair.targets)) <= {1, 2}
        seen.add((pair.clip, pair.has_truth))
    # Of six targets of the triplet four leave two as references, six leave none.
    assert seen == ({(0, False), (1, True), (1, False)} if frames <= 4 else {(0, False), (1, True)})


def test_strides_are_all_used_where_they_fit(tmp_path):
    pairs = Pairs([clip(tmp_path, "a")], 3, PairSettings(strides=(1, 3, 9)))
    assert {int(np.diff(pair.targets)[0]) for pair in drawn(pairs)} == {1, 3}
    # None fits: frames in a row.
    pairs = Pairs([clip(tmp_path, "a")], 6, PairSettings(strides=(2, 3)))
    assert all(set(np.diff(pair.targets)) == {1} for pair in drawn(pairs, 20))


def test_a_triplet_takes_the_item_from_the_reference_and_the_rest_from_the_bare_portrait(tmp_path):
    pairs = Pairs([triplet(tmp_path, "a", "hat")], 2, PairSettings(true_share=1))
    seen = drawn(pairs)
    assert {pair.attribute for pair in seen} == {2, 3}
    assert {pair.portrait for pair in seen} == {0, 1}
    assert {number for pair in seen for number in pair.targets} == set(range(4, 10))
    assert all(pair.has_truth and pair.category == "hat" for pair in seen)


def test_pseudo_pairs_of_a_triplet_show_targets_alone(tmp_path):
    pairs = Pairs([triplet(tmp_path, "a")], 2, PairSettings(true_share=0))
    for pair in drawn(pairs):
        assert not pair.has_truth
        assert {pair.attribute, pair.portrait, *pair.targets} <= set(range(4, 10))


def test_where_two_items_change_hands_the_portrait_wears_the_other_already(tmp_path):
    made = clip(
        tmp_path,
        "a",
        "pprrtttt",
        ("glasses", "beard"),
        [1, 1, 2, 3, 1, 1, 1, 1],
        "pair",
        {"glasses": (2,), "beard": (3,)},
        bare=(0, 1),
    )
    seen = drawn(Pairs([made], 2, PairSettings(true_share=1)))
    assert {(pair.category, pair.attribute) for pair in seen} == {("glasses", 2), ("beard", 3)}
    assert {pair.portrait for pair in seen} == {4, 5, 6, 7}
    # Also where the other one was not asked for when the clip was made.
    alone = clip(tmp_path, "b", "pprrtttt", ("glasses",), [1, 1, 2, 3, *[1] * 4], "pair", {"glasses": (2,)}, (0, 1))
    assert {pair.portrait for pair in drawn(Pairs([alone], 2, PairSettings(true_share=1)))} == {4, 5, 6, 7}


def test_in_a_scene_of_one_person_another_light_is_for_the_attribute_only(tmp_path):
    made = clip(tmp_path, "a", "pprrtttt", people=[7] * 8, kind="clip")
    seen = drawn(Pairs([made], 2))
    assert not any(pair.has_truth for pair in seen)
    assert {pair.attribute for pair in seen} == {2, 3, 4, 5, 6, 7}
    assert {pair.portrait for pair in seen} == {0, 1, 4, 5, 6, 7}


def test_frames_of_other_people_are_left_alone(tmp_path):
    made = clip(tmp_path, "a", "pprrtttt", people=[7, 8, 7, 8, 7, 7, 7, 7], kind="clip")
    seen = drawn(Pairs([made], 2))
    assert {pair.attribute for pair in seen} == {2, 4, 5, 6, 7}
    assert {pair.portrait for pair in seen} == {0, 4, 5, 6, 7}


@pytest.mark.parametrize(("balance", "hair_to_hat"), [(0.0, 16), (0.75, 2), (1.0, 1)])
def test_categories_are_drawn_with_the_stated_shares(tmp_path, balance, hair_to_hat):
    clips = [clip(tmp_path, f"hair {number}") for number in range(16)] + [clip(tmp_path, "hat", items=("hat",))]
    pairs = Pairs(clips, 1, PairSettings(balance=balance))
    shares = pairs.shares(False)
    assert shares["hair"] / shares["hat"] == pytest.approx(hair_to_hat)
    assert sum(shares.values()) == pytest.approx(1)
    count = Counter(pair.category for pair in drawn(pairs, 1500))
    # Three standard deviations.
    assert abs(count["hat"] / 1500 - shares["hat"]) < 3 * np.sqrt(shares["hat"] * shares["hair"] / 1500)


def test_true_pairs_have_their_share_where_there_are_both_kinds(tmp_path):
    both = Pairs([clip(tmp_path, "a"), triplet(tmp_path, "b")], 1, PairSettings(true_share=0.3))
    count = sum(pair.has_truth for pair in drawn(both, 1000))
    assert abs(count / 1000 - 0.3) < 3 * np.sqrt(0.3 * 0.7 / 1000)
    videos = Pairs([clip(tmp_path, "a")], 1, PairSettings(true_share=0.3))
    assert videos.true_share() == 0
    assert not any(pair.has_truth for pair in drawn(videos, 50))


def test_hair_below_a_hat_is_not_learnt(tmp_path):
    assert categories_of(clip(tmp_path, "a", items=("hair", "hat", "beard")).about) == ("hat", "beard")
    assert categories_of(clip(tmp_path, "b", items=("hair", "beard")).about) == ("hair", "beard")


def test_references_differ_more_the_more_there_are_to_choose_from(tmp_path):
    made = clip(tmp_path, "a", "t" * 16)

    def spread(candidates: int) -> float:
        pairs = Pairs([made], 1, PairSettings(candidates=candidates))
        return float(
            np.mean(
                [
                    pose_distance(made.landmarks[pair.attribute], made.landmarks[pair.portrait])
                    + pose_distance(made.landmarks[pair.portrait], made.landmarks[pair.targets[0]])
                    for pair in drawn(pairs, 150)
                ]
            )
        )

    assert spread(1) * 1.2 < spread(2) < spread(6)


def test_pose_distance_ignores_place_and_size_and_sees_turns():
    still = face()
    assert pose_distance(still, face(place=(0.4, 0.7), unit=0.3)) == pytest.approx(0, abs=1e-4)
    assert 0.02 < pose_distance(still, face(yaw=0.2)) < pose_distance(still, face(yaw=0.5))


def test_clips_that_are_too_short_are_left_out_and_refused_if_all_are(tmp_path):
    short, long = clip(tmp_path, "short", "tttt"), clip(tmp_path, "long")
    assert {pair.clip for pair in drawn(Pairs([short, long], 3))} == {1}
    assert {pair.clip for pair in drawn(Pairs([short, long], 2))} == {0, 1}
    with pytest.raises(InvalidRequest, match="None of the 1 clips has 3 target frames and two more"):
        Pairs([short], 3)


@pytest.mark.parametrize("wrong", [{"true_share": 1.5}, {"balance": -0.1}, {"strides": ()}, {"candidates": 0}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(InvalidRequest):
        PairSettings(**wrong)

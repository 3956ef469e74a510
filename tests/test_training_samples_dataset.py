"""The data set: samples and batches from clips."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from training_samples_made import RED, SIZE, clip, grey_of, item, number_of, triplet

from durian.clips import Clip
from durian.errors import UnreadableMedia
from durian.face import eye_distance
from durian.keypoints import draw_keypoints
from durian.masks import expand
from durian.training.data.augmentation import ReferenceChanges
from durian.training.data.dataset import Batches, Samples, SamplingSettings, collate, load_batches, split_clips
from durian.training.data.expansion import ExpansionSettings, person_of
from durian.training.data.pairs import PairSettings
from durian.training.data.sample import KEYPOINTS, PICTURES, Sample
from durian.training.recipe import load_recipe
from durian.training.run.stage_factory import make_samples

GREEN = (30, 200, 60)
PLAIN = SamplingSettings().without_augmentation()
UNDRAFTED = tuple(name for name in PICTURES if name != "drafts")


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> list[Clip]:
    """Three videos and two triplets; the second triplet's item is green."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        clip(folder, "a", items=("hair",), source="a.mp4"),
        clip(folder, "b", items=("hair", "glasses"), wide=1.3, source="b.mp4"),
        clip(folder, "c", items=("glasses",), wide=0.7, source="c.mp4"),
        triplet(folder, "d", "beard", person=1),
        triplet(folder, "e", "hat", person=2, colour=GREEN, wide=0.8),
    ]


def same(first: Sample, second: Sample) -> bool:
    values = ((getattr(first, one.name), getattr(second, one.name)) for one in fields(Sample))
    return all(np.array_equal(a, b) for a, b in values)


def is_colour(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(image.astype(int) - colour).max(-1) < 60


# Samples


def test_a_number_is_always_the_same_sample(clips):
    first = Samples(clips, 64, 2, seed=3)
    again = Samples(clips, 64, 2, seed=3)
    backwards = {number: again[number] for number in reversed(range(8))}
    assert all(same(first[number], backwards[number]) for number in range(8))
    assert not any(same(first[number], first[number + 1]) for number in range(7))
    assert not any(same(first[number], Samples(clips, 64, 2, seed=4)[number]) for number in range(3))


def test_faces_that_nobody_looks_at_are_not_drawn_and_all_else_is_the_same(clips):
    whole = Samples(clips, 64, 2, seed=3)[0]
    bare = Samples(clips, 64, 2, seed=3, drawn=())[0]
    empty = np.zeros((2, 0, 0, 3), np.uint8)
    undrawn = replace(whole, attribute_keypoints=empty[0], portrait_keypoints=empty[0], keypoints=empty)
    assert same(bare, undrawn)
    some = Samples(clips, 64, 2, seed=3, drawn=("portrait_keypoints", "keypoints"))[0]
    assert same(some, replace(whole, attribute_keypoints=empty[0]))
    assert collate([bare, bare])["keypoints"].numel() == 0


@pytest.mark.parametrize(("features", "drawn"), [(0.0, set()), (2.0, {"portrait_keypoints", "keypoints"})])
def test_the_autoencoder_s_samples_have_what_its_loss_looks_at(clips, features: float, drawn: set[str]):
    recipe = load_recipe("mini-64")
    loss = replace(recipe.autoencoder.loss, features=features)
    recipe = replace(recipe, autoencoder=replace(recipe.autoencoder, loss=loss))
    assert make_samples("autoencoder", clips, recipe).drawn == drawn
    assert make_samples("image", clips, recipe).drawn == set(KEYPOINTS)


def test_complementary_masks_show_the_item_once(clips):
    samples = Samples(clips, SIZE, 2, settings=replace(PLAIN, pairs=PairSettings(true_share=0, mirrored=0)))
    for number in range(25):
        sample = samples[number]
        colour = GREEN if sample.clip == "e" else RED
        # The attribute's mask is on the item, and what the hole leaves of the portrait shows none of it.
        assert is_colour(sample.attribute, colour)[sample.attribute_mask > 127].mean() > 0.97
        assert is_colour(sample.portrait, colour).sum() > 50
        own = item(sample.category, wide={"b": 1.3, "c": 0.7, "e": 0.8}.get(sample.clip, 1.0))
        assert (sample.hole >= own).all()
        if sample.clip != "b":  # which wears another red item, too
            assert not is_colour(sample.portrait, colour)[sample.hole < 128].any()


def test_the_hole_of_a_pseudo_pair_is_wider_than_the_item(clips):
    samples = Samples(clips[:3], SIZE, 1, settings=replace(PLAIN, expansion=ExpansionSettings(growth=(0, 0))))
    tight = Samples(clips[:3], SIZE, 1, settings=replace(PLAIN, expansion=ExpansionSettings(borrowed=0, growth=(0, 0))))
    wider = 0
    for number in range(20):
        sample, plain = samples[number], tight[number]
        np.testing.assert_array_equal(plain.hole, item(plain.category, wide={"b": 1.3, "c": 0.7}.get(plain.clip, 1.0)))
        if sample.clip != "b":
            wider += (sample.hole > 127).sum() > 1.15 * (plain.hole > 127).sum()
    assert wider >= 6


def test_growth_is_in_eye_distances_of_the_portrait(clips):
    growing = ExpansionSettings(borrowed=0, growth=(0.2, 0.2))
    samples = Samples(clips[2:3], SIZE, 1, settings=replace(PLAIN, expansion=growing))
    sample = samples[0]
    portrait = clips[2].landmarks[number_of(sample.portrait)]
    np.testing.assert_array_equal(sample.hole, expand(item("glasses", wide=0.7), 0.2 * eye_distance(portrait)))


def test_a_true_pair_shows_the_bare_person_and_somebody_else_with_the_item(clips):
    samples = Samples(clips, SIZE, 2, settings=replace(PLAIN, pairs=PairSettings(true_share=1, mirrored=0)))
    for number in range(16):
        sample = samples[number]
        assert sample.has_truth
        assert sample.category == {"d": "beard", "e": "hat"}[sample.clip]
        assert number_of(sample.attribute) in (2, 3)
        assert number_of(sample.portrait) in (0, 1)
        colour = GREEN if sample.clip == "e" else RED
        assert not is_colour(sample.portrait, colour).any()
        assert all(number_of(target) >= 4 for target in sample.targets)
        # The item comes where the reference's lies on the portrait.
        where = item(sample.category, wide=0.8 if sample.clip == "e" else 1.0) > 127
        assert (sample.hole > 127)[where].mean() > 0.85
        assert (sample.hole > 127)[~where].mean() < 0.3


def test_without_augmentation_pictures_are_the_clips_own(clips):
    samples = Samples(clips, SIZE, 3, settings=PLAIN)
    by_name = {made.about.name: made for made in clips}
    for number in range(10):
        sample = samples[number]
        made = by_name[sample.clip]
        numbers = [number_of(target) for target in sample.targets]
        assert len({*numbers, number_of(sample.attribute), number_of(sample.portrait)}) == 5
        np.testing.assert_array_equal(sample.attribute, made.frame(number_of(sample.attribute)).image)
        np.testing.assert_array_equal(sample.portrait, made.frame(number_of(sample.portrait)).image)
        for place, target in enumerate(numbers):
            frame = made.frame(target)
            np.testing.assert_array_equal(sample.targets[place], frame.image)
            np.testing.assert_array_equal(sample.keypoints[place], draw_keypoints(frame.landmarks, SIZE))
            np.testing.assert_array_equal(sample.inside[place], frame.masks[sample.category])


def test_augmentation_changes_references_and_no_target(clips):
    moving = ReferenceChanges(moved=1.0, shift=0.1, rotation=20.0, relit=1.0, exposure=1.0)
    pairs = PairSettings(mirrored=0)
    changed = Samples(clips, SIZE, 2, settings=SamplingSettings(pairs, attribute=moving, portrait=moving))
    plain = Samples(clips, SIZE, 2, settings=replace(PLAIN, pairs=pairs))
    for number in range(6):
        one, other = changed[number], plain[number]
        for name in ("targets", "keypoints", "inside"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        for name in ("attribute", "portrait"):
            assert np.abs(getattr(one, name).astype(int) - getattr(other, name)).mean() > 0.5
            drawn, before = (getattr(sample, f"{name}_keypoints") for sample in (one, other))
            assert (drawn != before).any()


def test_a_moved_attributes_mask_stays_on_the_item(clips):
    moving = ReferenceChanges(moved=1.0, shift=0.1, scale=1.2, rotation=20.0)
    samples = Samples(clips[:1], SIZE, 1, settings=SamplingSettings(attribute=moving, portrait=moving))
    for number in range(10):
        sample = samples[number]
        red = is_colour(sample.attribute, RED)
        assert (red & (sample.attribute_mask > 127)).sum() > 0.9 * red.sum()
        assert not is_colour(sample.portrait, RED)[sample.hole < 128].any()


def test_mirrored_samples_are_mirrored_throughout(clips):
    turned = Samples(clips, SIZE, 2, settings=replace(PLAIN, pairs=PairSettings(mirrored=1)))
    straight = Samples(clips, SIZE, 2, settings=replace(PLAIN, pairs=PairSettings(mirrored=0)))
    for number in range(5):
        one, other = turned[number], straight[number]
        for name in ("attribute", "attribute_mask", "portrait"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name)[:, ::-1])
        for name in ("targets", "inside"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name)[:, :, ::-1])
        # Left and right keep their colours: the drawing is not the mirrored drawing.
        assert (one.keypoints != other.keypoints[:, :, ::-1]).any()


def test_clips_of_another_size_are_resized(clips):
    small, whole = (Samples(clips, size, 2, settings=PLAIN)[0] for size in (48, SIZE))
    assert small.targets.shape == (2, 48, 48, 3)
    assert small.hole.shape == (48, 48)
    assert number_of(small.targets[0]) == number_of(whole.targets[0])
    halved = whole.inside[0].reshape(48, 2, 48, 2).mean((1, 3))
    assert np.abs(small.inside[0] - halved).mean() < 3


def test_an_attribute_that_cannot_be_seen_is_not_taken(tmp_path):
    some = clip(tmp_path, "some", "tttttt", bare=(1, 3, 4))
    samples = Samples([some], SIZE, 1, settings=PLAIN)
    assert {number_of(samples[number].attribute) for number in range(20)} == {0, 2, 5}
    none = clip(tmp_path, "none", "tttt", bare=(0, 1, 2, 3))
    with pytest.raises(UnreadableMedia, match="hair in none"):
        Samples([none], SIZE, 1)[0]


def test_frames_are_told_apart_by_their_brightness(clips):
    assert [number_of(clips[0].frame(number).image) for number in range(8)] == list(range(8))
    assert grey_of(3) - grey_of(2) == 8


# Batches


def test_batches_stack_pictures_and_list_the_rest(clips):
    samples = Samples(clips, 64, 2)
    some = [samples[number] for number in range(3)]
    batch = collate(some)
    assert set(batch) == {one.name for one in fields(Sample)} - {"drafts"}
    for name in UNDRAFTED:
        assert batch[name].dtype == torch.uint8
        np.testing.assert_array_equal(batch[name][1].numpy(), getattr(some[1], name))
    assert batch["targets"].shape == (3, 2, 64, 64, 3)
    assert batch["category"] == [sample.category for sample in some]
    assert batch["has_truth"] == [sample.has_truth for sample in some]


def test_a_run_that_goes_on_sees_what_it_would_have_seen(clips):
    samples = Samples(clips, 64, 1)
    whole = list(load_batches(samples, 0, 4, 3))
    later = list(load_batches(samples, 2, 4, 3))
    assert len(whole) == 4
    assert len(later) == 2
    assert all(torch.equal(a[name], b[name]) for a, b in zip(whole[2:], later) for name in UNDRAFTED)
    np.testing.assert_array_equal(whole[2]["targets"][1].numpy(), samples[7].targets)


@pytest.mark.slow
def test_batches_are_the_same_whatever_loads_them(clips):
    samples = Samples(clips, 64, 1)
    here = list(load_batches(samples, 1, 6, 2))
    elsewhere = list(load_batches(samples, 1, 6, 2, workers=2))
    assert len(elsewhere) == 5
    for a, b in zip(here, elsewhere):
        assert all(torch.equal(a[name], b[name]) for name in UNDRAFTED)
        assert a["clip"] == b["clip"]


def test_numbers_of_batches():
    assert [list(numbers) for numbers in Batches(2, 4, 3)] == [[6, 7, 8], [9, 10, 11]]
    assert len(Batches(2, 4, 3)) == 2
    assert len(Batches(5, 4, 3)) == 0


# Validation


def test_nobody_is_in_both_parts(tmp_path):
    clips = [clip(tmp_path, f"{name}-{part}", "tttt", source=name) for name in "abcdefghijklmnop" for part in (1, 2)]
    training, validation = split_clips(clips, 0.3)
    assert len(training) + len(validation) == len(clips)
    assert not {person_of(made) for made in training} & {person_of(made) for made in validation}
    assert 2 <= len(validation) <= 18
    # More clips move nobody.
    fewer_training, fewer_validation = split_clips(clips[6:], 0.3)
    assert {made.path for made in fewer_validation} <= {made.path for made in validation}
    assert {made.path for made in fewer_training} <= {made.path for made in training}
    assert split_clips(clips, 0)[1] == []
    assert split_clips(clips, 1)[0] == []


def test_validations_settings_differ_in_augmentation_alone():
    settings = SamplingSettings(PairSettings(true_share=0.2, mirrored=0.5), ExpansionSettings(borrowed=3))
    plain = settings.without_augmentation()
    assert plain.expansion == settings.expansion
    assert plain.pairs.true_share == 0.2
    assert plain.pairs.mirrored == 0
    assert plain.attribute == plain.portrait == ReferenceChanges()


def test_a_mask_can_be_read_alone(clips):
    np.testing.assert_array_equal(clips[1].mask(3, "glasses"), clips[1].frame(3).masks["glasses"])
    assert clips[1].mask(3, "hat") is None
    assert clips[3].mask(0, "beard") is None

"""The parser's training: what it is shown, simulated clicks, losses by hand."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from parser_training_made import SIDE, hatted

from durian.segmentation.parser.classes import BACKGROUND, BEARD, CLASSES, GLASSES, HAIR, HAT, LIPS, SKIN
from durian.segmentation.parser.network import INPUTS, PICTURE
from durian.synthetic.base.geometry import Label
from durian.synthetic.studio.studio import Picture
from durian.training.parser import rounds
from durian.training.parser.augmentation import dress_anew, occlude, photograph, weight_of
from durian.training.parser.clicking import damaged, next_click, simulate
from durian.training.parser.examples import IGNORED, Examples, make_clicks, make_example
from durian.training.parser.losses import class_losses, click_losses
from durian.training.parser.photos import ARRAYS, Photos, class_shares, packed, prepare_photos, unpacked
from durian.training.parser.rounds import rounds_of_clicks


@pytest.fixture(scope="module")
def photos(collins) -> Photos:
    return hatted(collins)


# Classes of pixels


def test_shares_survive_packing():
    rng = np.random.default_rng(0)
    shares = np.zeros((4, 5, len(CLASSES)), np.float32)
    first, second = rng.integers(0, 4, (4, 5)), rng.integers(4, 9, (4, 5))
    part = rng.uniform(0.5, 1, (4, 5)).astype(np.float32)
    np.put_along_axis(shares, first[..., None], part[..., None], axis=2)
    np.put_along_axis(shares, second[..., None], 1 - part[..., None], axis=2)
    np.testing.assert_allclose(unpacked(*packed(shares)), shares, atol=1 / 255)
    whole = np.eye(len(CLASSES), dtype=np.float32)[None]
    np.testing.assert_array_equal(unpacked(*packed(whole)), whole)


def test_shares_of_a_picture_s_pixels():
    labels = np.array([[Label.BACKGROUND, Label.FACE, Label.LIPS, Label.HAIR, Label.FACE, Label.HAIR]], np.uint8)
    names = ("hair", "beard", "glasses", "hat", "earrings", "cloth")
    coverage = {name: np.zeros(labels.shape, np.uint8) for name in names}
    coverage["hair"][0, 3:] = 255, 0, 255
    coverage["beard"][0, 1] = 102  # stubble on skin
    coverage["glasses"][0, 4:] = 255  # clear glass, before skin and before hair
    empty = np.zeros(labels.shape, np.uint8)
    picture = Picture(np.zeros((1, 6, 3), np.uint8), labels, coverage, empty, empty, np.zeros((68, 2)))
    shares = class_shares(picture)[0]
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert shares[0, BACKGROUND] == 1
    assert shares[1, BEARD] == pytest.approx(0.4)
    assert shares[1, SKIN] == pytest.approx(0.6)
    assert shares[2, LIPS] == 1
    assert shares[3, HAIR] == 1
    assert shares[4, GLASSES] == shares[5, GLASSES] == 1


@pytest.mark.slow
def test_photos_are_rendered_once_and_are_whole(head_model_file, settings_environment, tmp_path, monkeypatch):
    from durian.training.parser import photos as room

    settings_environment(head_model=head_model_file)
    monkeypatch.setattr(room, "PEOPLE", 1)
    monkeypatch.setattr(room, "SIZE", 96)
    (path,) = prepare_photos(tmp_path, 1, 3, workers=0)
    found = Photos.open(path)
    assert found.rgb.shape == (room.VIEWS, 96, 96, 3)
    present = set(np.unique(found.classes // 16))
    assert {BACKGROUND, SKIN} <= present
    before = (path / "rgb.npy").stat().st_mtime_ns
    assert prepare_photos(tmp_path, 1, 3, workers=0) == [path]
    assert (path / "rgb.npy").stat().st_mtime_ns == before
    (again,) = prepare_photos(tmp_path / "again", 1, 3, workers=0)
    assert np.array_equal(found.rgb, Photos.open(again).rgb)


# Examples


def test_an_example_is_the_photo_with_its_classes(photos):
    for seed in range(6):
        example = make_example(photos, seed % 2, photos.rgb[0], SIDE, np.random.default_rng(seed))
        assert example.inputs.shape == (INPUTS, SIDE, SIDE)
        assert 0 <= example.inputs.min() <= example.inputs.max() <= 1
        inside = example.classes != IGNORED
        assert inside.any()
        assert set(np.unique(example.classes[inside] // 16)) <= {BACKGROUND, SKIN, HAT}
        clicks = make_clicks(example, np.random.default_rng(seed))
        assert (clicks.clicked > 0.5).any()
        assert not (clicks.clicked[~inside] > 0).any()
        assert (clicks.drawn.any() and set(np.unique(clicks.drawn)) == {0, 1}) or (
            clicks.before == (clicks.clicked > 0.5)
        ).all()


def test_nothing_large_enough_to_click_is_no_example(photos):
    bare = replace(photos, classes=np.full_like(photos.classes, 16 * SKIN + BACKGROUND))
    examples = [make_example(bare, 0, bare.rgb[0], SIDE, np.random.default_rng(seed)) for seed in range(6)]
    seen = [make_clicks(example, np.random.default_rng(0)) for example in examples]
    # What is in front of somebody can be clicked as well.
    assert [one is not None for one in seen] == [example.hidden.mean() > 0.0008 for example in examples]


def test_examples_follow_from_their_seed(photos):
    first, again, next_one, other = (
        Examples([photos], SIDE, [seed])[n] for seed, n in ((5, 0), (5, 0), (5, 1), (6, 0))
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["inputs"][PICTURE], other["inputs"][PICTURE])
    assert not torch.equal(first["inputs"][PICTURE], next_one["inputs"][PICTURE])
    clicks = Examples([photos], SIDE, [5], clicked=True)[0]
    assert torch.equal(clicks["inputs"], first["inputs"])
    assert {name: tuple(part.shape) for name, part in clicks.items() if name != "inputs"} == {
        "drawn": (2, SIDE, SIDE),
        "before": (SIDE, SIDE),
        "clicked": (SIDE, SIDE),
    }


def test_examples_of_a_shard_are_made_in_other_processes(photos, tmp_path):
    """A shard goes to them as its folder, and its examples are the same."""
    for name in ARRAYS:
        np.save(tmp_path / f"{name}.npy", getattr(photos, name))
    shard = Photos.open(tmp_path)
    assert len(pickle.dumps(shard)) < 1000
    for given in (shard, photos):
        again = pickle.loads(pickle.dumps(given))
        assert all(np.array_equal(getattr(again, name), getattr(photos, name), equal_nan=True) for name in ARRAYS)
    assert torch.equal(Examples([shard], SIDE, [5])[3]["inputs"], Examples([photos], SIDE, [5])[3]["inputs"])


def test_new_clothes_leave_everything_else_alone(photos):
    picture = photos.rgb[0].astype(np.float32) / 255
    skin = weight_of(SKIN, photos.classes[0], photos.share[0]) == 1
    changed = 0
    for seed in range(12):
        anew = dress_anew(
            picture, photos.classes[0], photos.share[0], picture[::-1].copy(), np.random.default_rng(seed)
        )
        np.testing.assert_array_equal(anew[skin], picture[skin])
        changed += (anew[~skin] != picture[~skin]).any()
    assert changed >= 4


def test_what_stands_before_a_head_is_background(photos):
    picture = photos.rgb[0].astype(np.float32) / 255
    covered = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        _, classes, share, hidden = occlude(picture, photos.classes[0], photos.share[0], 1 - picture, rng)
        assert (classes[hidden] // 16 == BACKGROUND).all()
        assert (share[hidden] == 255).all()
        np.testing.assert_array_equal(classes[~hidden], photos.classes[0][~hidden])
        covered += hidden.any()
    assert 2 <= covered <= 14


def test_photographs_stay_pictures(photos):
    picture = photos.rgb[0].astype(np.float32) / 255
    for seed in range(20):
        taken = photograph(picture, np.random.default_rng(seed))
        assert taken.shape == picture.shape
        assert 0 <= taken.min() <= taken.max() <= 1


def test_fewer_glasses_are_shown_than_there_are(photos, monkeypatch):
    from durian.training.parser import examples

    monkeypatch.setattr(examples, "KEPT", {HAT: 0.25})
    rng = np.random.default_rng(0)
    kept = np.mean([examples._is_kept(photos, 0, rng) for _ in range(400)])
    assert 0.18 < kept < 0.32
    monkeypatch.setattr(examples, "KEPT", {GLASSES: 0.0})
    assert examples._is_kept(photos, 0, rng)  # nobody wears glasses in it


# Real portraits


def test_portraits_are_labelled_where_all_agree(collins, tmp_path, monkeypatch):
    """A parser that sees glasses on her eyes, hair above them and clothes below."""
    import cv2

    from durian.segmentation.classic.segmenter import largest_face
    from durian.segmentation.parser import running
    from durian.training.parser.portraits import label

    size = 256
    picture = cv2.resize(collins[:256, 100:356], (size, size))
    landmarks = np.asarray(largest_face(picture))
    eyes = int(landmarks[[33, 263], 1].mean())

    def answer(weights, inputs):
        shares = np.zeros((size, size, len(CLASSES)), np.float32)
        shares[..., SKIN] = 0.3
        shares[: eyes - 20, :, HAIR] = 0.7
        shares[eyes - 10 : eyes + 10, :, GLASSES] = 0.7
        return shares

    monkeypatch.setattr(running, "parse", answer)
    classes = label(picture, landmarks, tmp_path)
    sure = classes != IGNORED
    assert not (classes[sure] // 16 == GLASSES).any()  # she wears none
    x, y = landmarks[50, :2].astype(int)  # a cheek: skin for everybody
    assert classes[y, x] // 16 == SKIN
    x, y = landmarks[10, :2].astype(int)
    hair = classes[: y - 12, x - 20 : x + 20]
    assert (hair == 16 * HAIR + SKIN).mean() > 0.3
    assert not sure[2, 2]  # background, which the parser took for hair


# Clicks


def disc(x: int, y: int, radius: int) -> np.ndarray:
    row, column = np.mgrid[:SIDE, :SIDE]
    return np.hypot(column - x, row - y) <= radius


def test_the_first_click_goes_into_the_largest_error():
    truth, before = disc(20, 20, 12), disc(48, 48, 5)
    firsts = []
    for seed in range(20):
        points, labels = simulate(truth, before, np.random.default_rng(seed))
        x, y = points[0].astype(int)
        assert labels[0] == 1
        assert truth[y, x]
        firsts.append((x, y))
        for (x, y), label in zip(points.astype(int), labels):
            assert (truth & ~before if label else before & ~truth)[y, x]
    assert firsts.count((20, 20)) >= 8  # most go to its middle
    assert len(simulate(truth, truth, np.random.default_rng(0))[0]) == 0


def test_damaged_masks_are_near_the_truth_or_nothing():
    truth = disc(30, 30, 14)
    masks = [damaged(truth, [disc(50, 10, 6)], np.random.default_rng(seed)) for seed in range(200)]
    empty = np.mean([not mask.any() for mask in masks])
    assert 0.25 < empty < 0.45
    overlap = [(mask & truth).sum() / (mask | truth).sum() for mask in masks if mask.any()]
    assert np.median(overlap) > 0.6
    assert np.mean(np.array(overlap) < 1) > 0.7


def test_the_next_click_is_in_the_largest_error():
    truth, mask = np.zeros((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool)
    truth[10:31, 10:31] = True
    mask[40:45, 40:45] = True
    rng = np.random.default_rng(0)
    found = [next_click(mask, truth, rng) for _ in range(20)]
    assert all(truth[y, x] and label == 1 for x, y, label in found)
    assert [found.count((20, 20, 1)) > 5, len(set(found)) > 3] == [True, True], "most in its middle, some anywhere"
    x, y, label = next_click(mask | truth, truth, rng)
    assert (mask[y, x], label) == (True, 0)
    assert next_click(truth, truth, rng) is None


def test_rounds_begin_with_the_mask_of_the_class_that_is_meant(monkeypatch):
    """A network that is sure of hair above and of a hat below; the hat and a stripe more are meant."""
    seen = []

    class Sure:
        clicks = staticmethod(lambda picture, features, shares, drawn, before: seen.append((drawn, before)) or before)
        features = staticmethod(lambda inputs: [inputs])

        @staticmethod
        def head(inputs):
            logits = torch.full((len(inputs), len(CLASSES), SIDE, SIDE), -9.0)
            logits[:, HAIR, :32] = logits[:, HAT, 32:] = 9.0
            return logits

    monkeypatch.setattr(rounds, "NAMED", 1.0)
    monkeypatch.setattr(rounds, "MOST_ROUNDS", 1)
    meant = torch.zeros(1, SIDE, SIDE)
    meant[:, 24:] = 1.0
    clicks = torch.ones(1, 2, SIDE, SIDE)
    given = (torch.zeros(1, INPUTS, SIDE, SIDE), clicks, torch.zeros(1, SIDE, SIDE), meant)
    rounds_of_clicks(Sure(), *given, np.random.default_rng(0))
    ((drawn, before),) = seen
    assert before[0, 32:].all()
    assert not before[0, :32].any()
    assert clicks.all(), "what was given stays"
    rows = np.nonzero(drawn[0, 0].numpy())[0]
    assert 20 < rows.mean() < 32, "the click is in the stripe that is missing"
    assert not drawn[0, 1].any()


# Losses


def test_losses_by_hand():
    """Two pixels: one all hair, one outside of the photo."""
    logits = torch.zeros(1, 9, 1, 2)
    logits[0, HAIR, 0, 0] = 2.0
    classes = torch.tensor([[[16 * HAIR + SKIN, IGNORED]]], dtype=torch.uint8)
    share = torch.tensor([[[255, 0]]], dtype=torch.uint8)
    losses = class_losses(logits, classes, share)
    hair = np.exp(2) / (np.exp(2) + 8)
    assert losses["entropy"].item() == pytest.approx(-np.log(hair), rel=1e-5)
    shares = {"hair": (hair, 1.0)} | {str(n): ((1 - hair) / 8, 0.0) for n in range(6)}
    dice = [(2 * found * true + 20) / (found + true + 20) for found, true in shares.values()]
    assert losses["overlap"].item() == pytest.approx(1 - np.mean(dice), rel=1e-4)


def test_losses_of_clicks_by_hand():
    """Half of 40 pixels were meant; the logits are unsure of all."""
    clicked = torch.zeros(1, 4, 10)
    clicked[:, :2] = 1.0
    losses = click_losses(torch.zeros(1, 4, 10), clicked)
    assert losses["clicked entropy"].item() == pytest.approx(np.log(2), rel=1e-5)
    assert losses["clicked overlap"].item() == pytest.approx(1 - (2 * 10 + 20) / (20 + 20 + 20), rel=1e-5)
    right = click_losses(20 * clicked - 10, clicked)
    assert sum(value.item() for value in right.values()) < 1e-3

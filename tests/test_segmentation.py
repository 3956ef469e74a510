"""The classic segmenter: graph cuts, clicks, named starts on two real photographs, what is worn."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.errors import InvalidRequest
from durian.segmentation import START_NAMES, get_segmenter, worn
from durian.segmentation.classic.clicks import distance_to_edge
from durian.segmentation.classic.graphcut import SEED_ODDS, cut
from durian.segmentation.classic.head import window_around
from durian.segmentation.classic.segmenter import largest_face
from durian.segmentation.person import person_mask


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """A red disc and a blue square on grey, with grain."""
    image = np.full((200, 300, 3), 120, np.uint8)
    cv2.circle(image, (90, 100), 45, (200, 60, 50), -1)
    cv2.rectangle(image, (190, 60), (270, 140), (40, 70, 190), -1)
    grain = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def truth_disc() -> np.ndarray:
    y, x = np.mgrid[:200, :300]
    return np.hypot(x - 90, y - 100) <= 45


@pytest.fixture
def segmenter(scene):
    made = get_segmenter("classic")
    made.set_image(scene)
    return made


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    inside = mask > 127
    return (inside & truth).sum() / (inside | truth).sum()


# Graph cut


def test_the_cut_is_the_best_of_all_labelings():
    """Against every labeling of a 3 × 3 picture: the evidence's sign wins without contrast to follow."""
    rng = np.random.default_rng(4)
    odds = rng.choice([-7.9, 7.9], size=(3, 3)).astype(np.float32)
    lab = rng.integers(0, 255, (3, 3, 3), dtype=np.uint8)
    # With smoothness nearly off the data term alone decides.
    assert np.array_equal(cut(odds, lab, smoothness=1e-3), odds > 0)


def test_smoothness_overrules_one_dissenter_but_a_seed_stands():
    lab = np.full((15, 15, 3), 128, np.uint8)
    odds = np.full((15, 15), 2.0, np.float32)
    lab[::3, :, 0] += 40
    odds[7, 7] = -0.3
    assert cut(odds, lab).all()
    odds[7, 7] = -SEED_ODDS
    result = cut(odds, lab)
    assert not result[7, 7]
    assert result.sum() == 15 * 15 - 1


def test_the_border_settles_on_an_edge_of_the_picture():
    lab = np.full((40, 40, 3), 128, np.uint8)
    lab[:, 23:, 0] = 220
    odds = np.zeros((40, 40), np.float32)
    odds[:, :8], odds[:, 32:] = SEED_ODDS, -SEED_ODDS
    assert np.array_equal(cut(odds, lab), np.broadcast_to(np.arange(40) < 23, (40, 40)))


def test_one_sided_evidence_needs_no_cut():
    lab = np.zeros((4, 4, 3), np.uint8)
    assert cut(np.full((4, 4), 0.1, np.float32), lab).all()
    assert not cut(np.full((4, 4), -0.1, np.float32), lab).any()


# Windows


def test_a_window_maps_pixel_centres_both_ways():
    window = window_around((100, 200), 20, 10, 120, 60, side=50)
    assert (window.x, window.y, window.width, window.height) == (20, 10, 100, 50)
    assert window.size == (50, 25)
    # Working pixel 0 covers picture pixels 20 and 21.
    assert window.to_working(np.array([[20.5, 10.5], [118.5, 58.5]])).tolist() == [[0, 0], [49, 24]]
    outside = window_around((100, 200), -50, -50, 500, 500, side=100)
    assert (outside.x, outside.y, outside.width, outside.height) == (0, 0, 200, 100)


# Clicks


def test_one_click_selects_the_thing_under_it(segmenter):
    mask = segmenter.predict(np.array([[90, 100]]), np.array([1]))
    assert mask.shape == (200, 300)
    assert mask.dtype == np.uint8
    assert iou(mask, truth_disc()) > 0.9


def test_a_negative_click_takes_a_piece_off_and_leaves_the_rest(segmenter):
    both = np.zeros((200, 300), np.uint8)
    both[truth_disc()] = 255
    both[60:141, 190:271] = 255
    mask = segmenter.predict(np.array([[230, 100]]), np.array([0]), start=both)
    assert iou(mask, truth_disc()) > 0.9


def test_a_positive_click_adds_a_missing_piece_and_leaves_the_rest(segmenter):
    disc = truth_disc().astype(np.uint8) * 255
    lacking = disc.copy()
    lacking[:, 90:] = 0
    mask = segmenter.predict(np.array([[112, 100]]), np.array([1]), start=lacking)
    assert iou(mask, truth_disc()) > 0.85 > iou(lacking, truth_disc())
    assert not (mask[:, 180:] > 127).any()


@pytest.mark.parametrize("seed", range(4))
def test_every_click_is_obeyed_and_visible_and_none_flips_the_mask(segmenter, seed):
    rng = np.random.default_rng(seed)
    start = truth_disc().astype(np.uint8) * 255
    points = rng.uniform([0, 0], [299, 199], (6, 2)).astype(np.float32)
    labels = rng.integers(0, 2, 6)
    before = start
    for n in range(1, 7):
        mask = segmenter.predict(points[:n], labels[:n], start=start)
        for (x, y), label in zip(points[:n], labels[:n], strict=True):
            assert (mask[round(float(y)), round(float(x))] > 127) == bool(label)
        x, y = points[n - 1]
        if (before[round(float(y)), round(float(x))] > 127) != bool(labels[n - 1]):
            assert ((mask > 127) != (before > 127)).sum() >= 5
        before = mask
    assert np.array_equal(start, truth_disc().astype(np.uint8) * 255), "the start must not change"


def test_clicking_on_is_the_same_as_clicking_at_once_and_undo_goes_back(segmenter, scene):
    points, labels = np.array([[90, 100], [230, 100], [60, 90]], np.float32), np.array([1, 1, 0])
    steps = [segmenter.predict(points[:n], labels[:n]) for n in (1, 2, 3)]
    fresh = get_segmenter("classic")
    fresh.set_image(scene)
    assert np.array_equal(fresh.predict(points, labels), steps[2])
    assert np.array_equal(segmenter.predict(points[:2], labels[:2]), steps[1])


def test_far_pixels_keep_their_exact_softness(segmenter):
    start = cv2.GaussianBlur(truth_disc().astype(np.uint8) * 255, (0, 0), 3)
    mask = segmenter.predict(np.array([[230, 100]]), np.array([1]), start=start)
    assert np.array_equal(mask[:, :140], start[:, :140])
    assert mask[100, 230] > 127


def test_negative_clicks_alone_select_nothing(segmenter):
    assert not segmenter.predict(np.array([[10, 10]]), np.array([0])).any()


def test_how_far_a_click_is_from_being_right():
    mask = np.zeros((100, 100), np.uint8)
    mask[:, 50:] = 255
    assert distance_to_edge(mask, np.array([30, 50]), 1) == pytest.approx(20, abs=0.5)
    assert distance_to_edge(mask, np.array([60, 50]), 0) == pytest.approx(11, abs=0.5)
    assert distance_to_edge(mask, np.array([60, 50]), 1) == 0


@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        ([[300, 10]], [1], r"\(300, 10\) is outside the picture of 300×200"),
        ([[10, -3]], [1], "outside the picture"),
        ([[float("nan"), 3]], [1], "outside the picture"),
        ([[10, 10]], [1, 0], "1 clicks came with 2 labels"),
        ([[10, 10]], [2], "must be 1"),
        ([], [], "Nothing says what to select"),
    ],
)
def test_impossible_clicks(segmenter, points, labels, message):
    with pytest.raises(InvalidRequest, match=message):
        segmenter.predict(np.array(points), np.array(labels))


def test_impossible_starts_names_and_pictures(segmenter):
    with pytest.raises(InvalidRequest, match="own size"):
        segmenter.predict(np.array([[1, 1]]), np.array([1]), start=np.zeros((3, 3), np.uint8))
    with pytest.raises(InvalidRequest, match="no start named 'shoes'"):
        segmenter.named("shoes")
    with pytest.raises(InvalidRequest, match="No picture"):
        get_segmenter("classic").predict(np.array([[1, 1]]), np.array([1]))
    with pytest.raises(InvalidRequest, match="RGB"):
        segmenter.set_image(np.zeros((5, 5), np.uint8))
    with pytest.raises(InvalidRequest, match="no segmenter named"):
        get_segmenter("magic")


# Without a face


def test_a_product_shot_gives_the_thing_in_front(scene):
    product = scene.copy()
    product[:, 150:] = product[:1, :150]
    shop = get_segmenter("classic")
    shop.set_image(product)
    assert iou(shop.named("hat", None), truth_disc()) > 0.9
    assert not shop.named("hair", None).any()


# Real photographs


@pytest.fixture(scope="module")
def faces(collins, hopper):
    return {"collins": (collins, largest_face(collins)), "hopper": (hopper, largest_face(hopper))}


def named(image: np.ndarray, landmarks: np.ndarray, name: str) -> np.ndarray:
    made = get_segmenter("classic")
    made.set_image(image)
    return made.named(name, landmarks)


def hit(mask: np.ndarray, *points: tuple[int, int]) -> list[bool]:
    return [bool(mask[y, x] > 127) for x, y in points]


def test_hoppers_cap_with_its_peak(faces):
    mask = named(*faces["hopper"], "hat")
    # Crown left, middle and right, badge, peak over the brow.
    assert all(hit(mask, (200, 70), (256, 40), (320, 70), (256, 70), (256, 125)))
    # Eyes, mouth, flag, background, uniform.
    assert not any(hit(mask, (225, 190), (290, 190), (256, 270), (60, 150), (450, 150), (150, 480)))
    assert 0.03 < (mask > 127).mean() < 0.12


def test_hoppers_glasses_lenses_and_rims(faces):
    image, landmarks = faces["hopper"]
    mask = named(image, landmarks, "glasses")
    irises = [tuple(round(float(c)) for c in landmarks[i, :2]) for i in (468, 473)]
    nose, mouth = (tuple(int(c) for c in landmarks[i, :2]) for i in (4, 13))
    assert all(hit(mask, *irises))
    assert not any(hit(mask, nose, mouth))
    width = np.ptp(np.nonzero(mask > 127)[1])
    assert 1.0 < width / np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]) < 2.2


def test_collinss_hair(faces):
    image, landmarks = faces["collins"]
    mask = named(image, landmarks, "hair")
    assert all(hit(mask, (225, 25), (190, 70), (262, 70)))
    assert not any(hit(mask, (225, 110), (225, 150), (60, 60), (330, 100), (150, 300)))


def test_lips_are_between_nose_and_chin_without_the_teeth(faces):
    image, landmarks = faces["collins"]
    mask = named(image, landmarks, "lips")
    upper, teeth, lower = ((landmarks[a, :2] + landmarks[b, :2]) / 2 for a, b in ((0, 13), (13, 14), (14, 17)))
    values = [int(mask[round(float(y)), round(float(x))]) for x, y in (upper, teeth, lower)]
    assert values[0] > 127
    assert values[2] > 127
    assert values[1] < 100


def test_what_is_worn_is_conservative(faces):
    result = worn(*faces["collins"], START_NAMES)
    assert set(result) == set(START_NAMES)
    assert not result["hat"].any()
    assert not result["glasses"].any()
    assert not result["beard"].any()
    assert (result["hair"] > 127).any()
    result = worn(*faces["hopper"], ["hat", "glasses", "beard", "other"])
    assert (result["hat"] > 127).any()
    assert (result["glasses"] > 127).any()
    assert not result["beard"].any()
    assert not result["other"].any()
    with pytest.raises(InvalidRequest, match="cannot be worn"):
        worn(*faces["hopper"], ["shoes"])


def test_a_click_on_an_item_gives_the_item(faces):
    hopper, landmarks = faces["hopper"]
    made = get_segmenter("classic")
    made.set_image(hopper)
    on_cap = made.predict(np.array([[256, 50]]), np.array([1]))
    assert iou(on_cap, named(hopper, landmarks, "hat") > 127) > 0.99
    on_lens = made.predict(landmarks[468:469, :2], np.array([1]))
    assert iou(on_lens, named(hopper, landmarks, "glasses") > 127) > 0.99


def test_named_starts_have_soft_edges_and_are_safe_to_write_into(faces):
    image, landmarks = faces["collins"]
    mask = named(image, landmarks, "hair")
    assert ((mask > 30) & (mask < 225)).sum() > 200
    copy = mask.copy()
    mask[:] = 0
    assert np.array_equal(named(image, landmarks, "hair"), copy)


def test_the_person_matte(collins):
    matte = person_mask(collins)
    assert matte.shape == collins.shape[:2]
    assert matte.dtype == np.uint8
    assert matte[100, 225] == 255
    assert matte[300, 225] > 200
    assert matte[20, 20] < 60
    assert matte[20, 480] < 60
    assert ((matte > 20) & (matte < 235)).any()


# Cache


def test_the_cache_finds_equal_content_and_forgets_the_oldest():
    cache, made = ContentCache(entries=2), []

    def make(image):
        made.append(int(image[0]))
        return image[0] * 10

    pictures = [np.array([i]) for i in range(3)]
    for i in (0, 0, 1, 0, 2, 0, 1):
        assert cache.get(pictures[i].copy(), make) == i * 10
    assert made == [0, 1, 2, 1]
    assert cache.get(pictures[1], make, key="other") == 10
    assert made[-1] == 1
    assert len(made) == 5


def test_content_hash_tells_shape_type_and_content_apart():
    base = np.arange(6, dtype=np.uint8)
    others = [base.reshape(2, 3), base.reshape(3, 2), base.astype(np.int16), base[::-1], None]
    hashes = [content_hash(a) for a in (base, *others)]
    assert len(set(hashes)) == len(hashes)
    assert all(a != b for a, b in itertools.combinations(hashes, 2))
    assert content_hash(base.copy()) == hashes[0]

"""The parser: windows and back, what the network is given, masks of a network made on the spot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from durian.errors import InvalidRequest, WeightsMissing
from durian.masks import HALF, read_mask
from durian.prepare import find_mask
from durian.segmentation import get_segmenter, registry
from durian.segmentation.classic.segmenter import largest_face
from durian.segmentation.find_worn import certainty_of, named_mask
from durian.segmentation.interface import START_NAMES
from durian.segmentation.parser import clicked as clicked_module
from durian.segmentation.parser import running
from durian.segmentation.parser import segmenter as segmenter_module
from durian.segmentation.parser.classes import BACKGROUND, CLASSES, CLOTHES, HAIR, HAT, ITEMS
from durian.segmentation.parser.clicked import SIDE, _window
from durian.segmentation.parser.heads import (
    CLOSEST,
    HEAD_PLACE,
    HEAD_UNIT,
    ROOM,
    ParsedHead,
    to_mask,
    window_inputs,
)
from durian.segmentation.parser.network import FACE, INPUTS, PERSON, PICTURE, ParserNetwork
from durian.segmentation.parser.running import load_network, parse, read_network, save_network
from durian.segmentation.parser.segmenter import ParserSegmenter
from durian.segmentation.parser.weights import find_parser
from durian.segmentation.parser.window import HeadWindow, draw_face, head_unit
from durian.segmentation.person import person_mask


@pytest.fixture(scope="module")
def landmarks(collins) -> np.ndarray:
    return np.asarray(largest_face(collins))[:, :2]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of chance, in a file."""
    torch.manual_seed(0)
    return save_network(ParserNetwork(), tmp_path_factory.mktemp("parser"), {})


# Windows


def test_a_window_puts_the_eyes_in_their_place_at_the_asked_size(landmarks):
    window = HeadWindow.around(landmarks, 200, 40.0, (0.5, 0.4))
    eyes = window.points(landmarks[[33, 263]])
    np.testing.assert_allclose(eyes.mean(axis=0), [99.5, 79.5], atol=1e-6)
    assert window.scale * head_unit(landmarks) == pytest.approx(40.0)
    # The head is upright in it: about level eyes, the chin below the forehead.
    chin, forehead = window.points(landmarks[[152, 10]])
    assert abs(chin[0] - forehead[0]) < 0.1 * (chin[1] - forehead[1])


def test_a_turned_window_turns_everything_about_the_eyes(landmarks):
    straight, turned = (HeadWindow.around(landmarks, 200, 40.0, turn=turn) for turn in (0.0, 0.3))
    middle = np.array([99.5, 99.5])
    before, after = (window.points(landmarks) - middle for window in (straight, turned))
    rotation = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    np.testing.assert_allclose(after, before @ rotation.T, atol=1e-6)


@pytest.mark.parametrize("unit", [60.0, 20.0])  # of a hundred pixels: enlarged little, and made much smaller
def test_what_a_window_takes_it_puts_back(collins, landmarks, unit):
    window = HeadWindow.around(landmarks, 256, unit)
    whole = 0, 0, collins.shape[1], collins.shape[0]
    smooth = cv2.GaussianBlur(collins, (0, 0), 5)
    back = window.put(window.take(smooth).astype(np.float32), whole)
    covered = window.put(np.ones((256, 256), np.float32), whole)
    inside = cv2.erode(covered, np.ones((9, 9))) > 0.99
    assert inside.mean() > 0.05
    assert np.abs(back[inside] - smooth[inside]).mean() < 3
    assert back[covered == 0].max(initial=0) == 0
    left, top, right, bottom = box = window.bounds(collins.shape)
    alone = window.put(np.ones((256, 256), np.float32), box)
    assert np.abs(alone - covered[top:bottom, left:right]).mean() < 1e-3  # places are rounded to parts of a pixel
    covered[top:bottom, left:right] = 0
    assert not covered.any()


def test_the_drawing_shows_the_face_where_it_is(landmarks):
    window = HeadWindow.around(landmarks, 200, 50.0)
    points = window.points(landmarks)
    drawing = draw_face(points, 200)
    for index in (159, 386, 13, 105):  # both eyes, lips, brow
        x, y = np.rint(points[index]).astype(int)
        assert drawing[y, x] > 100
    x, y = np.rint(points[50]).astype(int)  # a cheek
    assert drawing[y, x] == 70
    assert drawing[0, 0] == 0


# Network


def test_shares_add_up_and_any_side_that_is_a_multiple_of_32_will_do(weights):
    for side in (64, 96):
        shares = parse(weights, np.random.default_rng(0).random((INPUTS, side, side), np.float32))
        assert shares.shape == (side, side, len(CLASSES))
        np.testing.assert_allclose(shares.sum(axis=2), 1, atol=1e-5)


def test_it_is_as_small_as_promised(weights):
    assert sum(p.numel() for p in ParserNetwork().parameters()) < 4.5e6
    assert weights.stat().st_size < 9e6


def test_half_precision_changes_little(weights):
    torch.manual_seed(0)
    exact = ParserNetwork().eval()
    inputs = torch.rand(1, INPUTS, 64, 64)
    with torch.inference_mode():
        logits, kept = exact(inputs), load_network(weights)(inputs)
    assert (logits - kept).abs().max() < 0.02 * logits.abs().max()


def test_a_file_that_is_no_parser_is_refused(tmp_path):
    broken = tmp_path / "parser.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(WeightsMissing, match="not a parser's file"):
        load_network(broken)


def test_the_network_is_told_what_is_known(collins, landmarks):
    window = HeadWindow.around(landmarks, 128, 30.0)
    inputs = window_inputs(collins, landmarks, window)
    np.testing.assert_allclose(inputs[PICTURE], window.take(collins).transpose(2, 0, 1) / 255, atol=1e-6)
    assert inputs[FACE].max() == 1
    np.testing.assert_allclose(inputs[PERSON], window.take(person_mask(collins)) / 255, atol=1e-6)
    assert inputs.min() >= 0
    assert inputs.max() <= 1
    assert not window_inputs(collins, None, window)[FACE].any()


# Masks


def fake(monkeypatch, hair_from: float, clicked: float = 1.0):
    """A network that sees hair in the upper part of every window, and an item in its left half when clicked."""

    def classes(weights, inputs):
        side = inputs.shape[1]
        shares = np.zeros((side, side, len(CLASSES)), np.float32)
        rows = np.arange(side)[:, None, None] < hair_from * side
        shares[..., HAIR] = rows[..., 0]
        shares[..., 0] = 1 - shares[..., HAIR]
        return shares

    def left_half(weights, inputs, clicks, before):
        mask = np.zeros(before.shape, np.float32)
        mask[:, : len(mask) // 2] = clicked
        return mask

    monkeypatch.setattr(running, "parse", classes)
    monkeypatch.setattr(running, "clicked_mask", left_half)


def test_a_mask_is_where_the_network_sees_the_item(collins, landmarks, weights, monkeypatch):
    fake(monkeypatch, 0.43)
    head = ParsedHead(collins, landmarks, weights)
    mask = head.mask("hair")
    eyes = landmarks[[33, 263]].mean(axis=0)
    unit = head_unit(landmarks)
    above, below = (int(eyes[1] + way * 0.5 * unit) for way in (-1, 1))
    assert mask[above, int(eyes[0])] == 255
    assert mask[below, int(eyes[0])] == 0
    assert not head.mask("hat").any()
    # Beyond the picture there is nobody: all of it above the eyes.
    assert head.area("hair") == pytest.approx(eyes[1] * collins.shape[1] / unit**2, rel=0.05)


def test_a_hat_that_nobody_wears_is_hair_above_the_eyes_and_clothes_below(collins, landmarks, monkeypatch, tmp_path):
    head = ParsedHead(collins, landmarks, tmp_path / "none")

    def seen(_, inputs: np.ndarray) -> np.ndarray:
        shares = np.zeros((*inputs.shape[1:], len(CLASSES)), np.float32)
        shares[..., HAT], shares[..., CLOTHES] = 0.6, 0.4  # not sure enough to be a hat
        return shares

    monkeypatch.setattr(running, "parse", seen)
    assert not head.is_worn("hat")
    window, shares = head.head
    top = head._without_hat(window, head._seen_head[1])
    eyes = int(window.points(landmarks[[33, 263]]).mean(axis=0)[1])
    middle = window.side // 2
    assert top[eyes - 40, middle, HAIR] == pytest.approx(0.6, abs=1e-3)
    assert top[eyes + 40, middle, CLOTHES] == pytest.approx(1, abs=2e-3)
    assert not shares[..., HAT].any()
    assert not head.mask("hair")[int(landmarks[152, 1]) + 10 :].any()


def test_the_head_is_seen_as_closely_as_its_hair_allows(collins, landmarks, weights):
    head = ParsedHead(collins, landmarks, weights)
    window = HeadWindow.around(landmarks, 256, 256 * HEAD_UNIT, HEAD_PLACE)
    shares = np.zeros((256, 256, len(CLASSES)), np.float32)
    assert head._closer(window, shares)[0] == pytest.approx(CLOSEST)  # nothing but a face
    shares[60:180, 80:170, HAIR] = 1
    unit, place = head._closer(window, shares)
    assert unit == pytest.approx(HEAD_UNIT / (ROOM * 119 / 256), rel=0.01)
    closer = HeadWindow.around(landmarks, 512, 512 * unit, place)
    corners = closer.points(_picture_points(window, np.array([[80, 60], [169, 179]])))
    np.testing.assert_allclose(corners.mean(axis=0), [255.5, 255.5], atol=2)
    np.testing.assert_allclose(corners[1, 1] - corners[0, 1], 512 / ROOM, rtol=0.01)
    shares[:, 80:170, HAIR] = 1
    assert head._closer(window, shares) == (HEAD_UNIT, HEAD_PLACE)


def _picture_points(window: HeadWindow, points: np.ndarray) -> np.ndarray:
    return (points - window.matrix[:, 2]) @ np.linalg.inv(window.matrix[:, :2]).T


def test_edges_are_drawn_to_the_picture_s():
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[:, 43:] = 220
    share = np.zeros((80, 80), np.float32)
    share[:, 43:] = 1
    share = cv2.GaussianBlur(share, (0, 0), 3)
    mask = to_mask(picture, share, 6.0)
    steps = np.diff(mask[40].astype(int))
    assert steps.argmax() == 42
    assert steps[42] > 1.5 * 255 * np.diff(share[40]).max()
    assert mask[40, 60] == 255
    assert mask[40, 20] == 0
    assert not to_mask(picture, np.zeros((80, 80), np.float32), 6.0).any()


def test_named_starts_and_clicks_go_through_the_network(collins, landmarks, weights, monkeypatch):
    fake(monkeypatch, 0.5)
    segmenter = ParserSegmenter(weights)
    segmenter.set_image(collins)
    assert set(ITEMS) == set(START_NAMES)
    start = segmenter.named("hair", landmarks)
    assert (start > HALF).any()
    x, y = (int(value) for value in landmarks[50])
    clicked = segmenter.predict(np.array([[x, y]]), np.array([1]), start=start)
    assert clicked[y, x] > HALF
    assert (clicked != start).any()


def test_a_mask_s_edge_is_drawn_once_after_the_last_click(collins, landmarks, weights, monkeypatch):
    """Clicked on one after another, the mask is the same as of all at once."""
    fake(monkeypatch, 0.5)
    drawn = []

    def counted(*arguments):
        drawn.append(None)
        return clicked_module.draw_edges(*arguments)

    monkeypatch.setattr(segmenter_module, "draw_edges", counted)
    points = landmarks[[50, 280, 152], :2]
    segmenter = ParserSegmenter(weights)
    segmenter.set_image(collins)
    at_once = segmenter.predict(points, np.array([1, 1, 0]))
    assert len(drawn) == 1
    segmenter.set_image(collins)
    for count in (1, 2, 3):
        one_by_one = segmenter.predict(points[:count], np.array([1, 1, 0])[:count])
    assert np.array_equal(at_once, one_by_one)


def test_a_name_that_the_parser_does_not_confirm(collins, hopper, landmarks, weights, monkeypatch):
    """A parser that sees no glasses at all is asked for glasses: only the classic start's own bet counts then."""
    fake(monkeypatch, 0.4)
    segmenter, classic = ParserSegmenter(weights), get_segmenter("classic")
    for each in (segmenter, classic):
        each.set_image(hopper)
    assert not ParsedHead(hopper, largest_face(hopper), weights).is_seen("glasses")
    assert segmenter.named("glasses").any()
    assert np.array_equal(segmenter.named("glasses"), classic.named("glasses"))
    segmenter.set_image(collins)
    for name in ("glasses", "hat", "beard"):
        assert not segmenter.named(name).any()


def test_a_bald_head_has_no_hair(collins, weights, monkeypatch):
    whole, picture = largest_face(collins), collins.copy()
    picture[0, 0] = 255 - picture[0, 0]  # of the same picture hair is remembered
    segmenter = ParserSegmenter(weights)
    segmenter.set_image(picture)
    fake(monkeypatch, 0.0)
    assert not segmenter.named("hair", whole).any()
    monkeypatch.setattr(registry, "ParserSegmenter", lambda: segmenter)
    with pytest.raises(InvalidRequest, match=r"^No hair found in bald\.png: click on the item, or give a mask\.$"):
        find_mask(picture, whole, "hair", called="bald.png", segmenter="parser", takes_mask=True)


def test_how_sure_an_outline_is(collins, weights, monkeypatch):
    """Two thirds of what may be hair surely are, and a third of it lies apart."""
    whole = largest_face(collins)
    shares = np.zeros((512, 512, len(CLASSES)), np.float32)
    shares[150:190, 220:300, HAIR] = 0.9
    shares[192:212, 220:300, HAIR] = 0.6
    shares[..., BACKGROUND] = 1 - shares[..., HAIR]
    monkeypatch.setattr(ParsedHead, "_seen_head", (HeadWindow.around(whole, 512, 100.0), shares))
    assert ParsedHead(collins, whole, weights).certainty("hair") == pytest.approx(40 / 60 * 40 / 60)
    shares[190:192, 220:300, HAIR], shares[190:192, 220:300, BACKGROUND] = 0.6, 0.4
    assert ParsedHead(collins, whole, weights).certainty("hair") == pytest.approx(40 / 62)


def test_certainty_is_of_masks_that_were_found_and_kept(collins, monkeypatch):
    whole = largest_face(collins)
    picture = collins.copy()
    assert certainty_of(picture, whole, "hair", np.zeros(picture.shape[:2], np.uint8)) is None
    found = named_mask(picture, whole, "hair")
    assert 0.3 < certainty_of(picture, whole, "hair", found) < 1
    painted = found.copy()
    painted[:9, :9] = 255
    assert certainty_of(picture, whole, "hair", painted) is None
    assert certainty_of(picture, None, "hair", found) is None
    assert certainty_of(picture, whole, "other", found) is None


# The weights that ship


@pytest.fixture(scope="module")
def shipped():
    path = find_parser()
    assert path is not None
    return path


def test_shipped_weights_know_what_two_real_people_wear(collins, hopper, shipped):
    """Fair hair is no hat; a cap and glasses are."""
    heads = [ParsedHead(picture, largest_face(picture), shipped) for picture in (collins, hopper)]
    assert [heads[0].is_worn(name) for name in ("hat", "glasses", "beard")] == [False, False, False]
    assert [heads[1].is_worn(name) for name in ("hat", "glasses", "beard")] == [True, True, False]


def test_shipped_weights_find_a_real_cap_glasses_and_hair(collins, hopper, shipped, project_root):
    head = ParsedHead(hopper, largest_face(hopper), shipped)
    for name, least in (("hat", 0.75), ("glasses", 0.6)):
        truth = read_mask(project_root / "assets" / f"hopper-{name}-mask.png", hopper.shape) > HALF
        found = head.mask(name) > HALF
        assert (found & truth).sum() / (found | truth).sum() > least, name
    landmarks = largest_face(collins)
    hair = ParsedHead(collins, landmarks, shipped).mask("hair") > HALF
    top, chin = landmarks[10, :2].astype(int), landmarks[152, :2].astype(int)
    assert hair[top[1] - 25, top[0]]
    assert not hair[chin[1] - 10, chin[0]]
    assert 0.015 < hair.mean() < 0.05


def test_without_a_face_clicks_are_the_classic_ones(weights, monkeypatch):
    picture = np.full((120, 160, 3), 120, np.uint8)
    cv2.circle(picture, (60, 60), 30, (200, 40, 40), -1)
    monkeypatch.setattr(running, "clicked_mask", None)  # must not be asked
    segmenter = ParserSegmenter(weights)
    segmenter.set_image(picture)
    mask = segmenter.predict(np.array([[60, 60]]), np.array([1]))
    assert mask[60, 60] > HALF
    assert mask[10, 150] == 0


def test_the_clicks_window_holds_the_mask_and_the_clicks(collins, landmarks):
    mask = np.zeros(collins.shape[:2], np.uint8)
    mask[40:90, 200:300] = 255
    points = np.array([[150.0, 180.0], [260.0, 60.0]])
    window = _window(landmarks, mask, points)
    corners = np.array([[200, 40], [299, 89], *points])
    placed = window.points(corners)
    assert placed.min() > 0
    assert placed.max() < SIDE - 1
    small = _window(landmarks, np.zeros_like(mask), points[1:])
    assert small.scale > window.scale


def test_without_weights_a_sentence_says_so(tmp_path, settings_environment, monkeypatch):
    from durian.segmentation.parser import segmenter

    monkeypatch.setattr(segmenter, "find_parser", lambda: None)
    with pytest.raises(WeightsMissing, match="choose classic"):
        ParserSegmenter()


def test_reading_a_network_draws_no_random_numbers_of_others(weights):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    read_network(weights)
    assert torch.equal(torch.rand(3), expected)

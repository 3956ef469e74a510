"""Augmentation of reference pictures: masks and landmarks move along, and only permitted changes occur."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from training_samples_made import clip, face

from durian.clips import ClipFrame
from durian.errors import InvalidRequest
from durian.motion.canonical import mirror
from durian.training.data.augmentation import (
    ATTRIBUTE_CHANGES,
    PORTRAIT_CHANGES,
    Changes,
    ReferenceChanges,
    apply_changes,
    draw_changes,
    mirrored,
    resized,
)

SIZE = 200
MOVES = {
    "shift": Changes(shift=(0.1, -0.05)),
    "larger": Changes(scale=1.3),
    "smaller": Changes(scale=0.7, shift=(0.05, 0.1)),
    "turned": Changes(rotation=20),
    "all": Changes(shift=(-0.06, 0.03), scale=0.85, rotation=-11),
}


def marked(point: int) -> ClipFrame:
    """A white disc on black around one landmark, in the picture and in the mask."""
    landmarks = face(SIZE)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    centre = tuple(int(value) for value in np.rint(landmarks[point, :2] * 16))
    cv2.circle(mask, centre, 5 * 16, 255, -1, cv2.LINE_AA, 4)
    return ClipFrame(np.repeat(mask[..., None], 3, 2), landmarks, {"hat": mask})


def centre_of(weights: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


@pytest.mark.parametrize("changes", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("point", [1, 33, 263, 152])
def test_picture_mask_and_landmarks_move_together(changes, point):
    moved = apply_changes(marked(point), changes)
    assert np.abs(moved.landmarks[point, :2] - marked(point).landmarks[point, :2]).max() > 1
    np.testing.assert_allclose(centre_of(moved.masks["hat"].astype(float)), moved.landmarks[point, :2], atol=0.25)
    np.testing.assert_allclose(centre_of(moved.image[..., 0].astype(float)), moved.landmarks[point, :2], atol=0.25)


def test_moves_are_what_they_are_called():
    middle = np.array([(SIZE - 1) / 2] * 2 + [0], np.float32)
    before = marked(1).landmarks - middle
    np.testing.assert_allclose(apply_changes(marked(1), Changes(scale=1.5)).landmarks - middle, before * 1.5, atol=1e-3)
    shifted = apply_changes(marked(1), Changes(shift=(0.1, -0.2))).landmarks - middle
    np.testing.assert_allclose(shifted - before, np.broadcast_to([20.0, -40.0, 0.0], before.shape), atol=1e-3)
    quarter = apply_changes(marked(1), Changes(rotation=90)).landmarks - middle
    # Counter-clockwise as seen: what was on the right comes to the top.
    np.testing.assert_allclose(quarter, before[:, [1, 0, 2]] * [1, -1, 1], atol=1e-3)


def test_an_item_below_the_edge_does_not_appear_twice_and_one_at_the_edge_goes_on():
    image = np.full((SIZE, SIZE, 3), 90, np.uint8)
    inner, outer = np.zeros((2, SIZE, SIZE), np.uint8)
    inner[8:30, 80:120] = 255
    outer[150:, 60:140] = 255
    image[(inner | outer) > 0] = (255, 0, 0)
    down = apply_changes(ClipFrame(image, face(SIZE), {"hat": inner, "hair": outer}), Changes(shift=(0, 0.2)))
    assert cv2.connectedComponents(down.masks["hat"])[0] == 2  # the background, and the hat once
    assert np.abs(down.image[:40].astype(int) - 90).max() <= 8  # the blur's tail; red would be 165 off
    up = apply_changes(ClipFrame(image, face(SIZE), {"hat": inner, "hair": outer}), Changes(shift=(0, -0.2)))
    assert (up.masks["hair"][111:, 62:138] == 255).all()
    assert (up.image[-1, 95:105] == (255, 0, 0)).all()


def test_what_is_covered_stays_exact():
    rng = np.random.default_rng(0)
    frame = ClipFrame(rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8), face(SIZE), {})
    moved = apply_changes(frame, Changes(shift=(0.1, 0)))
    np.testing.assert_array_equal(moved.image[:, 20:], frame.image[:, :-20])
    assert moved.image[:, :10].astype(float).std() < frame.image.astype(float).std() / 2
    np.testing.assert_array_equal(apply_changes(frame, Changes()).image, frame.image)


def test_light_changes_as_light_does():
    grey = ClipFrame(np.full((SIZE, SIZE, 3), 100, np.uint8), face(SIZE), {})

    def image(**changes: float) -> np.ndarray:
        return apply_changes(grey, Changes(**changes)).image

    # A stop is twice the light, and a pixel value light to the power of 1 / 2.2.
    assert (image(exposure=1.0) == 137).all()
    assert (image(exposure=-1.0) == 73).all()
    assert (image(warmth=1.0) == (137, 100, 73)).all()
    assert (image(saturation=-1.0) == 100).all()
    left = image(falloff=1.0, falloff_angle=np.pi)
    assert left[100, 0, 0] == 137
    assert left[100, -1, 0] == 73
    assert abs(int(left[100, 100, 0]) - 100) <= 1
    colourful = replace(grey, image=np.full((SIZE, SIZE, 3), (150, 100, 50), np.uint8))
    assert np.ptp(apply_changes(colourful, Changes(saturation=-1.0)).image[0, 0]) == 0
    assert np.ptp(apply_changes(colourful, Changes(saturation=0.2)).image[0, 0]) == 120


def test_blur_and_jpeg_take_detail_away():
    rng = np.random.default_rng(0)
    frame = ClipFrame(rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8), face(SIZE), {})
    blurred = apply_changes(frame, Changes(blur=0.01)).image
    assert blurred.astype(float).std() < 0.3 * frame.image.astype(float).std()
    soft = replace(frame, image=cv2.GaussianBlur(frame.image, (0, 0), 2))
    good, bad = (
        np.abs(apply_changes(soft, Changes(quality=quality)).image.astype(int) - soft.image).mean()
        for quality in (95, 20)
    )
    assert 0 < good < bad / 2


def test_draws_fill_their_ranges_and_nothing_else():
    rng = np.random.default_rng(0)
    ranges = replace(ATTRIBUTE_CHANGES, moved=1.0, relit=1.0, blurred=1.0, compressed=1.0)
    draws = [draw_changes(ranges, rng) for _ in range(400)]
    for name, limit in (
        *(("rotation", ranges.rotation), ("exposure", ranges.exposure), ("falloff", ranges.falloff)),
        *(("warmth", ranges.warmth), ("saturation", ranges.saturation)),
    ):
        values = [getattr(changes, name) for changes in draws]
        assert -limit <= min(values) < -0.95 * limit
        assert 0.95 * limit < max(values) <= limit
    scales = [changes.scale for changes in draws]
    assert 1 / ranges.scale <= min(scales) < 0.83
    assert 1.22 < max(scales) <= ranges.scale
    assert np.mean(np.array(scales) > 1) == pytest.approx(0.5, abs=0.08)
    assert 0 < min(changes.blur for changes in draws) < max(changes.blur for changes in draws) <= ranges.blur
    qualities = {changes.quality for changes in draws}
    assert min(qualities) == ranges.quality
    assert max(qualities) == 95


def test_shares_say_how_often():
    rng = np.random.default_rng(0)
    draws = [draw_changes(ATTRIBUTE_CHANGES, rng) for _ in range(1000)]
    for share, happened in (
        (ATTRIBUTE_CHANGES.moved, [changes.rotation != 0 for changes in draws]),
        (ATTRIBUTE_CHANGES.relit, [changes.exposure != 0 for changes in draws]),
        (ATTRIBUTE_CHANGES.compressed, [changes.quality is not None for changes in draws]),
    ):
        assert np.mean(happened) == pytest.approx(share, abs=3 * np.sqrt(0.25 / 1000))


def test_one_range_does_not_move_the_others_values():
    still = replace(ATTRIBUTE_CHANGES, moved=0.0)
    for seed in range(20):
        with_moves, without = (
            draw_changes(ranges, np.random.default_rng(seed)) for ranges in (ATTRIBUTE_CHANGES, still)
        )
        assert with_moves.exposure == without.exposure
        assert with_moves.quality == without.quality


def test_a_portraits_colours_are_never_changed():
    rng = np.random.default_rng(0)
    grey = ClipFrame(np.full((SIZE, SIZE, 3), (140, 90, 60), np.uint8), face(SIZE), {})
    for _ in range(40):
        changed = apply_changes(grey, draw_changes(PORTRAIT_CHANGES, rng)).image
        assert np.abs(changed.astype(int) - grey.image).max() <= 3  # JPEG's rounding


def test_mirror_images_keep_the_landmarks_meaning(tmp_path):
    frame = clip(tmp_path, "a", items=("glasses",)).frame(2)
    flipped = mirrored(frame)
    np.testing.assert_array_equal(flipped.image, frame.image[:, ::-1])
    np.testing.assert_array_equal(flipped.masks["glasses"], frame.masks["glasses"][:, ::-1])
    side = len(frame.image)
    np.testing.assert_allclose(flipped.landmarks[33, 0], side - 1 - frame.landmarks[263, 0], rtol=1e-6)
    assert flipped.landmarks[33, 0] < flipped.landmarks[263, 0]
    np.testing.assert_allclose(mirrored(flipped).landmarks, frame.landmarks, atol=1e-4)
    assert mirror()[33] == 263


@pytest.mark.parametrize("size", [90, 333])
def test_resized_frames_keep_everything_in_place(size):
    frame = resized(marked(263), size)
    assert frame.image.shape == (size, size, 3)
    np.testing.assert_allclose(centre_of(frame.masks["hat"].astype(float)), frame.landmarks[263, :2], atol=0.3)
    np.testing.assert_allclose(centre_of(frame.image[..., 0].astype(float)), frame.landmarks[263, :2], atol=0.3)
    assert resized(frame, size) is frame


@pytest.mark.parametrize("wrong", [{"moved": 2}, {"scale": 0.8}, {"quality": 0}, {"shift": -0.1}, {"blur": -1.0}])
def test_ranges_that_mean_nothing_are_refused(wrong):
    with pytest.raises(InvalidRequest):
        ReferenceChanges(**wrong)

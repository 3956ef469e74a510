"""Keypoint images: colours, places, sizes, and what shut eyes hide."""

from __future__ import annotations

import numpy as np
import pytest

from durian.keypoints import IRIS_COLOURS, PARTS, draw_keypoints, draw_landmarks, motion_frames, motion_thumbnail
from durian.motion import drive, preset
from durian.motion.canonical import canonical_face, expression
from durian.motion.motion import Motion


def face(size: int) -> np.ndarray:
    return (canonical_face() * size * 0.3 + np.array([size / 2, size * 0.4, 0])).astype(np.float32)


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(picture.astype(int) - colour) <= 8).all(-1)


@pytest.mark.parametrize("size", [256, 500])
def test_every_part_is_drawn_in_its_colour_at_its_place(size):
    picture, points = draw_keypoints(face(size), size), face(size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert not picture[0].any()
    for name, (indices, colour) in PARTS.items():
        rows, columns = np.nonzero(coloured(picture, colour))
        assert len(rows), f"{name} is not drawn at {size}"
        line = points[list(indices), :2]
        dense = np.concatenate([line[:-1] + (line[1:] - line[:-1]) * t for t in np.linspace(0, 1, 12)])
        distance = np.linalg.norm(np.stack([columns, rows], 1)[:, None] - dense[None], axis=2).min(1)
        assert distance.max() < 2 + size / 80


def test_line_width_is_relative_to_the_size():
    shares = [(draw_keypoints(face(size), size).any(-1)).mean() for size in (192, 256, 512, 1024)]
    # Every pixel that is touched counts, so small pictures show a little more.
    weights = [draw_keypoints(face(size), size).mean() for size in (192, 256, 512, 1024)]
    assert max(weights) < 1.1 * min(weights)
    assert max(shares) < 2 * min(shares)


def test_drawing_is_anti_aliased_and_sub_pixel():
    first, second = draw_keypoints(face(256), 256), draw_keypoints(face(256) + np.float32(0.25), 256)
    assert len(np.unique(first)) > 50
    assert (first != second).any()


def test_shut_eyes_hide_the_irises():
    points = canonical_face() + expression(blink_left=np.ones(1), blink_right=np.ones(1))[0]
    size = 512
    shut = (points * size * 0.3 + np.array([size / 2, size * 0.4, 0])).astype(np.float32)
    for colour in IRIS_COLOURS:
        assert coloured(draw_keypoints(face(size), size), colour).sum() > 20
        assert coloured(draw_keypoints(shut, size), colour).sum() == 0


def test_faces_partly_outside_do_not_fail():
    for shift in ((-300, 0), (300, 0), (0, -300), (900, 900)):
        moved = face(256) + np.array([*shift, 0], np.float32)
        assert draw_keypoints(moved, 256).shape == (256, 256, 3)


def test_overlay_keeps_the_picture_away_from_the_face():
    image = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    before = image.copy()
    drawn = draw_landmarks(image, face(256))
    assert np.array_equal(image, before)
    assert np.abs(drawn[:20].astype(int) - image[:20]).max() <= 1
    assert np.abs(drawn.astype(int) - image).max() > 60


@pytest.mark.parametrize("name", ["nod", "smile", "blink"])
def test_thumbnail_shows_neutral_and_different_moments(name):
    strip = motion_thumbnail(preset(name), 64)
    assert strip.shape == (64, 256, 3)
    cells = np.split(strip.astype(int), 4, axis=1)
    neutral = motion_frames(preset(name), 64)[0]
    assert min(np.abs(cell - neutral).max() for cell in cells) == 0
    assert np.abs(cells[1] - cells[0]).mean() > 0.05


def test_thumbnail_of_a_still_motion():
    still = Motion("still", 24.0, 0, np.eye(3)[None], np.zeros((1, 3)), np.ones(1), np.zeros((1, 478, 3)))
    assert motion_thumbnail(still, 48).shape == (48, 192, 3)


def test_frames_follow_the_motion():
    motion = preset("shake", 13, 6.0)
    frames = motion_frames(motion, 64, step=3)
    assert len(frames) == 5
    assert np.array_equal(frames[0], frames[-1])
    assert (frames[1] != frames[0]).any()
    assert drive(motion, face(64)).shape == (13, 478, 3)

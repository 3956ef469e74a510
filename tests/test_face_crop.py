"""Crops: their place, their pixels, and the mapping back into the photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.face import FACE_OVAL, Crop, Face, default_crop, eye_distance, paste_back
from durian.face.geometry import INNER_LIPS, LEFT_BROW, OUTER_LIPS, RIGHT_BROW
from durian.motion.canonical import canonical_face


def smooth_picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([x / width * 255, y / height * 255, 128 + 60 * np.sin(x / 31) * np.cos(y / 23)], -1).astype(
        np.uint8
    )


def face_at(x: float, y: float, eyes: float) -> Face:
    return Face((canonical_face() * eyes + np.array([x, y, 0])).astype(np.float32))


def test_whole_picture_is_copied_exactly():
    image = smooth_picture(64, 64)
    assert np.array_equal(Crop(31.5, 31.5, 64).apply(image, 64), image)


def test_whole_pixel_shift_is_copied_exactly():
    image = smooth_picture(90, 120)
    assert np.array_equal(Crop(20 + 31.5, 10 + 31.5, 64).apply(image, 64), image[10:74, 20:84])


def test_matrices_are_inverse_and_agree_with_points():
    crop, size = Crop(103.7, 55.2, 81.3), 200
    points = np.array([[100.0, 50.0, 7.0], [63.2, 14.8, -3.0]])
    moved = crop.points(points, size)
    matrix = crop.matrix(size)
    assert np.allclose(moved[:, :2], points[:, :2] @ matrix[:, :2].T + matrix[:, 2], atol=1e-3)
    assert np.allclose(moved[:, 2], points[:, 2] * size / 81.3, atol=1e-4)
    back = moved[:, :2] @ crop.inverse_matrix(size)[:, :2].T + crop.inverse_matrix(size)[:, 2]
    assert np.allclose(back, points[:, :2], atol=1e-3)


@pytest.mark.parametrize(("side", "size"), [(60.0, 128), (97.3, 64), (180.0, 32), (200.0, 21)])
def test_points_land_on_the_same_pixels_at_any_scale(side, size):
    image = np.zeros((240, 260, 3), np.float32)
    centre = (131.0, 118.0)
    y, x = np.mgrid[:240, :260]
    image[:] = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * 9.0**2))[..., None] * 255
    crop = Crop(125.3, 121.1, side)
    cut = crop.apply(image, size)[..., 0].astype(np.float64)
    rows, columns = np.mgrid[:size, :size]
    measured = np.array([(columns * cut).sum(), (rows * cut).sum()]) / cut.sum()
    assert np.abs(measured - crop.points(np.array([centre]), size)[0]).max() < 0.2


def test_shrinking_averages_fine_texture():
    image = np.zeros((256, 256), np.uint8)
    image[::2] = 255
    cut = Crop(127.5, 127.5, 200).apply(image, 50)
    assert np.abs(cut.astype(int) - 127).max() <= 6


def test_an_enlarged_picture_keeps_its_fine_lines_and_an_enlarged_mask_has_no_halo():
    mask = np.zeros((60, 60), np.uint8)
    mask[:, 20:40] = 100
    crop = Crop(29.5, 29.5, 60)
    assert crop.apply(mask, 240).max() == 100
    lines = np.full((60, 60, 3), 60, np.uint8)
    lines[:, 30] = 180
    # Straight between two pixels, a line of one pixel keeps 7/8 of its height at four times the size.
    assert crop.apply(lines, 240).max() > 60 + 120 * 7 / 8 + 5


def test_crop_refuses_nonsense():
    with pytest.raises(ValueError, match="above 0"):
        Crop(10, 10, 0)
    with pytest.raises(ValueError, match="NaN cannot be the x"):
        Crop(float("nan"), 10, 5)


def test_default_crop_leaves_room_for_hair_and_stays_inside():
    face = face_at(500, 400, 100)
    crop = default_crop(face, (1000, 1000, 3))
    outline = face.landmarks[list(FACE_OVAL), :2]
    tall = np.ptp(outline[:, 1])
    assert 2.4 * tall < crop.side < 3.1 * tall
    assert crop.y < (outline[:, 1].min() + outline[:, 1].max()) / 2
    assert crop.side == pytest.approx(default_crop(face, (1000, 1000, 3), room=0.5).side * 2)


@pytest.mark.parametrize("place", [(90, 120), (880, 120), (90, 700), (880, 700)])
def test_default_crop_stays_inside_in_corners(place):
    crop = default_crop(face_at(*place, 60), (800, 960, 3))
    assert crop.x - crop.side / 2 >= -0.5 - 1e-6
    assert crop.x + crop.side / 2 <= 959.5 + 1e-6
    assert crop.y - crop.side / 2 >= -0.5 - 1e-6
    assert crop.y + crop.side / 2 <= 799.5 + 1e-6


def test_default_crop_shrinks_to_the_shorter_side():
    assert default_crop(face_at(150, 200, 140), (400, 300, 3)).side == 300


def test_paste_back_is_exact_outside_and_new_inside():
    image = smooth_picture(200, 260)
    crop = Crop(130.2, 95.4, 101.7)
    result = paste_back(np.full((128, 128, 3), 7, np.uint8), image, crop)
    y, x = np.mgrid[:200, :260]
    outside = (np.abs(x - crop.x) > crop.side / 2) | (np.abs(y - crop.y) > crop.side / 2)
    assert np.array_equal(result[outside], image[outside])
    deep = (np.abs(x - crop.x) < 0.4 * crop.side) & (np.abs(y - crop.y) < 0.4 * crop.side)
    assert (result[deep] == 7).all()
    # The blend rises steadily from the edge: no line shows.
    row = np.abs(result[95].astype(int) - image[95]).sum(-1)[80:92]
    assert row[0] < 40
    assert (np.diff(row) >= -12).all()


def test_paste_back_of_an_unchanged_crop_is_the_photo(collins):
    crop = Crop(224.9, 138.2, 277.4)
    result = paste_back(crop.apply(collins, 512), collins, crop)
    difference = np.abs(result.astype(int) - collins)
    assert difference.mean() < 0.6
    assert cv2.PSNR(result, collins) > 38


def test_paste_back_reaches_the_photos_own_edge():
    image = smooth_picture(100, 140)
    result = paste_back(np.full((64, 64, 3), 9, np.uint8), image, Crop(49.5, 49.5, 100))
    assert (result[:, 0] == 9).all()
    assert (result[0, :80] == 9).all()
    assert np.array_equal(result[:, 101:], image[:, 101:])


def test_eye_distance_is_measured_in_the_plane():
    assert eye_distance(face_at(10, 20, 37).landmarks) == pytest.approx(37, rel=1e-4)
    assert face_at(10, 20, 37).eye_distance == pytest.approx(37, rel=1e-4)


@pytest.mark.parametrize(
    ("left", "right"),
    [(LEFT_BROW, RIGHT_BROW), (FACE_OVAL, FACE_OVAL), (OUTER_LIPS, OUTER_LIPS), (INNER_LIPS, INNER_LIPS)],
    ids=["brows", "face", "lips", "mouth"],
)
def test_contours_are_the_same_on_both_sides_of_a_face(left: tuple[int, ...], right: tuple[int, ...]):
    first, second = (canonical_face()[list(contour), :2] for contour in (left, right))
    away = np.linalg.norm(first[:, None] * [-1, 1] - second, axis=2)
    assert away.min(1).max() < 0.01
    assert len(set(away.argmin(1))) == len(left)

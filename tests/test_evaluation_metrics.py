"""Metrics of one clip that need no download, against values known otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from cases_made import face_clip, noise_clip, plain_case

from durian.errors import InvalidRequest
from durian.evaluation.metrics import all_metrics, all_set_metrics, get_metric
from durian.face import detect_faces

ORDER = ["l1", "psnr", "ssim", "gradients", "lpips", "flicker", "landmarks", "attribute_iou", "attribute_colour"]
ORDER += ["clip_i", "dino", "identity", "faces"]
WITHOUT_WEIGHTS = [
    "l1",
    "psnr",
    "ssim",
    "gradients",
    "flicker",
    "landmarks",
    "attribute_iou",
    "attribute_colour",
    "faces",
]


def disc(side: int = 64, radius: int = 12) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side]
    return np.hypot(rows - side // 2, columns - side // 2) < radius


# The list


def test_metrics_are_listed_in_the_reports_order():
    assert list(all_metrics()) == ORDER
    assert list(all_set_metrics()) == ["fid", "vfid_i3d", "vfid_resnext"]
    assert [name for name, metric in all_metrics().items() if not metric.needs_weights] == WITHOUT_WEIGHTS
    for metric in (*all_metrics().values(), *all_set_metrics().values()):
        assert metric.title
        assert metric.definition.endswith(".")
        assert metric.higher_is_better in (True, False, None)
        assert isinstance(metric.best, float)
    assert all(all_metrics()[name].available() is None for name in WITHOUT_WEIGHTS)


def test_instances_of_clips_are_shared_and_of_sets_are_not():
    assert get_metric("psnr") is all_metrics()["psnr"]
    assert all_set_metrics()["fid"] is not all_set_metrics()["fid"]
    with pytest.raises(InvalidRequest, match="no metric named 'fvd'"):
        get_metric("fvd")


def test_without_truth_nothing_is_compared_with_it():
    case = plain_case(noise_clip(0))
    scores = {name: metric.score(case) for name, metric in all_metrics().items() if metric.needs_truth}
    assert scores == {name: {} for name in ("l1", "psnr", "ssim", "gradients", "lpips", "flicker", *ORDER[7:9])}


def test_a_case_must_fit_together():
    with pytest.raises(ValueError, match=r"truth is \(3, 32, 32, 3\)"):
        plain_case(noise_clip(0), truth=noise_clip(0, frames=3))


# Pixels


def test_pixel_metrics_equal_scikit_images_over_frames():
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    frames, truth = noise_clip(1), noise_clip(2)
    frames = (0.2 * frames + 0.8 * truth).astype(np.uint8)
    case = plain_case(frames, truth=truth)
    pairs = list(zip(truth, frames, strict=True))
    psnr = np.mean([peak_signal_noise_ratio(*pair, data_range=255) for pair in pairs])
    ssim = np.mean([structural_similarity(*pair, channel_axis=2, data_range=255) for pair in pairs])
    l1 = np.abs(frames.astype(float) - truth).mean() / 255
    assert get_metric("psnr").score(case) == {"all": pytest.approx(psnr, abs=1e-4)}
    assert get_metric("ssim").score(case) == {"all": pytest.approx(ssim, abs=1e-6)}
    assert get_metric("l1").score(case) == {"all": pytest.approx(l1, abs=1e-7)}


def test_regions_are_inside_the_item_and_away_from_it():
    truth = np.zeros((2, 64, 64, 3), np.uint8)
    inside = np.stack([disc(), np.zeros((64, 64), bool)])
    frames = truth.copy()
    frames[0][disc()] = 51
    # Two pixels off the disc are in the margin of 6/256 of the side: neither inside nor outside.
    frames[0][disc(radius=13) & ~disc()] = 255
    score = get_metric("l1").score(plain_case(frames, truth=truth, inside=inside))
    # The second frame has no item: outside is all of it, and inside is the first frame's alone.
    assert score["inside"] == pytest.approx(0.2)
    assert score["outside"] == 0
    assert score["all"] > 0


# Flicker


def brightness(values: np.ndarray) -> np.ndarray:
    """A clip of flat frames of these grey levels."""
    return np.broadcast_to(np.rint(values)[:, None, None, None], (len(values), 16, 16, 3)).astype(np.uint8)


def test_flicker_of_a_brightness_that_swings():
    times = np.arange(24)
    slow, fast = 2 * np.pi / 12, 2 * np.pi / 4
    truth, frames = brightness(128 + 80 * np.sin(slow * times)), brightness(128 + 40 * np.sin(fast * times))

    def second_differences(amplitude: float, speed: float) -> float:
        # sin(a - w) - 2 sin(a) + sin(a + w) = -2 (1 - cos w) sin(a)
        return 2 * amplitude * (1 - np.cos(speed)) * np.abs(np.sin(speed * times[1:-1])).mean()

    score = get_metric("flicker").score(plain_case(frames, truth=truth))
    assert score["all"] == pytest.approx(second_differences(40, fast) / second_differences(80, slow), rel=0.02)


def test_flicker_is_blind_to_an_even_change_and_relative_to_the_truth():
    flicker, truth = get_metric("flicker"), noise_clip(3, frames=6)
    ramp = brightness(10.0 + 20 * np.arange(6))
    assert flicker.score(plain_case(ramp, truth=noise_clip(3, frames=6, side=16))) == {"all": 0.0}
    assert flicker.score(plain_case(truth, truth=truth)) == {"all": 1.0}
    # Nothing can be compared with a still picture, nor seen in two frames.
    assert flicker.score(plain_case(truth, truth=np.repeat(truth[:1], 6, 0))) == {}
    assert flicker.score(plain_case(truth[:2], truth=truth[:2])) == {}


def test_flicker_inside_the_item_is_told_from_the_rest():
    truth = np.random.default_rng(4).integers(100, 110, (5, 64, 64, 3)).astype(np.uint8)
    inside = np.repeat(disc()[None], 5, 0)
    frames = truth.copy()
    frames[1::2, disc()] += 50
    score = get_metric("flicker").score(plain_case(frames, truth=truth, inside=inside))
    assert score["outside"] == 1.0
    # Frames 50 up and down: a second difference of 100 beside the noise's 2 to 6.
    assert score["inside"] > 15
    assert 1 < score["all"] < score["inside"]


# Landmarks


def test_landmark_error_of_a_picture_that_is_shifted(collins: np.ndarray):
    truth = face_clip(collins)
    case = plain_case(face_clip(collins, shift=(6, -4)), truth=truth)
    eyes = detect_faces(truth[0])[0].eye_distance
    score = get_metric("landmarks").score(case)["all"]
    assert score == pytest.approx(100 * np.hypot(6, 4) / eyes, rel=0.1)
    assert get_metric("landmarks").score(plain_case(truth, truth=truth)) == {"all": 0.0}
    assert get_metric("faces").score(case) == {"all": 100.0}


def test_landmarks_that_were_asked_for_stand_in_for_the_truth(collins: np.ndarray):
    frames = face_clip(collins)
    landmarks = np.stack(plain_case(frames, truth=frames).asked)
    moved = landmarks + np.array([5, 0, 0], np.float32)
    unit = np.linalg.norm(landmarks[0, 33, :2] - landmarks[0, 263, :2])
    score = get_metric("landmarks").score(plain_case(frames, landmarks=moved))
    assert score["all"] == pytest.approx(500 / unit, rel=0.02)


def test_frames_without_a_face_are_counted_and_left_out(collins: np.ndarray):
    truth = face_clip(collins, frames=4)
    frames = truth.copy()
    frames[2:] = 128
    case = plain_case(frames, truth=truth)
    assert get_metric("faces").score(case) == {"all": 50.0}
    assert get_metric("landmarks").score(case)["all"] < 2
    assert get_metric("landmarks").score(plain_case(np.full_like(truth, 128), truth=truth)) == {}


# The item


def test_attribute_overlap_of_glasses_that_moved_or_went(hopper: np.ndarray):
    truth = face_clip(hopper, frames=2)
    (seen,) = plain_case(truth, truth=truth, category="glasses").parsed_truth.values()
    inside = np.stack([seen, seen])
    overlap, about = get_metric("attribute_iou"), {"truth": truth, "inside": inside, "category": "glasses"}
    assert inside.any(axis=(1, 2)).all()
    case = plain_case(truth, **about)
    assert overlap.score(case) == {"all": 1.0}
    moved = case.with_frames(face_clip(hopper, 2, shift=(3, 0)))
    shifted = np.pad(inside[0], ((0, 0), (3, 0)))[:, :256]
    expected = (shifted & inside[0]).sum() / (shifted | inside[0]).sum()
    assert overlap.score(moved)["all"] == pytest.approx(expected, abs=0.05)
    assert overlap.score(moved.with_frames(np.full_like(truth, 128))) == {"all": 0.0}
    # Where the parser finds no beard in the true frame, its silence about the rendered one says nothing.
    assert overlap.score(plain_case(truth, **{**about, "category": "beard"})) == {}


def test_attribute_colour_is_ciede2000_of_the_means():
    from skimage.color import deltaE_ciede2000, rgb2lab

    true, made = np.array([90, 60, 40], np.uint8), np.array([120, 70, 60], np.uint8)
    truth, frames = np.zeros((2, 64, 64, 3), np.uint8), np.full((2, 64, 64, 3), 200, np.uint8)
    truth[:, disc()], frames[:, disc()] = true, made
    inside = np.stack([disc(), np.zeros((64, 64), bool)])
    expected = float(deltaE_ciede2000(rgb2lab(true / 255), rgb2lab(made / 255)))
    case = plain_case(frames, truth=truth, inside=inside)
    assert get_metric("attribute_colour").score(case) == {"inside": pytest.approx(expected, rel=1e-3)}
    assert get_metric("attribute_colour").score(case.with_frames(truth)) == {"inside": 0.0}


def test_what_is_known_of_the_truth_goes_with_the_case(collins: np.ndarray):
    truth = face_clip(collins, frames=2)
    case = plain_case(truth, truth=truth, category="glasses")
    asked, parsed = case.asked, case.parsed_truth
    other = case.with_frames(np.full_like(truth, 128))
    assert other.asked is asked
    assert other.parsed_truth is parsed
    assert other.found == [None, None]
    assert not any(landmarks is None for landmarks in case.found)

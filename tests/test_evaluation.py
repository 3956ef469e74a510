"""The metrics against independent values, and both protocols on scenes small enough to check by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian.errors import InvalidRequest, UnreadableMedia
from durian.evaluation.landmarks import detect_upscaled, fill_gaps
from durian.evaluation.metrics import (
    BEST_PSNR,
    Score,
    compare,
    compare_in,
    landmark_error,
    mean_by_name,
    mean_score,
    ssim_map,
)
from durian.evaluation.reenact import evaluate_reenact
from durian.evaluation.triplets import (
    choose_scenes,
    evaluate_triplets,
    load_scene,
    make_request,
    regions_of,
    render,
    whole_crop,
)


def noisy_pair(seed: int = 0, shape: tuple[int, int] = (60, 80)) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    smooth = np.linspace(40, 200, shape[1])[None, :, None] + random.normal(0, 8, (*shape, 3))
    return tuple(np.clip(smooth + random.normal(0, noise, (*shape, 3)), 0, 255).astype(np.uint8) for noise in (1, 12))


def test_psnr_and_ssim_equal_scikit_images():
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    image, truth = noisy_pair()
    mean, full = structural_similarity(truth, image, channel_axis=2, data_range=255, full=True)
    score = compare(image, truth)
    assert score.psnr == pytest.approx(peak_signal_noise_ratio(truth, image, data_range=255), abs=1e-4)
    assert score.ssim == pytest.approx(mean, abs=1e-6)
    assert np.allclose(ssim_map(image, truth), full.mean(2), atol=1e-6)


def test_values_known_by_hand():
    black = np.zeros((20, 20, 3), np.uint8)
    grey = np.full_like(black, 51)
    score = compare(grey, black)
    assert score.l1 == pytest.approx(0.2)
    assert score.psnr == pytest.approx(20 * np.log10(5), abs=1e-4)
    # Flat pictures leave only the brightness term of SSIM: c1 / (51² + c1).
    assert score.ssim == pytest.approx(6.5025 / (51**2 + 6.5025), rel=1e-6)
    assert compare(grey, grey) == Score(BEST_PSNR, pytest.approx(1.0), 0.0)


def test_a_mask_counts_its_pixels_only():
    truth = np.zeros((32, 32, 3), np.uint8)
    image = truth.copy()
    image[:, 16:] = 255
    left, right = np.zeros((2, 32, 32), bool)
    left[:, :8], right[:, 24:] = True, True
    scores = compare_in(image, truth, {"left": left, "right": right, "none": np.zeros((32, 32), bool)})
    assert set(scores) == {"left", "right"}
    assert scores["left"] == Score(BEST_PSNR, pytest.approx(1.0), 0.0)
    assert scores["right"].psnr == pytest.approx(0.0)
    assert scores["right"].l1 == pytest.approx(1.0)
    assert scores["right"].ssim < 0.01
    everywhere = compare(image, truth, np.ones((32, 32), bool))
    assert everywhere.l1 == pytest.approx(0.5)


def test_means_leave_out_what_is_missing():
    first, second = Score(10, 0.2, 0.5), Score(20, 0.4, 0.1)
    means = mean_by_name([{"all": first, "inside": first}, {"all": second}])
    assert means["all"] == Score(15, pytest.approx(0.3), pytest.approx(0.3))
    assert means["inside"] == first
    assert mean_score([]) is None


def test_landmark_error_is_in_percent_of_the_eye_distance():
    true = np.zeros((478, 3), np.float32)
    true[33, 0], true[263, 0] = 10, 60
    found = true.copy()
    found[:, :2] += (3, 4)
    found[:, 2] += 100
    assert landmark_error(found, true) == pytest.approx(10.0)


def test_gaps_are_filled_between_and_held_at_the_ends():
    low, high = np.zeros((478, 3), np.float32), np.full((478, 3), 4, np.float32)
    filled, count = fill_gaps([None, low, None, None, None, high, None])
    assert count == 5
    assert filled[:, 0, 0] == pytest.approx([0, 0, 1, 2, 3, 4, 4])
    only, count = fill_gaps([None, high])
    assert count == 1
    assert (only == 4).all()


def test_outside_is_farther_than_six_pixels():
    item = np.zeros((256, 256), bool)
    item[100:120, 100:120] = True
    regions = regions_of(item)
    assert regions["all"] is None
    assert regions["inside"] is item
    row = regions["outside"][110]
    assert not row[94:126].any()
    assert row[93]
    assert row[126]
    # Round the corner: √(4² + 4²) is below six pixels, √(5² + 5²) above.
    assert not regions["outside"][96, 96]
    assert regions["outside"][95, 95]
    assert regions_of(np.zeros((9, 9), bool))["outside"].all()


# Triplets


class CopyRenderer:
    """Gives the portrait back, marked with the frame's number in one corner."""

    name = "copy"

    def render_landmarks(self, request, driving):
        assert driving.shape == (12, 478, 3)
        for index in range(len(driving)):
            made = request.portrait.crop.apply(request.portrait.image, request.options.size)
            made[:4, :4] = index
            yield made


@pytest.fixture(scope="module")
def scene_folder(tmp_path_factory: pytest.TempPathFactory, collins: np.ndarray, hopper: np.ndarray) -> Path:
    """Three scenes, numbered 2, 400 and 401, of real faces; the hat's class is a square; the last has no face."""
    folder = tmp_path_factory.mktemp("triplets")
    face, other = (
        np.asarray(Image.fromarray(p).resize((256, 256))) for p in (collins[:300, 70:370], hopper[:400, 50:450])
    )
    labels = np.zeros((1024, 1024), np.uint8)
    for tile in range(16):
        labels[256 * (tile // 4) + 10 :, :][:40, 256 * (tile % 4) + 60 :][:, :100] = 16
    for number in (2, 400, 401):
        tiles = [face, face, other, other, *[face] * 12]
        if number == 401:
            tiles = [np.zeros_like(face)] * 16
        rows = [np.hstack(tiles[4 * row : 4 * row + 4]) for row in range(4)]
        Image.fromarray(np.vstack(rows)).save(folder / f"{number:05}.webp", lossless=True)
        Image.fromarray(labels).save(folder / f"{number:05}.png")
        (folder / f"{number:05}.json").write_text(json.dumps({"attribute": "hat", "labels": [16]}))
    return folder


def test_scenes_are_chosen_by_number(scene_folder: Path):
    assert [path.stem for path in choose_scenes(scene_folder, "test")] == ["00400", "00401"]
    assert [path.stem for path in choose_scenes(scene_folder, "all")] == ["00002", "00400", "00401"]
    assert [path.stem for path in choose_scenes(scene_folder, "0-400")] == ["00002", "00400"]
    for wrong in ("some", "500-600", "5"):
        with pytest.raises(InvalidRequest):
            choose_scenes(scene_folder, wrong)


def test_a_scene_is_cut_into_tiles(scene_folder: Path, tmp_path: Path):
    scene = load_scene(scene_folder / "00400.json")
    assert scene.tiles.shape == (16, 256, 256, 3)
    assert np.array_equal(scene.tiles[0], scene.tiles[15])
    assert not np.array_equal(scene.tiles[0], scene.tiles[2])
    assert all(scene.item(tile)[10:50, 60:160].all() and scene.item(tile).sum() == 4000 for tile in range(16))
    (tmp_path / "00001.json").write_text("{}")
    with pytest.raises(UnreadableMedia, match="00001"):
        load_scene(tmp_path / "00001.json")


def test_triplets_score_a_copy_like_the_still(scene_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from durian import renderer as renderers
    from durian.evaluation import workers

    monkeypatch.setitem(renderers._FACTORIES, "copy", CopyRenderer)
    monkeypatch.setattr(workers, "_renderers", {})
    report = evaluate_triplets(scene_folder, "copy", size=256, scenes="all", sheets=tmp_path)
    assert report["scenes"] == 2
    assert report["skipped"] == ["00401"]
    assert report["filled_frames"] == 0
    # Portrait and targets are the same picture; the copy differs in 16 dark pixels outside the item.
    assert report["still"]["all"] == {"psnr": BEST_PSNR, "ssim": 1.0, "l1": 0.0}
    assert report["copy"]["inside"] == {"psnr": BEST_PSNR, "ssim": pytest.approx(1, abs=1e-3), "l1": 0.0}
    assert 20 < report["copy"]["outside"]["psnr"] < 60
    assert report["copy"]["outside"]["psnr"] < report["copy"]["all"]["psnr"]
    assert report["by_attribute"]["hat"]["scenes"] == 2
    assert report["by_attribute"]["hat"]["copy"] == report["copy"]
    assert json.loads(json.dumps(report)) == report
    assert (tmp_path / "00400-hat.png").is_file()


def test_the_preview_renderer_on_a_scene(scene_folder: Path):
    report = evaluate_triplets(scene_folder, "preview", size=256, scenes="400-400")
    assert report["scenes"] == 1
    # The face does not move, so far from the square the portrait comes back, but for the pressed hair; inside is now
    # a piece of the other picture.
    assert report["preview"]["outside"]["psnr"] > report["preview"]["inside"]["psnr"] + 6


def test_workers_give_the_same_scores(scene_folder: Path):
    alone = evaluate_triplets(scene_folder, "preview", size=128, scenes="0-400")
    shared = evaluate_triplets(scene_folder, "preview", size=128, scenes="0-400", workers=2)
    assert shared == alone


def test_landmarks_of_a_small_tile_are_in_its_pixels(scene_folder: Path, collins: np.ndarray):
    from durian.face import detect_faces

    tile = load_scene(scene_folder / "00400.json").tiles[0]
    found = detect_upscaled(tile)
    large = detect_faces(collins[:300, 70:370])[0].landmarks
    expected = (large[:, :2] + 0.5) * 256 / 300 - 0.5
    assert np.abs(found[:, :2] - expected).mean() < 1.5
    assert detect_upscaled(np.zeros((256, 256, 3), np.uint8)) is None


def test_the_whole_crop_copies_exactly(scene_folder: Path):
    tile = load_scene(scene_folder / "00400.json").tiles[0]
    assert np.array_equal(whole_crop().apply(tile, 256), tile)


def test_a_renderer_without_absolute_landmarks_is_refused(scene_folder: Path):
    class Plain:
        name = "plain"

    scene = load_scene(scene_folder / "00400.json")
    landmarks = detect_upscaled(scene.tiles[0])
    request = make_request(scene, landmarks, "plain", 128)
    with pytest.raises(InvalidRequest, match="absolute landmarks"):
        render(Plain(), request, landmarks[None])


# Reenactment


def test_reenact_on_a_face_that_shifts(collins: np.ndarray, tmp_path: Path):
    from durian.media import write_video

    shifted = [np.roll(collins, shift, axis=1)[:400, 30:430] for shift in (0, 4, 8, 12)]
    (tmp_path / "clips").mkdir()
    write_video([np.ascontiguousarray(frame) for frame in shifted], tmp_path / "clips" / "shift.mp4", 10)
    (tmp_path / "clips" / "notes.txt").write_text("no clip")
    report = evaluate_reenact(tmp_path / "clips", sheets=tmp_path / "sheets")
    assert report["clips"] == 1
    assert report["by_clip"]["shift"]["frames"] == 4
    # Twelve pixels are a quarter of the eye distance: a still first frame would miss by far more than three percent.
    assert report["landmark_error_percent"] < 4
    assert report["by_clip"]["shift"]["rendered_without_face"] == 0
    assert {"psnr", "ssim", "still_psnr", "still_ssim", "better_than_still_percent"} <= set(report)
    assert (tmp_path / "sheets" / "shift.png").is_file()
    assert json.loads(json.dumps(report)) == report


def test_reenact_without_clips(tmp_path: Path):
    with pytest.raises(InvalidRequest, match="holds no clips"):
        evaluate_reenact(tmp_path)


# On the real data, where it lies beside the checkout


@pytest.mark.slow
def test_transfer_on_real_scenes_beats_the_still(shared_data: Path):
    report = evaluate_triplets(shared_data / "triplets", limit=4)
    assert report["preview"]["inside"]["psnr"] > report["still"]["inside"]["psnr"] + 2
    assert report["preview"]["outside"]["psnr"] > report["still"]["outside"]["psnr"]

"""The simulated clicks and their report."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from durian.errors import InvalidRequest, UnreadableMedia
from durian.evaluation.metrics import overlap
from durian.evaluation.protocols import segment


def test_the_next_click_is_the_centre_of_the_largest_error():
    truth, mask = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    truth[10:31, 10:31] = True
    mask[40:50, 60:70] = True
    assert segment.next_click(mask, truth) == (20, 20, 1)
    mask |= truth
    x, y, label = segment.next_click(mask, truth)
    assert label == 0
    assert 63 <= x <= 66
    assert 43 <= y <= 46
    assert segment.next_click(truth, truth) is None
    # An error cut off by the picture's edge is centred inside the picture.
    corner = np.zeros((60, 80), bool)
    corner[:9, :9] = True
    assert segment.next_click(np.zeros((60, 80), bool), corner) == (4, 4, 1)


def test_overlap():
    a, b = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    assert overlap.intersection_over_union(a, b) == pytest.approx(1 / 3)
    assert overlap.intersection_over_union(a & ~a, b & ~b) == 1.0


class Obedient:
    """Paints a square round each click."""

    def __init__(self, half: int):
        self.half = half

    def predict(self, points, labels, start):
        mask = start.copy()
        for (x, y), label in zip(points.astype(int), labels, strict=True):
            area = (slice(max(0, y - self.half), y + self.half + 1), slice(max(0, x - self.half), x + self.half + 1))
            mask[area] = 255 if label else 0
        return mask


def test_scores_start_at_the_named_start_and_end_at_twenty_clicks():
    truth = np.zeros((64, 64), bool)
    truth[8:29, 8:29] = True
    scores = segment.click_scores(Obedient(10), np.zeros((64, 64), np.uint8), truth)
    assert scores[0] == 0.0
    assert scores[1] == 1.0
    assert scores[10] == 1.0
    hopeless = segment.click_scores(Obedient(0), np.zeros((64, 64), np.uint8), truth)
    assert len(hopeless) == segment.MOST_CLICKS + 1
    assert segment._summary([scores, hopeless])["clicks_to_85"] == pytest.approx((1 + 20) / 2)
    perfect = segment.click_scores(Obedient(0), truth.astype(np.uint8) * 255, truth)
    assert segment._summary([perfect])["clicks_to_85"] == 0


def test_clicks_are_where_the_truth_is_known():
    """Right of column 20 nobody could tell: there is nothing to click there, and nothing there counts."""
    truth = np.zeros((64, 64), bool)
    truth[8:29, 8:29] = True
    truth[:, 40:] = True
    decided = np.zeros_like(truth)
    decided[:, :20] = True
    start = np.zeros((64, 64), np.uint8)
    start[40:, 22:] = 255
    scores = segment.click_scores(Obedient(10), start, truth, decided, most=2)
    assert len(scores) == 3
    assert scores[0] == 0
    # Known of the item are rows 8 to 28 and columns 8 to 19; round the first of their inmost pixels, (13, 13), a square
    # takes rows 3 to 23 and, of what is known, columns 3 to 19.
    assert scores[1] == pytest.approx(16 * 12 / (21 * 12 + 21 * 17 - 16 * 12))


def write_scene(folder, number: int, attribute: str, style: str, labels: np.ndarray, **about: object) -> None:
    """A scene of sixteen pictures, black but for the third, the reference, which is grey."""
    size = len(labels)
    tiles, grid = np.zeros((4 * size, 4 * size, 3), np.uint8), np.zeros((4 * size, 4 * size), np.uint8)
    tiles[:size, 2 * size : 3 * size], grid[:size, 2 * size : 3 * size] = 90, labels
    Image.fromarray(tiles).save(folder / f"{number:05d}.webp", lossless=True)
    Image.fromarray(grid).convert("P").save(folder / f"{number:05d}.png")
    description = {"attribute": attribute, "style": style, "labels": [14, 15], **about}
    (folder / f"{number:05d}.json").write_text(json.dumps(description))


@pytest.mark.parametrize(("size", "about"), [(256, {}), (128, {"size": 128}), (512, {"size": 512, "columns": 4})])
def test_scenes_of_any_size_are_read_by_class_and_stubble_is_left_out(tmp_path, size, about):
    labels = np.zeros((size, size), np.uint8)
    labels[10:20, 10:20], labels[20:30, 10:20], labels[50:60, 50:60] = 14, 15, 12
    write_scene(tmp_path, 3, "glasses", "round", labels, **about)
    write_scene(tmp_path, 400, "beard", "stubble", labels, **about)
    write_scene(tmp_path, 401, "none", "none", labels, **about)
    (tmp_path / "notes.json").write_text("{}")
    image, covered, attribute, style = segment.read_reference(tmp_path / "00003.json")
    assert image.shape == (size, size, 3)
    assert (image == 90).all()
    assert (attribute, style) == ("glasses", "round")
    assert covered.sum() == 200 * 255
    assert covered[15, 15] == covered[25, 15] == 255
    assert covered[55, 55] == 0
    # No test scene but stubble and nothing is there, so the folder is used whole.
    assert [path.stem for path in segment._scenes(tmp_path, 400, None)] == ["00003"]


def test_a_scene_of_another_size_than_it_tells_is_refused(tmp_path):
    write_scene(tmp_path, 3, "glasses", "round", np.zeros((128, 128), np.uint8))
    with pytest.raises(UnreadableMedia, match=r"00003\.webp is 512×512 pixels where 1024×1024 are told"):
        segment.read_reference(tmp_path / "00003.json")


def test_soft_masks_are_the_truth_where_there_are_some(tmp_path):
    labels = np.zeros((256, 256), np.uint8)
    labels[10:20, 10:20] = 14
    write_scene(tmp_path, 400, "beard", "stubble", labels)
    soft = np.zeros((1024, 1024), np.uint8)
    soft[100:110, 512 + 40 : 512 + 60] = 90
    Image.fromarray(soft).save(tmp_path / "00400-beard.png")
    _, covered, _, style = segment.read_reference(tmp_path / "00400.json")
    assert style == "stubble"
    assert covered.sum() == 200 * 90
    assert covered[105, 50] == 90
    assert [path.stem for path in segment._scenes(tmp_path, 400, None)] == ["00400"]


def test_soft_overlap():
    mask, covered = np.array([200, 100, 0], np.uint8), np.array([100, 100, 50], np.uint8)
    assert overlap.soft_intersection_over_union(mask, covered) == pytest.approx(200 / 350)
    assert overlap.soft_intersection_over_union(mask * 0, covered * 0) == 1.0


def test_a_folder_without_scenes_says_so(tmp_path):
    with pytest.raises(InvalidRequest, match="no scenes"):
        segment.evaluate_segment(tmp_path)


def test_the_report_on_real_scenes(shared_data):
    seen = []
    report = segment.evaluate_segment(shared_data / "triplets", limit=3, on_scene=lambda done, all_: seen.append(done))
    assert set(report["iou"]) == {"0", "1", "3", "5", "10"}
    assert report["scenes"] == 3
    assert seen == [1, 2, 3]
    assert 0 <= report["clicks_to_85"] <= 20
    assert sum(part["scenes"] for part in report["by_attribute"].values()) == 3
    # Clicks help on the whole.
    assert report["iou"]["10"] > report["iou"]["0"] - 0.02
    assert report["iou"]["10"] > 0.5
    json.dumps(report)

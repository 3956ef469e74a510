"""Drawn masks: read, learned from and measured with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_made import drawn_folder

from durian.errors import InvalidRequest
from durian.evaluation.protocols.drawn_masks import evaluate_drawn
from durian.face import require_face
from durian.geometry.mesh import FACE_OVAL
from durian.segmentation import worn
from durian.segmentation.drawn import LABELS, read_drawn_masks
from durian.segmentation.parser.classes import HAIR, LIPS
from durian.training.parser.drawn import drawn_photos
from durian.training.parser.examples import IGNORED


@pytest.fixture(scope="module")
def labels(collins) -> np.ndarray:
    """What the project itself finds on a face, at half the picture's size, with a corner that nobody could tell."""
    landmarks = require_face(collins).landmarks
    found = worn(collins, landmarks, ("hair", "glasses"))
    size = (collins.shape[1] // 2, collins.shape[0] // 2)
    small = {name: cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 127 for name, mask in found.items()}
    drawn = np.zeros(size[::-1], np.uint8)
    oval = [np.rint(landmarks[FACE_OVAL, :2] / 2).astype(np.int32)]
    cv2.fillPoly(drawn, oval, LABELS.index("skin"))
    drawn[small["hair"]] = LABELS.index("hair")
    drawn[small["glasses"]] = LABELS.index("frame")
    drawn[:20, :20] = LABELS.index("unsure")
    return drawn


@pytest.fixture(scope="module")
def folder(collins, labels, tmp_path_factory):
    return drawn_folder(tmp_path_factory.mktemp("drawn"), {"collins": collins}, {"collins": labels}, "train")


def test_numbers_are_read_and_not_the_colours_of_a_palette(folder, labels):
    (mask,) = read_drawn_masks(folder, folder.parent / "pictures", "train")
    assert (mask.labels == labels).all()
    assert (mask.item("glasses") == (labels == LABELS.index("frame"))).all()
    assert not mask.decided[:20, :20].any()
    assert mask.decided[20:, 20:].all()


def test_another_picture_and_another_part_are_refused(folder, collins, labels, tmp_path):
    with pytest.raises(InvalidRequest, match="no masks of the part test"):
        read_drawn_masks(folder, folder.parent / "pictures", "test")
    other = drawn_folder(tmp_path, {"collins": collins}, {"collins": labels}, "train")
    (tmp_path / "pictures" / "faces" / "collins.png").write_bytes(b"another")
    with pytest.raises(InvalidRequest, match=r"collins\.png is not the photograph"):
        read_drawn_masks(other, tmp_path / "pictures", "train")
    with pytest.raises(InvalidRequest, match=r"masks\.csv"):
        read_drawn_masks(tmp_path / "pictures", tmp_path, "train")


def test_photos_show_the_labels_where_they_were_drawn(folder, collins, labels):
    photos = drawn_photos(read_drawn_masks(folder, folder.parent / "pictures", "train"))
    assert len(photos) == 1
    first = np.where(photos.classes[0] == IGNORED, IGNORED, photos.classes[0] // 16)
    landmarks = require_face(collins).landmarks[:, :2]
    # The same affine map that took the landmarks along must have taken the labels.
    ones = np.concatenate([landmarks, np.ones((478, 1))], 1)
    to_photo = np.linalg.lstsq(ones, photos.landmarks[0], rcond=None)[0]
    for number, label in ((HAIR, "hair"),):
        rows, columns = np.nonzero(labels == LABELS.index(label))
        places = np.stack([2 * columns + 0.5, 2 * rows + 0.5, np.ones(len(rows))], 1) @ to_photo
        x, y = np.rint(places).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < first.shape[1]) & (y < first.shape[0])
        assert (first[y[inside], x[inside]] == number).mean() > 0.9
    mouth = np.rint(photos.landmarks[0][[0, 17]].mean(0)).astype(int)
    assert first[mouth[1], mouth[0]] == LIPS
    corner = np.array([[10, 10, 1]]) @ to_photo
    assert first[int(corner[0, 1]), int(corner[0, 0])] == IGNORED


def test_what_the_project_draws_itself_it_finds_again(folder):
    report = evaluate_drawn(folder, folder.parent / "pictures", "train")
    assert report["pictures"] == 1
    assert report["hair"]["iou"] > 0.9
    assert report["hair"]["named_1"] > 0.7
    assert 0 < report["hair"]["clicked_1"] <= 1
    assert set(report["glasses"]) == {"false_alarms", "worn"}
    assert report["hat"] == {"false_alarms": 0.0, "worn": 0}
    assert report["beard"]["worn"] == 0

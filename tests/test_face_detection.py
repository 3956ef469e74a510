"""Faces are found, large, small and several; what cannot be animated is refused in one sentence."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.errors import NoFaceFound
from durian.face import FACE_OVAL, Crop, Face, check_face, detect_faces, detection, eye_distance, require_face
from durian.motion.canonical import canonical_face


@pytest.fixture(scope="module")
def collins_face(collins) -> Face:
    faces = detect_faces(collins)
    assert len(faces) == 1
    return faces[0]


def pasted(picture: np.ndarray, image: np.ndarray, side: int, x: int, y: int) -> np.ndarray:
    part = Crop(image.shape[1] / 2, image.shape[0] / 2, min(image.shape[:2])).apply(image, side)
    picture[y : y + side, x : x + side] = part
    return picture


def drawing() -> np.ndarray:
    """A cartoon face that the detector takes for one."""
    picture = np.full((512, 512, 3), 240, np.uint8)
    cv2.ellipse(picture, (256, 256), (150, 185), 0, 0, 360, (250, 215, 190), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (256, 256), (150, 185), 0, 0, 360, (40, 40, 40), 4, cv2.LINE_AA)
    cv2.ellipse(picture, (256, 190), (165, 140), 0, 180, 360, (70, 40, 20), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (256, 230), (140, 80), 0, 180, 360, (250, 215, 190), -1, cv2.LINE_AA)
    for x in (190, 322):
        cv2.ellipse(picture, (x, 240), (30, 18), 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (x, 240), (30, 18), 0, 0, 360, (20, 20, 20), 3, cv2.LINE_AA)
        cv2.circle(picture, (x, 244), 14, (80, 60, 160), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (x, 205), (34, 10), 0, 190, 350, (40, 25, 15), 5, cv2.LINE_AA)
    cv2.line(picture, (256, 250), (246, 305), (120, 80, 60), 3, cv2.LINE_AA)
    cv2.ellipse(picture, (256, 340), (60, 30), 0, 10, 170, (190, 40, 50), 6, cv2.LINE_AA)
    return picture


def test_landmarks_sit_on_the_face(collins, collins_face):
    points = collins_face.landmarks
    assert points.shape == (478, 3)
    assert points.dtype == np.float32
    # Eye corners, pupils, nose tip, lip and chin of Eileen Collins in the 512 px picture, read off by eye.
    seen = {33: (194, 100), 263: (256, 103), 468: (203, 100), 473: (246, 102), 1: (223, 128), 13: (223, 141)}
    for index, place in {**seen, 152: (222, 177)}.items():
        assert np.hypot(*(points[index, :2] - place)) < 4
    assert collins_face.confidence > 0.8
    assert collins_face.flatness < 0.1


def test_same_face_at_another_scale_and_place(collins, collins_face):
    shrunk = cv2.resize(collins, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    picture = np.full((500, 700, 3), 120, np.uint8)
    picture[80 : 80 + shrunk.shape[0], 200 : 200 + shrunk.shape[1]] = shrunk
    found = require_face(picture)
    expected = (collins_face.landmarks[:, :2] + 0.5) * 0.6 - 0.5 + (200, 80)
    assert np.linalg.norm(found.landmarks[:, :2] - expected, axis=1).mean() < 0.05 * found.eye_distance


@pytest.mark.parametrize("who", ["collins", "hopper"])
def test_landmarks_are_steadier_than_those_of_one_look(who, request, monkeypatch):
    """A turned, smaller copy has them where the picture has them."""
    image = request.getfixturevalue(who)
    turn = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), 4, 0.93)
    copy = cv2.warpAffine(image, turn, image.shape[1::-1], flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)

    def error() -> float:
        detection._found.clear()
        there, here = (detect_faces(picture)[0].landmarks for picture in (copy, image))
        misses = np.linalg.norm(there[:, :2] - (here[:, :2] @ turn[:, :2].T + turn[:, 2]), axis=1).mean()
        return float(misses / eye_distance(here))

    steadied = error()
    monkeypatch.setattr(detection, "STEADY_ANGLES", ())
    assert steadied < 0.75 * error()
    detection._found.clear()


def test_several_faces_largest_first(collins, hopper):
    picture = np.full((700, 1200, 3), 130, np.uint8)
    pasted(picture, collins[:300, 80:380], 260, 60, 60)
    pasted(picture, hopper, 420, 600, 150)
    pasted(picture, collins[:300, 80:380], 150, 200, 480)
    faces = detect_faces(picture)
    assert len(faces) == 3
    sizes = [face.eye_distance for face in faces]
    assert sizes[0] > sizes[1] > sizes[2]
    assert faces[0].landmarks[:, 0].mean() > 600
    assert require_face(picture, 2).landmarks[:, 1].mean() > 480


def test_a_picture_is_searched_once_and_each_caller_has_landmarks_of_their_own(collins, monkeypatch):
    searched, search = [], detection._searched
    monkeypatch.setattr(detection, "_searched", lambda image: searched.append(image.shape) or search(image))
    picture = np.ascontiguousarray(collins[:300, 60:360])
    first = detect_faces(picture)[0]
    truth = first.landmarks.copy()
    first.landmarks[:] = 0
    again = detect_faces(picture.copy())[0]
    assert np.array_equal(again.landmarks, truth)
    assert again.confidence == first.confidence
    assert searched == [picture.shape]


def test_how_many_faces_are_wanted_is_asked_anew(collins, settings_environment):
    picture = np.full((500, 1000, 3), 130, np.uint8)
    for x in (50, 550):
        pasted(picture, collins[:300, 80:380], 300, x, 50)
    assert len(detect_faces(picture)) == 2
    settings_environment(max_faces=1)
    assert len(detect_faces(picture)) == 1


def test_face_of_five_percent_of_the_width(collins):
    picture = np.full((1200, 2000, 3), 110, np.uint8)
    # Her face takes a third of this square's width.
    pasted(picture, collins[:280, 85:365], 300, 1200, 500)
    face = require_face(picture)
    x0, _, x1, _ = face.box
    assert (x1 - x0) / 2000 < 0.055
    assert 1200 < x0 < x1 < 1500


def test_no_face():
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    assert detect_faces(noise) == []
    with pytest.raises(NoFaceFound, match="No face was found in the hat reference"):
        require_face(noise, what="the hat reference")


def test_index_out_of_range_says_how_many(collins, hopper):
    with pytest.raises(NoFaceFound, match=r"Face 3 .* only one face: choose 0"):
        require_face(collins, 3)
    with pytest.raises(NoFaceFound, match="choose 0"):
        require_face(collins, -1)
    picture = np.full((500, 1000, 3), 130, np.uint8)
    pasted(pasted(picture, collins[:300, 80:380], 300, 50, 50), hopper, 400, 500, 50)
    with pytest.raises(NoFaceFound, match="2 faces: choose a number from 0 to 1"):
        require_face(picture, 2)


def test_too_small_says_the_pixels(collins):
    tiny = cv2.resize(collins, (150, 150), interpolation=cv2.INTER_AREA)
    with pytest.raises(NoFaceFound, match=r"too small: its eyes are 1\d pixels apart and 24 are needed"):
        require_face(tiny)


@pytest.mark.parametrize("side", ["left", "right", "upper", "lower"])
def test_cut_off_names_the_edge(side):
    middle = canonical_face() * 100 + np.array([250, 250, 0])
    offset = {"left": (-230, 0), "right": (230, 0), "upper": (0, -240), "lower": (0, 190)}[side]
    face = Face((middle + np.array([*offset, 0])).astype(np.float32))
    with pytest.raises(NoFaceFound, match=f"cut off at the {side} edge"):
        check_face(face, (500, 500, 3))
    check_face(Face(middle.astype(np.float32)), (500, 500, 3))


@pytest.mark.parametrize(("down", "right"), [(-205, 0), (0, 185)], ids=["hairline", "one cheek"])
def test_a_tight_portrait_that_lacks_a_little_of_the_outline_is_taken(down: int, right: int):
    landmarks = canonical_face() * 100 + np.array([250 + right, 250 + down, 0])
    outline = landmarks[list(FACE_OVAL), :2]
    beyond = (outline < -9) | (outline > 508)
    assert 0.05 < beyond.any(1).mean() < 0.2
    check_face(Face(landmarks.astype(np.float32)), (500, 500, 3))


def test_real_photo_cut_through_the_face(collins):
    with pytest.raises(NoFaceFound, match="cut off at the left edge"):
        require_face(np.ascontiguousarray(collins[:, 215:]))


def test_drawing_is_refused():
    assert detect_faces(drawing()), "the detector no longer takes this drawing for a face: draw another"
    with pytest.raises(NoFaceFound, match="looks like a drawing"):
        require_face(drawing())


def test_doubtful_face_is_refused(collins_face):
    doubtful = Face(collins_face.landmarks, confidence=0.55)
    with pytest.raises(NoFaceFound, match="does not look like a person's"):
        check_face(doubtful, (512, 512, 3))


def test_no_real_portrait_is_refused(shared_data):
    paths = sorted((shared_data / "portraits").glob("*.jpg"))
    refused = {}
    for path in paths[::3]:
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        try:
            require_face(image)
        except NoFaceFound as error:
            refused[path.name] = str(error)
    assert not refused
    assert len(paths) > 30

"""Faces that are not upright: found as they are; a refusal says how to turn the photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from durian.errors import NoFaceFound
from durian.face import Crop, detect_faces, require_face
from durian.face.turning import turned_points
from durian.prepare import PortraitSource, load_portrait
from durian.ui.reading import portrait_from

AMONG = 700
"""Side of the picture that the portrait is turned in, pixels."""


def turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """A portrait turned clockwise in a grey picture, and the ``(2, 3)`` matrix from its pixels."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[:, 2] += AMONG / 2 - np.array([width, height]) / 2
    return cv2.warpAffine(image, matrix, (AMONG, AMONG), borderMode=cv2.BORDER_REPLICATE), matrix


@pytest.mark.parametrize("degrees", [0, 30, -60, 90, -90, 120, 135, -135, 180])
def test_landmarks_fit_whichever_way_up(collins, degrees):
    close_up = Crop(224.9, 138.2, 277.4).apply(collins, 400)
    upright = detect_faces(close_up)[0]
    picture, matrix = turned(close_up, degrees)
    face = detect_faces(picture)[0]
    expected = upright.landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(face.landmarks[:, :2] - expected, axis=1).mean() < 0.1 * upright.eye_distance
    assert (face.roll - upright.roll - degrees + 180) % 360 - 180 == pytest.approx(0, abs=8)


@pytest.mark.parametrize(
    ("degrees", "advice"),
    [
        (180, "turn the picture by 180 degrees and give it again"),
        (-150, "turn the picture by 180 degrees and give it again"),
        (120, "turn the picture by 90 degrees anticlockwise and give it again"),
        (-120, "turn the picture by 90 degrees clockwise and give it again"),
    ],
)
def test_upside_down_is_told_how_to_turn(hopper, degrees, advice):
    picture, _ = turned(hopper, degrees)
    with pytest.raises(NoFaceFound) as error:
        require_face(picture, what="photo.jpg")
    assert str(error.value) == f"The face in photo.jpg is not upright: {advice}."
    back = {"180": 2, "anticlockwise": 1, "clockwise": 3}
    turns = next(count for word, count in back.items() if f" {word} " in advice)
    assert abs(require_face(np.ascontiguousarray(np.rot90(picture, turns))).roll) < 50


@pytest.mark.parametrize(("degrees", "way"), [(75, "anticlockwise"), (90, "anticlockwise"), (-90, "clockwise")])
def test_a_portrait_does_not_lie(collins, degrees, way):
    picture, _ = turned(collins, degrees)
    with pytest.raises(NoFaceFound) as error:
        load_portrait(PortraitSource(picture))
    assert str(error.value) == (
        f"The face in the portrait is not upright: turn the picture by 90 degrees {way} and give it again."
    )
    with pytest.raises(NoFaceFound, match=f"not upright: turn the picture by 90 degrees {way}"):
        portrait_from(picture)


@pytest.mark.parametrize("degrees", [45, -45])
def test_a_portrait_may_tilt_its_head(collins, degrees):
    picture, _ = turned(collins, degrees)
    assert np.array_equal(load_portrait(PortraitSource(picture)).landmarks, portrait_from(picture).face.landmarks)


@pytest.mark.parametrize("degrees", [0, 45, -45, 90, -90])
def test_a_tilted_face_is_taken_as_it_is(collins, degrees):
    assert require_face(turned(collins, degrees)[0]).roll == pytest.approx(degrees, abs=15)


@pytest.mark.parametrize("turns", range(4))
def test_points_of_a_turned_picture(turns):
    picture = np.zeros((5, 7), np.uint8)
    picture[1, 4] = 255
    y, x = (int(place[0]) for place in np.nonzero(np.rot90(picture, turns)))
    assert turned_points(np.array([[x, y, 3.0]]), turns, 7, 5).tolist() == [[4, 1, 3]]


def patterns() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    y, x = np.mgrid[:300, :400]
    return {
        "noise": random.integers(0, 256, (300, 400, 3), np.uint8),
        "clouds": cv2.resize(random.integers(0, 256, (9, 12, 3), np.uint8), (400, 300), interpolation=cv2.INTER_CUBIC),
        "checks": np.repeat(((x // 25 + y // 25) % 2 * 255).astype(np.uint8)[..., None], 3, 2),
        "rings": np.repeat((127 + 127 * np.sin(np.hypot(x - 200, y - 150) / 6)).astype(np.uint8)[..., None], 3, 2),
    }


@pytest.mark.parametrize("name", ["noise", "clouds", "checks", "rings"])
def test_patterns_do_not_become_upside_down_faces(name):
    with pytest.raises(NoFaceFound, match=r"No face was found|does not look like|looks like a drawing|too small"):
        require_face(patterns()[name])


def test_animals_do_not_become_upside_down_faces():
    from skimage import data

    for turns in range(4):
        cat = np.ascontiguousarray(np.rot90(data.chelsea(), turns))
        with pytest.raises(NoFaceFound, match=r"No face was found|does not look like|looks like a drawing"):
            require_face(cat)


def test_an_upside_down_photo_of_a_report(shared_data):
    from durian.media import read_image

    with pytest.raises(NoFaceFound, match=r"not upright: turn the picture by 180 degrees"):
        require_face(read_image(shared_data / "bugs" / "tilt180.jpg"))

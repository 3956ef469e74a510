"""Fit estimates: every reason on made pictures, and the level that reasons add up to."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from faces_made import SIDE, UNIT, made_face, made_landmarks, made_portrait

from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL
from durian.geometry.mirror import pitch, yaw
from durian.layers import fit as fitting
from durian.layers.fit import (
    BARED,
    BLURRED,
    CUT,
    EXPOSED,
    LESS_TURNED,
    NODDED,
    TURNED,
    Finding,
    combined,
    fit,
    severity,
)
from durian.layers.sharpness import blur
from durian.motion.canonical import canonical_face
from durian.motion.rotations import euler
from durian.request import Attribute, Portrait

ROOM = 100
"""Pixels around the made face, so that items have room."""


def grain(image: np.ndarray) -> np.ndarray:
    """The picture with edges all over the face."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.where(((x // 30 + y // 30) % 2 > 0)[..., None], image, (0.5 * image).astype(np.uint8))


def roomy(landmarks: np.ndarray, image: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    image = grain(made_face(landmarks)) if image is None else image
    image = cv2.copyMakeBorder(image, ROOM, ROOM, ROOM, ROOM, cv2.BORDER_REPLICATE)
    return image, landmarks + np.float32([ROOM, ROOM, 0])


def item(landmarks: np.ndarray | None = None, name: str = "hat", **changes: object) -> Attribute:
    image, placed = roomy(made_landmarks() if landmarks is None else landmarks)
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[ROOM - 30 : ROOM + 20, ROOM + 60 : ROOM + 200] = 255
    return Attribute(**{"image": image, "mask": mask, "landmarks": placed, "name": name, **changes})


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    landmarks = made_landmarks()
    return made_portrait(grain(made_face(landmarks)), landmarks)


def turned(yaw_degrees: float = 0.0, pitch_degrees: float = 0.0) -> np.ndarray:
    face = UNIT * canonical_face() @ euler(yaw_degrees, pitch_degrees, 0).T
    return (face + np.array([SIDE / 2, 0.42 * SIDE, 0])).astype(np.float32)


def reasons(found: fitting.Fit) -> str:
    return " ".join(found.reasons)


def test_a_picture_of_the_same_face_is_good(portrait):
    assert fit(item(), portrait) == fitting.Fit("good")


def test_a_head_that_is_turned(portrait):
    made = turned(40)
    assert abs(yaw(made) - yaw(made_landmarks())) == pytest.approx(40, abs=0.1)
    hat = fit(item(made), portrait)
    assert hat.level == "poor"
    assert hat.reasons == (
        "The head in this picture is turned 40° from the portrait's: pick one that faces the same way.",
    )
    # Glasses are flat enough for that.
    assert fit(item(made, "glasses"), portrait).level == "fair"
    assert fit(item(turned(TURNED[0] - 1)), portrait).level == "good"
    assert fit(item(turned(LESS_TURNED[1] + 1), "glasses"), portrait).level == "poor"


def test_hair_that_will_be_mirrored_is_as_far_as_its_mirror_image():
    person = turned(-20)
    wearer = made_portrait(grain(made_face(person)), person)
    assert "turned" in reasons(fit(item(turned(20), "hat"), wearer))
    assert "turned" not in reasons(fit(item(turned(20), "hair"), wearer))


def test_a_head_that_is_bent(portrait):
    made = turned(0, NODDED[1])
    assert abs(pitch(made) - pitch(made_landmarks())) == pytest.approx(NODDED[1], abs=0.1)
    found = fit(item(made), portrait)
    assert found.reasons == (
        "The head in this picture is raised or bent 40° from the portrait's: pick one taken from the same height.",
    )


def test_a_face_of_24_pixels_between_the_eyes(portrait):
    whole = item()
    factor = 24 / UNIT
    size = tuple(round(factor * side) for side in whole.mask.shape[::-1])
    small = replace(
        whole,
        image=cv2.resize(whole.image, size, interpolation=cv2.INTER_AREA),
        mask=cv2.resize(whole.mask, size, interpolation=cv2.INTER_AREA),
        landmarks=whole.landmarks * np.float32(factor),
    )
    found = fit(small, portrait)
    assert found.level == "poor"
    assert found.reasons[0] == (
        "The face in this picture is small, 24 pixels between the eyes: pick a larger picture or one taken from nearer."
    )
    # In a result so small nobody would see it.
    assert "small" not in reasons(fit(small, portrait, 64))


def test_an_item_without_a_face_is_measured_itself(portrait):
    shop = item(landmarks=None)
    mask = np.zeros_like(shop.mask)
    mask[100:120, 100:136] = 255
    found = fit(replace(shop, landmarks=None, mask=mask), portrait)
    assert found.reasons[0].startswith("The item in this picture is small, 3")
    mask = np.zeros_like(shop.mask)
    mask[100:300, 100:300] = 255
    assert fit(replace(shop, landmarks=None, mask=mask), portrait).level == "good"


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", ["hair", "glasses"])
def test_an_item_cut_at_a_side(portrait, side, name):
    landmarks = made_landmarks()
    mask = np.zeros((SIDE, SIDE), np.uint8)
    columns = slice(0, 60) if side == "left" else slice(SIDE - 60, SIDE)
    mask[60:160, columns] = 255
    found = fit(Attribute(portrait.image, mask, landmarks, name), portrait)
    verb = "are" if name == "glasses" else "is"
    assert found.level == "poor"
    assert found.reasons == (
        f"The {name} {verb} cut at the {side} of this picture: pick one with room beside the head.",
    )


def test_a_cut_counts_by_its_length_and_at_the_top_less(portrait):
    landmarks, width = made_landmarks(), 140
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:40, 60 : 60 + width] = 255
    hat, other = (
        next(
            finding.severity
            for finding in fitting.findings(Attribute(portrait.image, mask, landmarks, name), portrait)
            if "cut at the top" in finding.reason
        )
        for name in ("hat", "other")
    )
    length = width / fitting.Head(landmarks).width
    assert other == pytest.approx(severity(length, CUT))
    assert hat == pytest.approx(severity(fitting.CONTINUED * length, CUT))


def test_a_cut_that_the_result_does_not_show_is_none(portrait):
    """Long hair that leaves its picture lower than the portrait's crop ends."""
    image, landmarks = roomy(made_landmarks())
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[ROOM:, ROOM + 60 : ROOM + 200] = 255
    assert fit(Attribute(image, mask, landmarks, "hair"), portrait).level == "good"
    mask = mask[: ROOM + SIDE - 30]
    found = fit(Attribute(image[: len(mask)], mask, landmarks, "hair"), portrait)
    assert "cut at the bottom" in reasons(found)


@pytest.mark.parametrize("sigma", [1.5, 2.5, 3.5])
def test_blur_is_measured(sigma):
    landmarks = made_landmarks()
    ideal = grain(made_face(landmarks))
    blurred = cv2.GaussianBlur(ideal, (0, 0), sigma)
    assert blur(blurred, landmarks) * UNIT == pytest.approx(sigma, rel=0.12)
    # In a picture twice as large it is twice as many pixels, and as much of the face.
    larger = cv2.resize(blurred, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert blur(larger, landmarks * 2) == pytest.approx(sigma / UNIT, rel=0.2)


def test_what_has_no_edges_has_no_blur():
    landmarks = made_landmarks()
    assert blur(np.full((SIDE, SIDE, 3), 90, np.uint8), landmarks) is None


def test_a_blurred_picture(portrait):
    whole = item()
    found = fit(replace(whole, image=cv2.GaussianBlur(whole.image, (0, 0), 4)), portrait)
    assert found.level == "poor"
    assert found.reasons == ("This picture is blurred: pick a sharper one.",)
    soft = replace(portrait, image=cv2.GaussianBlur(portrait.image, (0, 0), 4))
    assert fit(replace(whole, image=cv2.GaussianBlur(whole.image, (0, 0), 4)), soft).level == "good"
    assert BLURRED[0] > 1


def test_a_darkened_picture(portrait):
    whole = item()
    dark = replace(whole, image=(whole.image * 0.2).astype(np.uint8))
    found = fit(dark, portrait)
    own = fitting._exposure(dark.image, dark.landmarks)
    wearer = fitting._exposure(portrait.image, portrait.landmarks)
    assert own - fitting._exposure(whole.image, whole.landmarks) < -0.5
    assert wearer == 0
    assert found.level == ("poor" if -own >= EXPOSED[1] else "fair")
    assert found.reasons == ("This picture is too dark: pick one with more light on the face.",)
    shaded = replace(portrait, image=(portrait.image * 0.2).astype(np.uint8))
    assert fit(whole, shaded).reasons == ("The portrait is too dark: pick one with more light on the face.",)
    assert fit(dark, shaded).level == "good"


def test_a_mask_that_was_found_and_is_not_sure(portrait, monkeypatch):
    monkeypatch.setattr(fitting, "certainty_of", lambda *given: 0.5)
    assert fit(item(), portrait).reasons == (
        "The outline of the hat was not found for sure: check it, and click or paint what is wrong.",
    )
    monkeypatch.setattr(fitting, "certainty_of", lambda *given: 0.95)
    assert fit(item(), portrait).level == "good"


@pytest.mark.parametrize(
    ("severities", "level"),
    [
        ([], "good"),
        ([0.5, 0.99], "good"),
        ([1.0], "fair"),
        ([1.9, 1.2], "fair"),
        ([1.0, 1.0, 1.0], "poor"),
        ([2.0], "poor"),
        ([0.1, 2.5], "poor"),
    ],
)
def test_the_worst_decides_and_many_make_it_worse(severities, level):
    found = [Finding(value, f"{value}") for value in severities]
    made = combined(found)
    assert made.level == level
    assert list(made.reasons) == [f"{value}" for value in sorted(severities, reverse=True) if value >= 1]


def test_severity_is_one_and_two_at_its_limits():
    assert [severity(value, (10, 30)) for value in (0, 5, 10, 20, 30, 50)] == [0, 0.5, 1, 1.5, 2, 3]


@pytest.mark.parametrize(("reach", "level"), [(1.0, "poor"), (0.6, "good")])
def test_hair_under_a_scarf_that_goes_around_the_neck_is_poor(portrait, reach, level):
    landmarks = portrait.landmarks
    scarf = np.zeros(portrait.image.shape[:2], np.uint8)
    left, right = int(landmarks[234, 0]) - 15, int(landmarks[454, 0]) + 15
    scarf[: int(reach * SIDE), left:right] = 255
    cv2.fillPoly(scarf, [np.rint(landmarks[FACE_OVAL, :2]).astype(np.int32)], 0)
    found = fit(item(name="hair"), replace(portrait, worn={"hat": scarf}))
    assert found.level == level
    assert ("scarf" in reasons(found)) == (level == "poor")


@pytest.mark.parametrize(("share", "level"), [(0.8, "good"), (1.3, "fair"), (1.0 + BARED[1] / BARED[0], "poor")])
def test_hair_that_hides_more_than_the_new_hair_does_is_made_up_behind(portrait, share, level):
    """A square of the portrait's own hair beside what the new hair covers, ``share`` of the least that tells."""
    new = item(name="hair")
    width = Head(portrait.landmarks).width
    hair = np.zeros(portrait.image.shape[:2], np.uint8)
    covered = new.mask[ROOM:-ROOM, ROOM:-ROOM]
    hair[covered > 127] = 255
    side = int(np.sqrt(share * BARED[0]) * width)
    hair[-side:, :side] = 255
    found = fit(new, replace(portrait, worn={"hair": hair, "hat": np.zeros_like(hair)}))
    assert found.level == level
    assert ("made up" in reasons(found)) == (level != "good")


def test_hair_as_long_as_the_portraits_own_is_good(portrait):
    new = item(name="hair")
    hair = new.mask[ROOM:-ROOM, ROOM:-ROOM].copy()
    assert fit(new, replace(portrait, worn={"hair": hair, "hat": np.zeros_like(hair)})) == fitting.Fit("good")

"""The relief of faces: told from what is seen, laid on a face at any turn, and none where nothing shows any."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE as PICTURE
from faces_made import made_face, made_landmarks

from durian.geometry.mesh import FACE_OVAL, MESH_POINTS
from durian.geometry.raster import NOWHERE
from durian.layers.completion import complete_skin
from durian.layers.completion import face_relief as module
from durian.layers.completion.face_relief import (
    SIDE,
    FaceRelief,
    front_points,
    front_view,
    known_relief,
    likely_relief,
    pixels_of,
)
from durian.layers.skin import polygon
from durian.training.face_relief import principal_relief

ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
LOWER_LIP, CHIN_BALL, CHIN_TIP, CHEEK = 17, 200, 152, 50


def waves() -> np.ndarray:
    """Three shapes that reliefs are made of, ``(3, SIDE, SIDE) float32``."""
    down, across = np.pi * ROWS / SIDE, np.pi * COLUMNS / SIDE
    return np.stack([np.sin(2 * down), np.cos(2 * across) * np.sin(3 * down), np.sin(down) * np.cos(4 * across)])


def reliefs(number: int, seed: int) -> np.ndarray:
    strengths = np.random.default_rng(seed).normal(0, 0.1, (number, 3))
    return np.einsum("nk,kij->nij", strengths, waves()).astype(np.float32)


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_a_relief_on_a_face_is_seen_from_the_front(yaw: float):
    landmarks = made_landmarks(yaw=yaw)
    truth = 0.2 * waves()[0]
    x, y = pixels_of(landmarks, (PICTURE, PICTURE))
    covered = x != NOWHERE
    picture = cv2.remap(truth, x, y, cv2.INTER_LINEAR, borderValue=0)
    relief, seen = front_view(picture, covered, landmarks)
    assert seen.sum() > (0.25 if yaw else 0.5) * SIDE**2
    assert np.abs(relief - truth)[seen].max() < 0.06
    assert np.abs(relief - truth)[seen].mean() < 0.01


def test_what_is_hidden_is_told_from_what_is_seen():
    """Of each example a part is missing, and of the one asked for the lower half."""
    examples = reliefs(60, 0)
    known = np.random.default_rng(1).uniform(size=(60, 6, 6)) > 0.4
    known = np.repeat(np.repeat(known, SIDE // 6, 1), SIDE // 6, 2)
    noise = np.random.default_rng(2).normal(0, 0.01, examples.shape).astype(np.float32)
    model = principal_relief((examples + noise).reshape(60, -1), known.reshape(60, -1), modes=3)
    seen = ROWS < SIDE / 2
    for truth in reliefs(5, 9):
        told = model.expected(np.where(seen, truth, 7.0).astype(np.float32), seen)
        hidden = ~seen
        assert np.sqrt(np.mean((told - truth)[hidden] ** 2)) < 0.35 * np.sqrt(np.mean(truth[hidden] ** 2))


def test_flat_light_has_no_relief_and_neither_has_what_nobody_sees():
    model = known_relief()
    assert model is not None, "one ships"
    assert np.abs(model.expected(np.zeros((SIDE, SIDE), np.float32), ROWS < 40)).max() < 1e-6
    assert not model.expected(np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), bool)).any()


def test_a_model_is_kept_as_it_is(tmp_path):
    model = FaceRelief(waves().astype(np.float32), 0.5)
    model.write(tmp_path / "relief.npz")
    again = FaceRelief.read(tmp_path / "relief.npz")
    assert again.spread == pytest.approx(0.5)
    assert np.abs(again.modes - model.modes).max() < 1e-3


def test_the_shipped_one_makes_a_chin_where_a_face_shows_relief_above():
    """The strongest of its modes, seen on nose and cheeks: dark below the lip and along the jaw, bright on the chin."""
    model = known_relief()
    assert model is not None
    strongest = model.modes[np.abs(model.modes).mean((1, 2)).argmax()]
    places = np.rint(front_points()[:, :2]).astype(int)

    def at(relief: np.ndarray, place: np.ndarray) -> float:
        column, row = np.rint(place).astype(int)
        return float(relief[row, column])

    above = places[LOWER_LIP, 1] - 8 > ROWS
    told = max(
        (model.expected((sign * strongest).astype(np.float32), above) for sign in (-2, 2)),
        key=lambda relief: at(relief, places[CHIN_BALL]) - at(relief, places[CHIN_TIP] - [0, 2]),
    )
    fold = places[LOWER_LIP] + 0.25 * (places[CHIN_TIP] - places[LOWER_LIP])
    assert at(told, fold) < at(told, places[CHIN_BALL]) - 0.03
    assert at(told, places[CHIN_TIP] - [0, 2]) < at(told, places[CHIN_BALL]) - 0.03


def test_a_hidden_chin_has_the_relief_that_its_face_shows(monkeypatch):
    """A face whose cheeks are lit in a way that the model knows: closer to the truth with it than without."""
    landmarks = made_landmarks()
    truth = 0.25 * waves()[1]
    x, y = pixels_of(landmarks, (PICTURE, PICTURE))
    on_face = np.where(x != NOWHERE, cv2.remap(truth, x, y, cv2.INTER_LINEAR, borderValue=0), 0)
    picture = made_face(landmarks).astype(np.float32) * np.exp(on_face)[..., None]
    rows = np.arange(PICTURE)[:, None]
    hole = (polygon(landmarks[FACE_OVAL], picture.shape[:2]) > 0.5) & (rows > landmarks[LOWER_LIP, 1] - 6)
    errors = []
    for model in (FaceRelief(waves().astype(np.float32), 0.2), None):
        monkeypatch.setattr(module, "known_relief", lambda model=model: model)
        made, _ = complete_skin(np.where(hole[..., None], 127, picture), landmarks, (~hole).astype(np.float32))
        inner = cv2.erode(hole.astype(np.uint8), np.ones((9, 9))) > 0
        errors.append(np.abs(made - picture)[inner].mean())
        assert np.array_equal(made[~hole], picture[~hole].astype(np.float32))
    assert errors[0] < 0.8 * errors[1]


def test_without_a_model_there_is_none(monkeypatch):
    monkeypatch.setattr(module, "known_relief", lambda: None)
    landmarks = made_landmarks()
    seen = np.ones((PICTURE, PICTURE), bool)
    assert not likely_relief(np.ones((PICTURE, PICTURE), np.float32), seen, landmarks).any()


def test_it_lies_below_the_eyes_and_fades_out_beyond_the_face():
    landmarks = made_landmarks()
    off = np.full((PICTURE, PICTURE), 0.3, np.float32)
    made = likely_relief(off, polygon(landmarks[FACE_OVAL], off.shape) > 0.9, landmarks)
    assert made.any()
    brows = int(landmarks[:MESH_POINTS][[70, 300], 1].min())
    assert np.abs(made[: brows - 4]).max() < 0.1 * np.abs(made).max()
    assert np.abs(made[:8]).max() < 0.01 * np.abs(made).max()
    assert np.abs(made[:, :8]).max() < 0.01 * np.abs(made).max()

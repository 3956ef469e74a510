"""Completion protocol: inputs of the completers, the region compared, and the choice of holes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from durian.errors import InvalidRequest
from durian.evaluation.data.photographs import Photographs
from durian.evaluation.data.tasks import Task
from durian.evaluation.methods.completers import COMPLETERS, Gap, completed
from durian.evaluation.methods.methods import MethodSpec, process_method
from durian.evaluation.metrics import get_metric
from durian.evaluation.metrics.gradients import STABILITY, gradient_similarity
from durian.evaluation.protocols.completion import WIPED, completion_task, lent_hole, lent_item, regions_in
from durian.evaluation.protocols.interface import Options, get_protocol
from durian.evaluation.run.running import evaluate
from durian.face import default_crop, detect_faces

SIZE = 256
SMOOTH = ("push-pull", "telea", "navier-stokes")
"""Completers that only continue what is around the hole."""


@pytest.fixture(scope="module")
def face(collins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A face without hat, and its landmarks, ``SIZE`` pixels a side."""
    found = detect_faces(collins)[0]
    crop = default_crop(found, collins.shape)
    return crop.apply(collins, SIZE), crop.points(found.landmarks, SIZE)


@pytest.fixture(scope="module")
def hole(face) -> np.ndarray:
    """A band over forehead, hair and background."""
    _, landmarks = face
    x, y = landmarks[10, :2]
    cut = np.zeros((SIZE, SIZE), np.uint8)
    cv2.rectangle(cut, (int(x) - 90, int(y) - 40), (int(x) + 60, int(y) + 12), 1, -1)
    return cut.astype(bool)


@pytest.fixture
def folder(tmp_path: Path, collins: np.ndarray, hopper: np.ndarray) -> Path:
    """Somebody with a cap and somebody without."""
    Image.fromarray(collins).save(tmp_path / "collins.png")
    Image.fromarray(hopper).save(tmp_path / "hopper.png")
    return tmp_path


def test_a_hole_in_one_colour_is_completed_exactly(hole: np.ndarray, face):
    truth = np.full((SIZE, SIZE, 3), (200, 90, 30), np.uint8)
    wiped = truth.copy()
    wiped[hole] = WIPED
    for name in SMOOTH:
        made = COMPLETERS[name](Gap(wiped, hole, face[1], "hat"))
        off = np.abs(np.where(hole[..., None], made, wiped).astype(int) - truth)
        # OpenCV's fast marching loses a little of a level with every few pixels that it goes on.
        assert off.max() <= (5 if name == "telea" else 0), name


@pytest.mark.parametrize("name", COMPLETERS)
def test_what_is_in_the_hole_never_reaches_a_completer(name: str, face, hole: np.ndarray):
    truth, landmarks = face
    other = truth.copy()
    other[hole] = np.random.default_rng(3).integers(0, 256, (int(hole.sum()), 3))
    tasks = [completion_task("case", "hat", picture, landmarks, hole) for picture in (truth, other)]
    assert not np.array_equal(tasks[0].truth, tasks[1].truth)
    made = [completed(COMPLETERS[name], task) for task in tasks]
    assert np.array_equal(*made)
    assert np.array_equal(made[0][~hole], truth[~hole]), "what is known stays"
    assert (made[0][hole] != WIPED).any(axis=1).mean() > 0.9


def test_figures_are_taken_inside_the_hole_by_what_the_truth_shows(face, hole: np.ndarray):
    truth, landmarks = face
    task = completion_task("case", "hat", truth, landmarks, hole)
    parts = {name: region[0] for name, region in task.regions.items()}
    assert np.array_equal(parts["hole"], hole)
    for name in ("skin", "hair", "background"):
        assert parts[name].sum() > 100, name
        assert not (parts[name] & ~hole).any(), name
    assert not (parts["skin"] & parts["background"]).any()
    x, y = landmarks[10, :2].round().astype(int)
    assert parts["skin"][y + 8 : y + 12, x].all(), "the forehead is skin"
    assert parts["hair"][y - 12, x], "and above it is hair"
    forehead = np.zeros_like(hole)
    forehead[y + 11 : y + 21, x - 8 : x + 8] = True
    parts = regions_in(forehead, truth, landmarks)
    assert parts["skin"].sum() == 160
    assert not (parts["hair"] | parts["background"]).any()


def test_a_hole_is_another_persons_item_where_it_would_sit(folder: Path):
    protocol = get_protocol("completion")(Options(folder, photographs=Photographs(kinds=("hat",)), size=SIZE))
    (source,) = protocol.sources()
    assert (source.name, [path.name for path in source.files]) == ("collins-hat", ["collins.png", "hopper.png"])
    task = protocol.load(source)
    eyes, chin, forehead = (task.landmarks[k, :2] for k in (168, 152, 10))
    rows, columns = np.nonzero(task.hole)
    assert rows.mean() < forehead[1], "a cap sits above the forehead"
    assert abs(columns.mean() - eyes[0]) < 0.3 * (chin[1] - forehead[1])
    assert np.array_equal(task.image[~task.hole], task.truth[0][~task.hole])
    assert (task.image[task.hole] == WIPED).all()
    again = lent_hole(lent_item(source), task.landmarks, SIZE)
    assert np.array_equal(again, task.hole)
    for lids in (33, 133, 362, 263, 13):
        x, y = task.landmarks[lids, :2].round().astype(int)
        assert not task.hole[y, x]


def test_nobody_to_lend_an_item_is_told(folder: Path):
    with pytest.raises(InvalidRequest, match="beard"):
        get_protocol("completion")(Options(folder, photographs=Photographs(kinds=("beard",)))).sources()


def test_completers_are_methods_of_the_protocol(folder: Path):
    protocol = get_protocol("completion")(Options(folder, photographs=Photographs(kinds=("hat",)), size=SIZE))
    names = ("still", *protocol.usual_methods("preview"))
    assert names[1:] == tuple(COMPLETERS)
    evaluation = evaluate(protocol, [MethodSpec(name) for name in names])
    figures = {name: evaluation.results[name][0].figures for name in names}
    assert all(figures[name]["psnr/hole"] > figures["still"]["psnr/hole"] for name in SMOOTH)
    assert set(figures["telea"]) >= {f"{m}/{r}" for m in ("psnr", "ssim", "gradients") for r in ("hole", "hair")}


def test_completers_need_a_hole(face):
    image, landmarks = face
    whole = Task("case", "hat", image, landmarks, (), landmarks[None], 1.0)
    for name in ("telea", "oracle-warp"):
        with pytest.raises(InvalidRequest, match=name if name == "oracle-warp" else "completion"):
            process_method(MethodSpec(name)).frames(whole)


def test_gradients_are_compared_by_their_magnitudes():
    flat, step = np.full((9, 9, 3), 50, np.uint8), np.full((9, 9, 3), 50, np.uint8)
    step[:, 5:] = 80
    assert np.array_equal(gradient_similarity(step, step), np.ones((9, 9)))
    similarity = gradient_similarity(flat, step)
    # Prewitt's filter gives a step of 30 a magnitude of 30 on either side of it.
    expected = np.ones((9, 9))
    expected[:, 4:6] = STABILITY / (900 + STABILITY)
    assert similarity == pytest.approx(expected)
    shifted = gradient_similarity(step + np.uint8(20), step)
    assert shifted == pytest.approx(np.ones((9, 9))), "brightness is not an edge"
    metric = get_metric("gradients")
    assert (metric.higher_is_better, metric.best) == (True, 1.0)

"""Learning the relief of faces from photographs with drawn masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from durian.cli.main import main
from durian.errors import InvalidRequest
from durian.layers.completion.face_relief import SIDE
from durian.media import write_image
from durian.segmentation.drawn import LABELS, DrawnMask
from durian.training.face_relief import learn_relief

PHOTOGRAPHS = 12


@pytest.fixture(scope="module")
def drawn(collins, tmp_path_factory) -> list[DrawnMask]:
    """The same face under light from several sides, all of it skin."""
    folder = tmp_path_factory.mktemp("pictures")
    height, width = collins.shape[:2]
    labels = np.full((height // 2, width // 2), LABELS.index("skin"), np.uint8)
    found = []
    for number in range(PHOTOGRAPHS):
        slope = np.linspace(-1, 1, width)[None, :, None] * 0.3 * (number / PHOTOGRAPHS - 0.5)
        picture = folder / f"{number}.png"
        write_image(np.clip(collins * np.exp(slope), 0, 255).astype(np.uint8), picture)
        found.append(DrawnMask(picture, labels))
    return found


def test_the_relief_of_a_face_is_learned(drawn):
    calls = []
    model = learn_relief(drawn, modes=2, on_photograph=lambda done, total: calls.append((done, total)))
    assert calls == [(number, PHOTOGRAPHS) for number in range(1, PHOTOGRAPHS + 1)]
    assert model.modes.shape == (2, SIDE, SIDE)
    assert model.spread > 0
    mirrored = np.abs(model.modes[0] + model.modes[0][:, ::-1]) + np.abs(model.modes[0] - model.modes[0][:, ::-1])
    assert mirrored.max() > 0.02, "a nose has some"
    again = learn_relief(drawn, modes=2)
    assert np.array_equal(again.modes, model.modes)


def test_too_few_faces_are_told(drawn, tmp_path: Path):
    wall = tmp_path / "wall.png"
    write_image(np.full((200, 200, 3), 128, np.uint8), wall)
    with pytest.raises(InvalidRequest, match=r"2 of these photographs show a face with bare skin: give 10 or more\."):
        learn_relief([*drawn[:2], DrawnMask(wall, np.zeros((200, 200), np.uint8))])


def test_a_command_learns_it(drawn, tmp_path: Path, capsys):
    from hashlib import sha256

    masks = tmp_path / "masks"
    (masks / "train").mkdir(parents=True)
    lines = ["picture,sha256,split,size,strokes,drawn_from"]
    for mask in drawn:
        name = mask.picture.name
        cv2.imwrite(str(masks / "train" / name), mask.labels)
        digest = sha256(mask.picture.read_bytes()).hexdigest()
        lines.append(f"{name},{digest},train,{mask.labels.shape[1]}x{mask.labels.shape[0]},0,blank")
    (masks / "masks.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "relief.npz"
    line = ["train", "relief", "--masks", str(masks), "--pictures", str(drawn[0].picture.parent), "-o", str(out)]
    assert main([*line, "--modes", "2", "--json"]) == 0
    assert f'"photographs": {PHOTOGRAPHS}' in capsys.readouterr().out
    with np.load(out) as stored:
        assert stored["modes"].shape == (2, SIDE, SIDE)

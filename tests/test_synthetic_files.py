"""Rendered scenes: true pairs in pixels, files that evaluation reads, folders that are taken up again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from durian.cli.main import main
from durian.errors import InvalidRequest, WeightsMissing
from durian.synthetic.base.geometry import Label
from durian.synthetic.scenes.filming import film, films
from durian.synthetic.scenes.scene_files import class_map, columns_of, describe, tiled, write_scene
from durian.synthetic.scenes.scene_set import SceneSet, render_set
from durian.synthetic.scenes.scenes import TRIPLETS, scene
from durian.synthetic.studio.studio import Picture, Studio

SIZE = 64
HATS = replace(TRIPLETS, attributes={"hat": 1.0}, frames=2, wear=0.0)


@pytest.fixture
def with_model(head_model_file, settings_environment):
    settings_environment(head_model=head_model_file)


@pytest.fixture(scope="module")
def hat_film(head_model):
    return film(Studio(head_model), scene(1, HATS), SIZE, bare=True)


def blank(classes: np.ndarray, lens: np.ndarray) -> Picture:
    return Picture(
        np.zeros((*classes.shape, 3), np.uint8), classes, {}, lens, np.zeros(classes.shape), np.zeros((68, 2))
    )


def test_tiles_stand_in_rows():
    tiles = [np.full((2, 2, 3), value, np.uint8) for value in range(5)]
    grid = tiled(tiles, columns_of(5))
    assert grid.shape == (4, 6, 3)
    assert grid[::2, ::2, 0].tolist() == [[0, 1, 2], [3, 4, 0]]
    assert columns_of(16) == 4


def test_glass_stands_before_skin_but_not_before_frames():
    classes = np.array([[Label.FACE, Label.FRAME], [Label.FACE, Label.HAIR]], np.uint8)
    lens = np.array([[255, 255], [0, 200]], np.uint8)
    expected = [[Label.LENS, Label.FRAME], [Label.FACE, Label.LENS]]
    assert class_map(blank(classes, lens)).tolist() == expected


@pytest.mark.slow
def test_only_the_item_and_its_shadow_change(hat_film):
    """Far from hat, hair and what they shade, the target is the portrait in the same moment, to a level or two."""
    for bare, target in zip(hat_film.bare, hat_film.pictures[4:], strict=True):
        assert (target.classes == Label.HAT).any()
        assert not (bare.classes == Label.HAT).any()
        np.testing.assert_array_equal(bare.landmarks, target.landmarks)
        background = (bare.classes == Label.BACKGROUND) & (target.classes == Label.BACKGROUND)
        change = np.abs(bare.rgb.astype(int) - target.rgb.astype(int)).max(axis=2)
        assert np.median(change[background]) == 0
        assert change[target.classes == Label.HAT].mean() > 10


@pytest.mark.slow
def test_files_hold_what_was_rendered(hat_film, tmp_path):
    path = write_scene(hat_film, tmp_path)
    about = json.loads(path.read_text())
    assert about == json.loads(json.dumps(describe(hat_film, 3)))
    assert about["attribute"] == "hat"
    assert about["labels"] == [Label.HAT]
    assert about["portrait_had"] == "none"
    assert about["roles"] == ["portrait"] * 2 + ["reference"] * 2 + ["target"] * 2
    assert np.array(about["landmarks"]).shape == (6, 68, 2)
    with Image.open(tmp_path / "00001.png") as picture:
        classes = np.asarray(picture)
    assert np.array_equal(classes[:SIZE, 2 * SIZE :], class_map(hat_film.pictures[2]))
    with Image.open(tmp_path / "00001-hat.png") as picture:
        mask = np.asarray(picture)
    assert np.array_equal(mask[:SIZE, 2 * SIZE :], hat_film.pictures[2].coverage["hat"])
    assert mask[:SIZE, : 2 * SIZE].max() == 0  # no portrait wears it
    with Image.open(tmp_path / "00001.webp") as picture:
        tiles = np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(tiles[:SIZE, :SIZE] - hat_film.pictures[0].rgb).mean() < 8
    with Image.open(tmp_path / "00001-bare.webp") as picture:
        assert picture.size == (2 * SIZE, SIZE)


@pytest.mark.slow
def test_evaluation_reads_a_scene(with_model, tmp_path, head_model):
    from durian.synthetic.scenes.scene_reading import read_scene

    made = film(Studio(head_model), scene(0, replace(TRIPLETS, attributes={"hat": 1.0})))
    read = read_scene(write_scene(made, tmp_path))
    assert read.items == {"hat": (2, 3)}
    assert np.array_equal(read.labels[2] == Label.HAT, made.pictures[2].classes == Label.HAT)
    assert np.array_equal(read.masks("hat")[2], made.pictures[2].coverage["hat"])
    assert np.abs(read.tiles[15].astype(int) - made.pictures[15].rgb).mean() < 8


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_folder_is_taken_up_again_and_does_not_depend_on_who_rendered_it(with_model, tmp_path, no_leftovers):
    wanted = SceneSet(tmp_path / "here", 2, HATS, SIZE, seed=4)
    seen = []
    assert render_set(wanted, workers=0, on_scene=lambda done, total: seen.append((done, total))) == 2
    assert seen == [(0, 2), (1, 2), (2, 2)]
    first = contents(wanted.folder)
    assert render_set(wanted, workers=0) == 0
    for name in ("00001.json", "00001.webp"):
        (wanted.folder / name).unlink()
    assert render_set(wanted, workers=0) == 1
    assert contents(wanted.folder) == first
    elsewhere = replace(wanted, folder=tmp_path / "elsewhere")
    render_set(elsewhere, workers=2)
    assert contents(elsewhere.folder) == first


@pytest.mark.slow
def test_a_stream_of_scenes_is_in_order_and_may_be_left(with_model):
    plots = [made.scene.number for made in films([5, 2], HATS, size=SIZE)]
    assert plots == [5, 2]
    import itertools

    stream = films(itertools.count(), HATS, size=SIZE, workers=1)
    assert next(stream).scene.number == 0
    assert next(stream).scene.number == 1
    stream.close()


def test_other_settings_do_not_mix(with_model, tmp_path):
    wanted = SceneSet(tmp_path, 1, HATS, SIZE)
    (tmp_path / "about.json").write_text(json.dumps(wanted.about()))
    with pytest.raises(InvalidRequest, match=r"holds scenes with size 64, not 128: give the same settings"):
        render_set(replace(wanted, size=128))


@pytest.mark.parametrize("changes", [{"size": 16}, {"count": 0}, {"first": -1}, {"first": 99_999, "count": 2}])
def test_sets_that_cannot_be_are_refused(tmp_path, changes):
    with pytest.raises(InvalidRequest, match="give"):
        replace(SceneSet(tmp_path, 1, HATS, SIZE), **changes)


def test_without_a_head_one_sentence_says_how_to_get_it(tmp_path, settings_environment, capsys):
    settings_environment(head_model=tmp_path / "none.npz")
    with pytest.raises(WeightsMissing, match="synth build-model"):
        next(films([0], HATS, workers=1))
    assert main(["synth", "render", "-o", str(tmp_path / "out"), "--scenes", "1"]) == 2
    assert "DURIAN_HEAD_MODEL" in capsys.readouterr().err

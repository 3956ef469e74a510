"""Synthetic scenes: read whatever their grid, and made into clips with true masks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from preparation_made import COLLINS, HOPPER, TILE, close_up, hat_labels, make_scene, moving

from durian.cli.main import main
from durian.clips import Clip
from durian.errors import InvalidRequest, UnreadableMedia
from durian.face import eye_distance
from durian.face.landmarks import detect_upscaled
from durian.synthetic.base.geometry import Label
from durian.synthetic.scenes.scene_reading import read_scene, scene_names
from durian.training.preparation.folder import prepare
from durian.training.preparation.scenes import prepare_scene
from durian.training.preparation.settings import Preparation

ROLES = ("portrait", "portrait", "reference", "reference", *("target",) * 4)


@pytest.fixture(scope="module")
def tiles(collins, hopper) -> list[np.ndarray]:
    """Portraits, references, targets; the second portrait and the second reference show nobody."""
    person, owner = close_up(collins, COLLINS, TILE), close_up(hopper, HOPPER, TILE)
    wall = np.full_like(person, 90)
    return [person, wall, owner, wall, *moving(person, 4, speed=2)]


@pytest.fixture(scope="module")
def soft() -> np.ndarray:
    """Masks of the hat with a soft edge, on references and targets."""
    masks = np.zeros((len(ROLES), TILE, TILE), np.uint8)
    masks[2:, : TILE // 3] = 255
    masks[2:, TILE // 3] = 100
    return masks


@pytest.fixture
def wanted(tmp_path) -> Preparation:
    (tmp_path / "scenes").mkdir()
    return Preparation(tmp_path / "scenes", tmp_path / "clips", kind="scenes")


def made(wanted: Preparation, tiles, number: int = 0, roles=ROLES, soft=None, **about):
    labels = hat_labels(len(tiles), [place for place, role in enumerate(roles) if role != "portrait"])
    soft = None if soft is None else {"hat": soft}
    return make_scene(wanted.sources, number, tiles, roles, labels, soft, **about)


# Reading


def test_a_scene_is_read_as_it_was_written(wanted, tiles, soft):
    path = made(wanted, tiles, 7, soft=soft)
    scene = read_scene(path)
    assert (scene.name, scene.kind, scene.fps, scene.roles) == ("00007", "triplet", 10.0, ROLES)
    assert scene.people == (0, 0, 1, 1, 0, 0, 0, 0)
    assert scene.items == {"hat": (2, 3)}
    assert scene.shots("target") == [4, 5, 6, 7]
    np.testing.assert_array_equal(scene.tiles, np.stack(tiles))
    np.testing.assert_array_equal(scene.masks("hat"), soft)
    hair = scene.masks("hair")
    np.testing.assert_array_equal(hair == 255, scene.labels == Label.HAIR)
    assert set(np.unique(hair)) == {0, 255}
    assert scene.bare is None
    assert scene_names(wanted.sources) == ["00007"]


def test_scenes_of_the_trial_are_read_without_being_told_how(wanted, tiles):
    sixteen = [*tiles, *tiles[4:], *tiles[4:]]
    path = made(wanted, sixteen, roles=(*ROLES, *("target",) * 8))
    old = {"attribute": "hat", "labels": [16], "style": "cap", "portrait_had": "none", "frames": [{"yaw": 0.0}] * 16}
    path.write_text(json.dumps(old))
    scene = read_scene(path)
    assert scene.roles == ("portrait",) * 2 + ("reference",) * 2 + ("target",) * 12
    assert scene.people == (0, 0, 1, 1, *(0,) * 12)
    assert scene.items == {"hat": (2, 3)}
    np.testing.assert_array_equal(scene.tiles[15], tiles[7])


def test_scenes_that_are_not_as_told_are_refused(wanted, tiles):
    path = made(wanted, tiles, size=64)
    with pytest.raises(UnreadableMedia, match=r"Scene 00000 cannot be read .*768×768 pixels where 192×192 are told"):
        read_scene(path)
    path.with_suffix(".png").unlink()
    path.write_text("{}")
    with pytest.raises(UnreadableMedia, match="give a folder that durian synth render made"):
        read_scene(path)


# Clips


def test_a_scene_becomes_a_clip_without_the_shots_that_show_nobody(wanted, tiles, soft):
    made(wanted, tiles, soft=soft)
    record = prepare_scene("00000", wanted)
    assert [(part.reason, part.first) for part in record.left_out] == [("lost", 1), ("lost", 3)]
    clip = Clip(wanted.out / record.made[0].file)
    about = clip.about
    assert about.roles == ("portrait", "reference", *("target",) * 4)
    assert about.people == (0, 1, 0, 0, 0, 0)
    assert (about.items, about.item_frames, about.has_truth) == (("hat",), {"hat": (1,)}, True)
    assert (about.kind, about.fps, about.size) == ("triplet", 10.0, 256)
    np.testing.assert_array_equal(clip.frame(1).masks["hat"], soft[2])
    assert set(clip.frame(0).masks) == {"hair"}
    np.testing.assert_allclose(clip.landmarks[1], detect_upscaled(tiles[2]), atol=1e-4)
    assert np.abs(clip.frame(2).image.astype(int) - tiles[4]).mean() < 4


def test_another_size_scales_everything(wanted, tiles, soft):
    made(wanted, tiles, soft=soft)
    small = Preparation(wanted.sources, wanted.out / "small", kind="scenes", size=128)
    clip = Clip(small.out / prepare_scene("00000", small).made[0].file)
    assert clip.frame(0).image.shape == (128, 128, 3)
    assert eye_distance(clip.landmarks[0]) == pytest.approx(eye_distance(detect_upscaled(tiles[0])) / 2, rel=1e-3)
    assert clip.frame(1).masks["hat"].mean() == pytest.approx(soft[2].mean(), rel=0.01)


def test_a_target_without_a_face_gets_its_landmarks_from_those_beside_it(wanted, tiles):
    made(wanted, [*tiles[:5], tiles[1], *tiles[6:]])
    clip = Clip(wanted.out / prepare_scene("00000", wanted).made[0].file)
    assert clip.about.frames_of("target") == [2, 3, 4, 5]
    np.testing.assert_allclose(clip.landmarks[3], (clip.landmarks[2] + clip.landmarks[4]) / 2, atol=1e-3)


@pytest.mark.parametrize(
    ("lost", "reason"), [((0,), "portrait_lost"), ((2,), "reference_lost"), ((4, 5), "targets_lost")]
)
def test_scenes_without_a_face_where_one_is_needed_are_left_out(wanted, tiles, lost, reason):
    made(wanted, [tiles[1] if place in lost else tile for place, tile in enumerate(tiles)])
    record = prepare_scene("00000", wanted)
    assert [part.reason for part in record.left_out] == [reason]
    assert not record.made
    assert not wanted.out.exists()


def test_where_nothing_changes_hands_what_is_seen_throughout_can_be_learnt(wanted, tiles):
    made(wanted, tiles, kind="clip", items=[], frames=[{"person": 5}] * len(tiles))
    clip = Clip(wanted.out / prepare_scene("00000", wanted).made[0].file)
    assert (clip.about.kind, clip.about.items, clip.about.item_frames) == ("clip", ("hair", "hat"), {})
    assert not clip.about.has_truth
    assert set(clip.about.people) == {0}
    only = Preparation(wanted.sources, wanted.out / "glasses", kind="scenes", categories=("glasses",))
    assert [part.reason for part in prepare_scene("00000", only).left_out] == ["nothing_worn"]


def test_the_command_makes_clips_of_what_can_be_read(wanted, tiles, capsys):
    made(wanted, tiles, 3)
    made(wanted, tiles, 4).with_suffix(".webp").write_bytes(b"broken")
    (wanted.sources / "about.json").write_text(json.dumps({"licence": "Nobody is real."}))
    command = ["prepare", "--scenes", str(wanted.sources), "-o", str(wanted.out), "--json"]
    assert main(command) == 0
    report = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (report["sources"], report["clips"], report["frames"]) == (2, 1, 6)
    assert report["left_out"] == {"lost": 2, "unreadable": 1}
    assert json.loads((wanted.out / "about.json").read_text())["licence"] == "Nobody is real."


def test_clips_are_not_put_among_the_scenes(wanted, tiles):
    made(wanted, tiles)
    (wanted.sources / "about.json").write_text(json.dumps({"size": 256, "seed": 0}))
    with pytest.raises(InvalidRequest, match="give the same settings to go on with it, or another folder"):
        prepare(Preparation(wanted.sources, wanted.sources, kind="scenes"))

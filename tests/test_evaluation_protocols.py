"""Protocols: tasks from data, and runs that continue after broken cases and after a stop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes_made import HAT, HAT_COLOUR, TARGETS, face_tiles, write_made_scene

from durian.errors import InvalidRequest, UnreadableMedia, WeightsMissing
from durian.evaluation.data.cases import CaseResult, Source
from durian.evaluation.data.footage import Footage
from durian.evaluation.data.scene_tasks import choose_scenes, scene_sources, scene_task
from durian.evaluation.methods.methods import MethodSpec, Paste, parse_method
from durian.evaluation.metrics import BEST_PSNR
from durian.evaluation.protocols.interface import PROTOCOLS, Options, get_protocol
from durian.evaluation.protocols.interpolation import sweep_figures
from durian.evaluation.protocols.robustness import LIGHT_GAPS, POSE_GAPS, Cell, heat_map, render_cell
from durian.evaluation.protocols.self_attribute import reference_frames
from durian.evaluation.report.summary import from_worst, printed
from durian.evaluation.run.running import evaluate
from durian.face.landmarks import detect_upscaled
from durian.synthetic.base.geometry import Label
from durian.synthetic.scenes.scene_reading import read_scene

STILL = MethodSpec("still")
PIXELS = ("psnr", "ssim", "l1")
"""Metrics that are quick."""


@pytest.fixture(scope="module")
def faces(collins: np.ndarray, hopper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return face_tiles(collins, hopper)


@pytest.fixture
def scenes(tmp_path: Path, faces) -> Path:
    """Two scenes, 0 and 1; in the second the people have changed places."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    write_made_scene(folder, 0, *faces)
    write_made_scene(folder, 1, *faces[::-1])
    return folder


class CountingRenderer:
    """Gives the portrait back and counts how often it was asked."""

    name, asked = "counting", 0

    def render_landmarks(self, request, driving):
        type(self).asked += 1
        for _ in driving:
            yield request.portrait.crop.apply(request.portrait.image, request.options.size)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[CountingRenderer]:
    from durian import renderer as renderers

    monkeypatch.setitem(renderers._FACTORIES, "counting", CountingRenderer)
    monkeypatch.setattr(CountingRenderer, "asked", 0)
    return CountingRenderer


# Data


def test_scenes_are_chosen_by_number(tmp_path: Path):
    for number in (2, 400, 401):
        (tmp_path / f"{number:05d}.json").write_text("{}")
    chosen = {which: [path.stem for path in choose_scenes(tmp_path, which)] for which in ("test", "all", "0-400")}
    assert chosen == {"test": ["00400", "00401"], "all": ["00002", "00400", "00401"], "0-400": ["00002", "00400"]}
    for wrong in ("some", "500-600", "5", "0-" + "9" * 5000, "٠-٩"):
        with pytest.raises(InvalidRequest):
            choose_scenes(tmp_path, wrong)
    (tmp_path / "00400.json").unlink()
    (tmp_path / "00401.json").unlink()
    assert [path.stem for path in choose_scenes(tmp_path, "test")] == ["00002"], "a set of its own is a test set"


def test_a_scene_of_any_grid_is_cut_into_tiles(scenes: Path, faces):
    scene = read_scene(scenes / "00000.json")
    assert scene.tiles.shape == (4 + TARGETS, 256, 256, 3)
    assert np.array_equal(scene.tiles[1], faces[0])
    assert np.array_equal(scene.tiles[2][100:], faces[1][100:])
    assert scene.masks("hat")[[0, 2, 5]].astype(bool).sum(axis=(1, 2)).tolist() == [0, 4000, 4000]
    assert np.array_equal(scene.bare[-1], faces[0])


def test_an_old_scene_has_sixteen_tiles_and_hard_masks(tmp_path: Path, faces):
    labels = np.zeros((1024, 1024), np.uint8)
    labels[512:552, 10:30] = 14
    Image.fromarray(np.tile(faces[0], (4, 4, 1))).save(tmp_path / "00007.webp", lossless=True)
    Image.fromarray(labels).save(tmp_path / "00007.png")
    (tmp_path / "00007.json").write_text(json.dumps({"attribute": "glasses", "labels": [14, 15]}))
    scene = read_scene(tmp_path / "00007.json")
    assert scene.shots("target") == list(range(4, 16))
    assert scene.items == {"glasses": (2, 3)}
    assert [int(mask.sum()) for mask in scene.masks("glasses")[7:10]] == [0, 255 * 800, 0]
    (tmp_path / "00008.json").write_text("{}")
    with pytest.raises(UnreadableMedia, match="00008"):
        read_scene(tmp_path / "00008.json")


def test_a_scene_becomes_a_task(scenes: Path, faces):
    task = scene_task(scene_sources(scenes, "all", 1)[0])
    assert task.group == "hat"
    assert np.array_equal(task.image, faces[0])
    assert (task.truth[:, 30, 100] == HAT_COLOUR).all()
    assert task.attributes[0].mask[HAT].all()
    assert task.facts["pose_gap"] == pytest.approx(30, abs=0.01)
    assert task.facts["light_gap"] == 1.5
    # The face does not move, so its landmarks are those of the portrait.
    assert np.abs(task.driving - task.landmarks)[..., :2].mean() < 1.5
    changed = task.regions["changed"][0]
    assert changed[HAT].mean() > 0.95
    assert changed.sum() == changed[HAT].sum()
    assert not task.regions["face"][0][HAT].any()
    with pytest.raises(InvalidRequest, match="1 items, not 2"):
        scene_task(scene_sources(scenes, "all", 1)[0], items=2)


def test_glasses_and_pairs_have_regions_of_their_own():
    from dataclasses import dataclass

    from durian.evaluation.data.scene_tasks import regions_apart

    @dataclass
    class Pair:
        items = {"glasses": (2,), "hat": (3,)}  # noqa: RUF012
        labels = np.array([[[Label.FRAME, Label.LENS, Label.HAT, Label.FACE, Label.NECK]]], np.uint8)
        bare = None

        def masks(self, attribute: str) -> np.ndarray:
            worn = {"glasses": (255, 255, 0, 0, 0), "hat": (0, 0, 255, 0, 0)}
            return np.array([[worn[attribute]]])

    regions = {name: region[0, 0].tolist() for name, region in regions_apart(Pair(), [0]).items()}
    assert regions == {
        "face": [False, False, False, True, False],
        "lens": [False, True, False, False, False],
        "frame": [True, False, False, False, False],
        "glasses": [True, True, False, False, False],
        "hat": [False, False, True, False, False],
    }


def test_references_of_a_clip_are_drawn_by_its_name_and_show_a_face():
    known = np.array([True, False, True, True, True, True])
    footage = Footage(np.zeros((6, 4, 4, 3), np.uint8), np.zeros((6, 478, 3), np.float32), known, 12.0)
    drawn = {name: reference_frames(footage, 0, name) for name in "abcdefgh"}
    assert all(len(set(pair)) == 2 and 1 not in pair for pair in drawn.values())
    assert len({tuple(pair) for pair in drawn.values()}) > 2
    assert drawn["a"] == reference_frames(footage, 0, "a")
    short = Footage(footage.frames[:2], footage.landmarks[:2], known[:2], 12.0)
    with pytest.raises(InvalidRequest, match="too few frames"):
        reference_frames(short, 0, "short")


def test_real_clips_give_their_own_and_each_others_items(collins: np.ndarray, hopper: np.ndarray, tmp_path: Path):
    from durian.media import write_video

    for name, picture in (("collins", collins), ("hopper", hopper)):
        frames = [np.ascontiguousarray(np.roll(picture, shift, axis=1)[:400, 50:450]) for shift in (0, 3, 6, 9)]
        write_video(frames, tmp_path / f"{name}.mp4", 12)
    own = get_protocol("self")(Options(tmp_path, seed=3))
    assert [source.name for source in own.sources()] == ["collins-hair", "hopper-hair"]
    task = own.load(own.sources()[0])
    assert task.truth.shape == (2, 512, 512, 3)
    assert all(not np.array_equal(frame, task.image) for frame in task.truth)
    crossed = get_protocol("cross")(Options(tmp_path))
    assert [source.name for source in crossed.sources()] == ["hopper-hair-of-collins", "collins-hair-of-hopper"]
    other = crossed.load(crossed.sources()[0])
    assert other.truth is None
    assert other.clip.shape == (3, 512, 512, 3)
    # The portrait is Hopper's first frame, the reference one of Collins's.
    square = np.asarray(Image.fromarray(hopper[:400, 50:450]).resize((512, 512)))
    assert np.abs(other.image.astype(int) - square).mean() < 6
    assert np.abs(other.attributes[0].image.astype(int) - square).mean() > 30


# Runs


def test_the_still_portrait_is_perfect_outside_a_hat_that_is_all_that_changes(scenes: Path):
    evaluation = evaluate(get_protocol("triplets")(Options(scenes, "all", metrics=PIXELS)), [STILL])
    report = printed(evaluation)
    assert report["scenes"] == 2
    assert report["still"]["outside"]["psnr"] == BEST_PSNR
    assert report["still"]["inside"]["psnr"] < 20
    assert report["by_attribute"]["hat"]["still"] == report["still"]
    assert (report["skipped"], report["filled_frames"]) == ([], 0)
    assert json.loads(json.dumps(report)) == report
    worst, best = from_worst(evaluation, "still")
    assert worst.figures["psnr/inside"] <= best.figures["psnr/inside"]


def test_true_frames_of_another_method_score_best(scenes: Path, tmp_path: Path):
    for number in (0, 1):
        folder = tmp_path / "truth" / f"{number:05d}"
        folder.mkdir(parents=True)
        for index, frame in enumerate(read_scene(scenes / f"{number:05d}.json").tiles[4:]):
            Image.fromarray(frame).save(folder / f"{index:05d}.png")
    method = parse_method(f"frames={tmp_path / 'truth'}")
    assert method.name == "truth"
    report = printed(evaluate(get_protocol("triplets")(Options(scenes, "all", metrics=PIXELS)), [method]))
    for region in ("all", "inside", "outside", "face", "changed"):
        assert report["truth"][region]["psnr"] == BEST_PSNR
        assert report["truth"][region]["l1"] == 0
    (tmp_path / "truth" / "00001" / "00002.png").unlink()
    short = evaluate(get_protocol("triplets")(Options(scenes, "all", metrics=PIXELS)), [method])
    assert short.cases == ["00000"]
    assert "holds 2 frames of 00001: give 3" in short.skipped["00001"]


def test_a_run_goes_on_and_a_broken_case_is_named(scenes: Path, tmp_path: Path, counting: type[CountingRenderer]):
    whole = (scenes / "00001.webp").read_bytes()
    (scenes / "00001.webp").write_bytes(whole[:500])
    methods, out = [STILL, MethodSpec("counting")], tmp_path / "out"

    def run(size: int = 128):
        protocol = get_protocol("triplets")(Options(scenes, "all", size=size, metrics=PIXELS))
        return evaluate(protocol, methods, folder=out)

    first = run()
    assert counting.asked == 1
    assert first.cases == ["00000"]
    assert "Scene 00001 cannot be read" in first.skipped["00001"]
    (scenes / "00001.webp").write_bytes(whole)
    second = run()
    assert counting.asked == 2, "only the repaired scene is rendered"
    assert second.cases == ["00000", "00001"]
    assert second.results["counting"][0] == first.results["counting"][0]
    assert not second.skipped
    run(size=64)
    assert counting.asked == 4, "results of another size are not these"
    # A crash may leave half a file, and somebody may change a scene: both are made again.
    run()
    (out / "results" / "counting" / "00000.json").write_text('{"key"')
    (scenes / "00001-bare.webp").unlink()
    before = counting.asked
    run()
    assert counting.asked == before + 2


def test_a_run_of_broken_cases_only_says_why(scenes: Path):
    for path in scenes.glob("*.webp"):
        path.write_bytes(b"nothing")
    with pytest.raises(InvalidRequest, match="None of 2 cases could be scored; 00000: Scene 00000 cannot be read"):
        evaluate(get_protocol("triplets")(Options(scenes, "all", metrics=PIXELS)), [STILL])


def test_two_methods_of_one_name_are_refused(scenes: Path):
    with pytest.raises(InvalidRequest, match="Two methods are called still"):
        evaluate(get_protocol("triplets")(Options(scenes, "all", metrics=PIXELS)), [STILL, STILL])


@pytest.mark.slow
def test_workers_give_the_same_scores(scenes: Path):
    protocol, methods = (
        get_protocol("triplets")(Options(scenes, "all", size=128, metrics=PIXELS)),
        [STILL, MethodSpec("preview")],
    )
    alone = evaluate(protocol, methods)
    assert evaluate(protocol, methods, workers=2).results == alone.results
    inside = printed(alone)["preview"]["inside"]["psnr"]
    assert inside > printed(alone)["still"]["inside"]["psnr"] + 2


def test_reenact_on_a_face_that_shifts(collins: np.ndarray, tmp_path: Path):
    from durian.media import write_video

    shifted = [np.roll(collins, shift, axis=1)[:400, 30:430] for shift in (0, 4, 8, 12)]
    write_video([np.ascontiguousarray(frame) for frame in shifted], tmp_path / "shift.mp4", 10)
    (tmp_path / "notes.txt").write_text("no clip")
    protocol = get_protocol("reenact")(Options(tmp_path, metrics=(*PIXELS, "landmarks")))
    report = printed(evaluate(protocol, [STILL, MethodSpec("preview")], sheets=tmp_path / "sheets"))
    assert report["clips"] == 1
    # Twelve pixels are a quarter of the eye distance: a still first frame misses by far more than three percent.
    assert report["landmark_error_percent"] < 4
    assert report["still"]["all"]["landmarks"] > 8
    assert report["psnr"] == pytest.approx(report["preview"]["all"]["psnr"], abs=1e-3)
    assert {"ssim", "still_psnr", "still_ssim", "better_than_still_percent"} <= set(report)
    assert (tmp_path / "sheets" / "shift.png").is_file()
    with pytest.raises(InvalidRequest, match="holds no clips"):
        get_protocol("reenact")(Options(tmp_path / "sheets")).sources()


# Interpolation and robustness


def test_figures_of_a_sweep_are_those_worked_out_by_hand():
    levels = np.array([0, 10, 20, 15, 51], np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (5, 8, 8, 3))
    figures = sweep_figures(frames, frames[[0, 4]])
    assert figures["end_error/all"] == 0
    # One step of four leads back.
    assert figures["monotone/all"] == 75
    assert figures["largest_step/all"] == pytest.approx(36 / np.mean([10, 10, 5, 36]))
    off = sweep_figures(frames, np.stack([frames[1], frames[4]]))
    assert off["end_error/all"] == pytest.approx(100 * 10 / 255 / 2)
    still = sweep_figures(frames[[0, 0, 0]], frames[[0, 0]])
    assert still == {"end_error/all": 0, "monotone/all": 0}


def test_a_sweep_starts_and_ends_at_the_single_items(scenes: Path):
    protocol = get_protocol("interpolation")(Options(scenes, "all", metrics=PIXELS))
    sources = protocol.sources()
    assert [source.name for source in sources] == ["00000", "00001"]
    task = protocol.load(sources[0])
    assert [attribute.name for attribute in task.attributes] == ["hat", "hat"]
    frames = Paste().frames(task)
    singles = [Paste().frames(task.alone(index))[0] for index in range(2)]
    assert np.array_equal(frames[0], singles[0])
    assert np.array_equal(frames[-1], singles[1])
    figures = sweep_figures(frames, np.stack(singles))
    assert figures["end_error/all"] == 0
    assert figures["monotone/all"] == 100
    assert task.alone(1).name == "00000-second"


def test_a_heat_map_has_the_mean_of_each_cell():
    cases = [
        CaseResult(str(number), "still", figures={"psnr/face": value}, facts={"pose": pose, "light": light})
        for number, (pose, light, value) in enumerate([(0, 0, 10.0), (0, 0, 20.0), (45, 4, 7.0)])
    ]
    heat = heat_map([*cases, CaseResult("x", "still", facts={"pose": 15, "light": 1})], "psnr/face")
    assert (len(heat), len(heat[0])) == (len(POSE_GAPS), len(LIGHT_GAPS))
    assert heat[0][0] == 15
    assert heat[-1][-1] == 7
    assert heat[1][1] is None


def test_a_grid_that_cannot_be_rendered_says_what_is_missing(tmp_path: Path, settings_environment):
    settings_environment(head_model=tmp_path / "none.npz")
    with pytest.raises(WeightsMissing):
        render_cell(Cell(15, 1), tmp_path / "grid", 1)


def test_every_protocol_is_there_and_another_is_refused(tmp_path: Path):
    from durian.cli.parser import PROTOCOLS as OFFERED

    made = {name: get_protocol(name)(Options(tmp_path)) for name in PROTOCOLS}
    assert {name: protocol.name for name, protocol in made.items()} == {name: name for name in PROTOCOLS}
    assert {*PROTOCOLS, "segment", "mattes", "gallery"} == set(OFFERED)
    with pytest.raises(InvalidRequest, match="no protocol named 'taste'"):
        get_protocol("taste")


# On the real data, where it lies beside the checkout


@pytest.mark.slow
def test_transfer_on_real_scenes_beats_the_still(shared_data: Path):
    protocol = get_protocol("triplets")(Options(shared_data / "triplets", limit=4, size=128, metrics=("psnr",)))
    report = printed(evaluate(protocol, [STILL, MethodSpec("preview")]))
    assert report["preview"]["inside"]["psnr"] > report["still"]["inside"]["psnr"] + 2
    assert report["preview"]["outside"]["psnr"] > report["still"]["outside"]["psnr"]


def test_landmarks_of_a_small_tile_are_in_its_pixels(faces, collins: np.ndarray):
    from durian.face import detect_faces

    found = detect_upscaled(faces[0])
    large = detect_faces(collins[:300, 70:370])[0].landmarks
    expected = (large[:, :2] + 0.5) * 256 / 300 - 0.5
    assert np.abs(found[:, :2] - expected).mean() < 1.5
    assert detect_upscaled(np.zeros((256, 256, 3), np.uint8)) is None


def test_a_source_is_named_by_what_it_is_made_of(tmp_path: Path):
    from durian.evaluation.run.results import source_digest

    path = tmp_path / "a.json"
    path.write_text("one")
    source = Source("a", (path,))
    before = source_digest(source)
    path.write_text("two")
    assert source_digest(source) != before
    path.write_text("one")
    assert source_digest(source) == before

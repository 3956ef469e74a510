"""Self-item protocol: changes to photographs, the regions compared, and the scores of failures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from durian.engine.postprocess import Finisher
from durian.errors import InvalidRequest, NoFaceFound
from durian.evaluation.data.cases import Source
from durian.evaluation.data.copies import recoloured, turned_copy
from durian.evaluation.data.photographs import (
    HEAD_SIDE,
    Photographs,
    first_of,
    head_box,
    photograph_paths,
    read_head_photo,
)
from durian.evaluation.data.tasks import Task, rendered
from durian.evaluation.methods.methods import MethodSpec, process_method
from durian.evaluation.metrics import BEST_PSNR, compare
from durian.evaluation.metrics.scoring import Scorer
from durian.evaluation.protocols.interface import Options, get_protocol
from durian.evaluation.protocols.self_item import FAILED, RING, regions_around
from durian.evaluation.report.summary import printed
from durian.evaluation.run.running import evaluate
from durian.face import detect_faces, eye_distance
from durian.prepare import AttributeSource, MotionSource, PortraitSource, build_request
from durian.renderer import get_renderer
from durian.request import RenderOptions

METRICS = ("psnr", "ssim")


class RefusingRenderer:
    """Makes nothing of anything."""

    name = "refusing"

    def render_landmarks(self, request, driving):
        raise NoFaceFound("No face was found: use another photo.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, hopper: np.ndarray) -> Path:
    """A photograph with cap and glasses, and a list that says so."""
    place = tmp_path_factory.mktemp("photographs")
    Image.fromarray(hopper).save(place / "hopper.png")
    (place / "stills.csv").write_text("file,kind\nhopper.png,hat\n")
    return place


@pytest.fixture(scope="module")
def options(folder: Path) -> Options:
    return Options(folder, photographs=Photographs(stills=folder / "stills.csv"))


@pytest.fixture(scope="module")
def task(options: Options) -> Task:
    protocol = get_protocol("self-item")(options)
    return protocol.load(protocol.sources()[0])


@pytest.fixture(scope="module")
def scorer(task: Task) -> Scorer:
    return Scorer(task, METRICS)


@pytest.fixture(scope="module")
def still(options: Options, scorer: Scorer) -> dict[str, float]:
    """What leaving the recoloured item where it is scores."""
    return get_protocol("self-item")(options).score(process_method(MethodSpec("still")), scorer)[1]


@pytest.fixture(scope="module")
def waves() -> np.ndarray:
    """``(200, 200, 3) uint8`` of soft waves, one direction for each channel."""
    y, x = np.mgrid[:200, :200] / 200
    return np.rint(np.stack([128 + 90 * np.sin(7 * v) for v in (x, y, x + y)], -1)).astype(np.uint8)


# What is done to a photograph


@pytest.mark.parametrize("relit", [False, True])
def test_a_copy_is_undone_by_who_knows_what_was_done(waves: np.ndarray, relit: bool):
    copy = turned_copy(waves, relit)
    middle = np.zeros((200, 200), bool)
    middle[20:-20, 20:-20] = True
    assert compare(copy.undone(), waves, middle).psnr > 42
    assert compare(copy.image, waves, middle).psnr < 30
    assert (float(copy.image.mean()) < 0.9 * waves.mean()) == relit


def test_a_copy_is_turned_and_smaller_and_holds_all_of_the_photograph():
    black = np.zeros((201, 201, 3), np.uint8)
    places = np.array([[8, 8], [192, 8], [192, 192], [8, 192], [100, 100]])
    for place in places:
        picture = black.copy()
        cv2.circle(picture, (int(place[0]), int(place[1])), 4, (255, 255, 255), -1)
        found = np.argwhere(turned_copy(picture).image[..., 0] > 128).mean(0)[::-1]
        angle, offset = np.deg2rad(-4), place - 100
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ offset
        assert found == pytest.approx(100 + 0.93 * turned, abs=0.6)


@pytest.mark.parametrize("colour", [(30, 30, 30), (220, 215, 210), (180, 40, 40)])
def test_an_item_gets_another_colour_and_nothing_else_does(colour: tuple[int, int, int]):
    picture = np.full((120, 120, 3), 128, np.uint8)
    mask = np.zeros((120, 120), np.uint8)
    mask[30:90, 30:90] = 255
    picture[mask > 0] = colour
    other, changed = recoloured(picture, mask, unit=50.0)
    assert np.array_equal(other[mask == 0], picture[mask == 0])
    assert not changed[mask == 0].any()
    assert changed[mask > 0].all()
    assert compare(other, picture, mask > 0).psnr < 13
    step = np.abs(other.astype(int) - picture).max(2)
    assert step[60, 31] < step[60, 60], "the edge is soft"


# Where it is compared


def test_the_ring_is_outside_the_item_and_the_rest_beyond_it(hopper: np.ndarray):
    landmarks = detect_faces(hopper)[0].landmarks
    mask = np.zeros(hopper.shape[:2], np.uint8)
    x, y = landmarks[10, :2].astype(int)
    cv2.ellipse(mask, (int(x), int(y) - 40), (90, 60), 0, 0, 360, 255, -1)
    mask[0:8] = 100  # faint: not inside
    inside, unit = mask >= 128, eye_distance(landmarks)
    regions = regions_around(mask, landmarks)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    assert not (regions["ring"] & inside).any()
    assert away[regions["ring"]].max() <= RING * unit
    assert np.array_equal(regions["ring"], (away > 0) & (away <= RING * unit))
    assert away[regions["outside"]].min() > RING * unit
    parts = np.stack([inside, regions["ring"], regions["outside"]]).sum(0)
    assert np.array_equal(parts, regions["head"].astype(int)), "they share no pixel and make up the head's box"
    points = landmarks[:, :2].round().astype(int)
    assert regions["head"][points[:, 1], points[:, 0]].all()


def test_a_large_photograph_is_looked_at_at_one_size_and_a_small_one_as_it_is(folder: Path, hopper: np.ndarray):
    small = read_head_photo(folder / "hopper.png")
    rows, columns = np.nonzero(hopper[:, :, 0] == small.image[0, 0, 0])
    assert any(
        np.array_equal(hopper[y : y + small.image.shape[0], x : x + small.image.shape[1]], small.image)
        for y, x in zip(rows, columns, strict=True)
    )
    sides = {}
    for times in (4, 5):
        large = cv2.resize(hopper, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
        Image.fromarray(large).save(folder.parent / f"{times}.png")
        photo = read_head_photo(folder.parent / f"{times}.png")
        left, top, right, bottom = head_box(photo.landmarks)
        assert max(right - left, bottom - top) == pytest.approx(HEAD_SIDE, rel=0.01)
        sides[times] = photo.image.shape[0]
    assert sides[4] == pytest.approx(sides[5], rel=0.03)


# The protocol


def test_leaving_the_other_colour_scores_badly_inside_and_well_outside(still: dict[str, float]):
    assert still["psnr/inside"] < 15
    assert still["psnr/outside"] == BEST_PSNR
    assert still["ssim/outside"] > 0.99
    assert still["psnr/ring"] > still["psnr/inside"] + 10
    assert still[FAILED] == 0


def test_the_truth_itself_is_perfect_and_undoing_is_the_ceiling(scorer: Scorer, still: dict[str, float]):
    perfect = scorer.score(scorer.task.truth)
    assert {value for key, value in perfect.items() if key.startswith("psnr")} == {BEST_PSNR}
    ceiling = scorer.score(process_method(MethodSpec("oracle-warp")).frames(scorer.task))
    assert ceiling["psnr/inside"] > 33, "the cap's grain does not survive being made smaller"
    assert ceiling["psnr/outside"] == BEST_PSNR
    assert ceiling["psnr/inside"] > still["psnr/inside"] + 20


def test_the_portrait_does_not_hold_the_item_nor_the_reference_the_portraits_pixels(task: Task):
    inside = task.masks["hat"][0] >= 128
    assert compare(task.image, task.truth[0], inside).psnr < 15
    (item,) = task.attributes
    assert item.name == "hat"
    assert compare(item.image, task.truth[0]).psnr < 25
    assert item.mask.any()


def test_eyes_behind_clear_lenses_keep_their_colour(folder: Path):
    (folder / "glasses.csv").write_text("file,kind\nhopper.png,glasses\n")
    protocol = get_protocol("self-item")(Options(folder, photographs=Photographs(stills=folder / "glasses.csv")))
    task = protocol.load(protocol.sources()[0])
    inside = task.masks["glasses"][0] >= 128
    assert compare(task.image, task.truth[0], inside).psnr < 17
    for pupil in (468, 473):
        x, y = task.landmarks[pupil, :2].round().astype(int)
        around = np.s_[y - 3 : y + 4, x - 3 : x + 4]
        assert not inside[around].any()
        assert np.abs(task.image[around].astype(int) - task.truth[0][around]).max() <= 8


def test_an_item_is_worn_as_the_command_line_wears_it(task: Task):
    options = RenderOptions(frames=3, label=False, uncrop=True)
    reference = AttributeSource(task.attributes[0].image, "hat")
    request = build_request(PortraitSource(task.image), [reference], MotionSource("nod"), options).request
    frame = next(iter(get_renderer("preview").render(request)))
    assert np.array_equal(Finisher(request)(frame), rendered(get_renderer("preview"), task, options.size)[0])


def test_the_preview_is_better_than_leaving_it_and_below_the_ceiling(options, scorer: Scorer, still: dict[str, float]):
    _, figures = get_protocol("self-item")(options).score(process_method(MethodSpec("preview")), scorer)
    ceiling = scorer.score(process_method(MethodSpec("oracle-warp")).frames(scorer.task))
    assert still["psnr/inside"] + 5 < figures["psnr/inside"] < ceiling["psnr/inside"]


def test_refusing_gains_nothing_and_is_told(options: Options, monkeypatch: pytest.MonkeyPatch, still: dict[str, float]):
    from durian import renderer as renderers

    monkeypatch.setitem(renderers._FACTORIES, "refusing", RefusingRenderer)
    evaluation = evaluate(get_protocol("self-item")(options), [MethodSpec("still"), MethodSpec("refusing")])
    report = printed(evaluation)
    assert report["made_nothing"] == {"still": [], "refusing": ["hopper-hat"]}
    assert report["skipped"] == []
    refused = evaluation.results["refusing"][0].figures
    assert refused == still | {FAILED: 1.0}


def test_other_light_is_another_run(options: Options, task: Task):
    relit = get_protocol("self-item")(replace(options, relit=True))
    assert relit.settings() != get_protocol("self-item")(options).settings()
    other = relit.load(relit.sources()[0])
    assert np.array_equal(other.image, task.image)
    assert other.attributes[0].image.mean() < 0.9 * task.attributes[0].image.mean()
    assert compare(other.undone[0], task.truth[0], task.masks["hat"][0] >= 128).psnr > 31


# Which photographs


def test_photographs_are_taken_from_a_part_of_a_split(tmp_path: Path):
    for name in ("a.jpg", "b.png", "c.jpg"):
        (tmp_path / name).write_bytes(b"")
    split = tmp_path / "split.csv"
    split.write_text("file,split\na.jpg,test\nb.png,train\nc.jpg,test\nd.mp4,test\n")
    assert [path.name for path in photograph_paths(tmp_path, Photographs())] == ["a.jpg", "b.png", "c.jpg"]
    assert [path.name for path in photograph_paths(tmp_path, Photographs(split))] == ["a.jpg", "c.jpg"]
    with pytest.raises(InvalidRequest, match="validation"):
        photograph_paths(tmp_path, Photographs(split, "validation"))
    split.write_text("file,split\nnone.jpg,test\n")
    with pytest.raises(InvalidRequest, match=r"none\.jpg"):
        photograph_paths(tmp_path, Photographs(split))
    split.write_text("name\na.jpg\n")
    with pytest.raises(InvalidRequest, match="file and split"):
        photograph_paths(tmp_path, Photographs(split))


def test_what_is_worn_is_found_or_named(folder: Path):
    protocol = get_protocol("self-item")
    found = protocol(Options(folder, photographs=Photographs())).sources()
    assert {source.detail for source in found} >= {"hat", "glasses"}
    assert "beard" not in {source.detail for source in found}
    (folder / "wrong.csv").write_text("file,kind\nhopper.png,crown\n")
    with pytest.raises(InvalidRequest, match="crown"):
        protocol(Options(folder, photographs=Photographs(stills=folder / "wrong.csv"))).sources()
    named = protocol(Options(folder, photographs=Photographs(stills=folder / "stills.csv"))).sources()
    assert named == [Source("hopper-hat", (folder / "hopper.png",), "hat")]


def test_fewer_are_drawn_by_the_seed_and_stay_in_order(tmp_path: Path):
    paths = [tmp_path / f"{number:02d}.jpg" for number in range(30)]
    drawn = [first_of(paths, tmp_path, 5, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(len(few) == 5 and few == sorted(few) for few in drawn)
    assert first_of(paths, tmp_path, None, 0) == paths


def test_the_command_prints_figures_by_method_and_kind(folder: Path, capsys: pytest.CaptureFixture[str]):
    from durian.cli.main import main

    asked = ["evaluate", "self-item", "--data", folder, "--stills", folder / "stills.csv", "--kind", "hat", "--json"]
    assert main([str(word) for word in [*asked, "--method", "still", "--method", "oracle-warp"]]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["photos"] == report["by_attribute"]["hat"]["photos"] == 1
    assert set(report["still"]) == {"all", "head", "inside", "ring", "outside"}
    assert report["oracle-warp"]["inside"]["psnr"] > 33 > 15 > report["still"]["inside"]["psnr"]

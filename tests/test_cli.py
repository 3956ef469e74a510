"""The command line: its reports, how items and their options group, and commands as processes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian.bundle import load_bundle
from durian.cli.parser import make_parser
from durian.media import iter_video, probe_video, read_image, write_video

pytestmark = pytest.mark.usefixtures("own_engine")

SMALL = ["--size", "128", "--frames", "3"]
ANIMATE_KEYS = {"out", "frames", "fps", "width", "height", "seconds", "renderer", "seed", "fit"}


def last_json(out: str) -> dict[str, object]:
    return json.loads(out.strip().splitlines()[-1])


# animate


def test_animate_prints_the_agreed_keys_and_writes_a_video(run, photos: Path, tmp_path: Path):
    out = tmp_path / "out.mp4"
    code, printed, _ = run(
        "animate", "--portrait", photos / "collins.png", "--attribute", photos / "hopper.png", "--mask",
        photos / "cap.png", "--name", "hat", *SMALL, "--seed", 5, "-o", out, "--json",
    )  # fmt: skip
    assert code == 0
    assert len(printed.strip().splitlines()) == 1
    report = last_json(printed)
    assert set(report) == ANIMATE_KEYS
    assert report["out"] == str(out)
    assert (report["frames"], report["fps"], report["width"], report["height"]) == (3, 24.0, 128, 128)
    assert (report["renderer"], report["seed"]) == ("preview", 5)
    assert [set(each) for each in report["fit"]] == [{"level", "reasons"}]
    assert probe_video(out).width == 128


def test_what_may_not_go_well_is_in_the_report_and_on_stderr(run, photos: Path, tmp_path: Path, hopper: np.ndarray):
    """A cap that its picture cuts at the left."""
    small = Image.fromarray(hopper[:, 170:]).resize((86, 150))
    small.save(tmp_path / "small.png")
    mask = np.zeros((150, 86), np.uint8)
    mask[8:32, :42] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    code, printed, error = run(
        "animate", "--portrait", photos / "collins.png", "--attribute", tmp_path / "small.png", "--mask",
        tmp_path / "mask.png", "--name", "hat", "--frames", 3, "-o", tmp_path / "out.mp4", "--json",
    )  # fmt: skip
    assert code == 0, error
    (told,) = last_json(printed)["fit"]
    assert told["level"] in ("fair", "poor")
    assert "The hat is cut at the left of this picture: pick one with room beside the head." in told["reasons"]
    said = [line.removeprefix("durian: small.png: ") for line in error.splitlines() if "small.png" in line]
    assert said == told["reasons"]


def test_the_built_in_case_in_every_form(run, tmp_path: Path):
    forms = {
        "--gif": tmp_path / "a.gif",
        "--frames-zip": tmp_path / "a.zip",
        "--bundle": tmp_path / "b.zip",
        "-o": tmp_path / "a.mp4",
    }
    code, printed, _ = run("animate", "--example", "hopper-cap", *SMALL, *(p for pair in forms.items() for p in pair))
    assert code == 0
    assert "frames: 3" in printed
    assert all(path.is_file() for path in forms.values())
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert len(archive.namelist()) == 3
    request, _ = load_bundle(tmp_path / "b.zip")
    assert [attribute.name for attribute in request.attributes] == ["hat", "glasses"]
    assert request.motion.name == "mix"


def test_a_driving_video_gives_its_length_and_no_sound_where_it_has_none(
    run, photos: Path, tmp_path: Path, collins: np.ndarray
):
    frames = [np.ascontiguousarray(np.roll(collins, shift, 1)[:400, 40:440]) for shift in range(6)]
    write_video(frames, tmp_path / "drive.mp4", 12)
    out = tmp_path / "out.mp4"
    code, printed, _ = run(
        "animate", "--portrait", photos / "hopper.png", "--motion", tmp_path / "drive.mp4", "--fps", 24, "--size", 128,
        "--neutral", 0, "--sound", "-o", out, "--json",
    )  # fmt: skip
    assert code == 0
    # Six frames at 12 a second last half a second.
    assert last_json(printed)["frames"] == 12
    assert not probe_video(out).has_audio


def test_portrait_and_reference_may_be_the_same_file(run, photos: Path, tmp_path: Path):
    portrait = photos / "collins.png"
    code, _, error = run(
        "animate",
        "--portrait",
        portrait,
        "--attribute",
        portrait,
        "--name",
        "hair",
        *SMALL,
        "-o",
        tmp_path / "same.mp4",
    )
    assert code == 0, error
    shown = next(iter_video(tmp_path / "same.mp4", 24)).astype(int)
    code, _, _ = run("animate", "--portrait", portrait, *SMALL, "-o", tmp_path / "bare.mp4")
    bare = next(iter_video(tmp_path / "bare.mp4", 24)).astype(int)
    # Her own hair on her own head is nearly what she looks like.
    assert np.abs(shown - bare).mean() < 6


def test_options_belong_to_the_attribute_before_them():
    line = (
        "animate --portrait p.png --attribute a.png --name hat --strength 0.5 --layer 9 "
        "--attribute b.png --click 10,20 --click 3.5,4,- --attribute a.png --mask m.png --trim 0.02 --item-face 1"
    )
    arguments = make_parser().parse_args(line.split())
    first, second, third = arguments.attributes
    assert (first.picture, first.name, first.strength, first.layer) == (Path("a.png"), "hat", 0.5, 9)
    assert first.clicks == []
    assert second.clicks == [(10.0, 20.0, True), (3.5, 4.0, False)]
    assert (second.name, second.strength) == (None, 1.0)
    assert (third.mask, third.trim, third.face) == (Path("m.png"), 0.02, 1)
    assert arguments.face == 0


@pytest.mark.parametrize(("text", "blend"), [("0.5", (0.5, 0.5)), ("0,1", (0.0, 1.0))])
def test_blend_takes_one_or_two_values(text: str, blend: tuple[float, float]):
    assert make_parser().parse_args(["animate", "--blend", text]).blend == blend


# segment


def test_segment_by_name_and_by_clicks(run, photos: Path, tmp_path: Path):
    code, printed, _ = run("segment", photos / "hopper.png", "--name", "hat", "-o", tmp_path / "m.png", "--json")
    assert code == 0
    report = last_json(printed)
    assert (report["width"], report["height"]) == (512, 600)
    named = np.array(Image.open(tmp_path / "m.png"))
    assert named.shape == (600, 512)
    assert report["covered"] == pytest.approx((named > 127).mean(), abs=1e-4)
    # The cap's peak is in it, the face is not.
    assert named[70, 250] > 127
    assert named[260, 250] < 127
    run(
        "segment",
        photos / "hopper.png",
        "--name",
        "hat",
        "--click",
        "250,260,-",
        "--click",
        "250,70",
        "-o",
        tmp_path / "n.png",
    )
    clicked = np.array(Image.open(tmp_path / "n.png"))
    assert clicked[70, 250] > 127
    assert clicked[260, 250] < 127


# batch


def write_csv(path: Path, *rows: dict[str, object]) -> Path:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_batch_goes_on_behind_bad_rows(run, photos: Path, tmp_path: Path):
    for name in ("collins.png", "hopper.png", "cap.png", "wall.png"):
        (tmp_path / name).symlink_to(photos / name)
    table = write_csv(
        tmp_path / "many.csv",
        {"portrait": "collins.png", "attribute": "hopper.png", "mask": "cap.png", "name": "hat", "out": "one.mp4"},
        {"portrait": "wall.png"},
        {"portrait": "collins.png", "attribute": "hopper.png", "click": "250,70 250,260,-", "motion": "tilt"},
        {"portrait": "collins.png", "motion": "boogie"},
        {"portrait": "collins.png", "attribute2": "hopper.png", "mask2": "cap.png", "name2": "hat", "no_label": "yes"},
        {"portrait": "collins.png", "strength": "0.5"},
        {"portrait": "collins.png", "out": "one.mp4"},
    )
    code, printed, error = run("animate", "--batch", table, *SMALL, "--fps", 12, "--json")
    report = last_json(printed)
    assert code == 1
    assert report["requests"] == 7
    assert [done["row"] for done in report["done"]] == [1, 3, 5]
    assert set(report["done"][0]) == ANIMATE_KEYS | {"row"}
    assert [Path(done["out"]).name for done in report["done"]] == ["one.mp4", "many-003.mp4", "many-005.mp4"]
    assert all(done["fps"] == 12 and done["frames"] == 3 for done in report["done"])
    assert all((tmp_path / Path(done["out"]).name).is_file() for done in report["done"])
    failures = {failed["row"]: failed["error"] for failed in report["failed"]}
    assert set(failures) == {2, 4, 6, 7}
    assert "wall.png" in failures[2]
    assert "boogie" in failures[4]
    assert "strength but no attribute" in failures[6]
    assert failures[7] == "one.mp4 is written by row 1: give another out."
    assert "row 2: No face was found" in error
    # The second item's columns count: the result differs from the first row's only by the label.
    first, fifth = (next(iter_video(tmp_path / name, 12)).astype(int) for name in ("one.mp4", "many-005.mp4"))
    assert np.abs(first - fifth)[:100].mean() < 2


# The process


def test_help_is_quick_because_nothing_heavy_is_imported(project_root: Path):
    script = (
        "import sys; from durian.cli import main\n"
        "try: main(['animate', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'cv2', 'torch', 'mediapipe', 'av', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project_root, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
    assert "--attribute" in done.stdout


def test_only_json_is_on_stdout(project_root: Path, photos: Path, tmp_path: Path):
    command = [sys.executable, "-m", "durian", "segment", str(photos / "hopper.png"), "--name", "glasses", "--json"]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "m.png")],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(done.stdout)["width"] == 512
    assert read_image(tmp_path / "m.png").shape == (600, 512, 3)


def test_bench_measures_what_it_says(run, monkeypatch: pytest.MonkeyPatch):
    from durian import bench

    for name, value in {"FRAMES": 4, "SIZES": (128, 256), "LENGTHS": (4, 8), "REPEATS": 1, "STILLS": 3}.items():
        monkeypatch.setattr(bench, name, value)
    code, printed, error = run("bench", "preview", "--jobs", 1, "--json")
    assert code == 0
    report = last_json(printed)
    assert {"frames_per_second_512", "still_ms", "peak_rss_mb", "rss_growth_mb"} <= set(report)
    assert all(value > 0 for key, value in report.items() if key != "rss_growth_mb")
    sizes_and_lengths = [line.split()[:2] for line in error.splitlines() if line.lstrip()[:1].isdecimal()]
    assert sizes_and_lengths == [["128", "4"], ["256", "4"], ["512", "4"], ["512", "8"]]


@pytest.mark.parametrize(("flags", "wanted"), [([], True), (["--no-normalise-lips"], False)])
def test_lips_are_normalised_unless_told_otherwise(flags, wanted):
    from durian.cli.animate import prepare
    from durian.cli.parser import make_parser

    arguments = make_parser().parse_args(["animate", "--example", "hopper-cap", *flags])
    assert prepare(arguments).request.options.normalise_lips is wanted

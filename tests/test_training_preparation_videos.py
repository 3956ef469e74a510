"""Videos become clips: shots of two people, bars, bad files, resuming, shards, the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from preparation_made import COLLINS, HOPPER, SIDE, close_up, make_video, moving

from durian.cli.main import main
from durian.clips import Clip, open_clips
from durian.errors import InvalidRequest
from durian.face import detect_faces, eye_distance
from durian.face.landmarks import detect_upscaled
from durian.masks import png_bytes
from durian.training.preparation.folder import find_sources, prepare
from durian.training.preparation.record import Record
from durian.training.preparation.settings import Preparation
from durian.training.preparation.videos import Video, prepare_video

FIRST, SECOND = 14, 13
"""Frames of the two people."""
STEM = "two people"


@pytest.fixture(scope="module")
def videos(tmp_path_factory, collins, hopper) -> Path:
    """A video of two people and a wall, with bars at its sides; one cut off; one of a wall."""
    folder = tmp_path_factory.mktemp("videos")
    wall = np.full((SIDE, SIDE, 3), 128, np.uint8)
    parts = (
        moving(close_up(collins, COLLINS), FIRST),
        moving(close_up(hopper, HOPPER), SECOND, speed=-1.0),
        [wall] * 5,
    )
    barred = (np.pad(frame, ((0, 0), (60, 40), (0, 0))) for part in parts for frame in part)
    make_video(folder / f"{STEM}.mp4", [barred])
    (folder / "more").mkdir()
    make_video(folder / "more" / "wall.mp4", [[wall] * 12])
    whole = (folder / f"{STEM}.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture(scope="module")
def masks(tmp_path_factory) -> Path:
    """Masks of all frames of the two people's video: a hat above, of even frames only for the second person."""
    folder = tmp_path_factory.mktemp("masks")
    mask = np.zeros((SIDE, SIDE + 100), np.uint8)
    mask[:120] = 255
    hair = np.zeros_like(mask)
    hair[100:300, 100:300] = 255
    for number in range(FIRST + SECOND):
        for name, picture in (("hat", mask), ("hair", hair)):
            if number < FIRST or name == "hair" or number % 2 == 0:
                path = folder / STEM / name / f"{number:05d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png_bytes(picture))
    return folder


@pytest.fixture
def wanted(videos, masks, tmp_path) -> Preparation:
    return Preparation(videos, tmp_path / "clips", size=128, fps=12, masks=masks)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("report"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def prepared(videos, masks, tmp_path_factory) -> tuple[Record, list[Clip]]:
    """The record of the two people's video, and its clips."""
    wanted = Preparation(videos, tmp_path_factory.mktemp("clips"), size=128, fps=12, masks=masks)
    return prepare_video(f"{STEM}.mp4", wanted), open_clips(wanted.out)


def test_two_people_become_two_clips(prepared):
    record, (first, second) = prepared
    assert [(made.frames, made.items) for made in record.made] == [(FIRST, ("hair", "hat")), (SECOND, ("hair",))]
    assert [(part.reason, part.first, part.frames) for part in record.left_out] == [("lost", FIRST + SECOND, 5)]
    assert (first.about.size, first.about.fps, first.about.kind) == (128, 12.0, "video")
    assert (first.about.source, first.about.name) == (f"{STEM}.mp4", f"{STEM}.mp4-000")
    assert set(first.about.roles) == {"target"}
    assert set(first.about.people) == {0}
    assert set(second.frame(0).masks) == {"hair", "hat"}  # seen now and then: no item, but a mask
    for clip in (first, second):
        assert clip.landmarks[..., :2].min() > 0
        assert clip.landmarks[..., :2].max() < 128
        # No bar is in the picture.
        assert min(clip.frame(0).image[:, column].mean() for column in (0, 127)) > 20


def test_a_square_stands_still_and_landmarks_lie_in_it(prepared, videos):
    first = prepared[1][0]
    frame = next(Video.open(videos / f"{STEM}.mp4", 12).frames())
    scale = eye_distance(first.landmarks[0]) / eye_distance(detect_faces(frame)[0].landmarks)
    ways = np.diff(first.landmarks[1:-1, :, 0].mean(axis=1))
    # The head moves a pixel of the video to the right with each frame.
    assert np.abs(ways - scale).max() < 0.35
    last = first.frame(FIRST - 1)
    found = detect_upscaled(last.image)
    assert np.abs(found - last.landmarks)[:, :2].mean() < 1.5


def test_masks_lie_on_what_they_were_drawn_on(prepared, videos):
    clip = prepared[1][0]
    frame = next(Video.open(videos / f"{STEM}.mp4", 12).frames())
    there, here = detect_faces(frame)[0].landmarks, clip.landmarks[0]
    # The hat ends above row 120 of the video; between forehead and chin one finds that row in the clip.
    share = (119.5 - there[10, 1]) / (there[152, 1] - there[10, 1])
    expected = here[10, 1] + share * (here[152, 1] - here[10, 1])
    inside = clip.frame(0).masks["hat"][:, 64] > 127
    assert inside[0]
    assert np.flatnonzero(inside)[-1] + 0.5 == pytest.approx(expected, abs=2)


def test_masks_of_another_size_are_told(videos, tmp_path):
    folder = tmp_path / "masks" / STEM / "hat"
    folder.mkdir(parents=True)
    (folder / "00000.png").write_bytes(png_bytes(np.zeros((20, 30), np.uint8)))
    wanted = Preparation(videos, tmp_path / "clips", size=128, fps=12, masks=tmp_path / "masks")
    left_out = prepare_video(f"{STEM}.mp4", wanted).left_out
    assert [part.reason for part in left_out] == ["unreadable"]
    assert "The mask is 30×20 pixels" in left_out[0].sentence


def test_frames_are_taken_in_whole_steps(videos):
    video = Video.open(videos / f"{STEM}.mp4", 5)
    assert (video.step, video.fps) == (3, 4.0)
    every = list(Video.open(videos / f"{STEM}.mp4", 30).frames())
    taken = list(video.frames())
    assert len(every) == FIRST + SECOND + 5
    for number, frame in enumerate(taken):
        np.testing.assert_array_equal(frame, every[3 * number])


@pytest.mark.slow
def test_a_folder_does_not_depend_on_who_makes_it_and_bad_videos_are_told(wanted, tmp_path):
    report = prepare(wanted)
    assert (report["sources"], report["clips"], report["frames"]) == (3, 2, FIRST + SECOND)
    assert report["left_out"] == {"lost": 17, "unreadable": 1}
    written = json.loads((wanted.out / "report.json").read_text())
    half = next(record for record in written["records"] if record["source"] == "half.mp4")
    assert "half.mp4 is cut off or damaged" in half["left_out"][0]["sentence"]
    before = files(wanted.out)
    # Taken up again: what is there stays, what is gone is made anew.
    seen = []
    prepare(wanted, on_source=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 0)]
    next(wanted.out.glob("*.clip")).unlink()
    prepare(wanted)
    assert files(wanted.out) == before
    elsewhere = replace(wanted, out=tmp_path / "elsewhere")
    prepare(elsewhere, shard=(2, 2))
    prepare(elsewhere, shard=(1, 2), workers=2)
    assert files(elsewhere.out) == before
    shards = [json.loads((elsewhere.out / f"report-{part}-of-2.json").read_text()) for part in (1, 2)]
    assert [shard["sources"] for shard in shards] == [2, 1]
    assert sum(shard["frames"] for shard in shards) == report["frames"]


def test_other_settings_do_not_mix(wanted):
    wanted.out.mkdir()
    (wanted.out / "about.json").write_text(json.dumps(wanted.about()))
    with pytest.raises(InvalidRequest, match=r"holds clips with size 128, not 256: give the same settings"):
        prepare(replace(wanted, size=256))


def test_shards_that_do_not_exist_and_empty_folders_are_refused(wanted, tmp_path):
    with pytest.raises(InvalidRequest, match="Shard 3/2 does not exist"):
        prepare(wanted, shard=(3, 2))
    for kind, what in (("videos", "folder of videos"), ("scenes", "folder of scenes")):
        with pytest.raises(InvalidRequest, match=what):
            find_sources(Preparation(tmp_path, tmp_path / "out", kind=kind))


@pytest.mark.slow
def test_the_command_finds_what_is_worn(videos, tmp_path, capsys, hopper):
    folder = tmp_path / "videos"
    folder.mkdir()
    make_video(folder / "hopper.mp4", [moving(close_up(hopper, HOPPER), 13)], fps=12)
    out = tmp_path / "clips"
    assert main(["prepare", "--videos", str(folder), "-o", str(out), "--size", "128", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (report["folder"], report["clips"], report["frames"]) == (str(out), 1, 13)
    assert report["items"]["hat"] == 1
    frame = open_clips(out)[0].frame(5)
    eyes = int(frame.landmarks[[33, 263], 1].mean())
    above, below = np.split(frame.masks["hat"] > 127, [eyes])
    assert above.mean() > 0.15
    assert below.mean() < 0.05


def test_bad_arguments_are_told(videos, tmp_path, capsys):
    for arguments, sentence in (
        (["--videos", str(videos), "-o", str(tmp_path), "--shard", "1"], "give I/N, such as 1/4"),
        (["-o", str(tmp_path)], "--videos --scenes"),
        (["--videos", str(tmp_path / "none"), "-o", str(tmp_path)], "is not a folder"),
        (["--videos", str(videos), "-o", str(tmp_path), "--size", "100"], "give a multiple of 8"),
    ):
        assert main(["prepare", *arguments]) == 2
        assert sentence in capsys.readouterr().err

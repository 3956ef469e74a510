"""Clip files: round trips, and one sentence for each way in which a file is broken."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from durian import clips
from durian.clips import SUFFIX, Clip, ClipAbout, ClipFrame, open_clips, write_clip
from durian.errors import UnreadableMedia

SIZE = 32


def made_frames(count: int, seed: int = 0) -> list[ClipFrame]:
    """Smooth pictures, which WebP keeps; glasses in the second frame only."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    frames = []
    for number in range(count):
        image = np.stack([rows * 4 + number, columns * 4, np.full_like(rows, 40 * number)], -1).astype(np.uint8)
        masks = {"hair": rng.integers(0, 256, (SIZE, SIZE), dtype=np.uint8)}
        if number == 1:
            masks["glasses"] = np.full((SIZE, SIZE), 7, np.uint8)
        frames.append(ClipFrame(image, rng.normal(size=(478, 3)).astype(np.float32), masks))
    return frames


def about(count: int, name: str = "one", **others) -> ClipAbout:
    values = {"roles": ("target",) * count, "items": ("hair",), "people": (0,) * count} | others
    return ClipAbout(name, SIZE, 12.5, **values)


@pytest.fixture
def written(tmp_path):
    frames = made_frames(3)
    roles = ("portrait", "reference", "target")
    described = about(3, roles=roles, people=(0, 1, 0), source="a.mp4", kind="triplet", item_frames={"hair": (1,)})
    return frames, described, write_clip(tmp_path / f"one{SUFFIX}", described, frames)


def test_a_clip_is_read_as_it_was_written(written):
    frames, described, path = written
    clip = Clip(path)
    assert clip.about == described
    assert len(clip) == 3
    assert clip.about.frames_of("target") == [2]
    assert clip.about.has_truth
    for number, frame in enumerate(frames):
        read = clip.frame(number)
        assert np.abs(read.image.astype(int) - frame.image).mean() < 3
        np.testing.assert_array_equal(read.landmarks, frame.landmarks)
        assert set(read.masks) == set(frame.masks)
        for name, mask in frame.masks.items():
            np.testing.assert_array_equal(read.masks[name], mask)
    assert set(clip.frame(1, ("glasses",)).masks) == {"glasses"}
    np.testing.assert_array_equal(clip.landmarks[2], frames[2].landmarks)
    with pytest.raises(ValueError, match="read-only"):
        clip.landmarks[0] = 0


def test_the_same_frames_make_the_same_file(written, tmp_path):
    frames, described, path = written
    again = write_clip(tmp_path / "elsewhere" / f"one{SUFFIX}", described, frames)
    assert again.read_bytes() == path.read_bytes()
    assert [file.name for file in again.parent.iterdir()] == [f"one{SUFFIX}"]


def test_a_clip_that_is_written_anew_is_read_anew(written):
    frames, described, path = written
    clip = Clip(path)
    assert clip.frame(0).image[0, 0, 2] < 20
    write_clip(path, described, frames[::-1])
    assert clip.frame(0).image[0, 0, 2] > 60
    np.testing.assert_array_equal(clip.landmarks[0], frames[2].landmarks)


def pixel(clip: Clip) -> tuple[int, int]:
    return os.getpid(), int(clip.frame(2).image[0, 0, 2])


def test_a_clip_that_was_read_goes_to_other_processes(written):
    clip = Clip(written[2])
    here = pixel(clip)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clip)).landmarks, clip.landmarks)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = pool.submit(pixel, clip).result()
    assert there[1] == here[1]
    assert there[0] != here[0]


def test_many_clips_hold_few_files_open(tmp_path, monkeypatch):
    for number in range(clips.OPEN_CLIPS + 8):
        write_clip(tmp_path / f"{number:03d}{SUFFIX}", about(1, str(number)), made_frames(1, number))
    (tmp_path / f".half{SUFFIX}").write_bytes(b"")
    opened = open_clips(tmp_path)
    assert [clip.about.name for clip in opened] == [str(number) for number in range(len(opened))]
    for clip in opened:
        clip.frame(0)
    files = [
        os.readlink(f"/proc/self/fd/{name}")
        for name in os.listdir("/proc/self/fd")
        if name.isdecimal() and os.path.exists(f"/proc/self/fd/{name}")
    ]
    assert 0 < sum(file.endswith(SUFFIX) for file in files) <= clips.OPEN_CLIPS


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda data: b"", lambda data: b"not a ZIP" * 50])
def test_broken_files_are_told(written, damage):
    path = written[2]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableMedia, match=r"one\.clip is not a whole clip .*: delete it and run durian prepare"):
        Clip(path)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"size": "96"}, "'96' cannot be the size of about.json: give a whole number."),
        ({"roles": "target"}, "'target' cannot be the roles of about.json: give a list"),
        ({"place": 3}, "About.json has an unknown 'place'"),
        ({"people": None}, "The people of about.json is missing"),
    ],
)
def test_a_description_that_is_none_is_told(written, changes, told):
    path = written[2]
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["about.json"] = json.dumps({**json.loads(parts["about.json"]), **changes})
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(UnreadableMedia, match=r"one\.clip is not a whole clip") as error:
        Clip(path)
    assert told in str(error.value)


def test_a_file_that_goes_away_is_told(written):
    clip = Clip(written[2])
    clips._archive.cache_clear()
    written[2].unlink()
    with pytest.raises(UnreadableMedia, match="not a whole clip"):
        clip.frame(0)


def test_frames_and_description_must_agree(tmp_path):
    with pytest.raises(ValueError, match="2 frames, 3 roles and 3 people"):
        write_clip(tmp_path / f"one{SUFFIX}", about(3), made_frames(2))


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(UnreadableMedia, match=r"no clips in .*durian prepare"):
        open_clips(tmp_path)

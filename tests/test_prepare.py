"""What the sources of a request refuse before anything is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from durian.errors import InvalidRequest
from durian.face import Crop
from durian.media import iter_video, write_video
from durian.prepare import MotionSource, PortraitSource
from durian.request import RenderOptions

NOT_FINITE = [float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize("room", [0.01, -1, 0, 1e9, *NOT_FINITE])
def test_the_room_has_a_range(room):
    with pytest.raises(InvalidRequest, match=r"cannot be the room around the face: give a number from 0\.4 to 5\.0\."):
        PortraitSource(Path("photo.png"), room=room)


@pytest.mark.parametrize("number", NOT_FINITE)
@pytest.mark.parametrize("name", ["start", "end"])
def test_a_part_begins_and_ends_at_a_time(name, number):
    with pytest.raises(InvalidRequest, match=rf"cannot be the {name}: give a number\."):
        MotionSource(Path("clip.mp4"), **{name: number})


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_reader_of_videos_is_given_a_time(tmp_path, name):
    path = write_video([np.zeros((64, 64, 3), np.uint8)] * 5, tmp_path / "clip.mp4", 10)
    with pytest.raises(InvalidRequest, match=rf"(?i)(a|the) {name} .*nan s"):
        iter_video(path, **{name: float("nan")})


def test_a_start_behind_the_end_says_what_to_do(tmp_path):
    path = write_video([np.zeros((64, 64, 3), np.uint8)] * 5, tmp_path / "clip.mp4", 10)
    with pytest.raises(
        InvalidRequest, match=r"^A start at 5 s is outside clip\.mp4, which lasts 0\.5 s: give one before"
    ):
        iter_video(path, start=5)


@pytest.mark.parametrize("field", ["label", "uncrop", "normalise_lips"])
def test_switches_are_true_or_false(field):
    for given in ("no", 1, 0, None, []):
        with pytest.raises(InvalidRequest, match=r"give true or false\.$"):
            RenderOptions(**{field: given})


@pytest.mark.parametrize("field", ["face", "crop", "room"])
def test_a_portrait_source_answers_anything_in_a_sentence(field):
    for value in ("x", "\0", [], {}, object(), *NOT_FINITE):
        with pytest.raises(InvalidRequest, match=r"\.$"):
            PortraitSource(Path("photo.png"), **{field: value})
    assert PortraitSource(Path("photo.png"), crop=Crop(1, 2, 3), room=2).room == 2.0

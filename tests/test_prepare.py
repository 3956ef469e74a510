"""What the sources of a request refuse before anything is read."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian import prepare
from durian.errors import Cancelled, InvalidRequest, LimitExceeded
from durian.face import Crop
from durian.long_work import stepping
from durian.media import iter_video, write_video
from durian.prepare import AttributeSource, Click, MotionSource, PortraitSource, build_request, find_mask
from durian.request import RenderOptions
from durian.request_pictures import RequestPictures

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


def clicked(picture: np.ndarray, count: int) -> AttributeSource:
    return AttributeSource(picture, "hat", clicks=tuple(Click(1.0, 1.0) for _ in range(count)))


def test_a_request_has_so_many_clicks_whatever_the_references(monkeypatch: pytest.MonkeyPatch):
    """Said before anything is looked for; a reference with a mask follows none."""
    monkeypatch.setattr(prepare, "load_portrait", lambda *_: pytest.fail("it was begun"))
    large, small = np.zeros((1000, 3000, 3), np.uint8), np.zeros((100, 100, 3), np.uint8)
    ask = partial(build_request, PortraitSource(small))
    with pytest.raises(LimitExceeded, match="31 clicks are too many for pictures of this size: give 30 at most"):
        ask([clicked(large, 31)])
    with pytest.raises(LimitExceeded, match="40 clicks are too many"):
        ask([clicked(large, 25), clicked(small, 15)])
    masked = AttributeSource(large, "hat", np.zeros((1000, 3000), np.uint8), (Click(1.0, 1.0),) * 100)
    for sources in ([clicked(large, 30)], [clicked(large, 10), clicked(small, 20)], [masked]):
        with pytest.raises(pytest.fail.Exception, match="begun"):
            ask(sources)
    with pytest.raises(LimitExceeded, match="31 clicks"):
        find_mask(large, None, "hat", clicked(large, 31).clicks)


def test_a_reference_s_clicks_count_at_the_size_it_is_worked_on(tmp_path: Path, settings_environment):
    settings_environment(reference_megapixels=0.5)
    path = tmp_path / "large.png"
    Image.fromarray(np.zeros((1000, 1000, 3), np.uint8)).save(path)
    assert RequestPictures(references=[path]).megapixels(path) == 0.5


def test_between_references_others_have_their_turn_and_callers_who_have_gone_are_seen(monkeypatch: pytest.MonkeyPatch):
    loaded, looks = [], []
    monkeypatch.setattr(prepare, "load_portrait", lambda *_: loaded.append("portrait"))
    monkeypatch.setattr(prepare, "load_attribute", lambda *_: loaded.append("item"))

    def look() -> None:
        looks.append(len(loaded))
        if len(loaded) == 3:
            raise Cancelled("The caller has gone.")

    small = np.zeros((100, 100, 3), np.uint8)
    with stepping(look), pytest.raises(Cancelled):
        build_request(PortraitSource(small), [clicked(small, 1)] * 5)
    assert looks == [1, 2, 3]


def test_a_caller_who_has_gone_is_seen_between_clicks(collins: np.ndarray):
    looks = []

    def look() -> None:
        looks.append(None)
        if len(looks) == 2:
            raise Cancelled("The caller has gone.")

    clicks = tuple(Click(float(x), 100.0) for x in (200, 220, 240, 260))
    with stepping(look), pytest.raises(Cancelled):
        find_mask(collins, None, clicks=clicks)
    assert len(looks) == 2

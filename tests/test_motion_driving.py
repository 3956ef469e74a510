"""Driving videos: one reader for page, API and command line; turned upright; of one shot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import requests_made
from apart_made import none_left

from durian.errors import InvalidRequest, NoFaceFound
from durian.face import Crop, default_crop, detect_faces
from durian.media import apart, write_video
from durian.motion import driving_fps, from_video, preset, read_driving
from durian.motion.fitting import MOST_LOST
from durian.prepare import MotionSource, build_request
from durian.preview.renderer import PreviewRenderer
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.ui import reading

FPS, FRAMES, SIDE = 12.0, 14, 256
MOUTH = [13, 14]


@pytest.fixture(scope="module")
def surprised(collins) -> list[np.ndarray]:
    """Somebody who opens the mouth, in a bit over a second."""
    face = detect_faces(collins)[0]
    portrait = Portrait(collins, face.landmarks, default_crop(face, collins.shape))
    options = RenderOptions(size=SIDE, frames=FRAMES, fps=FPS, label=False)
    return list(
        PreviewRenderer().render(AnimationRequest(portrait, motion=preset("surprise", FRAMES, FPS), options=options))
    )


@pytest.fixture(scope="module")
def other(hopper) -> np.ndarray:
    face = detect_faces(hopper)[0]
    return default_crop(face, hopper.shape).apply(hopper, SIDE)


def opened(motion) -> np.ndarray:
    """How far the lips are apart, per frame, beyond the neutral frame, in eye distances."""
    upper, lower = (motion.expressions[:, point, 1] for point in MOUTH)
    return lower - upper


def written(path: Path, frames: list[np.ndarray]) -> Path:
    write_video(frames, path, FPS)
    return path


def test_page_and_api_follow_a_video_alike(tmp_path, surprised):
    path = written(tmp_path / "clip.mp4", [cv2.resize(frame, (800, 800)) for frame in surprised])
    choice, driving = reading.driving_from(str(path))
    choice.start, choice.end, choice.neutral = 0.25, 1.0, 0.5
    page = reading.track(choice).motion
    source = MotionSource(path, 0.25, 1.0, neutral=round(0.5 * driving_fps(path)))
    api = build_request(requests_made.portrait(), motion=source).request.motion
    assert driving.notice is None
    assert (page.fps, page.neutral, page.name, len(page)) == (FPS, 6, "clip", 9)
    assert (api.fps, api.neutral, api.name) == (page.fps, page.neutral, page.name)
    for part in ("rotations", "translations", "scales", "expressions"):
        assert np.array_equal(getattr(page, part), getattr(api, part))


@pytest.mark.parametrize(
    ("turns", "how"), [(1, "90 degrees clockwise"), (2, "180 degrees"), (3, "90 degrees anticlockwise")]
)
def test_a_turned_video_is_turned_back(tmp_path, surprised, turns, how):
    upright = from_video(surprised, FPS, 0)
    path = written(tmp_path / "turned.mp4", [np.ascontiguousarray(np.rot90(frame, turns)) for frame in surprised])
    prepared = build_request(requests_made.portrait(), motion=MotionSource(path, neutral=0))
    assert prepared.notices == (f"The face in turned.mp4 was not upright: the video was turned by {how}.",)
    assert upright.notice is None
    wide, turned = opened(upright.motion), opened(prepared.request.motion)
    assert wide.max() > 0.1
    assert turned.max() == pytest.approx(wide.max(), rel=0.25)
    assert np.corrcoef(wide, turned)[0, 1] > 0.95


def test_a_cut_to_another_person_is_said_with_its_second(tmp_path, surprised, other):
    path = written(tmp_path / "film.mp4", [*surprised[:9], *[other] * 6])
    with pytest.raises(InvalidRequest) as error:
        read_driving(path)
    assert str(error.value) == (
        "Another shot or another person begins at 0.75 s of film.mp4: trim the video to one shot, "
        "by its start and end on the page, by --start and --end on the command line, or before it is sent to the API."
    )
    with pytest.raises(InvalidRequest, match=r"begins at 0\.75 s of film\.mp4"):
        read_driving(path, start=0.25)
    assert len(read_driving(path, end=0.7).motion) == 8


def test_a_cut_to_another_shot_of_the_same_person_is_said(surprised):
    closer = [Crop(128, 150, 120).apply(frame, SIDE) for frame in surprised]
    with pytest.raises(InvalidRequest, match=r"begins at 0\.50 s of the driving video"):
        from_video([*surprised[:6], *closer[6:]], FPS)


def test_a_cut_in_front_of_one_wall_is_said(surprised, other):
    # Two people in one studio: most of the picture stays.
    wall = np.full((SIDE, 4 * SIDE, 3), 127, np.uint8)
    frames = []
    for frame in [*surprised[:7], *[other] * 7]:
        frames.append(wall.copy())
        frames[-1][60:220, 300:460] = cv2.resize(frame, (160, 160), interpolation=cv2.INTER_AREA)
    with pytest.raises(InvalidRequest, match=r"begins at 0\.58 s"):
        from_video(frames, FPS)


def test_a_flash_a_lost_frame_and_a_lamp_are_no_cuts(surprised):
    flash = [frame.copy() for frame in surprised]
    flash[5] = np.clip(flash[5] * 1.6 + 60, 0, 255).astype(np.uint8)
    lost = [frame if number not in (8, 9) else np.zeros_like(frame) for number, frame in enumerate(surprised)]
    lamp = [frame if number < 7 else (frame * 0.5).astype(np.uint8) for number, frame in enumerate(surprised)]
    for frames in (flash, lost, lamp):
        assert len(from_video(frames, FPS).motion) == FRAMES


def test_a_fast_turn_is_no_cut(collins):
    face = detect_faces(collins)[0]
    portrait = Portrait(collins, face.landmarks, default_crop(face, collins.shape))
    options = RenderOptions(size=SIDE, frames=12, fps=FPS, label=False, pose_strength=2.0)
    request = AnimationRequest(portrait, motion=preset("shake", 12, FPS), options=options)
    assert len(from_video(PreviewRenderer().render(request), FPS).motion) == 12


@pytest.mark.parametrize(
    ("faces", "words"), [(0, "No face was found in the first 30 frames"), (4, "for 30 frames or mo")]
)
def test_a_video_is_followed_no_further_once_its_face_is_gone(surprised, faces, words):
    """A minute of large frames takes minutes to read, and is refused all the same."""
    blank = np.full_like(surprised[0], 127)
    read = []

    def frames():
        for number in range(1800):
            read.append(number)
            yield surprised[number] if number < faces else blank

    with pytest.raises(NoFaceFound, match=words):
        from_video(frames(), FPS)
    assert len(read) == faces + MOST_LOST


@pytest.mark.skipif(not apart._is_possible(), reason="this system has no processes within limits")
def test_what_a_refused_video_takes_is_given_back_at_once(tmp_path, surprised, monkeypatch):
    monkeypatch.setattr(apart, "_source", None)
    assert apart.start()
    source = apart._source
    path = written(tmp_path / "wall.mp4", [np.full_like(surprised[0], 127)] * 60)
    with pytest.raises(NoFaceFound) as error:
        read_driving(path)
    # The error is still here, and with it whatever it came through.
    assert error.value is not None
    is_over = none_left(source)
    source._end()
    assert is_over


def test_reported_videos(shared_data):
    bugs = shared_data / "bugs"
    with pytest.raises(InvalidRequest, match=r"begins at 1\.0[03] s of scene_cut\.mp4"):
        read_driving(bugs / "scene_cut.mp4")
    driving = read_driving(bugs / "upside.mp4")
    assert "turned by 180 degrees" in driving.notice
    assert opened(driving.motion).max() > 0.1


def test_no_real_clip_is_refused_or_turned(shared_data):
    clips = sorted([*(shared_data / "videos").glob("*.mp4"), *(shared_data / "speech").glob("*.mp4")])
    assert len(clips) >= 20
    for clip in clips:
        assert read_driving(clip, end=2.5).notice is None, clip.name

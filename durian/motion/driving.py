"""Motion of a driving video: read at one rate and size, turned upright, and of one shot only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest
from durian.motion.cuts import CutWatch
from durian.motion.fitting import MOST_LOST, bridge_gaps, from_landmarks
from durian.motion.motion import Motion

DRIVING_FPS = 30.0
"""Highest rate at which a driving video is tracked; faster ones gain nothing visible."""
DRIVING_SIDE = 720
"""Longest side in pixels at which a driving video is tracked; landmarks do not get better above (face.tracking)."""
LYING = 55
"""Degrees of a head's roll from which all frames are turned; nobody holds the head like that for a film."""
LOOKED_AT = 5
"""First frames in which the face may be found that tells which way is up."""


@dataclass(frozen=True)
class Driving:
    """A driving video's motion; ``notice`` is one sentence about what was done to the video, for its visitor, or
    none."""

    motion: Motion
    notice: str | None = None


def driving_fps(path: str | os.PathLike[str]) -> float:
    """The rate at which a driving video is read: its own, at most :data:`DRIVING_FPS`."""
    from durian.media import probe_video

    return min(DRIVING_FPS, probe_video(path).fps)


def read_driving(
    path: str | os.PathLike[str], start: float = 0.0, end: float | None = None, neutral: int | None = None
) -> Driving:
    """Track the face through a video, or a part of it.

    Args:
        path: the video.
        start, end: of the part, in seconds.
        neutral: the frame of the part that shows the resting face, at :func:`driving_fps`; found when ``None``.

    Raises:
        UnreadableMedia, LimitExceeded: the file.
        NoFaceFound, InvalidRequest: as :func:`from_video`; or the part makes no sense.
    """
    from durian.media import iter_video

    path, fps = Path(path), driving_fps(path)
    # Closed at once, since an error would keep what its decoder holds.
    with closing(iter_video(path, fps, start=start, end=end, max_side=DRIVING_SIDE)) as frames:
        driving = from_video(frames, fps, neutral, path.name, start)
    return replace(driving, motion=replace(driving.motion, name=path.stem))


def from_video(
    frames: Iterable[np.ndarray],
    fps: float,
    neutral: int | None = None,
    what: str = "the driving video",
    start: float = 0.0,
) -> Driving:
    """Track one face through a driving video and make its motion.

    Args:
        frames: ``(H, W, 3) uint8`` pictures, possibly a generator.
        fps: their rate.
        neutral: the frame that shows the resting face; found by itself when ``None``.
        what: how sentences name the video.
        start: second of the video at which the frames begin.

    Raises:
        NoFaceFound: the face is away for more than three frames; names the first such frame and its time. No frame
            is read after so many without the face that it will not do.
        InvalidRequest: the video cuts to another shot or another person; names the time.
    """
    from durian.face.tracking import track_faces

    frames, turns = upright(frames)
    watch = CutWatch()
    tracked = track_faces(watch.watch(frames), most_lost=MOST_LOST)
    cut = watch.first_cut(tracked)
    if cut is not None:
        raise InvalidRequest(
            f"Another shot or another person begins at {start + cut / fps:.2f} s of {what}: trim the video to one "
            "shot, by its start and end on the page, by --start and --end on the command line, or before it is sent to "
            "the API."
        )
    motion = from_landmarks(bridge_gaps(tracked, fps, start), fps, neutral)
    if not turns:
        return Driving(motion)
    how = {1: "90 degrees anticlockwise", 2: "180 degrees", 3: "90 degrees clockwise"}[turns]
    return Driving(motion, f"The face in {what} was not upright: the video was turned by {how}.")


def upright(frames: Iterable[np.ndarray]) -> tuple[Iterator[np.ndarray], int]:
    """Turn all frames so that the largest face of the first ones is upright.

    Returns:
        The frames, and by how many quarter turns anticlockwise they are turned, 0 to 3.
    """
    frames = iter(frames)
    first = list(islice(frames, LOOKED_AT))
    turns = next((found for frame in first if (found := _quarter_turns(frame)) is not None), 0)
    every = chain(first, frames)
    if not turns:
        return every, 0
    return (np.ascontiguousarray(np.rot90(frame, turns)) for frame in every), turns


def _quarter_turns(frame: np.ndarray) -> int | None:
    from durian.face.checks import MIN_CONFIDENCE
    from durian.face.detection import detect_faces, detect_turned_faces

    faces = [face for face in detect_faces(frame) if face.confidence >= MIN_CONFIDENCE] or detect_turned_faces(frame)
    if not faces:
        return None
    roll = faces[0].roll
    return round(roll / 90) % 4 if abs(roll) > LYING else 0

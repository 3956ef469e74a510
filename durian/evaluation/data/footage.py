"""Real clips for the evaluations: prepared ones, or plain videos of one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from durian.clips import CATEGORIES, SUFFIX, Clip
from durian.errors import InvalidRequest, NoFaceFound
from durian.evaluation.data.cases import Source
from durian.face import Crop, track_faces
from durian.face.landmarks import fill_gaps

VIDEO_ENDINGS = (".mp4", ".mov", ".webm", ".mkv", ".avi")
SIZE = 512
"""Side in pixels to which the middle square of a plain video is scaled; prepared clips have their own."""
FRAME_RATE = 12.0
"""Frames per second that are looked at, or a little more: neighbours in faster clips hardly differ."""
MOST_SECONDS = 10.0
"""A longer clip is cut off here, so that memory stays bounded."""
ITEM_OF_VIDEOS = "hair"
"""The item that is transferred from a plain video: nearly everybody has some. Other items need prepared clips."""


@dataclass(frozen=True)
class Footage:
    """F frames of one person.

    Attributes:
        frames: ``(F, S, S, 3) uint8`` RGB.
        landmarks: ``(F, 478, 3) float32`` pixels; interpolated where ``known`` ``(F,) bool`` says no.
        masks: by category ``(F, S, S) uint8``; empty for plain videos (:func:`item_mask` finds them).
        fps: frames per second.
    """

    frames: np.ndarray
    landmarks: np.ndarray
    known: np.ndarray
    fps: float
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)


def clip_paths(folder: Path, limit: int | None = None) -> list[Path]:
    """Prepared clips and videos of a folder, by name.

    Raises:
        InvalidRequest: there are none.
    """
    wanted = (SUFFIX, *VIDEO_ENDINGS)
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in wanted and path.name[0] != ".")
    if not paths:
        raise InvalidRequest(f"{folder.name} holds no clips: give a folder of {', '.join(wanted)} files.")
    return paths[:limit]


def items_of(path: Path) -> tuple[str, ...]:
    """Categories that can be taken from a clip."""
    return Clip(path).about.items if path.suffix == SUFFIX else (ITEM_OF_VIDEOS,)


def item_sources(folder: Path, limit: int | None) -> list[Source]:
    """One source for each clip and each of its items; the item is its detail. A broken clip becomes one as well."""
    sources = []
    for path in clip_paths(folder, limit):
        try:
            items = items_of(path)
        except ValueError:
            items = ("unreadable",)  # loading it says why
        sources += [Source(f"{path.stem}-{item}", (path,), item) for item in items]
    return sources


def read_footage(path: Path, most: int | None = None) -> Footage:
    """Read a clip at about :data:`FRAME_RATE`.

    Args:
        path: a prepared clip or a video.
        most: at most so many frames, from the start.

    Raises:
        UnreadableMedia: it cannot be read.
        NoFaceFound: no frame shows a face.
    """
    return _prepared(path, most) if path.suffix == SUFFIX else _video(path, most)


def item_mask(footage: Footage, frame: int, category: str) -> np.ndarray:
    """Where a frame shows the item, ``(S, S) uint8``: the clip's own mask, or else what the parser finds.

    Raises:
        InvalidRequest: it shows none.
    """
    if category in footage.masks:
        mask = footage.masks[category][frame]
    else:
        from durian.segmentation import worn

        mask = worn(footage.frames[frame], footage.landmarks[frame], [category])[category]
    if not mask.any():
        raise InvalidRequest(f"Frame {frame} shows no {category}: leave the clip out.")
    return mask


def _prepared(path: Path, most: int | None) -> Footage:
    clip = Clip(path)
    targets = clip.about.frames_of("target")
    step = max(1, int(clip.about.fps / FRAME_RATE))
    chosen = targets[: round(MOST_SECONDS * clip.about.fps) : step][:most]
    frames = [clip.frame(number) for number in chosen]
    seen = [name for name in CATEGORIES if all(name in frame.masks for frame in frames)]
    return Footage(
        frames=np.stack([frame.image for frame in frames]),
        landmarks=np.stack([frame.landmarks for frame in frames]),
        known=np.ones(len(frames), bool),
        fps=clip.about.fps / step,
        masks={name: np.stack([frame.masks[name] for frame in frames]) for name in seen},
    )


def _video(path: Path, most: int | None) -> Footage:
    from durian.media import iter_video, probe_video

    fps = min(probe_video(path).fps, FRAME_RATE)
    frames = []
    for frame in iter_video(path, fps, end=MOST_SECONDS):
        frames.append(middle_square(frame))
        if len(frames) == most:
            break
    found = track_faces(frames, path.name)
    if all(landmarks is None for landmarks in found):
        raise NoFaceFound(f"{path.name} shows no face: leave it out of the folder.")
    landmarks, _ = fill_gaps(found)
    return Footage(np.stack(frames), landmarks, np.array([face is not None for face in found]), fps)


def middle_square(frame: np.ndarray) -> np.ndarray:
    """The middle of a frame ``(H, W, 3)``, ``(SIZE, SIZE, 3)``."""
    height, width = frame.shape[:2]
    return Crop((width - 1) / 2, (height - 1) / 2, min(height, width)).apply(frame, SIZE)

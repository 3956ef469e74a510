"""Clips from videos: shots, one face in each, a square that stands still, masks of worn items.

A video is read three times, a frame at a time: for its cuts and black bars, for the face, for the pictures. Only the
pictures of one clip are held.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from durian.clips import SUFFIX, ClipAbout, ClipFrame, write_clip
from durian.errors import InvalidRequest, LimitExceeded, UnreadableMedia
from durian.face import Crop, track_faces
from durian.media import iter_video, probe_video
from durian.media.shots import find_shots
from durian.training.preparation.bars import Area, Bars
from durian.training.preparation.framing import Span, plan_clips
from durian.training.preparation.quality import Reason, clip_fault, is_person
from durian.training.preparation.record import LeftOut, Made, Record
from durian.training.preparation.settings import Preparation
from durian.training.preparation.wearing import parsed_masks, parsed_side, read_masks, steady_items

VIDEO_ENDINGS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif")


@dataclass(frozen=True)
class Video:
    """A video of which every ``step``-th frame is taken: whole steps, so that motion stays even.

    Attributes:
        path: the file.
        area: rows and columns of the file's frames that are the picture; the rest are black bars.
        whole: shape of the file's frames, ``(H, W, 3)``.
        fps: frames per second of those taken.
        step: from one frame that is taken to the next.
    """

    path: Path
    whole: tuple[int, int, int]
    area: Area
    fps: float
    step: int

    @classmethod
    def open(cls, path: Path, most_fps: float) -> Video:
        """Read a video's headers.

        Raises:
            UnreadableMedia, LimitExceeded: it cannot be read.
        """
        info = probe_video(path)
        step = max(1, math.ceil(info.fps / most_fps - 0.01))
        area = slice(0, info.height), slice(0, info.width)
        return cls(path, (info.height, info.width, 3), area, info.fps / step, step)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the frames without bars, in pixels."""
        rows, columns = self.area
        return rows.stop - rows.start, columns.stop - columns.start

    def frames(self, step: int | None = None) -> Iterator[np.ndarray]:
        """Frames that are taken, or every ``step``-th, without bars: ``(H, W, 3) uint8``.

        Raises:
            UnreadableMedia, LimitExceeded: the video is damaged, or its frames are not all of one size.
        """
        for frame in islice(iter_video(self.path, max_seconds=math.inf), 0, None, step or self.step):
            if frame.shape != self.whole:
                raise UnreadableMedia(f"{self.path.name} changes the size of its frames: cut it there.")
            yield np.ascontiguousarray(frame[self.area])


def prepare_video(source: str, wanted: Preparation) -> Record:
    """Make the clips of one video. One that cannot be read is recorded as left out.

    Args:
        source: its path in the folder of videos.
        wanted: the settings.
    """
    made: list[Made] = []
    left_out: list[LeftOut] = []
    folder, name = Path(source).parent, Path(source).name
    try:
        video = Video.open(wanted.sources / source, wanted.fps)
        bars = Bars()
        shots = find_shots(bars.watch(video.frames(step=1)))
        video = replace(video, area=bars.area())
        spans, tracked = follow(video, shots, wanted)
        for span, pictures in _pictures(video, spans, wanted.size):
            result: Reason | tuple[list[ClipFrame], tuple[str, ...]]
            if isinstance(span.use, Reason):
                result = span.use
            else:
                known = [landmarks for landmarks in tracked[span.first : span.stop] if landmarks is not None]
                result = _frames(video, span, span.use, pictures, known, wanted)
            if isinstance(result, Reason):
                left_out.append(LeftOut(result, span.first * video.step, span.stop - span.first))
                continue
            frames, items = result
            clip = f"{name}-{len(made):03d}"
            count, fps = len(frames), round(video.fps, 3)
            about = ClipAbout(clip, wanted.size, fps, ("target",) * count, items, (0,) * count, source=source)
            write_clip(wanted.out / folder / f"{clip}{SUFFIX}", about, frames)
            made.append(Made(f"{clip}{SUFFIX}", count, round(count / fps, 3), items))
    except (UnreadableMedia, LimitExceeded, InvalidRequest) as error:
        left_out.append(LeftOut(Reason.UNREADABLE, sentence=str(error)))
    return Record(source, tuple(made), tuple(left_out))


def follow(video: Video, shots: Sequence[range], wanted: Preparation) -> tuple[list[Span], list[np.ndarray | None]]:
    """Follow a video's face: the use of each frame that is taken, and its landmarks.

    Args:
        video: the video.
        shots: of all its frames, which differ least where nothing is cut.
        wanted: the settings.

    Returns:
        spans of the frames that are taken, counted as such, in order and without gaps; for each of these frames
        ``(478, 3)`` pixels of it, or ``None``.
    """
    starts = [-(-shot.start // video.step) for shot in shots]
    spans: list[Span] = []
    tracked: list[np.ndarray | None] = []
    numbered = enumerate(video.frames())
    for _, group in groupby(numbered, key=lambda pair: np.searchsorted(starts, pair[0], side="right")):
        found = track_faces(frame for _, frame in group)
        spans += plan_clips(
            range(len(tracked), len(tracked) + len(found)), found, video.shape, wanted.size, wanted.most_frames
        )
        tracked += found
    return spans, tracked


def _pictures(
    video: Video, spans: Sequence[Span], size: int
) -> Iterator[tuple[Span, list[tuple[np.ndarray, np.ndarray]]]]:
    """Each span with the pictures of its frames, as they will be in the clip and finer; none for what is left out."""
    frames = video.frames()
    for span in spans:
        pictures = []
        for frame in islice(frames, span.stop - span.first):
            if isinstance(span.use, Crop):
                fine = span.use.apply(frame, parsed_side(span.use, size))
                pictures.append((span.use.apply(frame, size), fine))
        yield span, pictures


def _frames(
    video: Video,
    span: Span,
    crop: Crop,
    pictures: list[tuple[np.ndarray, np.ndarray]],
    tracked: Sequence[np.ndarray],
    wanted: Preparation,
) -> tuple[list[ClipFrame], tuple[str, ...]] | Reason:
    """A clip's frames and items, or why there is none."""
    size = wanted.size
    landmarks = [crop.points(points, size) for points in tracked]
    fine = [picture for _, picture in pictures]
    fine_landmarks = [crop.points(points, fine[0].shape[0]) for points in tracked]
    fault = clip_fault(fine, fine_landmarks, size)
    if fault is not None:
        return fault
    looked_at = [len(fine) * quarter // 4 for quarter in (2, 1, 3)]
    if not any(is_person(fine[number], fine_landmarks[number]) for number in looked_at):
        return Reason.NO_PERSON
    if wanted.masks is None:
        masks = parsed_masks(fine, fine_landmarks, wanted.categories, size)
    else:
        numbers = [video.step * number for number in range(span.first, span.stop)]
        given = wanted.masks / video.path.relative_to(wanted.sources).with_suffix("")
        masks = read_masks(given, numbers, crop, video.whole, video.area, wanted.categories, size)
    items = steady_items(masks, landmarks)
    if not items:
        return Reason.NOTHING_WORN
    return [
        ClipFrame(small, points, {name: of_frames[place] for name, of_frames in masks.items()})
        for place, ((small, _), points) in enumerate(zip(pictures, landmarks, strict=True))
    ], items

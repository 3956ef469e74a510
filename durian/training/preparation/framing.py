"""Framing of clips: their frames, and one square for the whole clip, so that the background stands still.

A clip's frames follow each other in one shot and show one face, without a gap. The square is framed as the app frames
a photo, around where the face is on the whole; where a face wanders too far for that, its clip is halved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from durian.face import Crop, Face, default_crop
from durian.training.preparation.quality import LEAST_FRAMES, Reason, frame_fault

JUMP = 0.45
"""Way of a face from one frame to the next, in face sizes, from which on it is thought to be another's: people do not
move that fast, and the tracker falls on somebody else so."""
ROOMS = (1.0, 1.1, 1.2, 1.3)
"""Factors on the square's side that are tried until the face stays inside."""
MARGIN, TIGHT_MARGIN = 0.25, 0.4
"""Least distance of the face from the square's edge, unless the picture ends there too: in face sizes, and where the
picture is too small for that, in those of a face in the middle."""


@dataclass(frozen=True)
class Span:
    """Frames ``first`` to ``stop - 1`` of a video: of a clip, whose crop is their ``use``, or left out for a reason."""

    first: int
    stop: int
    use: Crop | Reason


def plan_clips(
    shot: range, tracked: Sequence[np.ndarray | None], shape: tuple[int, ...], size: int, most_frames: int
) -> list[Span]:
    """Plan the use of each frame of a shot: spans in order and without gaps.

    Args:
        shot: numbers of its frames.
        tracked: ``(478, 3)`` pixels of the video's frame or ``None``, for each of them.
        shape: of the video's frames.
        size: side of the clip's frames in pixels.
        most_frames: of a clip.
    """
    spans: list[Span] = []
    faults = [frame_fault(landmarks, shape, size) for landmarks in tracked]
    for fault, group in groupby(range(len(shot)), key=lambda place: faults[place]):
        places = list(group)
        run = range(places[0], places[-1] + 1)
        if fault is not None:
            spans.append(Span(shot.start + run.start, shot.start + run.stop, fault))
            continue
        for part in _unbroken(run, np.array(tracked[run.start : run.stop])):
            for held in _held(part, np.array(tracked[part.start : part.stop]), shape):
                for piece in _pieces(held, most_frames):
                    first, stop = shot.start + piece.start, shot.start + piece.stop
                    spans.append(Span(first, stop, _use(piece, held, tracked, shape)))
    return spans


def hold(landmarks: np.ndarray, shape: tuple[int, ...]) -> Crop | None:
    """The square that shows a face throughout, or ``None`` if it wanders too far.

    Args:
        landmarks: ``(N, 478, 3)`` pixels of the frames.
        shape: of the frames.
    """
    face = Face(np.median(landmarks, axis=0))
    low, high = landmarks[..., :2].min(axis=(0, 1)), landmarks[..., :2].max(axis=(0, 1))
    tall = np.ptp(face.landmarks[:, :2], axis=0).max()
    end = np.array([shape[1], shape[0]]) - 0.5
    for room in ROOMS:
        crop = default_crop(face, shape, room)
        margin = min(MARGIN * tall, TIGHT_MARGIN * (crop.side - tall) / 2)
        first, last = (np.array([crop.x, crop.y]) + sign * crop.side / 2 for sign in (-1, 1))
        inside_low = (low - margin >= first) | (first < 0)
        inside_high = (high + margin <= last) | (last > end - 0.5)
        if inside_low.all() and inside_high.all():
            return crop
    return None


def _use(piece: range, held: range, tracked: Sequence[np.ndarray | None], shape: tuple[int, ...]) -> Crop | Reason:
    if len(piece) < LEAST_FRAMES:
        return Reason.SHORT
    # A piece may sit at the edge of what its whole's square shows, and its own leaves no margin there.
    squares = (hold(np.array(tracked[part.start : part.stop]), shape) for part in (piece, held))
    return next((square for square in squares if square is not None), Reason.SHORT)


def _unbroken(run: range, landmarks: np.ndarray) -> Iterator[range]:
    """Parts of a run in which the face ``(len(run), 478, 3)`` never jumps."""
    start = run.start
    for place in run[1:]:
        before, after = landmarks[place - run.start - 1 : place - run.start + 1, :, :2]
        size = np.ptp(before, axis=0).max()
        grown = np.ptp(after, axis=0).max() / size
        if np.hypot(*(after.mean(0) - before.mean(0))) > JUMP * size or not 1 - JUMP < grown < 1 / (1 - JUMP):
            yield range(start, place)
            start = place
    yield range(start, run.stop)


def _held(part: range, landmarks: np.ndarray, shape: tuple[int, ...]) -> Iterator[range]:
    """Halves of halves of a part, each of which a square holds, or which are too short for a clip."""
    if len(part) < LEAST_FRAMES or hold(landmarks, shape) is not None:
        yield part
        return
    middle = len(part) // 2
    yield from _held(part[:middle], landmarks[:middle], shape)
    yield from _held(part[middle:], landmarks[middle:], shape)


def _pieces(part: range, most_frames: int) -> Iterator[range]:
    """As few pieces as possible of at most so many frames, all about equally long."""
    count = -(-len(part) // most_frames)
    for number in range(count):
        yield part[len(part) * number // count : len(part) * (number + 1) // count]

"""Production of one job's files: each frame is finished and encoded while the next one is rendered."""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from durian.engine.encoder import Encoder
from durian.engine.giving_way import giving_way
from durian.engine.jobs import Job
from durian.engine.postprocess import Finisher
from durian.engine.stills import StillsLane
from durian.errors import OutputFailed, UnreadableMedia
from durian.renderer import Renderer
from durian.request import AnimationRequest

RESULT_NAME = "durian-{request_id}.mp4"
MASTER_NAME = "master.mkv"
SOUND_GONE = "The driving video has been deleted, so the animation is silent: choose the video again for its sound."


@dataclass(frozen=True)
class Animation:
    """A finished result.

    ``path`` is the MP4, ``master`` a lossless copy of its frames from which the other forms are made; both go with
    the owner's files. ``width`` and ``height`` in pixels; ``seconds`` from the start of the work to the closed file.
    ``request_id`` is a digest of the request: the same settings and pictures have the same one. ``notices`` are
    sentences about what is otherwise than it was asked for.
    """

    path: Path
    master: Path
    frames: int
    fps: float
    width: int
    height: int
    seconds: float
    renderer: str
    seed: int
    request_id: str
    metadata: dict[str, object]
    notices: tuple[str, ...] = ()

    def frame(self, index: int) -> np.ndarray:
        """One of its frames, exact, ``(height, width, 3) uint8``.

        Raises:
            OutputFailed: the master was deleted after its time.
        """
        from durian.media import iter_lossless

        index = min(max(index, 0), self.frames - 1)
        return next(islice(iter_lossless(self._present_master()), index, None))

    def gif(self, path: Path, most_bytes: float = math.inf) -> Path:
        """Write the frames as a looping GIF.

        Raises:
            OutputFailed: it could not be written, or the master was deleted after its time.
            LimitExceeded: it would have more than ``most_bytes``.
        """
        from durian.media import write_gif

        return write_gif(self._present_master(), path, self.fps, most_bytes=most_bytes)

    def frames_zip(self, path: Path, most_bytes: float = math.inf) -> Path:
        """Write the frames as PNGs into a ZIP.

        Raises:
            OutputFailed: it could not be written, or the master was deleted after its time.
            LimitExceeded: it would have more than ``most_bytes``.
        """
        from durian.media import iter_lossless, write_frames_zip

        return write_frames_zip(iter_lossless(self._present_master()), path, self.metadata, most_bytes)

    def _present_master(self) -> Path:
        if not self.master.is_file():
            raise OutputFailed("This animation's files were deleted after their time: make the animation again.")
        return self.master


class JobWatch:
    """Passes on to a job what its renderer tells; see :class:`durian.watch.Watch`."""

    def __init__(self, job: Job, finisher: Finisher) -> None:
        self._job, self._finisher = job, finisher
        self.frame = job.watched_frame
        self.step = job.step_done
        self.is_cancelled = job.is_cancelled
        self.check_cancelled = job.check_cancelled

    def estimate(self, picture: np.ndarray) -> None:
        self._job.show(self._finisher(picture))


def produce(job: Job, renderer: Renderer, folder: Path, stills: StillsLane) -> Animation:
    """Render and encode one job into ``folder``, which its caller deletes after an error; ``stills`` go first.

    Raises:
        Cancelled: the job was cancelled.
        OutputFailed: the files could not be written.
        DurianError: there is no room for them, as the job's room says.
    """
    started = time.perf_counter()
    try:
        return _render_into(folder, job, renderer, stills, started)
    except OSError as error:
        if isinstance(error, OutputFailed):
            raise
        raise OutputFailed(
            f"The result could not be written ({error.strerror or 'unknown reason'}): choose another place or, where "
            "the disk is full, free some space."
        ) from error


def _render_into(folder: Path, job: Job, renderer: Renderer, stills: StillsLane, started: float) -> Animation:
    from durian.media import VideoWriter

    job.check_cancelled()
    request = job.request
    finisher = Finisher(request)
    metadata = describe(request)
    path = job.delivery.out or folder / RESULT_NAME.format(request_id=metadata["request_id"])
    master = folder / MASTER_NAME

    sound, notices = _sound_of(job)
    fps = request.options.fps
    writers = [
        partial(VideoWriter, path, fps, finisher.size, sound, metadata=metadata),
        partial(VideoWriter, master, fps, finisher.size, metadata=metadata),
    ]
    room = job.delivery.room
    holding = () if room is None else (room.hold,)
    with (
        Encoder(writers, finisher, job.is_cancelled, *holding) as encoder,
        closing(renderer.render(request, JobWatch(job, finisher))) as frames,
    ):
        for frame in giving_way(frames, stills, job.check_cancelled):
            encoder.write(frame)
            job.frame_done()
        job.check_cancelled()
    width, height = finisher.size
    return Animation(
        path=path,
        master=master,
        frames=job.frames,
        fps=request.options.fps,
        width=width,
        height=height,
        seconds=time.perf_counter() - started,
        renderer=request.renderer,
        seed=request.options.seed,
        request_id=str(metadata["request_id"]),
        metadata=metadata,
        notices=notices,
    )


def _sound_of(job: Job) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The samples of a job's sound, see :func:`durian.media.read_audio`, and what there is to say of it."""
    from durian.media import read_audio

    sound = job.delivery.sound
    if sound is None:
        return None, ()
    try:
        return read_audio(
            sound.path, sound.start, job.frames / job.request.options.fps, is_cancelled=job.is_cancelled
        ), ()
    except UnreadableMedia:
        # The animation does not need the file, and a visitor's goes after its time.
        if sound.path.exists():
            raise
        return None, (SOUND_GONE,)


def describe(request: AnimationRequest) -> dict[str, object]:
    """Metadata of a result: its id, seed and all settings, without pictures."""
    from durian.bundle import settings_of

    return {
        "request_id": request.content_hash[:16],
        "seed": request.options.seed,
        "renderer": request.renderer,
        "settings": settings_of(request),
    }

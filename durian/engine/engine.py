"""The engine: owns the renderers, runs one animation at a time, and stills beside it."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from durian import content_cache
from durian.engine import memory
from durian.engine.dressed_photo import dressed_photo
from durian.engine.jobs import Delivery, Job, JobStatus, Room, Sound
from durian.engine.label import draw_label
from durian.engine.postprocess import Finisher
from durian.engine.queue import JobQueue, pace_key
from durian.engine.run_job import Animation, produce
from durian.engine.stills import StillsLane
from durian.engine.storage import Storage
from durian.errors import Cancelled, DurianError, LimitExceeded
from durian.media.destination import check_place
from durian.renderer import Renderer, check_renderer, get_renderer
from durian.request import AnimationRequest, Attribute
from durian.settings import Settings, get_settings

SECONDS_TO_STOP = 5.0
"""How long closing waits for the running job to notice; several frames even of a slow renderer."""

log = logging.getLogger(__name__)

Made = TypeVar("Made")


class Engine:
    """Turns requests into files. Use the process's own, :func:`get_engine`; safe from any thread."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or get_settings()
        self._storage = Storage(self._settings)
        self._line = JobQueue(self._settings.max_queue, self._settings.visitor_places)
        self._stills = StillsLane()
        self._rest = memory.ReleaseWhenQuiet()
        self._renderers: dict[str, Renderer] = {}
        self._loading = threading.Lock()
        self._leaving = threading.Lock()
        self._worker: threading.Thread | None = None
        self._gone: set[str] = set()
        """Owners who left while a job of theirs was still stopping."""

    # Animations

    def submit(
        self,
        request: AnimationRequest,
        audio_from: Path | None = None,
        audio_start: float = 0.0,
        on_progress: Callable[[JobStatus], None] | None = None,
        out: Path | None = None,
        owner: str | None = None,
        watched_frame: int | None = None,
        client: str | None = None,
        room: Room | None = None,
    ) -> Job:
        """Put an animation into the line and return at once.

        Args:
            request: what to render.
            audio_from: a video whose sound the result gets, from ``audio_start`` seconds on.
            on_progress: called at each change from the engine's threads; must return quickly.
            out: the MP4's path; by default a new file in the owner's folder.
            owner: whose job it is, for :meth:`cancel_owner` and :meth:`forget_owner`.
            watched_frame: the frame that :attr:`Job.estimate` shows while a slow renderer works; by default the middle.
            client: who counts for a fair share of the line, and has ``max_job_seconds``; ``None`` has no such limits.
            room: on the disk, for its files; closed when the job is over or not taken.

        Raises:
            QueueFull: too many wait already, or too many of ``client``.
            InvalidRequest: the request's renderer is not known.
            WeightsMissing: it needs a model that is not here.
            OutputFailed: ``out`` is in no folder.
        """
        sound = None if audio_from is None else Sound(Path(audio_from), audio_start)
        seconds = None if client is None else self._settings.max_job_seconds
        place = None if out is None else Path(out)
        try:
            check_renderer(request.renderer)
            if place is not None:
                check_place(place)
            job = Job(request, Delivery(place, owner, client, seconds, sound, watched_frame, on_progress, room))
            self._start_worker()
            self._line.join(job)
        except BaseException:
            if room is not None:
                room.close()
            raise
        return job

    def animate(
        self,
        request: AnimationRequest,
        audio_from: Path | None = None,
        audio_start: float = 0.0,
        on_progress: Callable[[JobStatus], None] | None = None,
        out: Path | None = None,
        owner: str | None = None,
    ) -> Animation:
        """:meth:`submit` and wait. An interrupt from the keyboard cancels the job.

        Raises:
            Cancelled, QueueFull, InvalidRequest, WeightsMissing, OutputFailed, NoFaceFound: as the job ended.
        """
        job = self.submit(request, audio_from, audio_start, on_progress, out, owner)
        try:
            return job.result()
        except BaseException:
            job.cancel()
            raise

    def cancel_owner(self, owner: str) -> int:
        """Cancel all jobs and stills of ``owner`` (the browser was closed); returns how many jobs."""
        mine = [job for job in self._line.jobs() if job.delivery.owner == owner]
        for job in mine:
            job.cancel()
        self._stills.cancel(owner)
        return len(mine)

    def forget_owner(self, owner: str) -> None:
        """Cancel what ``owner`` has running and delete all their files, those of a job that is still stopping too."""
        self.cancel_owner(owner)
        with self._leaving:
            running = self._line.running
            if running is not None and running.delivery.owner == owner:
                self._gone.add(owner)
        self._storage.forget(owner)

    def start_sweeping(self, *staying: Path) -> None:
        """Begin to delete what is older than ``keep_seconds``; a server calls it before its first visitor comes.

        Args:
            staying: folders of visitors' files that are emptied but not deleted themselves.
        """
        self._storage.start_sweeping(*staying)

    def owner_folder(self, owner: str | None = None) -> Path:
        """The owner's folder for files that may go after ``keep_seconds``."""
        return self._storage.folder(owner)

    def waiting(self) -> int:
        """How many animations run or wait."""
        return len(self._line.jobs())

    # Stills

    def still(
        self, request: AnimationRequest, lane: str = "default", frame: int | None = None, client: str | None = None
    ) -> np.ndarray:
        """One finished frame, ``(H, W, 3) uint8``, never waiting behind animations, which give way to it.

        Args:
            request: what to show.
            lane: the visitor's session; a newer still of a lane replaces older ones.
            frame: which frame of the motion; ``None`` shows the portrait's own pose.
            client: whom the lane counts for where several wait, such as an address; by default it counts for itself.

        Raises:
            Cancelled: a newer still of the lane came before this one's turn.
        """
        return self._in_turn(lane, [lambda: self._still(request, frame)], client)[0]

    def dressed_photo(
        self,
        request: AnimationRequest,
        photo: np.ndarray | None = None,
        lane: str = "default",
        frame: int | None = None,
        client: str | None = None,
    ) -> np.ndarray:
        """A still in the whole photo, at the photo's own resolution, ``(H, W, 3) uint8``: where nothing changed it is
        the photo, to the bit. Waits as :meth:`still` does.

        Args:
            request: what to show; best made with ``uncrop``, which looks for a hat's room within the photo.
            photo: the portrait's, ``(H, W, 3) uint8``, where a larger one is at hand than what is worked on.
            lane, frame, client: those of :meth:`still`.

        Raises:
            Cancelled: a newer still of the lane came before this one's turn.
        """
        portrait = request.portrait
        photo = portrait.image if photo is None else photo
        crop = portrait.crop.scaled(photo.shape[1] / portrait.image.shape[1])
        plain = replace(request, options=replace(request.options, uncrop=False, label=False))
        made = dressed_photo(self.still(plain, lane, frame, client), photo, crop)
        return draw_label(made) if request.options.label else made

    def blend_strip(
        self, request: AnimationRequest, count: int = 5, lane: str = "default", client: str | None = None
    ) -> list[np.ndarray]:
        """``count`` stills from the first item (α = 0) to the second (α = 1) of a blending request.

        ``lane`` and ``client`` are those of :meth:`still`, here and below.

        Raises:
            InvalidRequest: the request does not blend two items of one kind.
            Cancelled: a newer strip of the lane was asked for.
        """
        blending = replace(request, mode="blend")
        steps = [blending.at_alpha(float(alpha)) for alpha in np.linspace(0, 1, count)]
        return self._in_turn(f"{lane}/strip", [partial(self._still, step, None) for step in steps], client)

    def look_book(
        self,
        request: AnimationRequest,
        attributes: Sequence[Attribute],
        lane: str = "default",
        client: str | None = None,
    ) -> list[np.ndarray]:
        """The request's portrait with each of ``attributes`` alone: one still for each.

        Raises:
            Cancelled: a newer look-book of the lane was asked for.
        """
        looks = [replace(request, attributes=(attribute,), mode="wear", motion=None) for attribute in attributes]
        return self._in_turn(f"{lane}/look-book", [partial(self._still, look, None) for look in looks], client)

    def overlays(
        self, request: AnimationRequest, lane: str = "default", client: str | None = None
    ) -> dict[str, np.ndarray]:
        """Pictures to check a request by: ``landmarks``, ``keypoints``, ``hole``, ``aligned``."""
        return self._in_turn(f"{lane}/overlays", [lambda: self.load(request.renderer).overlays(request)], client)[0]

    def _in_turn(self, lane: str, pieces: Sequence[Callable[[], Made]], client: str | None) -> list[Made]:
        try:
            return self._stills.run(lane, pieces, client)
        finally:
            self._rest.done()

    def _still(self, request: AnimationRequest, frame: int | None) -> np.ndarray:
        renderer = self.load(request.renderer)
        picture = renderer.still(replace(request, motion=None)) if frame is None else renderer.still(request, frame)
        return Finisher(request)(picture)

    # Renderers and memory

    def load(self, name: str | None = None) -> Renderer:
        """The renderer of that name, made when it is first needed."""
        name = name or self._settings.renderer
        with self._loading:
            if name not in self._renderers:
                self._renderers[name] = get_renderer(name)
            return self._renderers[name]

    def unload(self) -> None:
        """Close all renderers and give their memory back; the next request loads them again."""
        with self._loading:
            renderers, self._renderers = self._renderers, {}
        for renderer in renderers.values():
            renderer.close()
        memory.release()

    def memory(self) -> dict[str, float]:
        """``resident_mb`` now and ``peak_mb`` since the process started."""
        return {"resident_mb": memory.resident_mb(), "peak_mb": memory.peak_resident_mb()}

    def close(self) -> None:
        """Cancel everything and stop. Half-written files are removed; an engine cannot be used again."""
        self._line.close()
        self._rest.close()
        for job in self._line.jobs():
            job.cancel()
        self._storage.close()
        if self._worker is not None:
            self._worker.join(SECONDS_TO_STOP)
        self.unload()

    # The worker

    def _start_worker(self) -> None:
        with self._loading:
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="durian-worker", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        while (job := self._line.next()) is not None:
            key = pace_key(job.request)
            self._run(job)
            self._line.done(job, key)
            owner = job.delivery.owner
            del job
            self._tidy(owner)

    def _finish_stopped(self, job: Job) -> None:
        """A renderer only knows that it was told to stop; why is known here."""
        try:
            job.check_cancelled()
        except LimitExceeded as error:
            job.finish_failed(_without_trace(error))
        except Cancelled:
            job.finish_cancelled()
        else:
            job.finish_cancelled()

    def _tidy(self, owner: str | None) -> None:
        """Give back what a job leaves behind; as in :meth:`_run`, nothing of it may stop the worker."""
        try:
            self._forget_gone(owner)
            memory.release()
        except Exception:
            log.exception("Tidying up after a job failed.")

    def _forget_gone(self, owner: str | None) -> None:
        """Delete what a job has still written after its owner had left."""
        with self._leaving:
            left = owner in self._gone
            self._gone.discard(owner)
        if left:
            self._storage.forget(owner)

    def _run(self, job: Job) -> None:
        """Bring one job to its end, whatever that is: nothing a job does may stop the worker."""
        try:
            job.start()
            job.check_cancelled()
            renderer = self.load(job.request.renderer)
            kept = content_cache.kept_for(job.delivery.client or "")
            with kept, self._storage.job_folder(job.delivery.owner, job.id) as folder:
                animation = produce(job, renderer, folder, self._stills)
                if job.delivery.room is not None:
                    job.delivery.room.settle(animation.path, animation.master)
        except Cancelled:
            self._finish_stopped(job)
        except DurianError as error:
            log.info("Job %s failed.", job.id, exc_info=True)
            job.finish_failed(_without_trace(error))
        except Exception as error:
            log.exception("Job %s failed.", job.id)
            job.finish_failed(_without_trace(error))
        else:
            job.finish(animation)


def _without_trace(error: Exception) -> Exception:
    """The error alone: the frames in its trace would keep the request's pictures alive, and the log has the trace."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


_engine: Engine | None = None
_engine_lock = threading.Lock()


def get_engine() -> Engine:
    """The process's engine, made at the first call."""
    global _engine
    with _engine_lock:
        if _engine is None:
            _engine = Engine()
            atexit.register(_close_engine)
        return _engine


def _close_engine() -> None:
    with _engine_lock, suppress(Exception):
        if _engine is not None:
            _engine.close()

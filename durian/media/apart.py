"""Reading a stranger's file in a process of its own, which may take only so much memory and time.

What a decoder makes of a file cannot be told from its headers: a few bytes may take gigabytes, or minutes. So a server
calls :func:`start`, and from then on functions that :func:`called_apart` and :func:`iterated_apart` mark run in a
process for each file (:mod:`durian.media.reader`), which ends with it. Everywhere else they run as if unmarked.
"""

from __future__ import annotations

import functools
import logging
import os
import pickle
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from durian import errors
from durian.content_cache import current_client
from durian.errors import Cancelled, DurianError, LimitExceeded
from durian.long_work import Turns, check_wanted
from durian.media.reader import BEGUN, END, ERROR, ITEM, MEMORY, RESULT, Limits, Task
from durian.media.wire import Forged, receive
from durian.settings import get_settings

MEMORY_BYTES = 1_200_000_000
"""That a process may take beyond what it begins with, which is shared by all; a picture of 50 megapixels takes 0.9 GB
in the costliest format (WebP)."""
FRAMES_BYTES = 1_800_000_000
"""The same where all frames of a large video are decoded: 1.5 GB are kept by its decoder at most."""
SOUND_BYTES = 600_000_000
"""The same for sound."""
LONGEST_WAIT = 600.0
"""Seconds that a file waits for others to be read; who has gone does not."""
WALL = 10.0
"""Times its seconds of processor time that a process is waited for: it shares the processor with all that the server
does."""
START_SECONDS = 60.0
"""For libraries to load on a busy machine."""
LOOK_SECONDS = 0.2
"""After which a wait looks whether it goes on."""
BYTES_BESIDE = 50_000_000
"""Beside a picture's pixels: a minute of sound has half of that."""

Given = ParamSpec("Given")
Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A kind of reading: what is read and what to do where it takes too much, for the sentence; bytes of memory
    and seconds of processor time that it may take; and whose turn it is."""

    what: str
    advice: str
    memory: int
    seconds: int
    turns: Turns

    def too_much(self, name: str) -> LimitExceeded:
        """The sentence for a file at which a process ended, whatever limit it met."""
        return LimitExceeded(
            f"{name} takes more memory or time to read than {self.what} of ours may ({self.memory / 1e9:.1f} GB, "
            f"{self.seconds} s), or cannot be decoded: {self.advice}."
        )


PICTURE = Work(
    "a picture", "save it again with another program, or make it smaller", MEMORY_BYTES, 12, Turns(1, spare=1)
)
"""Of 50 megapixels the costliest formats (PNG, HEIC of ten bits) take five seconds on a slow core."""
GLANCE = Work("a video's headers", "convert it to H.264 MP4", MEMORY_BYTES, 20, Turns(1, spare=1))
"""And first frame: a moment, mostly."""
SOUND = Work("a video's sound", "convert it to H.264 MP4", SOUND_BYTES, 20, Turns(1))
"""Read for animations, one after the other, which nobody else's files keep waiting."""
_VIDEO_ADVICE = "convert it to H.264 MP4, trim it, or make it smaller"
FRAMES = Work("a video", _VIDEO_ADVICE, FRAMES_BYTES, 400, Turns(1))
"""A minute of 4K at 60 frames a second has 30 gigapixels, of which a slow core decodes 0.1 a second. One at a time:
whoever sends such videos keeps those alone waiting who do so, too."""
CLIP = Work("a short video", _VIDEO_ADVICE, MEMORY_BYTES, 60, Turns(1, spare=1))
"""What most people send: ten seconds of 4K at 30 frames a second have 2.5 gigapixels."""


def called_apart(
    work: Work, checked: Callable[[Any], Any]
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Mark a function of a file, which is its first argument, and gives plain values and arrays.

    An argument ``is_cancelled``, given by name, stays in this process and is asked again and again.

    Args:
        work: its kind.
        checked: its result, made of the value that came (of a dataclass the fields' values), or ``ValueError``,
            ``TypeError`` or ``AttributeError`` where none is a result: see :mod:`durian.media.results`.

    Raises (the marked function, besides its own):
        LimitExceeded: the file takes too much memory or time, or its process crashed; or too many others wait.
    """

    def mark(function: Callable[Given, Result]) -> Callable[Given, Result]:
        @functools.wraps(function)
        def reading(*arguments: Given.args, **named: Given.kwargs) -> Result:
            if _source is None:
                return function(*arguments, **named)
            is_cancelled: Any = named.pop("is_cancelled", _never)
            with _process(
                work, Task(reading, arguments, dict(named), Limits(work.memory, work.seconds)), is_cancelled
            ) as process:
                return _checked(process.expect(RESULT)[1], checked)

        _modules.add(function.__module__)
        return reading

    return mark


def iterated_apart(
    work_of: Callable[Given, Work], checked: Callable[[Any], Any]
) -> Callable[[Callable[Given, Generator[Result, None, None]]], Callable[Given, Generator[Result, None, None]]]:
    """As :func:`called_apart` for a function that checks a file when it is called, and gives a generator.

    One item is made ahead. Its process ends as the generator does: used up, closed, forgotten, or at an error.

    Args:
        work_of: the kind, told by the same arguments.
        checked: as there, of each item.
    """

    def mark(
        function: Callable[Given, Generator[Result, None, None]],
    ) -> Callable[Given, Generator[Result, None, None]]:
        @functools.wraps(function)
        def reading(*arguments: Given.args, **named: Given.kwargs) -> Generator[Result, None, None]:
            if _source is None:
                return function(*arguments, **named)
            work = work_of(*arguments, **named)
            items = _items(work, Task(reading, arguments, dict(named), Limits(work.memory, work.seconds)), checked)
            next(items)
            return items

        _modules.add(function.__module__)
        return reading

    return mark


def _items(work: Work, task: Task, checked: Callable[[Any], Any]) -> Generator[Any, None, None]:
    """First ``None``, once the checks are over, then the items."""
    with _process(work, task, _never) as process:
        process.expect(BEGUN)
        yield None
        while (found := process.expect(ITEM, END))[0] == ITEM:
            yield _checked(found[1], checked)


def _checked(value: Any, checked: Callable[[Any], Any]) -> Any:
    try:
        return checked(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise Forged("No result.") from error


@contextmanager
def _process(work: Work, task: Task, is_cancelled: Callable[[], bool]) -> Iterator[_Process]:
    """A process that has begun with a task, in this client's turn; it has ended afterwards."""
    source, until = _source, time.monotonic() + LONGEST_WAIT

    def look() -> None:
        if is_cancelled():
            raise Cancelled("The file is not wanted any more.")
        check_wanted()
        if time.monotonic() > until:
            raise LimitExceeded("Many other files are being read: try again in a minute.")

    assert source is not None
    name = _name(task.arguments)
    with work.turns.place(current_client(), look), closing(source.new()) as process:
        try:
            process.begin(task, WALL * work.seconds, is_cancelled)
            yield process
        except (EOFError, ConnectionError, TimeoutError, Forged, _OutOfMemory) as error:
            log.info("%s was not read.", name, exc_info=True)
            raise work.too_much(name) from error


class _OutOfMemory(Exception):
    """A process says that its memory did not suffice."""


class _Process:
    """A process that reads one file.

    Args:
        connection: to it.
        handle: a descriptor of the process, by which it is killed and known to be gone.
    """

    def __init__(self, connection: socket.socket, handle: int) -> None:
        self._connection, self._handle = connection, handle
        self._most_bytes = 3_000_000 * get_settings().max_megapixels + BYTES_BESIDE
        self._seconds = 0.0
        self._is_cancelled: Callable[[], bool] = _never

    def begin(self, task: Task, seconds: float, is_cancelled: Callable[[], bool]) -> None:
        """Send the task, whose answers are waited for so many seconds together."""
        self._connection.settimeout(START_SECONDS)
        self._connection.sendall(pickle.dumps(task, protocol=5))
        self._connection.settimeout(LOOK_SECONDS)
        self._seconds, self._is_cancelled = seconds, is_cancelled

    def expect(self, *kinds: str) -> tuple[str, Any]:
        """The next message, one of these kinds.

        Raises:
            DurianError: as in the process, with its sentence.
            RuntimeError: any other error there.
            EOFError, ConnectionError, TimeoutError, Forged, _OutOfMemory: it ended, or takes too much.
            Cancelled: ``is_cancelled`` said so.
        """
        kind, value = receive(self._fill, self._most_bytes)
        if kind == ERROR:
            raise _error(value)
        if kind not in kinds:
            raise Forged(f"{kind} instead of {kinds}.")
        return kind, value

    def _fill(self, view: memoryview) -> None:
        while view:
            began = time.monotonic()
            with suppress(TimeoutError):
                count = self._connection.recv_into(view)
                if not count:
                    raise EOFError("The process has ended.")
                view = view[count:]
            self._seconds -= time.monotonic() - began
            if self._is_cancelled():
                raise Cancelled("The file is not wanted any more.")
            check_wanted()
            if self._seconds < 0:
                raise TimeoutError("The process takes too long.")

    def close(self) -> None:
        """End the process; its memory is free afterwards."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        gone = select.poll()
        gone.register(self._handle, select.POLLIN)
        gone.poll(START_SECONDS * 1000)
        os.close(self._handle)
        self._connection.close()


def _error(told: Any) -> Exception:
    """The error that a process tells of by its name and its text."""
    if not (isinstance(told, tuple) and len(told) == 2 and all(isinstance(part, str) for part in told)):
        raise Forged("No error.")
    name, text = told
    if name == MEMORY:
        return _OutOfMemory(text)
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, DurianError):
        return kind(text)
    return RuntimeError(f"{name}: {text}")


class _Source:
    """Where processes come from: one of :mod:`durian.media.reader`, which is begun anew where it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, self._running = self._begun()

    def new(self) -> _Process:
        """A process without a task.

        Raises:
            LimitExceeded: there is none.
        """
        for _ in range(2):
            control = self._control
            with suppress(OSError, EOFError):
                return self._forked(control)
            with self._lock:
                # Others may have found out, too.
                if self._control is control:
                    self._end()
                    self._control, self._running = self._begun()
        log.error("No process that reads files can be begun.")
        raise LimitExceeded("No files can be read just now: try again in a minute.")

    def _forked(self, control: socket.socket) -> _Process:
        own, other = socket.socketpair()
        with ExitStack() as undo, other:
            undo.callback(own.close)
            with self._lock:
                socket.send_fds(control, [b"."], [other.fileno()])
            other.close()
            own.settimeout(START_SECONDS)
            _, handles, _, _ = socket.recv_fds(own, 1, 1)
            if not handles:
                raise EOFError("Nothing was forked.")
            undo.pop_all()
            return _Process(own, handles[0])

    def _begun(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        own, other = socket.socketpair()
        with other:
            running = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(other.fileno()), *sorted(_modules)],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                # Ctrl-C is the server's, with which it ends.
                start_new_session=True,
                env={
                    # Nothing that a server keeps to itself, as tokens are.
                    **{name: value for name, value in os.environ.items() if _KEPT.match(name)},
                    # An empty one is where this program runs (``python -c``).
                    "PYTHONPATH": os.pathsep.join(os.path.abspath(each) for each in sys.path),
                    # It may have no other threads, which would not be there after a fork.
                    "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1",
                    "MKL_NUM_THREADS": "1",
                    # Threads of decoders reserve no memory each.
                    "MALLOC_ARENA_MAX": "1",
                },
            )
        return own, running

    def _end(self) -> None:
        """End it, and all processes that it was the source of."""
        self._control.close()
        self._running.kill()
        self._running.wait()


_KEPT = re.compile("(DURIAN|LC|PYTHON|LD)_|(PATH|LANG|LANGUAGE|TZ|HOME|TMPDIR|TEMP|TMP|VIRTUAL_ENV|PYTHON.*)$")
_PROGRAM = "from durian.media.reader import main; main()"

_source: _Source | None = None
_modules: set[str] = set()
"""Of marked functions."""


def start() -> bool:
    """Read apart from here on; where the system cannot, say so once in the log.

    Returns:
        Whether it can.
    """
    global _source
    if _source is None:
        if not _is_possible():
            log.warning("This system has no processes that read files within limits: they are read without.")
            return False
        _source = _Source()
    return True


def _is_possible() -> bool:
    """Whether this is a Linux on which a process can be held by a descriptor (5.3)."""
    if not (sys.platform.startswith("linux") and hasattr(os, "pidfd_open")):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def _name(arguments: tuple[Any, ...]) -> str:
    """What sentences call a file."""
    source = arguments[0] if arguments else b""
    return Path(source).name if isinstance(source, (str, os.PathLike)) else "The picture"


def _never() -> bool:
    return False

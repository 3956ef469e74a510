"""The process that others are forked from, each of which reads one file.

It holds the libraries that read files, and nothing else, so that a new process is there within milliseconds; it has one
thread, and reads nothing itself.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import importlib
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from durian.media.codecs import decoders_at_opening
from durian.media.wire import message_of
from durian.settings import get_settings

LIBRARIES = (
    "av",
    "av.filter",
    "av.stream",
    "av.video.codeccontext",
    "cv2",
    "numpy",
    "pi_heif",
    "PIL.Image",
    "PIL.ImageCms",
    "durian.media",
    "durian.media.deep_tiff",
)
"""Loaded before the first file comes."""
RESULT, BEGUN, ITEM, END, ERROR = "result", "begun", "item", "end", "error"
"""Kinds of messages: of a call its result; of an iteration that its checks are over, each item, and the end."""
MEMORY = "MemoryError"
"""The error that is told wherever memory did not suffice, also where that was taken for a damaged file."""
OPEN_FILES = 64
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


@dataclass(frozen=True)
class Limits:
    """What a process may take: bytes of memory beyond what it begins with, and seconds of all its threads."""

    memory: int
    seconds: int

    def apply(self) -> None:
        """Hold for this process from here on; it cannot take them back. It may write no file."""
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            held = int(file.read().split()[0]) * resource.getpagesize()
        # Of address space: what is reserved counts, too, which of one arena for all threads is little.
        for kind, most in (
            (resource.RLIMIT_AS, held + self.memory),
            (resource.RLIMIT_CPU, self.seconds),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NOFILE, OPEN_FILES),
        ):
            resource.setrlimit(kind, (most, most))


@dataclass(frozen=True)
class Task:
    """What a process is asked to do: a function of ours with its arguments, within limits. It may give an iterator."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    limits: Limits


def main() -> None:
    """Fork a process for each socket that comes through another, until nobody can send one any more.

    The program's arguments are that other socket's descriptor and modules to load, too.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    for module in (*LIBRARIES, *sys.argv[2:]):
        importlib.import_module(module)
    from PIL import Image

    Image.init()
    # What is found out once for all processes. Looking for the temporary folder writes into it, which none of them may.
    get_settings()
    decoders_at_opening()
    # Ended processes go by themselves.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What is here is shared with each process as long as neither writes to it, as looking for garbage does.
    gc.collect()
    gc.freeze()
    own = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        connection = socket.socket(fileno=descriptors[0])
        process = os.fork()
        if process == 0:
            control.close()
            try:
                _end_with(own)
                _read(connection)
            finally:
                os._exit(0)
        # It waits for its task, which nobody sends before this has come: so it is there still.
        handle = os.pidfd_open(process)
        socket.send_fds(connection, [b"."], [handle])
        os.close(handle)
        connection.close()


def _end_with(process: int) -> None:
    """Have this process killed when the one that it was forked from ends; it gains no rights by any program."""
    system = ctypes.CDLL(None)
    system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    system.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != process:
        os._exit(0)


def _read(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("rb") as file:
        task = _task(file)
    task.limits.apply()
    try:
        result = task.function(*task.arguments, **task.named)
        if not isinstance(result, Iterator):
            _send(connection, RESULT, result)
            return
        _send(connection, BEGUN, None)
        for item in result:
            _send(connection, ITEM, item)
        _send(connection, END, None)
    except Exception as error:  # noqa: BLE001 - raised again in the process that asked
        name = MEMORY if _is_of_memory(error) else type(error).__name__
        _send(connection, ERROR, [name, str(error)[:10_000]])


def _task(file: BinaryIO) -> Task:
    task = pickle.load(file)
    assert isinstance(task, Task)
    return task


def _is_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, is that memory does not suffice, be it for another thread."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in (errno.ENOMEM, errno.EAGAIN):
            return True
        error = error.__cause__ or error.__context__
    return False


def _send(connection: socket.socket, kind: str, value: object) -> None:
    """Returns once all but the last few hundred kilobytes have been taken."""
    for part in message_of(kind, value):
        connection.sendall(part)

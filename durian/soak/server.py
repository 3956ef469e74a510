"""The server under test: a process of its own with its own folders, so that leftover files can be counted."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

from durian.errors import OutputFailed
from durian.settings import PROJECT_ROOT
from durian.soak.measuring import Left, Reading, count_left, read_process

HOST = "127.0.0.1"
SECONDS_TO_START = 120
SECONDS_TO_STOP = 20
LONGEST_ERROR = 160
TRACE_BEGINS = "Traceback (most recent call last)"


class Server:
    """``python app.py`` on a free port of this machine; a context manager that ends the process whatever happens.

    Args:
        folder: where the server's own folders and its log go; an empty one.
        keep_seconds: the age at which its files are deleted.
    """

    def __init__(self, folder: Path, keep_seconds: int) -> None:
        self._temporary = folder / "temporary"
        # Where it lies by default as well.
        self._work = self._temporary / "durian"
        self._uploads = folder / "uploads"
        for path in (self._work, self._uploads):
            path.mkdir(parents=True)
        self._log = folder / "server.log"
        self._port = _free_port()
        self._keep_seconds = keep_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def host_and_port(self) -> tuple[str, int]:
        return HOST, self._port

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            # Ctrl-C goes to the process group: in a session of its own the server is ended by us, after the clients.
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from durian.ui import serve; serve()"],
                cwd=PROJECT_ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def reading(self) -> Reading | None:
        """The process's reading now; ``None`` where that cannot be read."""
        if self._process is None or not self.alive():
            return None
        return read_process(self._process.pid)

    def left(self) -> dict[str, Left]:
        """Files in its folders now: results (``work``), uploads and copies (``uploads``), anything else."""
        return {
            "work": count_left(self._work),
            "uploads": count_left(self._uploads),
            "temporary": count_left(self._temporary, without=self._work),
        }

    def traces(self) -> list[str]:
        """The last line of each trace in its log: what broke inside."""
        lines = self._log.read_text("utf-8", "replace").splitlines()
        starts = [index for index, line in enumerate(lines) if TRACE_BEGINS in line]
        return [_error_of(lines[start + 1 :]) for start in starts]

    def _environment(self) -> dict[str, str]:
        # A Space's own variables would make it listen elsewhere.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SPACE_")}
        return {
            **kept,
            "DURIAN_HOST": HOST,
            "DURIAN_RENDERER": "preview",
            "DURIAN_PORT": str(self._port),
            "DURIAN_WORK": str(self._work),
            "DURIAN_KEEP_SECONDS": str(self._keep_seconds),
            "GRADIO_TEMP_DIR": str(self._uploads),
            "TMPDIR": str(self._temporary),
            "PYTHONUNBUFFERED": "1",
        }

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while time.monotonic() < deadline and self.alive():
            try:
                with opener.open(f"{self.address}/config", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        said = self._log.read_text("utf-8", "replace").strip().splitlines()
        raise OutputFailed(
            f"The server did not start ({said[-1] if said else 'it said nothing'}): see what python app.py says."
        )

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _error_of(lines: list[str]) -> str:
    """The first line behind a trace's indented ones: the error, cut to what a table can show."""
    error = next((line.strip() for line in lines if line and not line.startswith((" ", "\t"))), "")
    return error[:LONGEST_ERROR]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]

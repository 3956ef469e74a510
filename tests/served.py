"""The page in a process of its own, as ``python app.py`` starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS_TO_START = 120


@contextmanager
def served(root: Path, folder: Path, **environment: str) -> Iterator[str]:
    """Serve the project at ``root`` from an empty working folder in ``folder``; its address.

    Environment variables are added; temporary files are kept in ``folder`` too.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("cwd", "tmp"):
        (folder / name).mkdir()
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, str(root / "app.py")],
            cwd=folder / "cwd",
            env={**os.environ, "TMPDIR": str(folder / "tmp"), "DURIAN_PORT": str(port), **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, process, folder / "log")
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"The page did not start:\n{log.read_text()}")

"""One server and one Chromium for all browser tests; each test gets a visitor of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from visitor import Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SECONDS_TO_START = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A real browser on two busy cores now and then misses a moment: such a test may try twice more."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[str]]:
    """``with serve(weights=...) as address:`` runs ``python app.py`` on a free port, with ``DURIAN_WEIGHTS`` set so."""

    @contextmanager
    def serve_(**settings: object) -> Iterator[str]:
        port, folder = free_port(), tmp_path_factory.mktemp("server")
        environment = {
            **os.environ,
            **{f"DURIAN_{name.upper()}": str(value) for name, value in settings.items()},
            "DURIAN_PORT": str(port),
            "DURIAN_WORK": str(folder / "work"),
            "DURIAN_MAX_FILE_MB": "20",
            "GRADIO_TEMP_DIR": str(folder / "gradio"),
        }
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
            address = f"http://127.0.0.1:{port}"
            try:
                _wait_for(address, process, folder / "log")
                yield address
            finally:
                process.terminate()
                process.wait(20)

    return serve_


@pytest.fixture(scope="session")
def server(serve) -> Iterator[str]:
    """The page as it is; its address."""
    with serve() as address:
        yield address


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"app.py ended with {process.returncode}:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{address}/config", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"app.py did not answer within {SECONDS_TO_START} s:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """Debian's Chromium, driven by playwright."""
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Browsers:
    """Browsers of visitors, each with cookies and files of its own; one that was left serves whoever comes next.

    It shows an empty page by then and has no cookies, but the page's scripts are still there, which to read anew takes
    a second or two.
    """

    def __init__(self, chromium) -> None:
        self._chromium = chromium
        self._idle: dict[tuple[int, int, bool], list] = {}
        self._used: list[tuple[tuple[int, int, bool], object]] = []

    def take(self, width: int, height: int, dark: bool):
        """The page of a browser that nobody has."""
        kind = (width, height, dark)
        idle = self._idle.setdefault(kind, [])
        page = idle.pop() if idle else self._new(*kind)
        self._used.append((kind, page))
        return page

    def leave(self) -> None:
        """Leave all pages, as somebody does who goes elsewhere; those that a test closed do not come back."""
        for kind, page in self._used:
            if not page.is_closed():
                page.goto("about:blank")
                page.context.clear_cookies()
                self._idle[kind].append(page)
        self._used.clear()

    def _new(self, width: int, height: int, dark: bool):
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        return context.new_page()


@pytest.fixture(scope="session")
def browsers(chromium) -> Browsers:
    return Browsers(chromium)


@pytest.fixture
def open_page(browsers: Browsers, request) -> Iterator[object]:
    """``open_page(width=390, height=844, dark=True)`` opens the page as a new visitor and waits for its still."""

    def open_(width: int = 1440, height: int = 900, dark: bool = False, address: str | None = None) -> Visitor:
        visitor = Visitor(browsers.take(width, height, dark))
        visitor.page.goto(address or request.getfixturevalue("server"))
        visitor.wait_for_still()
        return visitor

    yield open_
    browsers.leave()


@pytest.fixture
def visitor(open_page) -> Visitor:
    """A visitor on a desktop, with the first example on the table."""
    return open_page()


def _moving(image: np.ndarray, frames: int) -> list[np.ndarray]:
    """``frames`` pictures of 400 × 400 in which the head tips to and fro."""
    centre = (225.0, 130.0)
    turns = [10 * np.sin(2 * np.pi * index / frames) for index in range(frames)]
    matrices = [cv2.getRotationMatrix2D(centre, float(turn), 1.0) for turn in turns]
    return [cv2.warpAffine(image, matrix, (400, 400), borderMode=cv2.BORDER_REPLICATE) for matrix in matrices]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, collins: np.ndarray, hopper: np.ndarray) -> dict[str, Path]:
    """Files to upload: real photographs, and things that are not."""
    from durian.media import write_video

    folder = tmp_path_factory.mktemp("photos")
    height = min(collins.shape[0], hopper.shape[0])
    pictures = {
        "collins": collins,
        "hopper": hopper,
        "both": np.concatenate([collins[:height], hopper[:height]], axis=1),
        "wall": np.full((400, 400, 3), 180, np.uint8),
        "tiny-face": np.pad(
            cv2.resize(collins, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA),
            ((200, 200), (200, 200), (0, 0)),
            constant_values=128,
        ),
    }
    paths = {}
    for name, image in pictures.items():
        paths[name] = folder / f"{name}.png"
        Image.fromarray(image).save(paths[name])
    whole = paths["collins"].read_bytes()
    spoilt = {
        "text.png": b"These are words, not a picture.",
        "empty.jpg": b"",
        "truncated.png": whole[: len(whole) // 3],
        "notes.txt": b"hello",
        "broken.mp4": b"\0\0\0\x18ftypmp42" + b"\0" * 400,
        "bundle.zip": b"PK\x05\x06" + b"\0" * 18,
    }
    for name, data in spoilt.items():
        paths[name] = folder / name
        paths[name].write_bytes(data)
    paths["moving.mp4"] = write_video(_moving(collins, 24), folder / "moving.mp4", 12)
    paths["leaving.mp4"] = write_video([*_moving(collins, 10), *[pictures["wall"]] * 14], folder / "leaving.mp4", 12)
    # A picture whose header promises 30,000 pixels a side.
    Image.new("1", (30000, 30000)).save(folder / "huge.png")
    paths["huge"] = folder / "huge.png"
    Image.new("L", (64, 48)).save(folder / "small-mask.png")
    paths["small-mask"] = folder / "small-mask.png"
    return paths

"""Make ``docs/app.png`` anew: the page as it opens. Run after the page or the preview changes.

python -m scripts.make_page_picture

Needs the packages of requirements-dev.txt, and Chromium.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from PIL import Image
from playwright.sync_api import sync_playwright

from durian.settings import PROJECT_ROOT

SIZE = {"width": 1440, "height": 900}
COLOURS = 256
SECONDS_TO_START, SECONDS_TO_STOP = 90, 20


def main() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DURIAN_PORT": str(port), "DURIAN_WORK": folder, "GRADIO_TEMP_DIR": folder}
        server = subprocess.Popen([sys.executable, "app.py"], cwd=PROJECT_ROOT, env=environment)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, server)
            Image.open(io.BytesIO(_picture(address))).quantize(COLOURS).save(
                PROJECT_ROOT / "docs" / "app.png", optimize=True
            )
        finally:
            server.terminate()
            server.wait(SECONDS_TO_STOP)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("The page did not start: see what python app.py says.")


def _picture(address: str) -> bytes:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.goto(address)
        page.wait_for_selector("#still-stage .stage:not(.is-empty)")
        # The page keeps connections open: its network never rests.
        page.wait_for_function("() => [...document.images].every((image) => image.complete)")
        page.wait_for_timeout(1000)
        return page.screenshot()


if __name__ == "__main__":
    main()

"""Times what a visitor waits for, in a real browser: ``python tests/browser/measure.py [--rounds 9]``.

Prints one JSON object, medians in seconds: from the start of ``app.py`` to a usable page, from an upload to crop and
masks, from a click to its overlay, from a slider to its still, from the button to a playing video.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from conftest import CHROMIUM, ROOT, free_port
from visitor import Visitor

CHANGED = """([selector, attribute, before]) => {
  const element = document.querySelector(selector);
  return element && element.getAttribute(attribute) !== before;
}"""
STILL = ("#still-stage img", "src")
REFERENCE = ("#mask-stage .stage", "data-revision")
PORTRAIT = ("#portrait-stage img", "src")


def timed(visitor: Visitor, seen: tuple[str, str], act: Callable[[], object]) -> float:
    """Seconds from ``act`` until the attribute ``seen`` differs."""
    before = visitor.page.get_attribute(*seen)
    started = time.perf_counter()
    act()
    visitor.page.wait_for_function(CHANGED, arg=[*seen, before])
    return time.perf_counter() - started


def measure(playwright, address: str, started: float, rounds: int) -> dict[str, float]:
    """All figures, by name."""
    from durian.assets import collins_path, hopper_path

    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    visitor = Visitor(browser.new_page(viewport={"width": 1440, "height": 900}))
    while True:
        try:
            visitor.page.goto(address)
            break
        except Exception:  # noqa: BLE001 - the server is not there yet
            time.sleep(0.1)
    visitor.wait_for_still()
    figures = {"start_to_usable_page": time.perf_counter() - started}
    pause = visitor.page.wait_for_timeout
    pause(3000)
    sliders, clicks = [], []
    for index in range(rounds):
        sliders.append(timed(visitor, STILL, lambda i=index: visitor.slide("expansion", 0.15 + 0.04 * i)))
        pause(400)
    canvas = visitor.page.locator("#mask-stage svg")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for index in range(rounds):
        x, y = box["x"] + box["width"] * (0.3 + 0.05 * index), box["y"] + box["height"] * 0.8
        clicks.append(timed(visitor, REFERENCE, lambda x=x, y=y: visitor.page.mouse.click(x, y)))
        pause(900)
    figures["slider_to_still"], figures["click_to_overlay"] = statistics.median(sliders), statistics.median(clicks)
    uploads, references = [], []
    for path in (hopper_path(), collins_path(), hopper_path()):
        uploads.append(timed(visitor, PORTRAIT, lambda path=path: visitor.upload("portrait-upload", path)))
        pause(2500)
        references.append(timed(visitor, REFERENCE, lambda path=path: visitor.upload("reference-upload", path)))
        pause(2500)
    figures["upload_to_crop"] = statistics.median(uploads)
    figures["upload_to_named_mask"] = statistics.median(references)
    visitor.pick_example("hopper-cap")
    pause(2500)
    visitor.consent()
    films = []
    for _ in range(3):
        before = visitor.page.get_attribute("#result-video video", "src") if films else None
        begun = time.perf_counter()
        visitor.animate()
        if before:
            visitor.page.wait_for_function(CHANGED, arg=["#result-video video", "src", before])
        visitor.wait_for_video()
        films.append(time.perf_counter() - begun)
        pause(1000)
    figures["button_to_playing_video"] = statistics.median(films)
    browser.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        port = free_port()
        environment = {**os.environ, "DURIAN_PORT": str(port), "DURIAN_WORK": folder, "GRADIO_TEMP_DIR": folder}
        started = time.perf_counter()
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            figures = measure(playwright, f"http://127.0.0.1:{port}", started, rounds)
        finally:
            process.terminate()
            process.wait(20)
    print(json.dumps({name: round(seconds, 3) for name, seconds in figures.items()}))


if __name__ == "__main__":
    main()

"""A driver of the page for browser tests; its methods are a visitor's actions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

PATIENCE_MS = 30_000
SET_SLIDER = """([selector, value]) => {
  const input = document.querySelector(selector + ' input[type=range]');
  input.value = value;
  input.dispatchEvent(new Event('input', {bubbles: true}));
}"""
PLAYS = """() => {
  const video = document.querySelector('#result-video video');
  return video && video.readyState >= 2 && video.currentTime > 0.05;
}"""


class Visitor:
    """One browser page with the demo open."""

    def __init__(self, page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    # What is seen

    def wait_for_still(self) -> None:
        self.page.wait_for_selector("#still-stage .stage:not(.is-empty)")

    def still(self) -> str:
        return self.page.get_attribute("#still-stage img", "src")

    def mask(self) -> str:
        return self.page.get_attribute("#mask-stage .mask-fill", "d") or ""

    def dots(self) -> int:
        return self.page.locator("#mask-stage .dot").count()

    def portrait(self) -> str | None:
        return self.page.get_attribute("#portrait-stage img", "src")

    def items(self) -> list[str]:
        return self.page.locator("#items .card-title").all_inner_texts()

    def wait_for_note(self, words: str) -> None:
        """Until the line under the still says so."""
        self.page.locator("#still-stage .stage-note").filter(has_text=words).wait_for()

    def wait_for_mask(self, path: str) -> None:
        self.page.wait_for_function(
            "(d) => document.querySelector('#mask-stage .mask-fill')?.getAttribute('d') === d", arg=path
        )

    def progress(self) -> str:
        return self.page.locator("#progress").inner_text()

    def hears(self, words: str) -> str:
        """Wait for a message that contains ``words``; returns all of it."""
        toast = self.page.locator(".toast-body").filter(has_text=words).first
        toast.wait_for()
        return toast.inner_text()

    def dismiss(self) -> None:
        """Close all messages."""
        self.page.evaluate("document.querySelectorAll('.toast-close').forEach((button) => button.click())")
        self.page.wait_for_function("() => !document.querySelector('.toast-body')")

    # What is done

    def until_changed(self, look: Callable[[], object], act: Callable[[], object]) -> object:
        """Do something and wait until what is seen differs; returns the new sight."""
        before = look()
        act()
        deadline = PATIENCE_MS
        while look() == before:
            self.page.wait_for_timeout(20)
            deadline -= 20
            assert deadline > 0, f"nothing changed: {str(before)[:80]}"
        return look()

    def slide(self, key: str, value: float) -> None:
        # A folded part is built when it is unfolded.
        self.page.wait_for_selector(f"#control-{key} input[type=range]", state="attached")
        self.page.evaluate(SET_SLIDER, [f"#control-{key}", value])

    def frames(self, count: int) -> None:
        """Set the clip's length, in the folded settings."""
        slider = self.page.locator("#control-frames input[type=range]")
        if not slider.count():
            self.unfold("Settings")
            slider.wait_for()
            # A slider takes its first value a moment after it has appeared.
            self.page.wait_for_timeout(400)
        self.slide("frames", count)
        # The moment's slider follows, which shows that the server has it.
        self.page.wait_for_function(
            "(n) => document.querySelector('#control-frame input[type=range]')?.max == n - 1", arg=count
        )

    def upload(self, button: str, path: Path) -> None:
        """Give a file to the upload button ``button`` (its id)."""
        self.page.locator(f"input[type=file]:has(+ #{button})").set_input_files(str(path))

    def click_reference(self, x: float, y: float) -> None:
        """Click the reference at a share of its width and height."""
        canvas = self.page.locator("#mask-stage svg")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        canvas.click(position={"x": box["width"] * x, "y": box["height"] * y})

    def tool(self, name: str) -> None:
        self.page.click(f"#mask-stage [data-tool='{name}']")

    def step(self, name: str) -> None:
        self.page.click(f"#mask-stage [data-do='{name}']")

    def start(self, name: str) -> None:
        self.page.click(f"#mask-stage [data-start='{name}']")

    def pick_motion(self, name: str) -> None:
        self.page.click(f"#motions button[data-id='{name}']")

    def pick_example(self, name: str) -> None:
        self.page.click(f"#examples button[data-id='{name}']")

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=re.compile(name)).click()

    def unfold(self, title: str) -> None:
        self.page.get_by_role("button", name=re.compile(title)).click()

    def consent(self) -> None:
        self.page.check("#consent input")

    def animate(self) -> None:
        self.page.click("#animate")

    def wait_for_video(self) -> None:
        """Until a video plays."""
        self.page.wait_for_function(PLAYS)

    def wait_for_idle(self) -> None:
        self.page.wait_for_function("() => !document.querySelector('#animate').disabled")

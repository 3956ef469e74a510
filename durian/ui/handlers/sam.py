"""Segment Anything for sharper clicks: fetched on request, then a choice beside the built-in segmenter."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, Literal

import gradio as gr

from durian.schema import checked
from durian.segmentation import available_segmenters, get_segmenter
from durian.ui import texts
from durian.ui.handlers.animate import bar, message
from durian.ui.handlers.common import QUIET, guarded
from durian.ui.layout import Page
from durian.ui.session import Session

WEIGHTS = "sam-vit-b"
CHOICES = {"parser": "Built in", "classic": "Built in", "sam": "Segment Anything", "sam2": "Segment Anything 2.1"}
SECONDS_BETWEEN_STEPS = 0.3


def fetch(session: Session) -> Iterator[tuple[Any, ...]]:
    """Download the weights with a progress bar; afterwards they can be chosen."""
    from durian import weights

    steps: queue.Queue[tuple[int, int] | None] = queue.Queue()
    failure: list[Exception] = []
    stopped = threading.Event()

    def work() -> None:
        try:
            weights.fetch(WEIGHTS, lambda done, total: steps.put((done, total)), stopped.is_set)
        except Exception as error:  # noqa: BLE001 - raised again in the visitor's thread
            failure.append(error)
        finally:
            steps.put(None)

    threading.Thread(target=work, name="durian-weights", daemon=True).start()
    try:
        while (step := _latest(steps)) is not None:
            done, total = step
            yield bar(done / total, f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"), gr.skip(), gr.skip()
    finally:
        # The page was closed or the visitor left: half a file is of no use.
        stopped.set()
    if failure:
        yield message(""), gr.skip(), gr.skip()
        raise failure[0]
    yield message(texts.SAM_READY), *offer(session)


def _latest(steps: queue.Queue) -> tuple[int, int] | None:
    """The newest step after a short while; ``None`` at the end."""
    step = steps.get()
    time.sleep(SECONDS_BETWEEN_STEPS)
    while step is not None and not steps.empty():
        step = steps.get_nowait()
    return step


def offer(session: Session) -> tuple[Any, Any]:
    """The choice of segmenter where there is one, else the button that fetches the other."""
    present = available_segmenters()
    choices = [(CHOICES.get(name, name), name) for name in present]
    chosen = session.segmenter if session.segmenter in present else present[0]
    return gr.update(choices=choices, value=chosen, visible=len(present) > 1), gr.update(visible="sam" not in present)


def choose(session: Session, kind: str) -> None:
    """Click with another segmenter from now on, and let it look at the picture ahead of the first click."""
    kind = checked(Literal[tuple(available_segmenters())], kind, "the segmenter")
    with session.lock:
        session.segmenter = kind
        item = session.item
    if item is not None and item.image is not None:
        get_segmenter(kind).set_image(item.image)


def button_words() -> str:
    """The button's text, with the size of the download."""
    from durian.weights import known_weights

    cores = os.cpu_count() or 1
    cost = "a moment a picture on this GPU" if _has_gpu() else f"18-25 s a picture on {cores} cores"
    return f"Fetch Segment Anything ({known_weights(WEIGHTS).megabytes} MB, then {cost})"


def _has_gpu() -> bool:
    from pathlib import Path

    # Asking torch would take two seconds of the page's start.
    return Path("/proc/driver/nvidia/version").exists()


def connect(page: Page) -> None:
    if page.may_fetch:
        page.sam_fetch.click(
            guarded(fetch),
            [page.session],
            [page.sam_progress, page.segmenter, page.sam_fetch],
            concurrency_id="weights",
            concurrency_limit=1,
            **QUIET,
        )
    page.segmenter.input(
        guarded(choose), [page.session, page.segmenter], None, api_visibility="private", show_progress="minimal"
    )

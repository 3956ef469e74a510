"""The whole demo: page, handlers, API, and what it needs at launch."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace
from typing import Any

import gradio as gr

from durian.errors import DurianError
from durian.settings import get_settings
from durian.ui import api, door, handlers, layout, texts
from durian.ui.theme import theme
from durian.ui.widgets import css, head

SECONDS_BETWEEN_CLEANINGS = 300
EVENTS_WAITING = 128
"""Events of all visitors together that may wait (clicks, uploads); animations have the engine's own line."""
EVENTS_AT_ONCE = 4
"""Of one kind, for all visitors together; two cores do not gain from more."""
SESSIONS_KEPT = 200
"""Tables kept in memory: 3 bytes a pixel of each photo, so some 20 MB with three photos of 2 megapixels."""

log = logging.getLogger(__name__)


def create_demo() -> gr.Blocks:
    """Build the page. Nothing heavy is loaded; see :func:`warm_up`."""
    keep = get_settings().keep_seconds
    with gr.Blocks(
        title=f"{texts.TITLE} · portraits that wear and move",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(SECONDS_BETWEEN_CLEANINGS, keep),
    ) as demo:
        page = layout.build()
        handlers.connect(page, demo)
        api.connect()
    demo.queue(max_size=EVENTS_WAITING, default_concurrency_limit=EVENTS_AT_ONCE)
    return demo


def launch_options() -> dict[str, Any]:
    """Keyword arguments for ``demo.launch``."""
    settings = get_settings()
    # A Space sets these itself; elsewhere the settings rule.
    address = {} if "SPACE_ID" in os.environ else {"server_name": settings.host, "server_port": settings.port}
    return {
        **address,
        "theme": theme(),
        "css": css(),
        "head": head(),
        "max_file_size": f"{settings.max_file_mb}mb",
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "share": False,
        "state_session_capacity": SESSIONS_KEPT,
        "footer_links": ["api"],
        "app_kwargs": {"middleware": door.middleware()},
    }


def warm_up() -> threading.Thread:
    """Load the renderer and the segmenter and prepare the first example, beside everything else."""
    thread = threading.Thread(target=_warm, name="durian-warm-up", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    from durian.engine import get_engine
    from durian.ui import examples

    try:
        request = replace(examples.request_of(examples.opening_name()), renderer="preview")
        get_engine().still(request, lane="warm-up")
        examples.cards()
    except DurianError:
        # The page says the same sentence to whoever needs it.
        log.exception("Warming up failed.")

"""The whole demo: page, handlers, API, and the options of its launch."""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from durian.engine import get_engine, memory
from durian.folders import results_folder, uploads_folder
from durian.media import apart
from durian.settings import Settings, get_settings
from durian.ui import answers, api, calls, connections, handlers, layout, texts, turns
from durian.ui.foreign_pages import is_for_own_machine
from durian.ui.guard import Guard
from durian.ui.handlers.animate import ANIMATION_LANE
from durian.ui.handlers.wear import SEGMENT_LANE
from durian.ui.theme import theme
from durian.ui.visitors import SESSIONS_KEPT, Visitor, get_visitors
from durian.ui.widgets import css, head

EVENTS_WAITING = 128
"""Events of all visitors together that may wait (clicks, uploads); animations have the engine's own line."""
EVENTS_AT_ONCE = 8
"""Of one kind, for all visitors together; many of them only wait for files to be read. Two cores do not gain from
more."""
NEAR = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,::1/128,fc00::/7"
"""Networks that a proxy in front of a container is in."""

log = logging.getLogger(__name__)


def create_demo(settings: Settings | None = None) -> gr.Blocks:
    """Build the page. Nothing heavy is loaded; see :func:`warm_up`.

    Args:
        settings: whose host and names it is going to be reached by; by default the process's.

    Raises:
        OutputFailed: there is no folder of our own for visitors' files.
    """
    settings = settings or get_settings()
    # Read by Gradio wherever it writes a file. Its own folder can be guessed, and its own cleaning knows only the files
    # of this process and ends for good when an upload comes in between.
    uploads = uploads_folder(get_settings())
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    # Statistics of ten thousand events, which it would compute anew at the end of each, and which nobody is shown.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)
    get_engine().start_sweeping(uploads)
    # Served as they are: otherwise by copies, for which Gradio reads all of each, and which nobody counts.
    gr.set_static_paths([results_folder(get_settings())])
    with gr.Blocks(
        title=f"{texts.TITLE} · portraits that wear and move",
        analytics_enabled=False,
        fill_width=True,
    ) as demo:
        page = layout.build(may_fetch=is_for_own_machine(settings))
        handlers.connect(page, demo)
        api.connect()
    # Without a way around the queue, where neither its limits nor the visitors' shares would count.
    demo.queue(max_size=EVENTS_WAITING, default_concurrency_limit=EVENTS_AT_ONCE, api_open=False)
    answers.keep_answers(demo)
    animation = ANIMATION_LANE["concurrency_id"]
    # One more than the engine has places for, which it refuses in its own words.
    most = {animation: settings.visitor_places + 1, SEGMENT_LANE["concurrency_id"]: 1}
    turns.share_threads(demo, animation, most)
    get_visitors().when_over(partial(_let_go, demo))
    return demo


def _let_go(demo: gr.Blocks, over: dict[str, Visitor]) -> None:
    """Sessions are over: what Gradio keeps of them makes room for others, and their jobs and files go."""
    for session, visitor in over.items():
        calls.forget_session(demo, session)
        if visitor.is_page:
            get_engine().forget_owner(visitor.owner)


def launch_options() -> dict[str, Any]:
    """Keyword arguments for ``demo.launch``."""
    settings = get_settings()
    # A Space sets these itself; elsewhere the settings rule.
    address = {} if "SPACE_ID" in os.environ else {"server_name": settings.host, "server_port": settings.port}
    if "SPACE_ID" in os.environ:
        # Visitors come through the Space's own proxy, which says for whom; nobody else reaches the server.
        os.environ.setdefault("FORWARDED_ALLOW_IPS", NEAR)
    if os.environ.get("FORWARDED_ALLOW_IPS", "").strip() == "*":
        # Then whoever connects would choose the address that their share is counted for.
        log.warning("FORWARDED_ALLOW_IPS=* is taken for the addresses of private networks: name the proxy.")
        os.environ["FORWARDED_ALLOW_IPS"] = NEAR
    guard = Middleware(
        Guard,
        visitors=get_visitors(),
        uploads=uploads_folder(settings),
        when_left=lambda owner: get_engine().forget_owner(owner),
    )
    return {
        **address,
        "app_kwargs": {"middleware": [guard]},
        # Gradio takes files from the project's and the system's temporary folder only, and work may lie elsewhere.
        "allowed_paths": [str(results_folder(settings))],
        "theme": theme(),
        "css": css(),
        "head": head(),
        "max_file_size": f"{settings.max_file_mb}mb",
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "share": False,
        # Without Gradio's check that the page answers itself within three seconds: a busy machine needs longer, and the
        # check would end the process in favour of a public link, which is not wanted.
        "_frontend": False,
        # Far more than are kept: who has to go is decided by the visitors' shares, not by who came first.
        "state_session_capacity": 50 * SESSIONS_KEPT,
        # With any other number than 40, Gradio has threads for events apart from those that send the page and files.
        "max_threads": ANIMATION_LANE["concurrency_limit"] + turns.THREADS,
        "footer_links": ["api"],
    }


def serve(**address: Any) -> None:
    """Open the page, load what it needs meanwhile, and stay until interrupted.

    Args:
        address: ``server_name`` and ``server_port`` above those of the settings.
    """
    # Otherwise a container that is stopped, or a server that a script began in the background where Ctrl-C counts for
    # nothing, would leave its visitors' files behind.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    settings = get_settings()
    settings = replace(settings, host=address.get("server_name", settings.host))
    if settings.read_apart == "yes":
        apart.start()
    demo = create_demo(settings)
    demo.launch(**{**launch_options(), **address}, prevent_thread_lock=True)
    connections.tend(demo.server.config, settings)
    # Not before: on two busy cores it would keep the server from its first answer.
    warm_up()
    demo.block_thread()


def warm_up() -> threading.Thread:
    """Load the renderer and the segmenter and prepare the first example, beside everything else."""
    thread = threading.Thread(target=_warm, name="durian-warm-up", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    from durian.ui import examples

    try:
        request = replace(examples.request_of(examples.opening_name()), renderer="preview")
        get_engine().still(request, lane="warm-up")
        examples.cards()
    except Exception:
        # Whoever needs what failed is told so then.
        log.exception("Warming up failed.")
    memory.settle()

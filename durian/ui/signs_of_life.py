"""Signs of life: connections by which pages show that they are open, and what ends with the last one of a page.

Gradio's own answer to them makes, for each that ends, all components of the page anew, and that in the server's one
thread: who opens and closes some keeps everybody waiting. Here nothing is made, and nobody's end costs others anything.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

import gradio as gr
from starlette.types import Receive, Scope, Send

ALIVE = b"data: ALIVE\n\n"


async def show_alive(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a sign of life as Gradio does, until the caller hangs up or the server stops."""
    stop = getattr(scope.get("app"), "stop_event", None) or asyncio.Event()
    ends = {asyncio.ensure_future(_hung_up(receive)), asyncio.ensure_future(stop.wait())}
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        ended: set[Any] = set()
        while not ended:
            await send({"type": "http.response.body", "body": ALIVE, "more_body": True})
            ended, _ = await asyncio.wait(
                ends, timeout=gr.utils.get_heartbeat_rate(), return_when=asyncio.FIRST_COMPLETED
            )
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        for end in ends:
            end.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def end_session(blocks: gr.Blocks, session: str) -> None:
    """End what Gradio runs for a page that was left, as it does itself; what it keeps of it may go in an hour."""
    state = blocks.state_holder
    if session in state.session_data:
        state[session].is_closed = True
    for name in blocks._queue.pending_event_ids_session.get(session, ()):
        event = blocks._queue.event_ids_to_events.get(name)
        if event is not None:
            event.run_time = math.inf
            event.closed = True
            event.signal.set()

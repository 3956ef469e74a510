"""Lifetime of API calls: they end when their caller cancels them, hangs up, or never asks for the answer."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
import gradio as gr
from gradio.context import LocalContext

from durian import content_cache
from durian.engine import Animation, Job
from durian.errors import Cancelled
from durian.long_work import stepping
from durian.ui.shares import site_of
from durian.ui.turns import running
from durian.ui.visitors import SECONDS_TO_LISTEN, Visitor, get_visitors

Result = TypeVar("Result")

_working: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
"""Held while something of an address works :func:`aside`; used in the server's thread alone."""
GONE = "The caller has gone: nothing was made."
SECONDS_BETWEEN_TRIES = 0.05
"""Of a call that waits for another one of its address."""
SECONDS_BETWEEN_LOOKS = 0.2
"""Seconds after which a finished job, and a caller who has gone, are noticed."""


def begin(request: gr.Request | None) -> Visitor:
    """The visitor of a call. Gradio's data of a session is dropped at once where the call is all there is of it."""
    visitor = get_visitors().of(request)
    content_cache.keep_for(site_of(visitor.address))
    blocks = LocalContext.blocks.get(None)
    if visitor.is_call and blocks is not None and request is not None:
        forget_session(blocks, request.session_hash)
    return visitor


def forget_session(blocks: gr.Blocks, session: str | None) -> None:
    """Let go of what Gradio keeps of a session: a third of a megabyte, and the table of a page."""
    holder = getattr(blocks, "state_holder", None)
    if holder is not None:
        holder.session_data.pop(session, None)
        holder.time_last_used.pop(session, None)


async def aside(
    visitor: Visitor,
    request: gr.Request | None,
    function: Callable[..., Result],
    *arguments: Any,
    patience: float | None = None,
) -> Result:
    """Call ``function`` in a thread. A call that is cancelled meanwhile does not wait for it.

    Where the caller has gone, it gives up at its next :func:`durian.long_work.between_steps`.

    One of each address works at once, whether or not its call still waits for it: what is left behind keeps nobody
    else from working, and its own address waits for it.

    Args:
        visitor: who calls.
        request: of the call.
        function: the work, with its ``arguments``.
        patience: seconds after which a caller who has not asked for the answer has gone; by default
            :data:`durian.ui.visitors.SECONDS_TO_LISTEN`.

    Raises:
        Cancelled: the caller has gone, or never asked for the answer.
    """
    began = time.monotonic()
    free = _working.setdefault(site_of(visitor.address), asyncio.Lock())
    while free.locked():
        if _has_gone(request, began, patience):
            raise Cancelled(GONE)
        await asyncio.sleep(SECONDS_BETWEEN_TRIES)
    if _has_gone(request, began, patience):
        raise Cancelled(GONE)
    # At once, as nobody else runs in between.
    await free.acquire()
    loop, is_over = asyncio.get_running_loop(), threading.Event()

    def look() -> None:
        if is_over.is_set() or _has_gone(request, began, patience):
            raise Cancelled(GONE)

    def while_wanted() -> Result:
        with stepping(look):
            return function(*arguments)

    work = _Work(while_wanted, partial(loop.call_soon_threadsafe, free.release))
    try:
        result = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    finally:
        is_over.set()
        work.drop()
    if _has_gone(request, began, patience):
        raise Cancelled(GONE)
    return result


class _Work:
    """A piece of work that says once when it is over: done, or dropped before it began.

    Args:
        function: the work.
        over: called from any thread.
    """

    def __init__(self, function: Callable[[], Any], over: Callable[[], object]) -> None:
        self._function: Callable[[], Any] | None = function
        self._over = over
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        function = self._take()
        if function is None:
            return None
        try:
            return function()
        finally:
            self._end()

    def drop(self) -> None:
        """Do not begin any more."""
        if self._take() is not None:
            self._end()

    def _take(self) -> Callable[[], Any] | None:
        with self._lock:
            function, self._function = self._function, None
            return function

    def _end(self) -> None:
        with suppress(RuntimeError):  # of a server that has stopped meanwhile
            self._over()


async def finished(job: Job, request: gr.Request | None) -> Animation:
    """Wait for a job; it is cancelled with the call.

    Args:
        job: what was begun for the call.
        request: of the call.

    Raises:
        Cancelled: the job was cancelled, or nobody waits for it.
        DurianError: as the job ended.
    """
    began = time.monotonic()
    try:
        while not job.progress.finished:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            if _has_gone(request, began):
                job.cancel()
        return job.result()
    finally:
        # Gradio's /cancel ends this function where it waits.
        job.cancel()


def _has_gone(request: gr.Request | None, began: float, patience: float | None = None) -> bool:
    """Whether nobody waits for the answer of a call that began at a time of ``time.monotonic``."""
    patience = SECONDS_TO_LISTEN if patience is None else patience
    unheard = time.monotonic() - began > patience and not _is_listened_to(request)
    return unheard or _caller_has_hung_up()


def _is_listened_to(request: gr.Request | None) -> bool:
    """Whether the caller has asked for the answer; True outside of Gradio."""
    event = LocalContext.event_id.get(None)
    if request is None or event is None:
        return True
    return get_visitors().is_listened_to(event, request.session_hash)


def _caller_has_hung_up() -> bool:
    """Whether the connection over which this call's answer would go was closed; False outside of Gradio."""
    event = _event_of_here()
    return event is not None and not event.alive


def when_called_off() -> Callable[[], bool]:
    """Whether the event that is answered here has been cancelled, or its caller has hung up, by the time that is asked;
    never for what does not come through Gradio's queue."""
    event, blocks = _event_of_here(), LocalContext.blocks.get(None)

    def is_called_off() -> bool:
        if event is None or blocks is None:
            return False
        return not event.alive or event not in running(blocks)

    return is_called_off


def _event_of_here() -> Any:
    blocks = LocalContext.blocks.get(None)
    return blocks and blocks._queue.event_ids_to_events.get(LocalContext.event_id.get(None))

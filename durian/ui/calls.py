"""API calls while they work: they end when their caller cancels them or hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread

from durian.engine import Animation, Job
from durian.errors import Cancelled

Result = TypeVar("Result")

SECONDS_BETWEEN_LOOKS = 0.2
"""How soon a finished job is seen, and a caller who has gone."""


async def aside(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call ``function`` in a thread. A call that is cancelled meanwhile does not wait for it.

    Raises:
        Cancelled: the caller has gone.
    """
    result = await anyio.to_thread.run_sync(partial(function, *arguments), abandon_on_cancel=True)
    if _caller_has_gone():
        raise Cancelled("The caller has gone: nothing was rendered.")
    return result


async def finished(job: Job) -> Animation:
    """Wait for a job; it is cancelled with the call.

    Raises:
        Cancelled: the job was cancelled, or the caller has gone.
        DurianError: as the job ended.
    """
    try:
        while not job.progress.finished:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            if _caller_has_gone():
                job.cancel()
        return job.result()
    finally:
        # Gradio's /cancel ends this function where it waits.
        job.cancel()


def _caller_has_gone() -> bool:
    """Whether the connection over which this call's answer would go was closed; False outside of Gradio."""
    from gradio.context import LocalContext

    blocks = LocalContext.blocks.get(None)
    event = blocks and blocks._queue.event_ids_to_events.get(LocalContext.event_id.get(None))
    return bool(event) and not event.alive

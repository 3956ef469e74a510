"""Shared parts of all handlers: errors as sentences instead of traces, and the events' common settings."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from durian import content_cache
from durian.errors import (
    Cancelled,
    DurianError,
    InvalidRequest,
    LimitExceeded,
    NoFaceFound,
    OutputFailed,
    QueueFull,
    UnreadableMedia,
    WeightsMissing,
)
from durian.long_work import stepping
from durian.ui import texts
from durian.ui.calls import when_called_off
from durian.ui.visitors import get_visitors

log = logging.getLogger(__name__)
_OVER = object()

TITLES: dict[type[DurianError], str] = {
    NoFaceFound: "No usable face",
    UnreadableMedia: "This file cannot be read",
    LimitExceeded: "Too large",
    InvalidRequest: "Not quite yet",
    QueueFull: "Many visitors",
    OutputFailed: "The result could not be written",
    WeightsMissing: "Weights are missing",
    Cancelled: "Cancelled",
}
SECONDS_SHOWN = 9
"""Long enough to read one sentence twice (taste)."""

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""Settings of an event that only the page uses."""
QUICK: dict[str, Any] = {**QUIET, "queue": False}
"""Events that must not wait behind anything."""


def sentence(error: DurianError, is_html: bool = True) -> gr.Error:
    """The error as the page shows it: a title and one sentence, no trace.

    Args:
        error: what may repeat words of a stranger's file.
        is_html: escape them, since the page shows its messages as HTML; an API's caller gets plain text.
    """
    title = next((text for kind, text in TITLES.items() if isinstance(error, kind)), "Not possible")
    words = escape(str(error), quote=False) if is_html else str(error)
    return gr.Error(words, duration=SECONDS_SHOWN, title=title, print_exception=False)


def broken() -> gr.Error:
    """A bug of ours, said to the visitor; the log has the trace."""
    return gr.Error(texts.SOMETHING_BROKE, duration=SECONDS_SHOWN, title="Our mistake", print_exception=False)


def when_open(handler: Callable) -> Callable:
    """For events that also fire while the page is still loading: nothing happens before there is a session."""

    @functools.wraps(handler)
    def call(*values: Any):
        return gr.skip() if values[0] is None else handler(*values)

    return call


def guarded(handler: Callable) -> Callable:
    """Turn what a handler raises into one sentence on the page; a superseded still changes nothing.

    Its long work ends where the page is closed or the event cancelled.

    The handler's first value is the visitor's session, which is gone when the page rested too long.
    """
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def generate(*values: Any):
            try:
                _check_session(values)
                steps = handler(*values)
                while True:
                    # Gradio asks for each step in a context of its own.
                    with content_cache.kept_for(_client_of(values)), stepping(_look(values)):
                        step = next(steps, _OVER)
                    if step is _OVER:
                        return
                    yield step
            except gr.Error:
                raise
            except DurianError as error:
                raise sentence(error) from None
            except Exception:
                log.exception("A handler failed.")
                raise broken() from None

        return generate

    @functools.wraps(handler)
    def call(*values: Any):
        try:
            _check_session(values)
            with content_cache.kept_for(_client_of(values)), stepping(_look(values)):
                return handler(*values)
        except gr.Error:
            raise
        except Cancelled:
            return gr.skip()
        except DurianError as error:
            raise sentence(error) from None
        except Exception:
            log.exception("A handler failed.")
            raise broken() from None
        finally:
            _weigh_table(values)

    return call


def _client_of(values: tuple[Any, ...]) -> str:
    from durian.ui.session import Session

    return values[0].client or "" if values and isinstance(values[0], Session) else ""


def _weigh_table(values: tuple[Any, ...]) -> None:
    """What a handler has put on the table, or left it without, is what it holds from now on."""
    from durian.ui.session import Session

    if values and isinstance(values[0], Session):
        get_visitors().note_table(values[0].owner, values[0].picture_bytes())


def _look(values: tuple[Any, ...]) -> Callable[[], None]:
    """Called again and again during long work: raises where nobody waits for it any more."""
    from durian.ui.session import Session

    owner = values[0].owner if values and isinstance(values[0], Session) else ""
    is_called_off = when_called_off()

    def look() -> None:
        if get_visitors().has_left(owner):
            raise Cancelled("The page was closed.")
        if is_called_off():
            raise Cancelled("This was cancelled.")

    return look


def _check_session(values: tuple[Any, ...]) -> None:
    if values and values[0] is None:
        raise gr.Error(texts.RESTED, duration=SECONDS_SHOWN, title="Reload the page", print_exception=False)

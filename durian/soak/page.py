"""A client that behaves like a browser on the page.

Components and events are found in ``/config`` by what they are called on the page, never by their numbers.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from contextlib import suppress
from typing import Any, Self

from durian.soak import wire, wishes
from durian.soak.checking import check_picture, check_video
from durian.soak.outcomes import GaveUp, NoAnswer, OutOfTime, ServerSaid, WrongAnswer
from durian.soak.plan import Step
from durian.soak.server import Server
from durian.soak.wishes import Wanted

LARGEST_SHOWN = 768
"""The page shows pictures at most this wide; see :data:`durian.ui.pictures.DISPLAY_SIDE`."""
UPDATE = "update"
"""Gradio's mark of an answer that changes properties of a component, not only its value."""


class PageVisitor:
    """One open page; a context manager. Leaving it closes the connections as a closed tab does.

    Args:
        server: whose page.
        caller: the address that it calls from.
        wanted: length and size, which the visitor sets.
        limit: seconds after which a request counts as without an answer.
    """

    def __init__(self, server: Server, caller: str, wanted: Wanted, limit: float) -> None:
        self._server, self._caller, self._wanted, self._limit = server, caller, wanted, limit
        self._session = uuid.uuid4().hex[:12]
        self._heartbeat: wire.Heartbeat | None = None
        self._events: list[dict[str, Any]] = []
        self._values: dict[int, Any] = {}
        self._ids: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._client = wire.new_client(self._server.address, self._caller)
        return self

    def __exit__(self, *_: object) -> None:
        if self._heartbeat is not None:
            self._heartbeat.close()
        self._client.close()

    def open(self) -> None:
        """Fetch the page, and let its loading events run; the first example's still must come.

        Raises:
            ServerSaid, NoAnswer, WrongAnswer: as it ended.
        """
        wire.get(self._client, "/", self._limit)
        config = json.loads(wire.get(self._client, "/config", self._limit))
        self._heartbeat = wire.Heartbeat(self._server.host_and_port, self._session, self._client)
        self._events = config["dependencies"]
        for component in config["components"]:
            properties = component["props"]
            self._values[component["id"]] = properties.get("value")
            if properties.get("elem_id"):
                self._ids[properties["elem_id"]] = component["id"]
        for event in self._events:
            if any(trigger == "load" for _, trigger in event["targets"]):
                check_picture(*self._still(self._fire(event, self._limit), 512))
        self._set("control-frames", self._wanted.frames)
        self._set("control-size", self._wanted.size)
        self._set("consent", True)

    def ask(self, step: Step) -> None:
        """Make the request of ``step`` and check its answer; see :meth:`durian.soak.outcomes.Record.attempt`."""
        seconds = step.after if step.behaviour == "leave" else self._limit
        if step.behaviour == "cancel":
            threading.Timer(step.after, self._cancel).start()
        try:
            if step.thing == "animation":
                self._animate(seconds, step.behaviour == "cancel")
            else:
                self._set("control-expansion", wishes.expansion(step))
                answer = self._fire(self._event("control-expansion", "input"), seconds)
                check_picture(*self._still(answer, self._wanted.size))
        except OutOfTime:
            if step.behaviour == "leave":
                raise GaveUp from None
            raise

    def _animate(self, seconds: float, cancels: bool) -> None:
        event = self._event("animate", "click")
        answer = self._fire(event, seconds)
        videos = [video for value in answer.values() if (video := _file(value)) is not None]
        if not videos:
            if cancels:
                raise GaveUp
            raise WrongAnswer("the animation ended without a video")
        data = wire.get(self._client, wire.file_address(videos[0]), self._limit)
        check_video(data, self._wanted.frames, self._wanted.size)

    def _cancel(self) -> None:
        # The stream of the animation tells how it ended, whatever becomes of this call.
        with wire.again(self._client) as client, suppress(NoAnswer, ServerSaid):
            wire.post(client, "/run/predict", self._body(self._event("cancel", "click")), self._limit)

    # Events

    def _fire(self, event: dict[str, Any], seconds: float) -> dict[int, Any]:
        """Run an event and those that follow it; its own answer, by its components' numbers."""
        body = self._body(event)
        if event["queue"]:
            wire.post(self._client, "/queue/join", body, self._limit)
            answer = self._result(seconds)
        else:
            answer = wire.post(self._client, "/run/predict", body, seconds)
        values = dict(zip(event["outputs"], answer.get("data") or [], strict=False))
        for component, value in values.items():
            self._take(component, value)
        for following in self._events:
            if following.get("trigger_after") == event["id"] and following["backend_fn"]:
                self._fire(following, seconds)
        return values

    def _body(self, event: dict[str, Any]) -> dict[str, Any]:
        trigger = event["targets"][0][0] if event["targets"] else None
        return {
            "data": [self._values.get(component) for component in event["inputs"]],
            "fn_index": event["id"],
            "session_hash": self._session,
            "trigger_id": trigger,
            "event_data": None,
        }

    def _result(self, seconds: float) -> dict[str, Any]:
        """The end of the one event that runs; one stream serves one event, as with a browser that waits for each."""
        ended = None
        for _, data in wire.events(self._client, "/queue/data", seconds, session_hash=self._session):
            message = json.loads(data)
            if message["msg"] == "process_completed":
                ended = message
            elif message["msg"] in ("unexpected_error", "server_stopped"):
                raise NoAnswer(message.get("message") or "the stream broke off")
            elif message["msg"] == "close_stream":
                break
        if ended is None:
            raise NoAnswer("the stream ended without a result")
        if not ended["success"]:
            raise wire.said(ended["output"])
        return ended["output"]

    def _take(self, component: int, value: Any) -> None:
        """Keep what a component shows now, to send it with the next event."""
        if not _is_update(value) or "value" in value:
            self._values[component] = _shown(value)

    # What is on the page

    def _event(self, element: str, trigger: str) -> dict[str, Any]:
        target = [self._ids.get(element), trigger]
        for event in self._events:
            if target in event["targets"] and event["backend_fn"]:
                return event
        raise NoAnswer(f"the page has no {trigger} of #{element}")

    def _set(self, element: str, value: Any) -> None:
        if element not in self._ids:
            raise NoAnswer(f"the page has no #{element}")
        self._values[self._ids[element]] = value

    def _still(self, answer: dict[int, Any], size: int) -> tuple[bytes, tuple[int, int]]:
        """The still's picture among an event's answers, and the size that it must have."""
        value = _shown(answer.get(self._ids.get("still-stage", -1))) or {}
        if not value.get("image"):
            raise WrongAnswer(f"no still, but the note {value.get('note')!r}")
        side = min(size, LARGEST_SHOWN)
        return base64.b64decode(value["image"].partition(",")[2]), (side, side)


def _is_update(value: Any) -> bool:
    return isinstance(value, dict) and value.get("__type__") == UPDATE


def _shown(value: Any) -> Any:
    """A component's value after an answer; ``None`` where the answer leaves it as it is."""
    return value.get("value") if _is_update(value) else value


def _file(value: Any) -> dict[str, Any] | None:
    """The video of a component's answer, if it is one."""
    value = _shown(value)
    if isinstance(value, dict) and isinstance(value.get("video"), dict):
        value = value["video"]
    is_video = isinstance(value, dict) and str(value.get("path", "")).endswith(".mp4")
    return value if is_video else None

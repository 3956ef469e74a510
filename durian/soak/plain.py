"""An API client with nothing but HTTP: upload, call, and read the stream of its event."""

from __future__ import annotations

import json
import threading
import uuid
from contextlib import suppress
from typing import Any, Self

from durian.assets import collins_path
from durian.soak import wire, wishes
from durian.soak.checking import check_picture, check_video
from durian.soak.outcomes import GaveUp, NoAnswer, OutOfTime, ServerSaid
from durian.soak.plan import Step
from durian.soak.server import Server
from durian.soak.wishes import Wanted


class PlainCaller:
    """A script of someone's; a context manager. It holds no heartbeat, so that the server learns nothing of its end.

    Args:
        server: whom to call.
        caller: the address that it calls from.
        wanted: length and size of what is asked for.
        limit: seconds after which a request counts as without an answer.
        named: whether its calls share a session; else each is one of its own.
    """

    def __init__(self, server: Server, caller: str, wanted: Wanted, limit: float, named: bool) -> None:
        self._server, self._caller, self._wanted, self._limit = server, caller, wanted, limit
        self._session = uuid.uuid4().hex if named else None

    def __enter__(self) -> Self:
        self._client = wire.new_client(self._server.address, self._caller)
        self._endpoints: dict[str, Any] = {}
        self._numbers: dict[str, int] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, step: Step) -> None:
        """Make the request of ``step`` and check its answer; see :meth:`durian.soak.outcomes.Record.attempt`."""
        self._learn()
        if step.thing == "animation":
            video, _ = self._call("animate", step, wishes.animation(step, self._wanted, self._upload))
            check_video(self._fetch(video), self._wanted.frames, self._wanted.size)
        elif step.thing == "still":
            (picture,) = self._call("preview", step, wishes.still(step, self._wanted, self._upload))
            check_picture(self._fetch(picture), (self._wanted.size, self._wanted.size))
        else:
            arguments, size = wishes.mask(step, self._upload)
            check_picture(self._fetch(self._call("segment", step, arguments)[0]), size)

    def _learn(self) -> None:
        """The endpoints' parameters with their defaults, and their numbers, which cancelling asks for."""
        if not self._endpoints:
            info = json.loads(wire.get(self._client, f"{wire.API}/info", self._limit))
            config = json.loads(wire.get(self._client, "/config", self._limit))
            self._numbers = {each["api_name"]: each["id"] for each in config["dependencies"]}
            self._endpoints = info["named_endpoints"]

    def _call(self, endpoint: str, step: Step, arguments: dict[str, Any]) -> list[Any]:
        parameters = self._endpoints[f"/{endpoint}"]["parameters"]
        data = [arguments.get(each["parameter_name"], each.get("parameter_default")) for each in parameters]
        body = {"data": data} if self._session is None else {"data": data, "session_hash": self._session}
        event = wire.post(self._client, f"/call/{endpoint}", body, self._limit)["event_id"]
        if step.behaviour == "leave":
            self._leave(endpoint, event, step.after)
        if step.behaviour == "cancel":
            threading.Timer(step.after, self._cancel, (endpoint, event)).start()
        return self._result(endpoint, event, self._limit)

    def _result(self, endpoint: str, event: str, seconds: float) -> list[Any]:
        for name, data in wire.events(self._client, f"/call/{endpoint}/{event}", seconds):
            if name == "error":
                raise wire.said(json.loads(data))
            if name == "complete":
                result = json.loads(data)
                if result is None:
                    # How the stream of a cancelled event ends.
                    raise NoAnswer("an end without a result")
                return result
        raise NoAnswer("the stream ended without a result")

    def _leave(self, endpoint: str, event: str, after: float) -> None:
        with suppress(OutOfTime):
            self._result(endpoint, event, after)
            return
        # Halfway through the next picture the connection is gone as well.
        wire.break_off_an_upload(self._server.host_and_port, collins_path())
        raise GaveUp

    def _cancel(self, endpoint: str, event: str) -> None:
        body = {"session_hash": self._session or event, "fn_index": self._numbers[endpoint], "event_id": event}
        # The stream of the request tells how it ended, whatever becomes of this call.
        with wire.again(self._client) as client, suppress(NoAnswer, ServerSaid):
            wire.post(client, "/cancel", body, self._limit)

    def _upload(self, path) -> dict[str, Any]:
        return wire.upload(self._client, path, self._limit)

    def _fetch(self, value: dict[str, Any]) -> bytes:
        return wire.get(self._client, wire.file_address(value), self._limit)

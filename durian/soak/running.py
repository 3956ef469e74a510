"""Running of a soak: warm up, measure an idle server, run all visits, and measure again."""

from __future__ import annotations

import collections
import ipaddress
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from durian.request import Frames, Seed, Size
from durian.schema import Checked, Real, Whole
from durian.soak import report, wire
from durian.soak.library import LibraryCaller
from durian.soak.outcomes import NoAnswer, Record, ServerSaid, Thing, count, waiting
from durian.soak.page import PageVisitor
from durian.soak.plain import PlainCaller
from durian.soak.plan import CLIENTS, Step, Visit, draw_visits, planned
from durian.soak.server import Server
from durian.soak.wishes import Wanted

IDLE_STILLS = 5
"""Of each kind of client; their median is what waiting is compared with."""
WARM_UP_STILLS = 3
"""For each animation of a round of the warm-up; a client has one."""
WARM_UP_ROUNDS = 10
"""At most. Caches and each thread's own memory are full only after a hundred stills or so: until then growth is none
that would go on."""
STEADY_MB, STEADY_ROUNDS = 10.0, 3
"""Memory that grew by less in so many rounds together is that of a warm server."""
SECONDS_AFTER_WARM_UP = 5
"""Long enough for jobs that were cancelled to end."""
SECONDS_OF_QUIET = 15
"""Idle threads of the server's pool end 10 s after their last work; gradio_client's heartbeat notices its end as late
as 15 s after."""
LIVES = 4
"""Leftover files may take so many times ``keep_seconds`` to go: an uploaded file grows old, then its empty folder, then
that of the upload, and sweeps come only now and then."""
MOST_SECONDS = 1800
"""After so long nobody begins anything more: what was not asked for then counts as lost."""

MOST_VISITS = 100_000
"""Animations or stills; more than a week of them."""


@dataclass(frozen=True)
class SoakOptions(Checked):
    """``frames`` and ``size`` (pixels) of each clip; ``limit`` in seconds for each request; ``keep_seconds`` is the age
    at which the server deletes files, which must be longer than any request takes.

    Raises:
        InvalidRequest, LimitExceeded: a number is out of its range.
    """

    animations: Annotated[Whole, Field(ge=0, le=MOST_VISITS)] = 60
    stills: Annotated[Whole, Field(ge=0, le=MOST_VISITS)] = 300
    clients: Annotated[Whole, Field(ge=1, le=1000)] = 8
    seed: Seed = 0
    frames: Frames = 48
    size: Size = 512
    keep_seconds: Annotated[Whole, Field(ge=5, le=86_400)] = 120
    limit: Annotated[Real, Field(ge=1, le=86_400)] = 120.0


def soak(options: SoakOptions, strict: bool = False) -> dict[str, Any]:
    """Start the server, send everybody, and say what was kept; prints a table on stderr.

    Args:
        options: how many come, and what they ask for.
        strict: let the command fail when something is not kept.

    Returns:
        ``lines`` (each with ``what``, ``measured``, ``goal``, ``kept``), ``not_kept`` (how many), and the figures they
        come from; see :func:`durian.soak.report.as_dictionary`.

    Raises:
        OutputFailed: the server does not start.
    """
    with (
        tempfile.TemporaryDirectory(prefix="durian-soak-") as folder,
        Server(Path(folder), options.keep_seconds) as server,
    ):
        measured = _Soak(server, options, Path(folder) / "downloads").run()
    lines = report.judge(measured)
    report.print_table(measured, lines)
    return report.as_dictionary(measured, lines, strict)


class _Soak:
    def __init__(self, server: Server, options: SoakOptions, downloads: Path) -> None:
        self._server, self._options, self._downloads = server, options, downloads
        self._wanted = Wanted(options.frames, options.size)
        self._stop = threading.Event()

    def run(self) -> report.Measured:
        options, server = self._options, self._server
        at_first = server.left()
        self._warm_up()
        _say("stills of an idle server")
        idle = self._idle_stills()
        self._be_quiet(SECONDS_OF_QUIET)
        before = server.reading()
        visits = draw_visits(options.animations, options.stills, options.seed)
        _say(f"{len(visits)} visits by {options.clients} clients at a time")
        started = time.monotonic()
        outcomes = self._run(visits).outcomes()
        seconds = time.monotonic() - started
        _say("everybody left; waiting for what they leave behind to go")
        measured = report.Measured(
            counts=count(outcomes, planned(visits)),
            outcomes=outcomes,
            waiting=waiting(outcomes, idle),
            seconds=seconds,
            at_first=at_first,
            at_last=server.left(),
            before=before,
            after=server.reading(),
            traces=server.traces(),
            alive=server.alive(),
        )
        deadline = time.monotonic() + LIVES * options.keep_seconds + SECONDS_OF_QUIET
        while time.monotonic() < deadline and server.alive() and not measured.is_as_before():
            self._be_quiet(1)
            measured = measured.again(server)
        return measured

    def _warm_up(self) -> None:
        """Let clients come until the server's memory rests."""
        count = max(len(CLIENTS), self._options.clients)
        readings: list[float] = []
        for number in range(1, WARM_UP_ROUNDS + 1):
            self._run(draw_visits(count, WARM_UP_STILLS * count, self._options.seed + number))
            self._be_quiet(SECONDS_AFTER_WARM_UP)
            reading = self._server.reading()
            if reading is None:
                return
            readings.append(reading.resident_mb)
            _say(f"warming up, {reading.resident_mb:.0f} MB")
            if readings[-1] - min(readings[-1 - STEADY_ROUNDS :]) < STEADY_MB and number > STEADY_ROUNDS:
                return

    def _run(self, visits: Sequence[Visit]) -> Record:
        """Let the clients make the visits, each the next one as soon as it is free."""
        record, remaining = Record(), collections.deque(visits)

        def work(address: str) -> None:
            # Taking from a deque is atomic.
            with suppress(IndexError):
                while not self._stop.is_set():
                    self._visit(remaining.popleft(), address, record)

        threads = [
            threading.Thread(target=work, args=(address_of(number),), name=f"client-{number}", daemon=True)
            for number in range(self._options.clients)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + MOST_SECONDS
        try:
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        finally:
            # Also on Ctrl-C: the server ends next, and with it every request that is still under way.
            if any(thread.is_alive() for thread in threads):
                self._stop.set()
        return record

    def _visit(self, visit: Visit, address: str, record: Record) -> None:
        try:
            with self._client(visit, address) as client:
                if isinstance(client, PageVisitor):
                    record.attempt("page", visit.client, client.open)
                for step in visit.steps:
                    if self._stop.wait(step.pause):
                        return
                    gives_up = step.behaviour != "stay"
                    record.attempt(step.thing, visit.client, partial(client.ask, step), gives_up)
        except Exception as error:  # noqa: BLE001 - a visit that cannot begin must not end the other visits
            # Its requests were never made, and count as lost.
            _say(f"a visit broke off: {type(error).__name__}: {error}")

    def _client(self, visit: Visit, address: str) -> AbstractContextManager[Any]:
        given = self._server, address, self._wanted, self._options.limit
        if visit.client == "library":
            return LibraryCaller(*given, self._downloads)
        if visit.client == "http":
            return PlainCaller(*given, named=visit.number % 2 == 0)
        return PageVisitor(*given)

    def _idle_stills(self) -> dict[str, list[float]]:
        """Seconds of answered stills while nobody else is there, by kind of client."""
        thing: Thing = "still"
        record = Record()
        for number, kind in enumerate(CLIENTS):
            visit = Visit(kind, number, tuple(Step(thing, index) for index in range(IDLE_STILLS)))
            self._visit(visit, address_of(number), record)
        answered = [each for each in record.outcomes() if (each.thing, each.ending) == (thing, "answered")]
        return {kind: [each.seconds for each in answered if each.client == kind] for kind in CLIENTS}

    def _be_quiet(self, seconds: float) -> None:
        """Nobody comes, but somebody looks in now and then: the server's pool ends idle threads only when used."""
        deadline = time.monotonic() + seconds
        with wire.new_client(self._server.address) as client:
            while time.monotonic() < deadline and self._server.alive():
                with suppress(NoAnswer, ServerSaid):
                    wire.get(client, "/config", self._options.limit)
                time.sleep(1)


def address_of(number: int) -> str:
    """A client's own address, of those that nobody has (RFC 2544: 198.18.0.0/15, for measuring)."""
    return str(ipaddress.IPv4Address("198.18.0.1") + number)


def _say(words: str) -> None:
    print(f"soak, {time.strftime('%H:%M:%S')}: {words}", file=sys.stderr, flush=True)

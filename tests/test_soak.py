"""A miniature soak of the real server: counts and files, not times."""

from __future__ import annotations

import json
import threading

import pytest

from durian.cli import main
from durian.soak import report as judging
from durian.soak import running


@pytest.mark.slow
def test_a_miniature_soak_loses_and_leaves_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    # Rests, stills and waits that only serve to measure times, memory and threads, which are not looked at here.
    for name, value in {
        "IDLE_STILLS": 1,
        "WARM_UP_STILLS": 1,
        "WARM_UP_ROUNDS": 1,
        "SECONDS_AFTER_WARM_UP": 0,
        "SECONDS_OF_QUIET": 0,
    }.items():
        monkeypatch.setattr(running, name, value)
    for name in ("MOST_GROWTH_MB", "THREADS_MORE", "FILES_MORE"):
        monkeypatch.setattr(judging, name, 10_000)
    size = ["--animations", "3", "--stills", "6", "--clients", "2", "--frames", "12", "--size", "256"]
    code = main(["bench", "soak", *size, "--keep-seconds", "15", "--json"])
    out, shown = capsys.readouterr()
    assert code == 0, shown
    report = json.loads(out.splitlines()[-1])
    counts = report["requests"]
    assert {thing: row["planned"] for thing, row in counts.items()} == {
        "page": 1,
        "still": 6,
        "mask": 1,
        "animation": 3,
    }
    for thing, row in counts.items():
        assert sum(row.values()) == 2 * row["planned"], thing
        assert (row["lost"], row["wrong"], row["said"]) == (0, 0, 0), shown
    assert counts["page"]["answered"] == 1
    assert counts["animation"]["answered"] >= 1
    kept = {line["what"]: line["kept"] for line in report["lines"]}
    promised = ("requests ended", "clients that ran out of time", "traces in the server's log", "the server")
    assert all(kept[what] for what in (*promised, *(what for what in kept if what.startswith("files left")))), shown
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("client-")]


def test_a_soak_of_nobody_is_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "soak", "--clients", "0"]) == 2
    assert "0 cannot be --clients: give a whole number from 1 to 1000" in capsys.readouterr().err

"""Verdicts of a soak: each kind of failure gives one line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from durian.soak.measuring import Left, Reading
from durian.soak.outcomes import ENDINGS, Outcome
from durian.soak.report import Measured, as_dictionary, judge, print_table

ROW = dict.fromkeys(ENDINGS, 0)
GOOD = Measured(
    counts={
        "still": ROW | {"planned": 10, "answered": 10},
        "animation": ROW | {"planned": 3, "answered": 1, "refused": 1, "cancelled": 1},
    },
    outcomes=[Outcome("animation", "http", "refused", 0.1, words="8 animations are waiting already: try later.")],
    waiting={"stills": 8, "median": 1.5, "most": 2.5, "median_seconds": 0.3, "most_seconds": 0.5},
    seconds=12.0,
    at_first={"work": Left(0, 0), "uploads": Left(1, 1)},
    at_last={"work": Left(0, 1), "uploads": Left(1, 2)},
    before=Reading(900.0, 950.0, 20, 11),
    after=Reading(949.0, 1100.0, 21, 10),
    traces=[],
    alive=True,
)


def stills(**endings: int):
    return {**GOOD.counts, "still": ROW | {"planned": 10, **endings}}


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({}, set()),
        ({"counts": stills(answered=9, lost=1)}, {"requests ended", "lost without a sentence"}),
        ({"counts": stills(answered=9, said=1)}, {"requests ended", "other sentences of the server"}),
        ({"counts": stills(answered=9, wrong=1)}, {"requests ended", "wrong answers"}),
        ({"counts": {"still": ROW | {"planned": 2, "refused": 2}}}, {"requests ended"}),
        (
            {"outcomes": [Outcome("animation", "page", "cancelled", 120.0, in_time=False)]},
            {"clients that ran out of time"},
        ),
        ({"traces": ["ValueError: x"]}, {"traces in the server's log"}),
        ({"at_last": {"work": Left(1, 1), "uploads": Left(1, 2)}}, {"files left: work"}),
        ({"at_last": {"work": Left(0, 1), "uploads": Left(2, 2)}}, {"files left: uploads"}),
        ({"at_last": {"work": Left(0, 0), "uploads": Left(1, 6)}}, {"folders left"}),
        ({"after": Reading(951.0, 1100.0, 20, 11)}, {"memory"}),
        ({"after": Reading(900.0, 1100.0, 23, 11)}, {"threads"}),
        ({"after": Reading(900.0, 1100.0, 20, 16)}, {"open files"}),
        ({"waiting": {**GOOD.waiting, "most": 3.1}}, {"stills beside animations, 95 %"}),
        (
            {"waiting": {**GOOD.waiting, "median": 3.1, "most": 4.0}},
            {f"stills beside animations, {w}" for w in ("median", "95 %")},
        ),
        ({"alive": False, "after": None}, {"the server"}),
    ],
)
def test_each_fault_has_its_line(changed, broken):
    lines = judge(replace(GOOD, **changed))
    assert {line.what for line in lines if line.kept is False} == broken
    assert as_dictionary(GOOD, lines)["not_kept"] == len(broken)


def test_what_cannot_be_measured_is_neither_kept_nor_broken():
    lines = {line.what: line for line in judge(replace(GOOD, before=None, after=None, waiting=None))}
    for what in ("memory", "threads", "open files", "stills beside animations, median"):
        assert lines[what].kept is None
    assert "/proc" in lines["memory"].measured


def test_what_is_left_is_waited_for():
    assert GOOD.is_as_before()
    assert replace(GOOD, traces=["ValueError: x"]).is_as_before()
    assert not replace(GOOD, at_last={"work": Left(0, 9), "uploads": Left(1, 9)}).is_as_before()
    assert not replace(GOOD, at_last={"work": Left(3, 1), "uploads": Left(1, 1)}).is_as_before()
    assert not replace(GOOD, after=Reading(1000.0, 1100.0, 20, 11)).is_as_before()


def test_only_a_strict_soak_fails():
    lines = judge(replace(GOOD, traces=["ValueError: x"]))
    assert "failed" not in as_dictionary(GOOD, lines)
    assert as_dictionary(GOOD, lines, strict=True)["failed"] == 1


def test_the_report_is_json_and_the_table_says_everything(capsys):
    measured = replace(GOOD, traces=["ValueError: x"] * 3)
    lines = judge(measured)
    report = json.loads(json.dumps(as_dictionary(measured, lines)))
    assert report["requests"]["animation"] == GOOD.counts["animation"]
    assert report["after"]["resident_mb"] == 949.0
    assert report["traces"] == {"ValueError: x": 3}
    print_table(measured, lines)
    shown = capsys.readouterr().err
    assert all(line.what in shown for line in lines)
    assert shown.count("NOT KEPT") == 1
    assert "http, animation, refused: 8 animations are waiting already: try later. (1 ×)" in shown

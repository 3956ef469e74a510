"""Counts of a soak: no request is missing from the table, whatever its client met."""

from __future__ import annotations

import threading

import pytest

from durian.soak.outcomes import (
    ENDINGS,
    GaveUp,
    NoAnswer,
    Outcome,
    OutOfTime,
    Record,
    ServerSaid,
    WrongAnswer,
    count,
    waiting,
)
from durian.soak.plan import BEHAVIOURS, CLIENTS, draw_visits, planned


def raising(error: Exception | None):
    def ask() -> None:
        if error is not None:
            raise error

    return ask


@pytest.mark.parametrize(
    ("error", "ending", "in_time"),
    [
        (None, "answered", True),
        (ServerSaid("8 animations are waiting already: try again in a minute."), "refused", True),
        (ServerSaid("You have 2 animations waiting already: wait for one of them."), "refused", True),
        (ServerSaid("Queue is full. Max size is 128 and size is 128."), "refused", True),
        (ServerSaid("The portrait is not an uploaded file: send it with handle_file(...)."), "said", True),
        (WrongAnswer("11 frames instead of 12"), "wrong", True),
        (NoAnswer("the stream ended without a result"), "lost", True),
        (OutOfTime("no answer within 120 s"), "lost", False),
        (KeyError("a client that breaks"), "lost", True),
        (GaveUp(), "cancelled", True),
    ],
)
def test_each_way_to_end_is_counted_as_what_it_is(error, ending, in_time):
    outcome = Record().attempt("still", "http", raising(error))
    assert (outcome.ending, outcome.in_time) == (ending, in_time)


@pytest.mark.parametrize(
    ("error", "ending", "in_time"),
    [
        (None, "answered", True),
        (NoAnswer("an end without a result"), "cancelled", True),
        (ServerSaid("The animation was cancelled: press Animate to start it again."), "cancelled", True),
        (OutOfTime("no answer within 120 s"), "cancelled", False),
        (ServerSaid("8 animations are waiting already: try again in a minute."), "refused", True),
        (WrongAnswer("11 frames instead of 12"), "wrong", True),
    ],
)
def test_who_cancels_is_not_lost_but_must_not_be_left_hanging(error, ending, in_time):
    outcome = Record().attempt("animation", "http", raising(error), gives_up=True)
    assert (outcome.ending, outcome.in_time) == (ending, in_time)


def test_a_request_that_nobody_made_is_lost():
    outcomes = [Outcome("still", "page", "answered", 0.1), Outcome("animation", "page", "lost", 0.1)]
    table = count(outcomes, {"still": 3, "animation": 1, "mask": 0})
    assert table["still"] == dict.fromkeys(ENDINGS, 0) | {"planned": 3, "answered": 1, "lost": 2}
    assert table["animation"] == dict.fromkeys(ENDINGS, 0) | {"planned": 1, "lost": 1}
    assert not any(table["mask"].values())


def test_a_still_is_beside_an_animation_of_somebody_else():
    record, began, done = Record(), threading.Event(), threading.Event()

    def animate() -> None:
        began.set()
        assert done.wait(20)

    other = threading.Thread(target=lambda: record.attempt("animation", "http", animate))
    other.start()
    assert began.wait(20)
    beside = record.attempt("still", "page", raising(None))
    done.set()
    other.join()
    alone = record.attempt("still", "page", raising(None))
    animation = next(outcome for outcome in record.outcomes() if outcome.thing == "animation")
    assert (beside.beside_animation, alone.beside_animation) == (True, False)
    assert not animation.beside_animation


def test_waiting_is_compared_with_the_same_kind_of_client():
    # 20 stills of the page at 1 to 20 times its idle 0.5 s, and one of the library at twice its idle 3 s.
    stills = [Outcome("still", "page", "answered", 0.5 * times, True) for times in range(1, 21)]
    stills.append(Outcome("still", "library", "answered", 6.0, True))
    ignored = [
        Outcome("still", "page", "answered", 99.0, False),
        Outcome("still", "page", "lost", 99.0, True),
        Outcome("animation", "page", "answered", 99.0, True),
        Outcome("still", "http", "answered", 99.0, True),
    ]
    found = waiting(stills + ignored, {"page": [0.4, 0.5, 9.0], "library": [3.0], "http": []})
    assert found == {"stills": 21, "median": 10.0, "most": 19.0, "median_seconds": 5.5, "most_seconds": 9.5}
    assert waiting(ignored, {"page": [0.5], "library": [3.0], "http": []}) is None


@pytest.mark.parametrize(("animations", "stills"), [(60, 300), (3, 10), (0, 5), (7, 0)])
def test_visits_add_up_to_what_was_asked_for(animations, stills):
    visits = draw_visits(animations, stills, seed=0)
    counts = planned(visits)
    assert (counts["animation"], counts["still"], counts["mask"]) == (animations, stills, round(stills / 10))
    numbers = [step.number for visit in visits for step in visit.steps]
    assert sorted(numbers) == list(range(len(numbers)))


def test_visits_come_from_the_seed():
    assert draw_visits(12, 40, seed=3) == draw_visits(12, 40, seed=3)
    assert draw_visits(12, 40, seed=3) != draw_visits(12, 40, seed=4)


def test_every_kind_of_client_stays_cancels_and_leaves():
    visits = draw_visits(60, 300, seed=0)
    met = {(visit.client, step.behaviour) for visit in visits for step in visit.steps if step.thing == "animation"}
    assert met == {(client, behaviour) for client in CLIENTS for behaviour in BEHAVIOURS}


def test_nobody_asks_for_anything_after_leaving():
    visits = draw_visits(60, 300, seed=0)
    assert all(step.behaviour != "leave" for visit in visits for step in visit.steps[:-1])

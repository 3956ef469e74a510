"""Events with payloads that no browser sends: one sentence, no internal error, and an unchanged session."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr
import pytest
from test_ui_session import table, values_of
from wrong_values import VALUES

from durian.ui import controls
from durian.ui.handlers import animate, motion, opening, portrait, rendering, sam, save, still, tools, wear
from durian.ui.handlers.common import guarded
from durian.ui.session import Session

HANDLERS = {
    "items": wear.arrange,
    "mask": wear.edit,
    "portrait": portrait.edit,
    "still": still.place,
    "motion": motion.pick,
    "example": opening.pick,
    "history": save.choose,
}


def sent(name: str, session: Session, data: Any) -> Any:
    return guarded(HANDLERS[name])(session, gr.EventData(None, data))


def refusal(call, *values: Any) -> gr.Error:
    with pytest.raises(gr.Error) as caught:
        call(*values)
    return caught.value


STROKE = {"kind": "stroke", "points": [[10, 10], [20, 20]], "radius": 3, "paint": True}


@pytest.mark.parametrize(
    ("handler", "data", "words"),
    [
        ("mask", {"kind": "explode"}, "what this page sends"),
        ("mask", {"kind": ["click"]}, "what this page sends"),
        ("mask", {"kind": "click", "x": "1", "y": 1, "positive": True}, "'1' cannot be the x of the event"),
        ("mask", {"kind": "click", "x": float("nan"), "y": 1, "positive": True}, "NaN cannot be the x"),
        ("mask", {"kind": "click", "x": 1, "y": 10**400, "positive": True}, "more than 20 digits cannot be the y"),
        ("mask", {"kind": "click", "x": 1, "y": 1, "positive": 1}, "1 cannot be the positive"),
        ("mask", {"kind": "click", "x": 1, "y": 1}, "The positive of the event is missing"),
        ("mask", {"kind": "click", "x": 5000, "y": 1, "positive": True}, "lies outside the 96×96 picture"),
        ("mask", {"kind": "start", "name": "__class__"}, "'__class__' is not known: use one of hair, glasses"),
        ("mask", STROKE | {"points": [[1, 2]] * 1_000_000}, "A list of 1000000 cannot be the points of the event"),
        (
            "mask",
            STROKE | {"points": [[1, 2, 3]]},
            "A list of 3 cannot be entry 1 of the points of the event: give a list of 2.",
        ),
        ("mask", STROKE | {"points": [[1, "2"]]}, "'2' cannot be entry 2 of entry 1 of the points"),
        ("mask", STROKE | {"radius": 1e9}, "1e+09 cannot be the radius"),
        ("mask", STROKE | {"radius": -1}, "-1 cannot be the radius"),
        ("mask", STROKE | {"points": [[0, 0], [1e6, 1e6]] * 2000, "radius": 1e6}, "paint a shorter one"),
        ("items", {"kind": "remove", "id": "1"}, "'1' cannot be the id"),
        ("items", {"kind": "pick"}, "The id of the event is missing"),
        ("portrait", {"kind": "face", "index": 5}, "Face 6 does not exist"),
        ("portrait", {"kind": "face", "index": -1}, "-1 cannot be the index"),
        ("portrait", {"kind": "crop", "x": 1, "y": 1, "side": 0}, "0 cannot be the side"),
        (
            "still",
            {"kind": "place", "item": 1, "dx": None, "dy": 0, "scale": 1, "angle": 0},
            "The dx of the event is missing",
        ),
        ("motion", {"kind": "pick", "id": "/etc/passwd"}, "'/etc/passwd' is not known: use one of nod"),
        ("example", {"kind": "pick", "id": {}}, "cannot be the id"),
        ("history", {"index": "0"}, "'0' cannot be the index"),
        ("history", None, "The event is missing"),
    ],
)
def test_a_forged_event_is_one_sentence_and_changes_nothing(handler, data, words):
    session = table("hat")
    before, step, crop = values_of(session), session.item.history.step, session.portrait.crop
    error = refusal(sent, handler, session, data)
    assert error.title == "Not quite yet"
    assert words in error.message
    assert len(error.message) < 300
    assert (values_of(session), session.item.history.step, session.portrait.crop) == (before, step, crop)


@pytest.mark.parametrize("handler", HANDLERS)
def test_whatever_is_sent_is_not_our_mistake(handler, caplog):
    session = table("hat")
    kinds = ("pick", "remove", "add", "click", "stroke", "start", "face", "crop", "place", "undo")
    payloads = [*VALUES, *({"kind": kind, "id": value, "index": value} for kind in kinds[:2] for value in VALUES)]
    payloads += [{"kind": kind} for kind in kinds]
    payloads += [
        dict.fromkeys(("x", "y", "side", "points", "name", "item"), v) | {"kind": k} for k in kinds for v in VALUES
    ]
    titles = set()
    with caplog.at_level(logging.ERROR):
        for data in payloads:
            try:
                sent(handler, session, data)
            except gr.Error as error:
                titles.add(error.title)
    assert titles <= {"Not quite yet", "Too large"}
    assert "Not quite yet" in titles
    assert caplog.records == []


def test_what_the_page_sends_is_taken():
    session = table("hat", "hair")
    sent("mask", session, STROKE | {"serial": 3})
    assert session.item.history.mask[15, 15] == 255
    sent("mask", session, {"kind": "undo", "serial": 4})
    sent("items", session, {"kind": "pick", "id": session.items[1].id})
    assert session.selected == 1
    sent("portrait", session, {"kind": "crop", "x": 40.5, "y": 50, "side": 70, "serial": 5})
    sent("motion", session, {"kind": "pick", "id": "smile"})
    assert session.motion.name == "smile"


TUNED = {
    "strength": ("1", 1.5, float("nan"), None),
    "trim": (5, True),
    "layer": (1.5, 10**400),
    "dx": ("x", 1e30),
    "angle": (float("inf"), []),
    "mode": ("swap", 3, ["wear"]),
    "blend_start": (2, "0"),
    "erase": ("hat", ["nose"], [["hat"]] * 1000),
    "frame": ("1", 0.5, float("nan")),
    "room": (99, "a"),
    "shift_x": (7, float("nan")),
    "frames": (10**9, 12.5),
    "seed": (-1, "7"),
    "label": (1, "yes"),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in TUNED.items() for value in values])
def test_a_forged_slider_is_refused_and_nothing_is_taken_over(key, value):
    session = table("hat")
    before = values_of(session)
    values = before | {"light": 0.9, key: value}
    with pytest.raises(ValueError, match=r"give|use|at most"):
        controls.apply(session, session.item.id, {name: values[name] for name in controls.TUNED})
    assert values_of(session) == before


@pytest.mark.parametrize(
    ("call", "values", "words"),
    [
        (rendering.choose, ("evil", 1, 1), "Renderer 'evil' is not known: use one of preview, diffusion"),
        (rendering.choose, ("diffusion", "9", 0), "'9' cannot be the number of steps"),
        (sam.choose, ("../sam",), "Segmenter '../sam' is not known"),
        (sam.choose, (["sam"],), "cannot be the segmenter"),
        (tools.overlay, ("__class__",), "Overlay '__class__' is not known: use one of landmarks"),
        (motion.use_part, ("0", 1, -1), "'0' cannot be the start"),
        (motion.use_part, (0, float("inf"), -1), "Inf cannot be the end"),
        (motion.use_part, (0, 1, 1e300), "1e+300 cannot be the neutral frame"),
        (motion.use_part, (0, 1, -1), "There is no driving video to take a part of: upload one first."),
        (animate.remember_consent, ("yes",), "'yes' cannot be the consent"),
        (motion.sound, ([],), "cannot be the choice of sound"),
        (still.tune, ("1", *[0] * len(controls.TUNED)), None),
    ],
)
def test_forged_choices(call, values, words):
    session = table("hat")
    if words is None:
        # A slider's refusal stands under the still.
        assert "give" in guarded(call)(session, *values)[0]["note"]
        return
    error = refusal(guarded(call), session, *values)
    assert (error.title, words in error.message) == ("Not quite yet", True), error.message


def test_a_forged_look_is_refused():
    with pytest.raises(gr.Error, match="Item 'cape' is not known"):
        list(guarded(tools.look_book)(table("hat"), "cape", ["/nowhere.png"]))


@pytest.mark.parametrize(
    ("clicks", "expected"),
    [
        ([[[1, 2, True], [3.5, 4, False]]], ((1.0, 2.0, True), (3.5, 4.0, False))),
        ([[[1, 10**400, True]]], ()),
        ([[["1", 2, True]]], ()),
        ([[[1, 2, True]] * 100_000], ()),
        ([{"x": 1}], ()),
        ([], ()),
    ],
)
def test_dots_of_a_bundle_are_shown_only_where_they_make_sense(clicks, expected):
    assert save._clicks(clicks, 0) == expected

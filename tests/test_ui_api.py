"""The API's functions with invalid arguments: one sentence each, and no internal error."""

from __future__ import annotations

import inspect
import logging
import random
from pathlib import Path
from typing import Any

import asynchronous
import gradio as gr
import pytest
from wrong_values import VALUES, nested

from durian.ui import api, visitors

REFUSED = ("Not quite yet", "Too large")


@pytest.fixture
def uploaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A file in Gradio's folder that is no picture: whoever reads it before all is checked says so."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = tmp_path / "no-picture.png"
    path.write_text("nothing to see")
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def refusal(function: Any, **arguments: Any) -> gr.Error:
    with pytest.raises(gr.Error) as caught:
        asynchronous.run(_called(function, arguments))
    return caught.value


async def _called(function: Any, arguments: dict[str, Any]) -> Any:
    answer = function(**arguments)
    return await answer if inspect.isawaitable(answer) else answer


@pytest.fixture(autouse=True)
def no_share_runs_out(settings_environment):
    """Hundreds of calls come from here within a second."""
    settings_environment(visitor_calls=10_000)
    visitors.get_visitors.cache_clear()
    yield
    visitors.get_visitors.cache_clear()


PLAIN = {
    "frames": (),
    "fps": (3.7,),
    "size": (),
    "expansion": (0.5, -1),
    "light": (0.5,),
    "pose_strength": (0.5,),
    "expression_strength": (0.5,),
    "smoothing": (0.5,),
    "seed": (),
    "label": (True,),
    "uncrop": (True,),
    "face": (),
    "blend": (None,),
    "erase": (None, [], {"hat"}),
    "attributes": (None, []),
    "driving": (None,),
    "renderer": (None, ""),
    "steps": (None,),
    "guidance": (None, 3.7),
    "sampler": (None,),
    "motion": ("12", ""),
}
"""What of :data:`VALUES` is a right value after all, by argument of animate."""
STILL = {"frame": (), "alpha": (None, 0.5), "size": (), "light": (0.5,), "erase": (None, [], {"hat"}), "face": ()}
ITEM = {
    "name": (None,),
    "clicks": (None, []),
    "strength": (0.5,),
    "trim": (-1, 0.5),
    "layer": (None, -1),
}


def is_among(value: Any, right: tuple[Any, ...]) -> bool:
    return any(type(value) is type(each) and value == each for each in right)


def wrong_calls(uploaded: dict[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    """Each has exactly one wrong argument."""
    calls = []
    for value in VALUES:
        for name, right in PLAIN.items():
            if not is_among(value, right):
                calls.append((api.animate, {"portrait": uploaded, name: value}))
        for name, right in STILL.items():
            if not is_among(value, right):
                calls.append((api.preview, {"portrait": uploaded, name: value}))
        for name, right in ITEM.items():
            if not is_among(value, right):
                item = {"image": uploaded, "name": "hat", name: value}
                calls.append((api.preview, {"portrait": uploaded, "attributes": [item]}))
        calls.append((api.preview, {"portrait": value}))
        calls.append((api.preview, {"portrait": {"path": value, "url": "http://127.0.0.1:9/"}}))
        calls.append((api.preview, {"portrait": uploaded, "attributes": [value]}))
        calls.append((api.segment, {"image": value}))
        calls.append((api.segment, {"image": uploaded, "points": [[1, value]]}))
        calls += [(api.segment, {"image": uploaded, "points": value})] * (not is_among(value, (None, [])))
        calls += [(api.segment, {"image": uploaded, "name": value})] * (value is not None)
    return calls


def test_three_hundred_wrong_calls_are_three_hundred_sentences(uploaded, caplog):
    calls = [
        (function, arguments)
        for function, arguments in random.Random(5).sample(wrong_calls(uploaded), 400)
        # A number that JavaScript sends for y.
        if arguments.get("points") not in ([[1, -1]], [[1, 0.5]], [[1, 3.7]])
    ][:300]
    assert len(calls) == 300
    with caplog.at_level(logging.ERROR):
        for function, arguments in calls:
            error = refusal(function, **arguments)
            assert error.title in REFUSED, (function.__name__, list(arguments), error.message)
            assert len(error.message) < 300
            assert error.message.isprintable()
            assert not error.print_exception
    assert caplog.records == []


def test_right_arguments_get_as_far_as_the_picture(uploaded):
    item = {"image": uploaded, "name": "hat", "clicks": [[1, 2, 1.0]], "strength": 1, "layer": 3.0, "mask": uploaded}
    error = refusal(
        api.animate,
        portrait=uploaded,
        attributes=[item],
        blend=[0, 1],
        frames=12.0,
        seed=3.0,
        erase=["hat", "hat"],
        steps=4.0,
        guidance=2,
        sampler="euler",
        renderer="preview",
    )
    assert error.title == "This file cannot be read"
    assert refusal(api.preview, portrait=uploaded, alpha=1, frame=47.0).title == "This file cannot be read"
    assert refusal(api.segment, image=uploaded, points=[[1, 2]]).title == "This file cannot be read"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"blend": [0.5]}, "A list of 1 cannot be the blend: give [start, end], each from 0 to 1."),
        ({"blend": [0, 2]}, "2 cannot be entry 2 of the blend: give a number from 0 to 1."),
        ({"erase": ["hat"] * 7}, "A list of 7 cannot be the list of what is taken off: give a list of at most 6"),
        ({"face": -1}, "-1 cannot be the face: give a whole number from 0 to 99."),
        ({"frames": 601}, "601 frames are too many: at most 600"),
        ({"attributes": [{"name": "hat"}]}, "The image of attribute 1 is missing: give an uploaded file."),
        ({"attributes": [{"image": 1}] * 9}, "9 attributes are too many: use at most 8."),
        ({"driving": "http://127.0.0.1/a.mp4"}, "The driving video is not an uploaded file"),
        ({"renderer": "magic"}, "Renderer 'magic' is not known"),
        ({"motion": nested(3)}, "A list of 1 cannot be the motion: give a text"),
    ],
)
def test_the_sentence_says_what_was_given_and_what_is_accepted(uploaded, arguments, sentence):
    assert refusal(api.animate, portrait=uploaded, **arguments).message.startswith(sentence)


def test_an_item_says_which_of_several_it_is(uploaded):
    items = [{"image": uploaded, "name": "hat"}, {"image": uploaded, "strength": "much"}]
    message = refusal(api.preview, portrait=uploaded, attributes=items).message
    assert message == "'much' cannot be the strength of attribute 2: give a number from 0 to 1."
    items[1] = {"image": uploaded, "colour": "red"}
    message = refusal(api.preview, portrait=uploaded, attributes=items).message
    assert message == "Attribute 2 has an unknown 'colour': use clicks, image, layer, mask, name, strength, trim."

"""Strict validation: accepted values and their types, and one sentence for everything else."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import Field
from wrong_values import VALUES, nested

from durian.errors import InvalidRequest, LimitExceeded
from durian.face import Crop
from durian.prepare import Click, Rows
from durian.request import Alpha, DiffusionOptions, Erased, ItemName, Placement, RenderOptions
from durian.schema import Real, Switch, Text, Whole, at_most, checked, shown

Share = Annotated[Real, Field(ge=0, le=1)]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (Whole, 48.0, 48),
        (Whole, np.int64(3), 3),
        (Real, 1, 1.0),
        (Real, np.float32(0.5), 0.5),
        (Switch, np.True_, True),
        (Text, "nod", "nod"),
        (Share | None, None, None),
        (Erased, ["hat", "hat"], ("hat", "hat")),
        (Crop, {"x": 1, "y": 2.5, "side": 3}, Crop(1.0, 2.5, 3.0)),
        (Rows, [[1, 2], [3, 4, 0], (5, 6.5, True)], (Click(1, 2), Click(3, 4, False), Click(5, 6.5, True))),
    ],
)
def test_what_is_right_comes_out_in_its_type(kind, given, expected):
    result = checked(kind, given, "this")
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        (Real, "12", "'12' cannot be the value: give a number."),
        (Share, 1.5, "1.5 cannot be the value: give a number from 0 to 1."),
        (Share, float("nan"), "NaN cannot be the value: give a number from 0 to 1."),
        (Share, True, "True cannot be the value: give a number from 0 to 1."),
        (Share, 10**400, "A number of more than 20 digits cannot be the value: give a number from 0 to 1."),
        (Whole, 48.5, "48.5 cannot be the value: give a whole number."),
        (Whole, None, "The value is missing: give a whole number."),
        (Switch, 1, "1 cannot be the value: give true or false."),
        (Text, "a\nb", "'a\\nb' cannot be the value: give a text of at most 200 plain characters."),
        (Literal["a", "b"], "c", "Value 'c' is not known: use one of a, b."),
        (Literal["a", "b"], [], "A list of 0 cannot be the value: give one of a, b."),
        (list[Share], [0, "1"], "'1' cannot be entry 2 of the value: give a number from 0 to 1."),
        (Rows, [[1, 2, 3, 4]], "A list of 4 cannot be entry 1 of the value: give [x, y] or [x, y, 1 or 0]."),
        (Rows, [[1, 2, 7]], "7 cannot be the label of entry 1 of the value: give 1 or 0."),
        (Crop, {"x": 1, "y": 2}, "The side of the value is missing: give a number above 0, at most 1000000."),
        (Placement, {"dx": 0, "far": 1}, "The value has an unknown 'far': use angle, dx, dy, scale."),
        (Placement, {3: 1}, "The value has an unknown 3: use angle, dx, dy, scale."),
        (Placement, {"dx": 11}, "11 cannot be the move right of the value: give a number from -10 to 10."),
        (DiffusionOptions, {"steps": 0}, "0 cannot be the number of steps of the value: give a whole number from 1 to"),
        (Erased, ["nose"], "Entry 1 of the value 'nose' is not known: use one of hair, glasses"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(kind, given, sentence):
    with pytest.raises(InvalidRequest) as caught:
        checked(kind, given, "the value")
    assert str(caught.value).startswith(sentence)


def test_what_a_dataclass_says_itself_is_passed_on():
    with pytest.raises(InvalidRequest, match="5 cannot be the size: give an even number from 64 to 1024"):
        checked(RenderOptions, {"size": 5})
    with pytest.raises(LimitExceeded, match="601 frames are too many"):
        checked(RenderOptions, {"frames": 601})


KINDS = (
    Whole,
    Real,
    Switch,
    Text,
    Alpha,
    ItemName,
    Erased,
    Rows,
    Annotated[list[Alpha], at_most(5)],
    RenderOptions,
    Placement,
    Crop,
)


@pytest.mark.parametrize("kind", KINDS, ids=range(len(KINDS)))
def test_sentences_are_short_and_plain_whatever_is_given(kind):
    refused = 0
    for value in VALUES:
        try:
            checked(kind, value, "the value")
        except (InvalidRequest, LimitExceeded) as error:
            refused += 1
            sentence = str(error)
            assert len(sentence) < 260
            assert sentence.isprintable()
            assert sentence.endswith(".")
    assert refused > len(VALUES) / 2


def test_values_are_shown_short():
    assert shown(nested(1000)) == "a list of 1"
    assert shown({1: 2}) == "a dictionary of 1"
    assert shown(10**20) == "a number of more than 20 digits"
    assert shown("a" * 41) == repr("a" * 40) + "…"
    assert shown("\ud800\n") == r"'\ud800\n'"
    assert shown(np.zeros((2, 3))) == "an array of 2 dimensions"
    assert len(shown(type("A" * 500, (), {})())) < 60

"""Messages of processes that read files, and what is taken for a result: nothing forged."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable

import numpy as np
import pytest

from durian.media import Picture, VideoInfo, results
from durian.media.wire import MOST_HEADER_BYTES, Forged, message_of, receive


def bytes_of(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + body


def received(data: bytes, most: int = 100) -> tuple[str, object]:
    stream = io.BytesIO(data)

    def fill(view: memoryview) -> None:
        if stream.readinto(view) != len(view):
            raise EOFError

    return receive(fill, most)


def test_a_message_comes_as_it_was_sent():
    value = [1, None, 2.5, "ä", [np.arange(6, dtype=np.uint8).reshape(2, 3).T, np.zeros((0, 3), np.float32)]]
    kind, found = received(b"".join(message_of("result", value)))
    assert kind == "result"
    assert found[:4] == (1, None, 2.5, "ä")
    np.testing.assert_array_equal(found[4][0], [[0, 3], [1, 4], [2, 5]])
    assert found[4][1].shape == (0, 3)


@pytest.mark.parametrize(
    "header",
    [
        b"x" * (MOST_HEADER_BYTES + 1),
        b"\xff",
        b"[1",
        b"[" * 50_000,
        {"kind": "result"},
        ["result"],
        ["result", {"array of": "|O", "shape": [1]}],
        ["result", {"array of": "|u1", "shape": [101]}],
        ["result", {"array of": "|u1", "shape": [-1, -1]}],
        ["result", {"array of": "|u1", "shape": [True]}],
        ["result", {"array of": "|u1", "shape": 3}],
        ["result", {"array of": "|u1", "shape": [2**31, 2**31]}],
        ["result", {"array of": "|u1", "shape": [2**40]}],
        ["result", {"shape": [1]}],
        ["result", [{"array of": "|u1", "shape": [60]}] * 2],
    ],
)
def test_a_message_that_is_forged(header):
    with pytest.raises(Forged):
        received(bytes_of(header, bytes(10)))


def pixels(*shape: int, kind: str = "uint8") -> np.ndarray:
    return np.ones(shape, kind)


def test_what_readers_give_is_taken():
    assert results.picture(pixels(2, 3, 3)).shape == (2, 3, 3)
    assert results.mask(pixels(2, 3)).shape == (2, 3)
    assert results.sound(None) is None
    assert results.sound(pixels(2, 0, kind="float32")).shape == (2, 0)
    assert results.whole(2**40) == 2**40
    picture = Picture.checked((pixels(2, 3, 3), (30, 20)))
    assert picture.given == (30, 20)
    assert VideoInfo.checked((640, 480, 25, 1.5, True)) == VideoInfo(640, 480, 25, 1.5, True)


@pytest.mark.parametrize(
    ("checked", "value"),
    [
        *((results.picture, value) for value in (None, "text", (1, 2), pixels(2, 3), pixels(2, 3, 4), pixels(0, 3, 3))),
        (results.picture, pixels(2, 3, 3, kind="float32")),
        *((results.mask, value) for value in (7, pixels(2, 3, 3), pixels(0, 3), pixels(2, 3, kind="float32"))),
        *((results.sound, value) for value in ("text", pixels(1, 3, kind="float32"), pixels(2, 3))),
        (results.sound, np.full((2, 3), np.nan, np.float32)),
        *((results.whole, value) for value in (0, -1, 2**40 + 1, 10**4000, 1.0, float("nan"), True, "1", None)),
        *((results.positive, value) for value in (0, -1.0, float("inf"), float("nan"), True, "1", None)),
        *((results.truth, value) for value in (0, 1, "yes", None)),
        *((Picture.checked, value) for value in (None, (), (pixels(2, 3, 3), (0, 1)), (pixels(2, 3, 3), (1, 2, 3)))),
        (Picture.checked, (pixels(2, 3, 3), (float("nan"), 1))),
        (Picture.checked, ("text", (1, 1))),
        *(
            (VideoInfo.checked, value)
            for value in (None, (1, 1, 1.0, 1.0), (1, 1, 1.0, 1.0, 1), (1, 1, -1.0, 1.0, True))
        ),
    ],
)
def test_what_no_reader_gives_is_no_result(checked: Callable[[object], object], value: object):
    with pytest.raises((ValueError, TypeError, AttributeError)):
        checked(value)

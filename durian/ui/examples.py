"""The examples: prepared once for the process, laid on a visitor's table in one click."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from durian.request import AnimationRequest
from durian.ui.pictures import CARD_SIDE, data_url

_preparing = threading.Lock()


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Any]:
    """The examples by name, in order; the first is on the table when the page opens."""
    from durian.assets import examples

    return {example.name: example for example in examples()}


def opening_name() -> str:
    """The example that the page opens with."""
    return next(iter(catalogue()))


def request_of(name: str) -> AnimationRequest:
    """The example's request; faces and masks are found once."""
    with _preparing:
        return _request_of(name)


@lru_cache(maxsize=16)
def _request_of(name: str) -> AnimationRequest:
    return catalogue()[name].request()


@lru_cache(maxsize=1)
def cards() -> list[dict[str, Any]]:
    """One card an example."""
    return [
        {"id": example.name, "title": example.title, "text": example.text, "image": data_url(example.picture(), CARD_SIDE)}
        for example in catalogue().values()
    ]

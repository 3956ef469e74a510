"""The examples: prepared once for the process, loaded into a visitor's session in one click."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import numpy as np

from durian.face import Crop, default_crop, detect_faces
from durian.masks import read_mask
from durian.media import read_image
from durian.request import AnimationRequest
from durian.ui.pictures import CARD_SIDE, data_url, item_square, with_inset

CARD_ROOM = 0.8
"""A card shows the face rather than its surroundings (taste)."""

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
    """One card an example: the face, and in its corner what it will wear."""
    return [
        {"id": example.name, "title": example.title, "text": example.text, "image": _card_picture(example)}
        for example in catalogue().values()
    ]


def _card_picture(example: Any) -> str:
    case = example.case()
    image = _loaded(case.portrait.picture)
    faces = detect_faces(image)
    side = min(image.shape[:2])
    crop = default_crop(faces[0], image.shape, CARD_ROOM) if faces else Crop(side / 2, side / 2, side)
    face = crop.apply(image, CARD_SIDE)
    if not case.attributes:
        return data_url(face)
    item = case.attributes[0]
    reference = _loaded(item.picture)
    mask = None if item.mask is None else read_mask(item.mask, reference.shape)
    return data_url(with_inset(face, item_square(reference, mask)))


def _loaded(picture: Any) -> np.ndarray:
    return picture if isinstance(picture, np.ndarray) else read_image(picture)

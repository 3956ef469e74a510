"""Requests of API callers: the built-in cases, as arguments of the named endpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from durian.assets import Case, Example, examples
from durian.soak.plan import Step

Upload = Callable[[Path], Any]
"""Turns a file of ours into what an API call names it by."""

WITHOUT_MASK = 3
"""Each third animation leaves finding its items to the server, the others send the masks. Stills always send them, so
that their times can be compared."""


@dataclass(frozen=True)
class Wanted:
    """Length and side (pixels) of every animation and still."""

    frames: int
    size: int


def animation(step: Step, wanted: Wanted, upload: Upload) -> dict[str, Any]:
    """Arguments of ``/animate``, by name."""
    example = _example(step)
    return {
        **_pictures(example.case(), upload, with_masks=step.number % WITHOUT_MASK > 0),
        "motion": example.motion,
        "blend": None if example.blend is None else list(example.blend),
        "frames": wanted.frames,
        "size": wanted.size,
        "seed": step.number,
        "renderer": "preview",
    }


def still(step: Step, wanted: Wanted, upload: Upload) -> dict[str, Any]:
    """Arguments of ``/preview``, by name."""
    example = _example(step)
    return {
        **_pictures(example.case(), upload, with_masks=True),
        "motion": example.motion,
        "alpha": None if example.blend is None else _between(step, 0, 1),
        "expansion": _between(step, 0, 0.3),
        "size": wanted.size,
    }


def mask(step: Step, upload: Upload) -> tuple[dict[str, Any], tuple[int, int]]:
    """Arguments of ``/segment``, by name, and the width and height that the mask must have."""
    from PIL import Image

    items = _example(step).case().attributes
    item = items[step.number % len(items)]
    with Image.open(_file(item.picture)) as picture:
        size = picture.size
    return {"image": upload(_file(item.picture)), "name": item.name}, size


def expansion(step: Step) -> float:
    """Where a visitor of the page drags a slider to; no two stills of a soak are the same."""
    return _between(step, 0, 0.3)


def _example(step: Step) -> Example:
    return examples()[step.number % len(examples())]


def _pictures(case: Case, upload: Upload, with_masks: bool) -> dict[str, Any]:
    items = []
    for source in case.attributes:
        item = {"image": upload(_file(source.picture)), "name": source.name}
        if source.mask is not None and with_masks:
            item["mask"] = upload(_file(source.mask))
        items.append(item)
    return {"portrait": upload(_file(case.portrait.picture)), "attributes": items}


def _file(picture: Path | np.ndarray) -> Path:
    if isinstance(picture, np.ndarray):
        raise TypeError("An example's picture was given as an array: a client uploads files.")
    return picture


def _between(step: Step, low: float, high: float) -> float:
    # The golden ratio's multiples spread evenly, however many are drawn.
    return round(low + (high - low) * (step.number * 0.618034 % 1), 4)

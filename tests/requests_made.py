"""Small requests for tests: made from numbers, so that nothing has to be detected."""

from __future__ import annotations

import numpy as np

from durian.face import Crop
from durian.motion import preset
from durian.request import AnimationRequest, Attribute, Portrait, RenderOptions

SIDE = 96


def picture(seed: int = 0, side: int = SIDE) -> np.ndarray:
    """``(side, side, 3) uint8`` noise."""
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def landmarks(seed: int = 0) -> np.ndarray:
    """``(478, 3) float32``, anywhere in the picture."""
    return np.random.default_rng(seed).uniform(20, 70, (478, 3)).astype(np.float32)


def disc(side: int = SIDE, radius: float = 20) -> np.ndarray:
    """A round mask in the middle."""
    y, x = np.mgrid[:side, :side]
    return (np.hypot(x - side / 2, y - side / 2) < radius).astype(np.uint8) * 255


def portrait(**changes: object) -> Portrait:
    return Portrait(**{"image": picture(), "landmarks": landmarks(), "crop": Crop(47.5, 47.5, 80.0), **changes})


def attribute(seed: int = 1, **changes: object) -> Attribute:
    values = {"image": picture(seed), "mask": disc(), "landmarks": landmarks(seed), "name": "hat"}
    return Attribute(**{**values, **changes})


def request(frames: int = 6, size: int = 64, options: dict[str, object] | None = None, **changes: object):
    """A hat, a nod of ``frames`` frames."""
    chosen = RenderOptions(**{"size": size, "frames": frames, "label": False, **(options or {})})
    values = {
        "portrait": portrait(),
        "attributes": (attribute(),),
        "motion": preset("nod", frames, chosen.fps),
        "options": chosen,
    }
    return AnimationRequest(**{**values, **changes})

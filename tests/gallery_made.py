"""A small gallery for tests: photographs in the public domain, a table of pairs, and what raters save."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from durian.evaluation.gallery.key import Key, LookRecord, PairRecord, write_key

HEADER = "number,kind,portrait,attributes,motion"
TWO_PAIRS = f"""{HEADER}
1,hat,people/collins.png,people/hopper.png:hat,nod
2,glasses,people/collins.png,people/hopper.png:glasses,smile
"""


def write_pictures(folder: Path, collins: np.ndarray, hopper: np.ndarray) -> Path:
    """A folder with people/collins.png, people/hopper.png and people/wall.png, which shows nobody."""
    (folder / "people").mkdir(parents=True)
    wall = np.full((200, 200, 3), 120, np.uint8)
    for name, image in (("collins", collins), ("hopper", hopper), ("wall", wall)):
        Image.fromarray(image).save(folder / "people" / f"{name}.png")
    return folder


def made_key(folder: Path, methods: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Key:
    """Write the key of a gallery whose looks are called ``METHOD-NUMBER``; ``pairs`` are number and kind."""
    key = Key(
        gallery="g",
        seed=0,
        size=64,
        frames=4,
        methods=tuple(methods),
        pairs=tuple(PairRecord(number, kind, (), f"inputs-{number}", "k", ("hat",)) for number, kind in pairs),
        looks=tuple(LookRecord(n, method, f"{method}-{n}", "k") for n, _ in pairs for method in methods),
    )
    write_key(folder, key)
    return key


def save_ratings(
    path: Path,
    rater: str,
    ratings: dict[str, tuple[str, str | None]],
    preferences: Sequence[tuple[str, str, str | None]] = (),
    time: str = "2026-01-01T00:00:00.000Z",
    changes: dict[str, object] | None = None,
) -> Path:
    """Write a rater's file: ``ratings`` by look are rating and fault, ``preferences`` two looks and the better one."""
    told = {
        "format": "durian-ratings-1",
        "gallery": "g",
        "rater": rater,
        "saved": time,
        "ratings": [
            {"pair": "?", "look": look, "method": None, "rating": rating, "fault": fault, "seconds": 2.5, "time": time}
            for look, (rating, fault) in ratings.items()
        ],
        "preferences": [
            {"pair": "?", "looks": [one, two], "better": better, "seconds": 1.5, "time": time}
            for one, two, better in preferences
        ],
    }
    path.write_text(json.dumps(told | (changes or {})))
    return path

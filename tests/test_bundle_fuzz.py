"""Bundles with any one setting changed or missing, or arrays of a wrong kind: refusals are Durian's own errors."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_bundle import full_request, motion, npz, rewritten
from wrong_values import JSON_VALUES

from durian.bundle import load_bundle, save_bundle
from durian.errors import DurianError

FROM_SETTINGS, FROM_ARRAYS = 220, 80


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bundle(
        tmp_path_factory.mktemp("bundles") / "bundle.zip", full_request(), None, {"clicks": [[[1, 2, True]]]}
    )


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Paths to everything in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, part in inside for place in places(part, (*path, key))]


def refused(path: Path) -> bool:
    try:
        load_bundle(path)
    except DurianError as error:
        sentence = str(error)
        assert len(sentence) < 320
        assert sentence.isprintable()
        return True
    return False


def test_settings_with_a_value_changed_or_missing(saved: Path):
    random_ = random.Random(7)
    count = 0
    for _ in range(FROM_SETTINGS):

        def change(members: dict[str, bytes]) -> None:
            settings = json.loads(members["settings.json"])
            *parents, last = random_.choice(places(settings))
            part = settings
            for key in parents:
                part = part[key]
            if random_.random() < 0.1:
                del part[last]
            else:
                part[last] = random_.choice(JSON_VALUES)
            members["settings.json"] = json.dumps(settings).encode()

        count += refused(rewritten(saved, change))
    # Some places may hold what they got: a share of 0.5, nothing for a layer.
    assert count > 0.7 * FROM_SETTINGS


ARRAYS = (
    np.float32(1),
    np.zeros(0, np.float32),
    np.full((478, 3), 1e30, np.float32),
    np.full((478, 3), np.nan, np.float32),
    np.zeros((478, 3), np.float32),
    np.zeros((1, 1, 1, 1), np.float32),
    np.zeros((6, 3, 3), np.float64),
    np.full((6, 3, 3), -np.inf, np.float32),
    np.array(["text"]),
    np.ones((6, 3), np.int32),
    np.full(6, 1e30, np.float32),
)


def test_arrays_of_every_wrong_kind(saved: Path):
    random_, count = random.Random(11), 0
    people = ("portrait", "attribute_0")
    for _ in range(FROM_ARRAYS):
        wrong = random_.choice(ARRAYS)

        def change(members: dict[str, bytes], wrong: np.ndarray = wrong) -> None:
            if random_.random() < 0.5:
                good = full_request()
                arrays = {"portrait": good.portrait.landmarks, "attribute_0": good.attributes[0].landmarks}
                members["landmarks.npz"] = npz(**(arrays | {random_.choice(people): wrong}))
            else:
                name = random_.choice(("rotations", "translations", "scales", "expressions"))
                members["motion.npz"] = motion(**{name: wrong}) if wrong.dtype.kind == "f" else npz(**{name: wrong})

        count += refused(rewritten(saved, change))
    assert count == FROM_ARRAYS

"""Sizes of values, and the memory that a process may have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from durian.memory_limit import memory_limit
from durian.value_size import value_size

ROUGHLY = 2000
"""Bytes of the objects around the arrays."""


@dataclass(frozen=True)
class Nested:
    picture: np.ndarray
    parts: tuple[dict[str, np.ndarray], ...]


@dataclass(slots=True)
class Slotted:
    picture: np.ndarray


def test_arrays_within_other_values_count_once():
    picture = np.zeros((100, 100), np.float32)
    assert value_size(picture) == 40_000
    assert 80_000 <= value_size(Nested(picture, ({"a": picture, "b": picture + 1},))) < 80_000 + ROUGHLY
    assert 40_000 <= value_size([Slotted(picture)]) < 40_000 + ROUGHLY


def test_a_view_keeps_the_whole_array():
    picture = np.zeros((100, 100), np.float32)
    assert value_size(picture[:2, :2]) == 40_000
    assert 40_000 <= value_size((picture[:50], picture[50:])) < 40_000 + ROUGHLY


def test_tensors_count_once():
    import torch

    tensor = torch.zeros(100, 100)
    assert 40_000 <= value_size([tensor, tensor[:10]]) < 40_000 + ROUGHLY


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/a/b", "a/memory.max"),
        ("4:memory:/a/b", "memory/a/b/memory.limit_in_bytes"),
        ("0::/elsewhere", "memory.max"),
    ],
)
def test_a_containers_limit_counts(tmp_path, line, file):
    (tmp_path / "own").write_text(f"9:name=systemd:/\n{line}\n")
    groups = tmp_path / "groups"
    (groups / file).parent.mkdir(parents=True, exist_ok=True)
    whole = memory_limit(tmp_path / "own", groups)
    (groups / file).write_text("max\n")
    assert memory_limit(tmp_path / "own", groups) == whole
    (groups / file).write_text("1000000\n")
    assert memory_limit(tmp_path / "own", groups) == 1_000_000 < whole

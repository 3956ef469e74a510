"""Two parts at the same time: both results, both over, and the error of either."""

from __future__ import annotations

import threading

import pytest

from durian.side_by_side import side_by_side


def test_both_work_at_the_same_time():
    met = threading.Barrier(2, timeout=10)

    def part(name: str) -> str:
        met.wait()
        return name

    assert side_by_side(lambda: part("one"), lambda: part("two")) == ("one", "two")


@pytest.mark.parametrize("failing", [0, 1])
def test_the_error_of_either_comes_out_when_both_are_over(failing: int):
    over = []

    def part(number: int) -> None:
        if number == failing:
            raise KeyError(number)
        over.append(number)

    with pytest.raises(KeyError, match=str(failing)):
        side_by_side(lambda: part(0), lambda: part(1))
    assert over == [1 - failing]

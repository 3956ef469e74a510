"""Download of segmentation weights from the page."""

from __future__ import annotations

import pytest

from durian import weights
from durian.errors import WeightsMissing
from durian.ui.handlers.sam import fetch


@pytest.mark.parametrize("error", [WeightsMissing("example.org is out of reach."), ValueError("not foreseen")])
def test_a_fetch_that_fails_is_never_shown_as_ready(monkeypatch: pytest.MonkeyPatch, error: Exception):
    def failing(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(weights, "fetch", failing)
    updates = fetch(None)
    next(updates)  # takes the bar away
    with pytest.raises(type(error), match=str(error)):
        next(updates)

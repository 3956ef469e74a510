"""The rubric shown to raters: three ratings, and kinds of fault with a key each."""

from __future__ import annotations

from collections.abc import Mapping

RATINGS: Mapping[str, str] = {
    "good": "One would show it: the item is whole and only the item, it sits, its edge and light convince; of what was "
    "taken off nothing is left; background and clothes look like a photograph.",
    "usable": "The idea is clear; one fault that one sees at the second look.",
    "bad": "A fault at first sight: something missing, cut, floating, smeared, a hole, a leftover, a second person's "
    "parts, a wrong mask, a broken face.",
}
"""From the best down; keys 1, 2 and 3."""

FAULTS: Mapping[str, str] = {
    "missing": "m",
    "cut": "c",
    "floating": "f",
    "smeared": "s",
    "hole": "h",
    "leftover": "l",
    "second person's parts": "p",
    "wrong mask": "w",
    "broken face": "x",
    "edge or light": "e",
    "other": "o",
}
"""Kinds of fault, and their keys."""


def lowest(ratings: list[str]) -> str:
    """The worst of some ratings, at least one."""
    return max(ratings, key=list(RATINGS).index)

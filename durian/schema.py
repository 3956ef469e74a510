"""Strict validation of everything that comes from outside: requests, API calls, bundles and the page's events.

Types, ranges and defaults stand once, in the dataclasses of :mod:`durian.request` and their neighbours; pydantic reads
them there, and what it finds wrong first becomes one sentence. Strict means: no text for a number, no number for a
switch, nothing that is not finite. A whole number may come as ``48.0``, since JavaScript knows no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Annotated, Any, get_type_hints

import numpy as np
from pydantic import (
    AfterValidator,
    AllowInfNan,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

from durian.errors import DurianError, InvalidRequest

MOST_SHOWN = 40
"""Characters of a text that a sentence repeats."""
MOST_DIGITS = 20
"""Digits of a whole number that a sentence repeats."""


def _plain(value: Any) -> Any:
    """NumPy's scalars are numbers and switches like Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _whole(value: Any) -> Any:
    value = _plain(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters")
    return text


Real = Annotated[float, BeforeValidator(_plain), Strict(), AllowInfNan(False)]
"""A finite number."""
Whole = Annotated[int, BeforeValidator(_whole), Strict()]
"""A whole number; ``48.0`` is one."""
Switch = Annotated[bool, BeforeValidator(_plain), Strict()]
"""True or false, and nothing that could be taken for it."""
Text = Annotated[str, Strict(), Field(max_length=200), AfterValidator(_printable)]
"""A short text without control characters."""


def called(words: str) -> Any:
    """For an annotation: what a sentence calls the value, where that is not the field's own name."""
    return Field(title=words)


def accepting(words: str) -> Any:
    """For an annotation: what a sentence says is accepted, where the type does not say it well."""
    return Field(json_schema_extra={"accepted": words})


def at_most(count: int) -> Any:
    """For the annotation of a list: how long it may be. The first wrong entry ends the check, however many follow."""
    return Field(max_length=count, fail_fast=True)


class Checked:
    """Base of a dataclass whose fields are checked, and brought to their types, whenever one is made.

    Raises:
        InvalidRequest: a value is of the wrong type or out of its range.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    def __post_init__(self) -> None:
        settle(self)


def checked(kind: Any, given: Any, what: str = "") -> Any:
    """``given`` as ``kind`` wants it.

    Args:
        kind: a type: a dataclass (filled from a dictionary), or an annotation such as ``list[Real]``.
        given: anything at all.
        what: how a sentence names it, such as ``"the points"`` or ``"attribute 2"``.

    Returns:
        An instance of ``kind``, all of it of the declared types.

    Raises:
        InvalidRequest: the first thing that is wrong, in one sentence.
        LimitExceeded: where a dataclass itself says so.
    """
    return _schema(kind).checked(given, what)


def settle(instance: Any, *names: str) -> None:
    """Check the fields ``names`` (by default all) of a dataclass's instance, and bring them to their types.

    Raises:
        InvalidRequest: as :func:`checked`.
    """
    for name, schema in _field_schemas(instance.__class__, names).items():
        value = schema.checked(getattr(instance, name), f"the {schema.title or name.replace('_', ' ')}")
        object.__setattr__(instance, name, value)


def shown(value: Any) -> str:
    """A value as a sentence repeats it: at most some 50 characters, none of them a control character."""
    value = _plain(value)
    if isinstance(value, str):
        return repr(value) if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]!r}…"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Python refuses to write out numbers of thousands of digits.
        return str(value) if abs(value) < 10**MOST_DIGITS else f"a number of more than {MOST_DIGITS} digits"
    if isinstance(value, float):
        return f"{value:g}".replace("nan", "NaN")
    if isinstance(value, np.ndarray):
        return f"an array of {value.ndim} dimensions"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"a dictionary of {len(value)}"
    return f"a {type(value).__name__[:MOST_SHOWN]}"


@lru_cache(maxsize=256)
def _schema(kind: Any) -> _Schema:
    adapter = TypeAdapter(kind)
    return _Schema(adapter, adapter.json_schema())


@lru_cache(maxsize=256)
def _field_schemas(kind: type, names: tuple[str, ...]) -> Mapping[str, _Schema]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _schema(hints[name]) for name in names or tuple(f.name for f in fields(kind))}


@dataclass(frozen=True, eq=False)
class _Schema:
    """A type's check, and the same as JSON schema, from which sentences take their words."""

    adapter: TypeAdapter
    json: dict[str, Any]

    @property
    def title(self) -> str | None:
        return self._resolved(self.json).get("title")

    def checked(self, given: Any, what: str) -> Any:
        try:
            return self.adapter.validate_python(given)
        except ValidationError as error:
            raise self._refusal(error.errors(include_url=False)[0], what) from None

    def _refusal(self, problem: ErrorDetails, what: str) -> DurianError:
        raised = problem.get("ctx", {}).get("error")
        if isinstance(raised, DurianError):
            return raised
        location, kind = problem["loc"], problem["type"]
        if kind in ("unexpected_keyword_argument", "invalid_key"):
            node, words = self._at(location[:-1], what)
            allowed = ", ".join(sorted(self._resolved(node).get("properties", {})))
            sentence = f"{words or 'it'} has an unknown {shown(location[-1])}: use {allowed}."
            return InvalidRequest(sentence[0].upper() + sentence[1:])
        node, words = self._at(location, what)
        words, accepted = words or "this", self._accepted(node)
        if kind in ("missing", "missing_argument") or problem["input"] is None:
            return InvalidRequest(f"{words[0].upper()}{words[1:]} is missing: give {accepted}.")
        given = shown(problem["input"])
        if self._resolved(node).keys() & {"enum", "const"} and isinstance(problem["input"], str):
            name = words.removeprefix("the ")
            return InvalidRequest(f"{name[0].upper()}{name[1:]} {given} is not known: use {accepted}.")
        return InvalidRequest(f"{given[0].upper()}{given[1:]} cannot be {words}: give {accepted}.")

    def _at(self, location: tuple[int | str, ...], what: str) -> tuple[dict[str, Any], str]:
        """The part of the JSON schema at ``location``, as it stands there, and what to call it."""
        node, words = self.json, what
        for part in location:
            node = self._resolved(node)
            if isinstance(part, int):
                choices = node.get("prefixItems", [])
                node = choices[part] if part < len(choices) else node.get("items", {})
                words = f"entry {part + 1} of {words}" if words else f"entry {part + 1}"
            elif part in node.get("properties", {}):
                node = node["properties"][part]
                # A title of ours stands inside; around what may be left out pydantic writes one of its own.
                inside = next((choice for choice in node.get("anyOf", []) if "title" in choice), node)
                name = f"the {inside.get('title', str(part)).lower()}"
                words = f"{name} of {words}" if words else name
            else:
                # One of several kinds, told apart by a field of theirs.
                reference = node.get("discriminator", {}).get("mapping", {}).get(part)
                node = {"$ref": reference} if reference else node
        return node, words

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """The node itself: behind a reference, and of a value that may be left out what it is otherwise."""
        while True:
            choices = [choice for choice in node.get("anyOf", []) if choice.get("type") != "null"]
            if len(choices) == 1:
                node = choices[0]
            elif "$ref" in node:
                node = self.json["$defs"][node["$ref"].rsplit("/", 1)[1]]
            else:
                return node

    def _accepted(self, node: dict[str, Any]) -> str:
        """The values that a part of the schema accepts, in words."""
        if "accepted" in node:
            return node["accepted"]
        node = self._resolved(node)
        if "accepted" in node:
            return node["accepted"]
        if "enum" in node:
            return f"one of {', '.join(map(str, node['enum']))}"
        if "const" in node:
            return str(node["const"])
        kind = node.get("type", "")
        if kind in ("number", "integer"):
            return f"a {'whole ' if kind == 'integer' else ''}number{_range(node)}"
        if kind == "array":
            most = node.get("maxItems")
            if most is not None and most == node.get("minItems"):
                return f"a list of {most}"
            inside = f", each {self._accepted(node['items'])}" if node.get("items") else ""
            return f"a list{f' of at most {most}' if most is not None else ''}{inside}"
        if kind == "string":
            return f"a text of at most {node['maxLength']} plain characters" if "maxLength" in node else "a text"
        return {"boolean": "true or false", "object": "a dictionary"}.get(kind, "another value")


def _range(node: dict[str, Any]) -> str:
    # A constraint behind a function keeps pydantic's own names.
    low, high = (node.get(name, node.get(short)) for name, short in (("minimum", "ge"), ("maximum", "le")))
    above = node.get("exclusiveMinimum", node.get("gt"))
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}".replace(",", "")
    if above is not None:
        return f" above {above}" + (f", at most {high}" if high is not None else "")
    if low is not None:
        return f" of at least {low}"
    return ""

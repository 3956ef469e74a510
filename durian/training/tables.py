"""Reading of TOML tables into typed frozen dataclasses, with one sentence for a setting that does not fit."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any, ClassVar, Literal, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

from durian.errors import InvalidRequest


class AnyDataclass(Protocol):
    """An instance of a dataclass, whichever."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Settings = TypeVar("Settings", bound=AnyDataclass)


def read_table(kind: type[Settings], table: Mapping[str, Any], where: str, default: Settings | None = None) -> Settings:
    """A dataclass of a table.

    Its fields may be numbers, text, booleans, literals, tuples, mappings, optional and dataclasses themselves. Whole
    numbers are accepted where fractions are; nothing else is converted.

    Args:
        kind: a dataclass; fields without a default must be in the table.
        table: as ``tomllib`` reads it.
        where: the table's name in errors, such as ``mini-256.toml`` or ``mini-256.toml, [image]``.
        default: gives what is not in the table.

    Raises:
        InvalidRequest: an unknown or missing setting, a value of another type, or one that the dataclass refuses.
    """
    known = {field.name: field for field in fields(kind)}
    for name in table:
        if name not in known:
            raise InvalidRequest(f"{where} has a setting {name!r} that is not known: there are {', '.join(known)}.")
    missing = [name for name, field in known.items() if name not in table and not _has_default(field)]
    if missing and default is None:
        raise InvalidRequest(f"{where} lacks {', '.join(missing)}: add what is missing.")
    hints = get_type_hints(kind)
    values = {name: _value(hints[name], value, name, where, _default(known[name])) for name, value in table.items()}
    try:
        return kind(**values) if default is None else replace(default, **values)
    except ValueError as error:
        raise InvalidRequest(f"{where}: {error}") from error


def _has_default(field: Field) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _default(field: Field) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return None if field.default is MISSING else field.default


def _value(hint: Any, value: Any, name: str, where: str, default: Any = None) -> Any:
    """The value as its field wants it."""
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, Mapping):
        return read_table(hint, value, f"{where}, [{name}]", default)
    if get_origin(hint) in (Union, types.UnionType):
        return _value(next(part for part in get_args(hint) if part is not type(None)), value, name, where, default)
    if get_origin(hint) is tuple and isinstance(value, list):
        inner = get_args(hint)
        if inner[-1] is Ellipsis:
            return tuple(_value(inner[0], one, name, where) for one in value)
        if len(inner) == len(value):
            return tuple(_value(part, one, name, where) for part, one in zip(inner, value))
    if hint is float and type(value) is int:
        return float(value)
    if _is_mapping(hint) and isinstance(value, Mapping):
        return {key: _value(get_args(hint)[1], one, f"{name}.{key}", where) for key, one in value.items()}
    if get_origin(hint) is Literal and value in get_args(hint):
        return value
    # In Python True is a number, in a recipe it is a mistake.
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise InvalidRequest(f"{where}: {name} = {_shown(value)} does not fit: give {accepted(hint)}.")


def accepted(hint: Any) -> str:
    """In words, what a field takes."""
    if is_dataclass(hint) or _is_mapping(hint):
        return "a table"
    if get_origin(hint) in (Union, types.UnionType):
        return accepted(next(part for part in get_args(hint) if part is not type(None)))
    if get_origin(hint) is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(hint))
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        count = "a list, each" if inner[-1] is Ellipsis else f"a list of {len(inner)}, each"
        return f"{count} {accepted(inner[0])}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text in quotes"}[hint]


def _is_mapping(hint: Any) -> bool:
    return isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "a table" if isinstance(value, Mapping) else str(value)

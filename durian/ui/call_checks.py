"""Checks of what a call over HTTP carries, before Gradio touches it; :mod:`durian.ui.guard` asks for them.

Gradio itself fetches any address that stands where a file should be, and answers a call with too few values, a path
outside its folder or a value of the wrong kind with a trace in the log and no word to the caller. Here each is refused
in one sentence: as ``422``, in the form that Gradio's own validators use, so that its clients show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import gradio as gr
from pydantic import ValidationError
from starlette.types import Scope

from durian.errors import InvalidRequest
from durian.schema import Real, Switch, Text, at_most, checked, shown
from durian.ui.api import is_uploaded

DEEPEST = 20
"""Lists in lists; an attribute's click is five deep."""
EXPECTED: dict[type, Any] = {
    gr.Slider: Real,
    gr.Number: Real | None,
    gr.Checkbox: Switch | None,
    gr.Radio: Text | None,
    gr.CheckboxGroup: Annotated[list[Text], at_most(100)],
}
"""Values of the page's controls, without which Gradio's components fail in their own words."""


def route_of(scope: Scope) -> tuple[str, str] | None:
    """How and what is called, such as ``("call/v2", "animate")``; ``None`` for anything but a call."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    _, found, rest = scope["path"].rstrip("/").partition("/gradio_api/")
    if rest == "queue/join":
        return rest, ""
    way, _, name = rest.rpartition("/")
    return (way, name) if found and way in ("call", "call/v2", "run", "api") else None


def check_call(blocks: gr.Blocks, route: tuple[str, str], call: Any) -> None:
    """Check what a call's body says.

    Args:
        blocks: the page, with its functions.
        route: as of :func:`route_of`.
        call: the body, read as JSON.

    Raises:
        InvalidRequest: the call is not one that Gradio can pass on.
    """
    call = checked(dict[str, Any], call, "the call")
    for value in _dictionaries(call):
        _check_file(value)
    way, name = route
    if way == "call/v2":
        _check_names(blocks, name, call)
        return
    function = _function(blocks, name, call.get("fn_index"))
    data = checked(list[Any], call.get("data"), "the data of the call")
    named = [block for block in function.inputs if not block.skip_api]
    if len(data) not in {len(function.inputs), len(named) if way == "call" else -1}:
        raise InvalidRequest(
            f"{function.api_name} takes {len(named)} values, not {len(data)}: give all of them in their order, or "
            "some by name, through gradio_client or call/v2."
        )
    if len(data) == len(function.inputs):
        for block, value in zip(function.inputs, data, strict=True):
            _check_value(block, value)


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    """All dictionaries in a JSON value, however nested."""
    inside = [(value, 0)]
    while inside:
        value, depth = inside.pop()
        if depth > DEEPEST:
            raise InvalidRequest(f"The call is nested deeper than {DEEPEST} lists: give it as the API describes it.")
        if isinstance(value, dict):
            yield value
        if isinstance(value, (dict, list)):
            inside.extend((part, depth + 1) for part in (value.values() if isinstance(value, dict) else value))


def _check_file(value: dict[str, Any]) -> None:
    """Gradio takes these for files and goes wherever they point."""
    if "path" not in value or "meta" not in value:
        return
    if not isinstance(value["meta"], dict) or not is_uploaded(value["path"]):
        raise InvalidRequest(
            f"{shown(value['path'])} is not an uploaded file: send the file itself; addresses are never fetched."
        )


def _function(blocks: gr.Blocks, name: str, index: Any) -> Any:
    if index is not None:
        found = blocks.fns.get(index) if isinstance(index, int) else None
    else:
        found = next((function for function in blocks.fns.values() if function.api_name == name), None)
    if found is None:
        raise InvalidRequest(f"There is no {shown(name if index is None else index)} to call: use {_public(blocks)}.")
    return found


def _check_names(blocks: gr.Blocks, name: str, call: dict[str, Any]) -> None:
    """Arguments by name: none that is not known, and none missing."""
    endpoint = _endpoints(blocks).get(f"/{name}")
    if endpoint is None:
        raise InvalidRequest(f"There is no {shown(name)} to call: use {_public(blocks)}.")
    parameters = {each["parameter_name"]: each["parameter_has_default"] for each in endpoint["parameters"]}
    for given in call:
        if given not in parameters:
            raise InvalidRequest(f"{name} has no argument {shown(given)}: use {', '.join(parameters)}.")
    for known, has_default in parameters.items():
        if not has_default and known not in call:
            raise InvalidRequest(f"The {known} is missing: {name} needs it.")


def _check_value(block: Any, value: Any) -> None:
    expected = next((kind for component, kind in EXPECTED.items() if isinstance(block, component)), None)
    if expected is not None:
        checked(expected, value, f"the value of {shown(block.label or 'a control')}")
    elif value is not None and (model := getattr(block, "data_model", None)) is not None:
        try:
            model.model_validate(value, context={"validate_meta": True})
        except ValidationError as error:
            raise InvalidRequest(f"{shown(value)} is not an uploaded file: send the file itself.") from error


def _endpoints(blocks: gr.Blocks) -> dict[str, Any]:
    return blocks.get_api_info()["named_endpoints"]


def _public(blocks: gr.Blocks) -> str:
    return ", ".join(sorted(name.lstrip("/") for name in _endpoints(blocks)))

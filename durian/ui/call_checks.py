"""Checks of an API call's content before Gradio handles it; :mod:`durian.ui.guard` runs them.

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
from durian.schema import Real, Switch, Text, Whole, at_most, checked, shown
from durian.ui.uploads import is_uploaded

DEEPEST = 20
"""Lists in lists; an attribute's click is five deep."""
MOST_PARTS = 20_000
"""Lists and dictionaries of a call together; the longest stroke has some thousand points."""
MOST_FILES = 64
"""Files that a call names; eight attributes with a mask each, and a look-book, have fewer."""
EXPECTED: dict[type, Any] = {
    gr.Slider: Real,
    gr.Number: Real | None,
    gr.Checkbox: Switch | None,
    gr.Radio: Text | None,
    gr.CheckboxGroup: Annotated[list[Text], at_most(100)],
}
"""Values of the page's controls, without which Gradio's components fail in their own words."""

BESIDE: dict[str, Any] = {
    "event_id": Text | None,
    "oauth_token": Text | None,
    "trigger_id": Whole | None,
    "simple_format": Switch,
    "batched": Switch | None,
}
"""What a call may say beside its data. FastAPI repeats anything else in its answer, which may take it seconds."""


def route_of(scope: Scope) -> tuple[str, str] | None:
    """The route and name of a call, such as ``("call/v2", "animate")``; ``None`` for anything but a call."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    _, found, rest = scope["path"].rstrip("/").partition("/gradio_api/")
    if rest == "queue/join":
        return rest, ""
    way, _, name = rest.rpartition("/")
    return (way, name) if found and way in ("call", "call/v2", "run", "api") else None


def is_of_api(blocks: gr.Blocks, route: tuple[str, str], call: Any) -> bool:
    """Whether a call is one of the API, rather than an event of the page; args as of :func:`check_call`."""
    way, name = route
    if way != "queue/join":
        return f"/{name}" in _endpoints(blocks)
    index = call.get("fn_index") if isinstance(call, dict) else None
    function = blocks.fns.get(index) if isinstance(index, int) else None
    return function is not None and f"/{function.api_name}" in _endpoints(blocks)


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
    _check_files(call)
    way, name = route
    if way == "call/v2":
        _check_names(blocks, name, call)
        return
    if way == "call" and f"/{name}" not in _endpoints(blocks):
        # The page's own events belong to its session, which such a call has none of.
        raise _unknown(blocks, name)
    for field in BESIDE.keys() & call.keys():
        checked(BESIDE[field], call[field], f"the {field} of the call")
    # Gradio goes by the name alone there.
    function = _function(blocks, name, None if way == "call" else call.get("fn_index"))
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


def session_of(blocks: gr.Blocks, event: str) -> str | None:
    """The session of an event that waits, runs, or has an answer that nobody has fetched yet; ``None`` for no event."""
    queue = blocks._queue
    if (found := queue.event_ids_to_events.get(event)) is not None:
        return found.session_hash
    return next((session for session, events in list(queue.pending_event_ids_session.items()) if event in events), None)


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    """All dictionaries in a JSON value, however nested.

    Raises:
        InvalidRequest: it is nested too deep, or has too many parts: looking at them would keep everybody waiting.
    """
    inside, parts = [(value, 0)], 0
    while inside:
        value, depth = inside.pop()
        parts += 1
        if depth > DEEPEST:
            raise InvalidRequest(f"The call is nested deeper than {DEEPEST} lists: give it as the API describes it.")
        if parts > MOST_PARTS:
            raise InvalidRequest(f"The call has more than {MOST_PARTS} lists in it: give it as the API describes it.")
        if isinstance(value, dict):
            yield value
        below = value.values() if isinstance(value, dict) else value
        inside.extend((part, depth + 1) for part in below if isinstance(part, (dict, list)))


def _check_files(call: dict[str, Any]) -> None:
    """Gradio takes any dictionary with a path or an address for a file, and goes wherever it points."""
    paths = set()
    for value in _dictionaries(call):
        if "path" not in value and "url" not in value:
            continue
        path = value.get("path")
        if not isinstance(path, str) or not isinstance(value.get("meta", {}), dict):
            raise _not_uploaded(value.get("url") if path is None else path)
        paths.add(path)
        if len(paths) > MOST_FILES:
            raise InvalidRequest(f"The call names more than {MOST_FILES} files: give fewer at once.")
    for path in sorted(paths):
        if not is_uploaded(path):
            raise _not_uploaded(path)


def _not_uploaded(what: Any) -> InvalidRequest:
    return InvalidRequest(f"{shown(what)} is not an uploaded file: send the file itself; addresses are never fetched.")


def _function(blocks: gr.Blocks, name: str, index: Any) -> Any:
    if index is not None:
        found = blocks.fns.get(index) if isinstance(index, int) else None
    else:
        found = next((function for function in blocks.fns.values() if function.api_name == name), None)
    # Those without a function run in the browser only.
    if found is None or found.fn is None:
        raise _unknown(blocks, name if index is None else index)
    return found


def _check_names(blocks: gr.Blocks, name: str, call: dict[str, Any]) -> None:
    """Arguments by name: none that is not known, and none missing."""
    endpoint = _endpoints(blocks).get(f"/{name}")
    if endpoint is None:
        raise _unknown(blocks, name)
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
    elif isinstance(block, gr.File) and isinstance(value, list) and len(value) > MOST_FILES:
        # Before each of them is looked at: a sentence for each takes seconds.
        raise InvalidRequest(f"{shown(block.label or 'A control')} got {len(value)} files: give {MOST_FILES} at most.")
    elif value is not None and (model := getattr(block, "data_model", None)) is not None:
        try:
            model.model_validate(value, context={"validate_meta": True})
        except ValidationError as error:
            raise InvalidRequest(f"{shown(value)} is not an uploaded file: send the file itself.") from error


def _endpoints(blocks: gr.Blocks) -> dict[str, Any]:
    return blocks.get_api_info()["named_endpoints"]


def _unknown(blocks: gr.Blocks, called: Any) -> InvalidRequest:
    public = ", ".join(sorted(name.lstrip("/") for name in _endpoints(blocks)))
    return InvalidRequest(f"There is no {shown(called)} to call: use {public}.")

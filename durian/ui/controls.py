"""Every slider and box of the page: its range, its one line of explanation, and its setting in the session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import gradio as gr
from pydantic import Field

from durian.request import ATTRIBUTE_NAMES, Alpha, Erased, Layer, Placement, RenderOptions, Strength, Trim
from durian.schema import Real, Whole, checked
from durian.settings import get_settings
from durian.ui import texts
from durian.ui.session import ROOM_RANGE, PortraitChoice, Session


@dataclass(frozen=True)
class Control:
    """One input. ``kind`` is ``slider``, ``number``, ``box`` (a tick), ``choice`` or ``many``."""

    label: str
    info: str
    value: Any
    kind: str = "slider"
    low: float = 0.0
    high: float = 1.0
    step: float = 0.05
    choices: tuple[tuple[str, str], ...] = ()


_LIMITS = get_settings()
_OPTIONS = RenderOptions()
"""Sliders begin where command line and API do."""

CONTROLS: dict[str, Control] = {
    # the portrait
    "room": Control("Room around the face", texts.ROOM, 1.0, low=0.5, high=2.0),
    "shift_x": Control("Shift sideways", texts.SHIFT_X, 0.0, low=-0.5, high=0.5, step=0.01),
    "shift_y": Control("Shift up or down", texts.SHIFT_Y, 0.0, low=-0.5, high=0.5, step=0.01),
    # the selected item
    "strength": Control("Strength", texts.STRENGTH, 1.0),
    "trim": Control("Trim the item", texts.TRIM, 0.0, low=-0.3, high=0.3, step=0.01),
    "layer": Control("Layer", texts.LAYER, 3, low=0, high=9, step=1),
    "dx": Control("Move right", texts.DX, 0.0, low=-2, high=2, step=0.01),
    "dy": Control("Move down", texts.DY, 0.0, low=-2, high=2, step=0.01),
    "scale": Control("Size", texts.SCALE, 1.0, low=0.3, high=3, step=0.01),
    "angle": Control("Turn", texts.ANGLE, 0.0, low=-180, high=180, step=1),
    # all items together
    "expansion": Control("Mask expansion", texts.EXPANSION, _OPTIONS.expansion, low=-0.3, high=0.8, step=0.01),
    "mode": Control("Several items", "", "wear", "choice", choices=(("Wear all", "wear"), ("Blend two by α", "blend"))),
    "blend_start": Control("α at the start", texts.BLEND_START, 0.0, step=0.01),
    "blend_end": Control("α at the end", texts.BLEND_END, 1.0, step=0.01),
    "erase": Control("Take off", texts.ERASE, [], "many", choices=tuple((n.capitalize(), n) for n in ATTRIBUTE_NAMES)),
    # the motion
    "pose_strength": Control("Head movement", texts.POSE, _OPTIONS.pose_strength, low=0, high=2),
    "expression_strength": Control("Expression", texts.EXPRESSION, _OPTIONS.expression_strength, low=0, high=2),
    "trim_start": Control("Start", texts.TRIM_START, 0.0, "number"),
    "trim_end": Control("End", texts.TRIM_END, 0.0, "number"),
    "neutral": Control("Neutral frame", texts.NEUTRAL, -1.0, "number"),
    "sound": Control("Keep the video's sound", texts.SOUND, False, "box"),
    "frame": Control("Moment", texts.FRAME, 0, low=0, high=47, step=1),
    # folded away
    "frames": Control("Frames", texts.FRAMES, _OPTIONS.frames, low=8, high=_LIMITS.max_frames, step=1),
    "fps": Control("Frames a second", texts.FPS, _OPTIONS.fps, low=6, high=60, step=1),
    "size": Control("Size", texts.SIZE, _OPTIONS.size, low=256, high=_LIMITS.max_size, step=64),
    "smoothing": Control("Smoothing", texts.SMOOTHING, _OPTIONS.smoothing, low=0, high=0.5, step=0.01),
    "light": Control("Match the light", texts.LIGHT, _OPTIONS.light),
    "seed": Control("Seed", texts.SEED, _OPTIONS.seed, "number"),
    "steps": Control("Diffusion steps", texts.STEPS, 0, low=0, high=50, step=1),
    "guidance": Control("Guidance", texts.GUIDANCE, 0.0, low=0, high=10, step=0.5),
    "label": Control("Visible label", texts.LABEL, _OPTIONS.label, "box"),
    "uncrop": Control("Whole photo", texts.UNCROP, _OPTIONS.uncrop, "box"),
    "normalise_lips": Control("Normalise lips", texts.NORMALISE_LIPS, _OPTIONS.normalise_lips, "box"),
}

PORTRAIT = ("room", "shift_x", "shift_y")
ITEM = ("strength", "trim", "layer", "dx", "dy", "scale", "angle")
OPTIONS = tuple(name for name in RenderOptions.__dataclass_fields__)
TUNED = (*PORTRAIT, *ITEM, *OPTIONS, "mode", "blend_start", "blend_end", "erase", "frame")
"""The controls that change the still, in the order in which the handler gets them."""
KINDS: dict[str, Any] = {
    "room": Annotated[Real, Field(ge=ROOM_RANGE[0], le=ROOM_RANGE[1])],
    "shift_x": Annotated[Real, Field(ge=-0.5, le=0.5)],
    "shift_y": Annotated[Real, Field(ge=-0.5, le=0.5)],
    "strength": Strength,
    "trim": Trim,
    "layer": Layer,
    "mode": Literal["wear", "blend"],
    "blend_start": Alpha,
    "blend_end": Alpha,
    "erase": Erased | None,
    "frame": Whole,
}
"""Types of those that are neither options nor a placement; the sliders themselves are narrower."""


def build(key: str, **changes: Any) -> gr.components.Component:
    """The Gradio component of a control."""
    control = CONTROLS[key]
    common = {"label": control.label, "info": control.info or None, "value": control.value, "elem_id": f"control-{key}"}
    common |= changes
    if control.kind == "slider":
        return gr.Slider(control.low, control.high, step=control.step, **common)
    if control.kind == "number":
        return gr.Number(**common)
    if control.kind == "box":
        return gr.Checkbox(**common)
    if control.kind == "choice":
        return gr.Radio(list(control.choices), **common)
    return gr.CheckboxGroup(list(control.choices), **common)


def apply(session: Session, item_id: int | None, values: dict[str, Any]) -> None:
    """Take the controls' values over into the session.

    Raises:
        InvalidRequest, LimitExceeded: a value is out of range; the session keeps what it had.
    """
    # All is checked first, so that a refusal leaves nothing half taken over.
    options = replace(session.options, **{name: _given(name, values[name]) for name in OPTIONS})
    tuned = {name: checked(kind, values[name], f"the {CONTROLS[name].label.lower()}") for name, kind in KINDS.items()}
    placement = Placement(*(values[name] for name in ("dx", "dy", "scale", "angle")))
    item = session.item_by_id(checked(Whole | None, item_id, "the item's number"))

    session.options, session.mode, session.erase = options, tuned["mode"], tuned["erase"] or ()
    session.blend_start, session.blend_end = tuned["blend_start"], tuned["blend_end"]
    session.frame = min(max(tuned["frame"], 0), options.frames - 1)
    if session.portrait is not None:
        _apply_crop(session.portrait, *(tuned[name] for name in PORTRAIT))
    if item is None:
        return
    item.strength, item.trim = tuned["strength"], tuned["trim"]
    # The default layer follows the item's name, so only a chosen layer is kept.
    if item.ready and tuned["layer"] != item.attribute().drawing_layer:
        item.layer = tuned["layer"]
    item.placement = placement


def _apply_crop(choice: PortraitChoice, room: float, shift_x: float, shift_y: float) -> None:
    choice.room, choice.shift_x, choice.shift_y = room, shift_x, shift_y


def _given(name: str, value: Any) -> Any:
    """A setting's value; an emptied number counts as 0."""
    return type(getattr(RenderOptions, name))() if value is None else value

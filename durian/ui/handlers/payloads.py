"""Payloads of the page's stages and cards, checked here since a visitor may send anything instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field

from durian.motion import PRESETS
from durian.request import ItemName
from durian.schema import Checked, Real, Switch, Text, Whole, accepting, at_most, checked
from durian.ui.masking import LARGEST_STROKE

FAR = 1_000_000
"""Pixels or eye distances beyond anything on a stage."""

Coordinate = Annotated[Real, Field(ge=-FAR, le=FAR)]
Length = Annotated[Real, Field(gt=0, le=FAR)]
Number = Annotated[Whole, Field(ge=0, le=FAR)]
if TYPE_CHECKING:
    PresetName = str
else:
    PresetName = Literal[tuple(PRESETS)]


class Sent(Checked):
    """Stages number what they send, which is nobody's business here."""

    __pydantic_config__ = ConfigDict(extra="ignore")


@dataclass(frozen=True)
class Resend(Sent):
    """The page lost the stage's picture."""

    kind: Literal["resend"]


@dataclass(frozen=True)
class ChosenFace(Sent):
    """Face ``index`` of the portrait was clicked."""

    kind: Literal["face"]
    index: Number


@dataclass(frozen=True)
class DrawnCrop(Sent):
    """The crop's centre and side in pixels of the photo."""

    kind: Literal["crop"]
    x: Coordinate
    y: Coordinate
    side: Length


@dataclass(frozen=True)
class MaskClick(Sent):
    """A click in pixels of the reference."""

    kind: Literal["click"]
    x: Coordinate
    y: Coordinate
    positive: Switch


@dataclass(frozen=True)
class MaskStart(Sent):
    """The name that is chosen for the item."""

    kind: Literal["start"]
    name: ItemName


@dataclass(frozen=True)
class MaskStroke(Sent):
    """A stroke of the brush, or of the eraser; ``radius`` in pixels of the reference."""

    kind: Literal["stroke"]
    points: Annotated[tuple[tuple[Coordinate, Coordinate], ...], at_most(LARGEST_STROKE)]
    radius: Length
    paint: Switch


@dataclass(frozen=True)
class MaskStep(Sent):
    """A button beside the mask."""

    kind: Literal["undo", "redo", "clear"]


@dataclass(frozen=True)
class Placed(Sent):
    """The new placement of item number ``item``: shift in eye distances, factor, degrees."""

    kind: Literal["place"]
    item: Number
    dx: Coordinate
    dy: Coordinate
    scale: Length
    angle: Coordinate


@dataclass(frozen=True)
class PickedItem(Sent):
    """The tab of item number ``id``, or its cross."""

    kind: Literal["pick", "remove"]
    id: Number


@dataclass(frozen=True)
class AddedItem(Sent):
    """One more item is wanted."""

    kind: Literal["add"]


@dataclass(frozen=True)
class PickedMotion(Sent):
    """The card of a preset."""

    kind: Literal["pick"]
    id: Annotated[PresetName, Field(title="motion")]


@dataclass(frozen=True)
class PickedExample(Sent):
    """The card of an example."""

    kind: Literal["pick"]
    id: Text


@dataclass(frozen=True)
class PickedResult(Sent):
    """The poster number ``index`` of the history."""

    index: Number


_OWN = accepting("what this page sends")
PortraitEvent = Annotated[Resend | ChosenFace | DrawnCrop, Field(discriminator="kind"), _OWN]
MaskEvent = Annotated[Resend | MaskClick | MaskStart | MaskStroke | MaskStep, Field(discriminator="kind"), _OWN]
StillEvent = Annotated[Resend | Placed, Field(discriminator="kind"), _OWN]
ItemsEvent = Annotated[PickedItem | AddedItem, Field(discriminator="kind"), _OWN]


def read(kind: Any, event: Any) -> Any:
    """The payload of a :class:`gradio.EventData`, as ``kind``.

    Raises:
        InvalidRequest: it is not what the page sends.
    """
    return checked(kind, event._data, "the event")

"""Step 2: the items, their references and masks, and how they are combined."""

from __future__ import annotations

from typing import Any

import gradio as gr

from durian import masks
from durian.errors import InvalidRequest
from durian.ui import controls, reading, texts, views
from durian.ui.handlers import payloads, still
from durian.ui.handlers.common import QUICK, QUIET, guarded
from durian.ui.layout import Page
from durian.ui.session import Session
from durian.ui.uploads import served_folder
from durian.ui.visitors import get_visitors

SEGMENT_LANE: dict[str, Any] = {"concurrency_id": "segment", "concurrency_limit": 12}
"""Of whose places an address has one: Segment Anything may take twenty seconds for a new picture."""
"""One at a time, first come first served: a visitor's clicks keep their order."""


def item_shown(session: Session, note: str = "", known: bool = False) -> tuple[Any, ...]:
    """Everything about the selected item: the row, the stage, its id and its controls."""
    values = views.control_values(session)
    return (
        views.items_view(session),
        views.mask_view(session, known, note),
        values["item_id"],
        *(values[key] for key in controls.ITEM),
    )


def arrange(session: Session, event: gr.EventData) -> tuple[Any, ...]:
    """A card was picked, added or removed."""
    data = payloads.read(payloads.ItemsEvent, event)
    with session.lock:
        if data.kind == "add":
            session.add_item()
        elif data.kind == "remove":
            session.remove_item(data.id)
        else:
            session.select(data.id)
        return item_shown(session)


def put(session: Session, path: str | None) -> tuple[Any, ...]:
    """A reference for the selected item (or for a first one), with its mask started."""
    if path is None:
        return (gr.skip(),) * (3 + len(controls.ITEM))
    with session.lock:
        item, fresh = session.item, None
        if item is None:
            item = fresh = session.add_item()
        taken = reading.taken_names(session, item)
    try:
        reading.check_table(session, path, item)
        reading.reference_into(item, path, taken)
    except Exception:
        with session.lock:
            if fresh is not None:
                session.remove_item(fresh.id)
        raise
    with session.lock:
        session.example = None
        return item_shown(session)


def edit(session: Session, event: gr.EventData) -> tuple[Any, ...]:
    """A click, stroke, start or step on the mask."""
    data, note = payloads.read(payloads.MaskEvent, event), ""
    with session.lock:
        item = session.item
        if item is None or item.history is None:
            return (gr.skip(),) * 3
        match data:
            case payloads.MaskClick():
                reading.click(item, data.x, data.y, data.positive, session.segmenter)
            case payloads.MaskStart():
                if not reading.start_named(item, data.name, session.segmenter):
                    note = (texts.NOTHING_NAMED if item.name == data.name else texts.OTHER_KEPT).format(name=data.name)
            case payloads.MaskStroke():
                item.history.stroke(list(data.points), data.radius, data.paint)
            case payloads.MaskStep():
                getattr(item.history, data.kind)()
        known = data.kind != "resend"
        layer = item.attribute().drawing_layer if item.ready else gr.skip()
        return views.mask_view(session, known, note), views.items_view(session), layer


def import_mask(session: Session, path: str | None) -> tuple[Any, Any]:
    """A mask picture for the selected reference."""
    if path is None:
        return gr.skip(), gr.skip()
    item = session.item
    if item is None:
        raise InvalidRequest("There is no item yet: add one and upload its picture first.")
    take = reading.import_mask(item, path)
    with session.lock:
        take()
        return views.mask_view(session, known=True), views.items_view(session)


def export_mask(session: Session) -> str:
    """The selected item's mask as a lossless PNG of the size that the reference was uploaded in."""
    item = session.item
    picture = item.picture if item is not None and item.ready else None
    if item is None or picture is None:
        raise InvalidRequest("There is no mask to export yet: click or paint the item first.")
    path = served_folder() / f"mask-{item.name}.png"
    content = masks.png_bytes(masks.resized(item.masking().mask, picture.given))
    with get_visitors().reserve(session.owner, path.parent, len(content)) as room:
        path.write_bytes(content)
        room.settle(path)
    return str(path)


def mode_shown(mode: str) -> Any:
    return gr.update(visible=mode == "blend")


def connect(page: Page) -> None:
    item_outputs = [page.items, page.mask_stage, page.item_id, *(page.controls[key] for key in controls.ITEM)]
    redraw = (guarded(still.refresh), [page.session], [page.still_stage])

    arranged = page.items.edit(guarded(arrange), [page.session], item_outputs, trigger_mode="multiple", **QUICK)
    arranged.success(*redraw, **QUICK)

    uploaded = page.reference_upload.upload(
        guarded(put), [page.session, page.reference_upload], item_outputs, trigger_mode="always_last", **QUIET
    )
    uploaded.success(*redraw, **QUICK)

    edited = page.mask_stage.edit(
        guarded(edit),
        [page.session],
        [page.mask_stage, page.items, page.controls["layer"]],
        trigger_mode="multiple",
        **SEGMENT_LANE,
        **QUIET,
    )
    edited.success(*redraw, **QUICK)

    imported = page.mask_import.upload(
        guarded(import_mask), [page.session, page.mask_import], [page.mask_stage, page.items], **QUIET
    )
    imported.success(*redraw, **QUICK)

    mode = page.controls["mode"]
    mode.change(mode_shown, [mode], [page.blend_group], **QUICK)

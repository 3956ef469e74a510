"""Opening the page, examples, and replacing everything in a session at once."""

from __future__ import annotations

from typing import Any

import gradio as gr

from durian.settings import get_settings
from durian.ui import controls, examples, views
from durian.ui.handlers import payloads, portrait, rendering, sam, still, tools
from durian.ui.handlers.common import QUICK, QUIET, guarded
from durian.ui.layout import Page
from durian.ui.session import Session
from durian.ui.shares import site_of
from durian.ui.visitors import get_visitors

CONTROLLED = (*controls.TUNED, "trim_start", "trim_end", "neutral", "sound")
OUTPUTS = 11 + rendering.OUTPUTS + len(CONTROLLED)


def outputs(page: Page) -> list[Any]:
    """The components that :func:`everything` fills, in its order."""
    return [
        page.session,
        page.examples,
        page.portrait_stage,
        page.items,
        page.mask_stage,
        page.motions,
        page.item_id,
        page.consent,
        page.blend_group,
        page.segmenter,
        page.sam_fetch,
        *rendering.outputs(page),
        *(page.controls[key] for key in CONTROLLED),
    ]


def everything(session: Session) -> tuple[Any, ...]:
    """All of the table, from the session."""
    values = views.control_values(session)
    worn = session.portrait.worn if session.portrait else None
    updates = {key: values.get(key, controls.CONTROLS[key].value) for key in CONTROLLED}
    updates["erase"] = portrait.worn_choices(list(worn or {}), [name for name in session.erase if name in (worn or {})])
    updates["frame"] = gr.update(maximum=session.options.frames - 1, value=session.frame)
    return (
        session,
        {"cards": examples.cards(), "chosen": session.example},
        views.portrait_view(session),
        views.items_view(session),
        views.mask_view(session),
        views.motions_view(session),
        values["item_id"],
        session.consent,
        gr.update(visible=session.mode == "blend"),
        *_offered(session),
        *rendering.offer(session),
        *(updates[key] for key in CONTROLLED),
    )


def _offered(session: Session) -> tuple[Any, Any]:
    choice, button = sam.offer(session)
    return choice, {**button, "value": sam.button_words()}


def lay(session: Session, name: str) -> None:
    """Put an example on the table."""
    from durian.ui.handlers.save import take

    request = examples.request_of(name)
    with session.lock:
        take(session, request, {})
        if request.motion is not None:
            session.motion.name, session.motion.tracked = request.motion.name, None
        session.example = name


def open_page(request: gr.Request) -> tuple[Any, ...]:
    """A visitor arrives: a table of their own, with the first example on it and its still drawn."""
    visitor = get_visitors().open_page(request)
    session = Session(owner=visitor.owner, client=site_of(visitor.address), renderer=get_settings().renderer)
    lay(session, examples.opening_name())
    return *everything(session), still.draw(session)


def pick(session: Session, event: gr.EventData) -> tuple[Any, ...]:
    """One click puts another example on the table."""
    name = payloads.read(payloads.PickedExample, event).id
    if name not in examples.catalogue():
        return (gr.skip(),) * OUTPUTS
    lay(session, name)
    return everything(session)


def redraw(page: Page) -> tuple[Any, ...]:
    """Handler, inputs and outputs that draw the still after a table was laid, and look at what the portrait wears."""
    return guarded(still_and_worn), [page.session], [page.still_stage, page.controls["erase"]]


def still_and_worn(session: Session) -> tuple[Any, Any]:
    value = still.draw(session)
    return value, portrait.look(session)


def stay(session: Session | None) -> Any:
    """The page is still open: what is on its table lives on, however long the visitor works."""
    return gr.skip() if session is None else session


def connect(page: Page, demo: gr.Blocks) -> None:
    opened = demo.load(guarded(open_page), None, [*outputs(page), page.still_stage], **QUIET)
    opened.success(guarded(portrait.look), [page.session], [page.controls["erase"]], **QUIET)
    opened.success(guarded(tools.compare), [page.session], [page.compare], **QUIET)
    page.examples.edit(guarded(pick), [page.session], outputs(page), **QUICK).success(*redraw(page), **QUIET)
    page.heartbeat.tick(stay, [page.session], [page.session], **QUICK)

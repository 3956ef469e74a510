"""Choice of the renderer: the preview, or a trained diffusion model where one is found, with its steps and guidance."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

import gradio as gr

from durian.diffusion.find_model import ModelFound, find_model
from durian.renderer import why_unavailable
from durian.request import DiffusionOptions
from durian.schema import checked
from durian.ui import texts
from durian.ui.handlers.common import QUICK, guarded
from durian.ui.layout import Page
from durian.ui.session import Session

OUTPUTS = 5


def inputs(page: Page) -> list[Any]:
    """The inputs of :func:`apply`, in its order."""
    return [page.renderer, page.controls["steps"], page.controls["guidance"]]


def outputs(page: Page) -> list[Any]:
    """The components that :func:`offer` fills, in its order."""
    return [*inputs(page), page.diffusion_group, page.no_diffusion]


def offer(session: Session) -> tuple[Any, ...]:
    """The choice where there is a trained model, or else one line on why there is none."""
    model = find_model()
    if model is None:
        session.renderer = "preview"
        reason = escape(texts.NO_DIFFUSION.format(reason=why_unavailable("diffusion")))
        hidden = gr.update(visible=False)
        return hidden, gr.skip(), gr.skip(), hidden, gr.update(value=f"<p class='hint'>{reason}</p>", visible=True)
    choices = [("Preview (instant)", "preview"), (f"Diffusion ({model.name})", "diffusion")]
    chosen = session.diffusion
    return (
        gr.update(choices=choices, value=session.renderer, info=line_about(model), visible=True),
        chosen.steps or model.defaults.steps or 0,
        chosen.guidance_scale or model.defaults.guidance_scale or 0,
        gr.update(visible=session.renderer == "diffusion"),
        gr.update(visible=False),
    )


def line_about(model: ModelFound) -> str:
    if not model.fetched:
        return texts.FETCHED_FIRST.format(name=model.name)
    return texts.SMALL_MODEL.format(name=model.name, size=model.size) if model.is_small else texts.RENDERED_BY


def choose(session: Session, renderer: str | None, steps: float, guidance: float) -> Any:
    """Remember the choice; steps and guidance are shown where they count."""
    with session.lock:
        apply(session, renderer, steps, guidance)
        return gr.update(visible=session.renderer == "diffusion")


def apply(session: Session, renderer: str | None, steps: float | None, guidance: float | None) -> None:
    """Take the choice over into the session; 0 leaves steps or guidance to the model.

    Raises:
        InvalidRequest: a number is out of range.
    """
    chosen = checked(Literal["preview", "diffusion"] | None, renderer, "the renderer") or "preview"
    if chosen == "diffusion":
        session.diffusion = checked(
            DiffusionOptions,
            {"steps": steps or None, "guidance_scale": guidance or None, "sampler": session.diffusion.sampler},
        )
    session.renderer = chosen


def connect(page: Page) -> None:
    gr.on(
        [component.input for component in inputs(page)],
        guarded(choose),
        [page.session, *inputs(page)],
        [page.diffusion_group],
        trigger_mode="always_last",
        **QUICK,
    )

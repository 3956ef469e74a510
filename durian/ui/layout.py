"""Layout of the page: three steps on the left, the result on the right."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from durian.settings import get_settings
from durian.ui import controls, texts
from durian.ui.session import Session
from durian.ui.widgets import (
    PICTURE_TYPES,
    cards,
    raw_camera,
    raw_upload,
    raw_video,
    shown_gallery,
    shown_pair,
    shown_picture,
    shown_video,
    stage,
)


@dataclass
class Page:
    """The components that handlers read and write."""

    session: gr.State = None
    heartbeat: gr.Timer = None
    item_id: gr.Number = None
    controls: dict[str, Any] = field(default_factory=dict)
    examples: gr.HTML = None
    may_fetch: bool = False
    """Whether visitors may have the server fetch weights."""
    # 1 portrait
    portrait_stage: gr.HTML = None
    portrait_upload: gr.UploadButton = None
    portrait_camera: gr.Image = None
    # 2 what to wear
    items: gr.HTML = None
    mask_stage: gr.HTML = None
    reference_upload: gr.UploadButton = None
    item_group: gr.Group = None
    blend_group: gr.Group = None
    mask_import: gr.UploadButton = None
    mask_export: gr.Button = None
    segmenter: gr.Radio = None
    sam_fetch: gr.Button = None
    sam_progress: gr.HTML = None
    # 3 motion
    motions: gr.HTML = None
    video: gr.Video = None
    video_group: gr.Group = None
    video_apply: gr.Button = None
    video_clear: gr.Button = None
    # how it is rendered
    renderer: gr.Radio = None
    diffusion_group: gr.Group = None
    no_diffusion: gr.HTML = None
    # the result
    still_stage: gr.HTML = None
    result_video: gr.Video = None
    view: gr.Radio = None
    consent: gr.Checkbox = None
    animate: gr.Button = None
    cancel: gr.Button = None
    progress: gr.HTML = None
    # below it
    compare: gr.ImageSlider = None
    compare_tab: gr.Tab = None
    strip: gr.Gallery = None
    strip_button: gr.Button = None
    look_book: gr.Gallery = None
    look_book_files: gr.File = None
    look_book_kind: gr.Radio = None
    overlay: gr.Image = None
    overlay_kind: gr.Radio = None
    check_tab: gr.Tab = None
    save_mp4: gr.Button = None
    save_gif: gr.Button = None
    save_frames: gr.Button = None
    save_photo: gr.Button = None
    save_bundle: gr.Button = None
    restore: gr.UploadButton = None
    download: gr.File = None
    history: gr.Gallery = None

    def control(self, key: str, **changes: Any) -> Any:
        """Build a control where the layout stands now and remember it."""
        self.controls[key] = controls.build(key, **changes)
        return self.controls[key]


def build(may_fetch: bool) -> Page:
    """Lay the page out inside the current :class:`gr.Blocks`.

    Args:
        may_fetch: whether visitors may have the server fetch weights.
    """
    page = Page(may_fetch=may_fetch)
    # None until the page has loaded, and again when it rested longer than this.
    page.session = gr.State(None, time_to_live=get_settings().keep_seconds, delete_callback=_forget)
    page.heartbeat = gr.Timer(get_settings().keep_seconds / 4)
    page.item_id = gr.Number(0, visible="hidden", elem_id="item-id")
    _header(page)
    with gr.Row(elem_id="table", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_id="making"):
            _portrait(page)
            _wear(page)
            _motion(page)
            _settings(page)
        with gr.Column(scale=5, min_width=320, elem_id="showing"):
            _result(page)
            _tools(page)
    minutes = max(1, round(get_settings().keep_seconds / 60))
    gr.HTML(
        f"<p>{escape(texts.PRIVACY.format(minutes=minutes))}</p><p>{escape(texts.FOOT)}</p>",
        elem_id="foot",
        apply_default_css=False,
    )
    return page


def _forget(session: Session | None) -> None:
    """A visitor's state has expired: so do their jobs and files."""
    if session is not None and session.owner:
        from durian.engine import get_engine

        get_engine().forget_owner(session.owner)


def _header(page: Page) -> None:
    with gr.Row(elem_id="masthead"):
        gr.HTML(
            f'<div class="brand"><span class="brand-mark" aria-hidden="true"></span><h1>{texts.TITLE}</h1>'
            f"<p>{texts.TAGLINE}</p></div>",
            elem_id="brand",
            apply_default_css=False,
        )
        page.examples = cards("examples", row=True)
        gr.HTML(
            '<button type="button" class="mode" aria-label="Light or dark" title="Light or dark">◐</button>',
            elem_id="light-or-dark",
            apply_default_css=False,
            js_on_load="element.querySelector('.mode').addEventListener('click', "
            "() => document.body.classList.toggle('dark'));",
        )


def _step(number: int, title: str, hint: str) -> None:
    gr.HTML(
        f'<div class="step"><span>{number}</span><h2>{title}</h2><p>{hint}</p></div>',
        apply_default_css=False,
        elem_classes=["step-host"],
    )


def _portrait(page: Page) -> None:
    with gr.Column(elem_id="panel-portrait"):
        _step(1, "Portrait", "who moves")
        page.portrait_stage = stage("portrait", texts.EMPTY_PORTRAIT, "portrait-stage", "#portrait-upload")
        with gr.Row(elem_classes=["tight"]):
            page.portrait_upload = raw_upload("Upload a portrait", "portrait-upload", PICTURE_TYPES)
        with gr.Accordion("Crop and camera", open=False):
            for key in controls.PORTRAIT:
                page.control(key)
            page.portrait_camera = raw_camera("portrait-camera")


def _wear(page: Page) -> None:
    with gr.Column(elem_id="panel-wear"):
        _step(2, "What to wear", "one tab an item")
        page.items = cards("items", row=True)
        page.mask_stage = stage("mask", texts.EMPTY_MASK, "mask-stage", "#reference-upload")
        with gr.Row(elem_classes=["tight"]):
            page.reference_upload = raw_upload("Upload a reference", "reference-upload", PICTURE_TYPES)
        page.control("expansion", elem_classes=["prominent"])
        with gr.Column(elem_id="item-group") as page.item_group:
            page.control("strength")
        page.control("mode", elem_classes=["segmented"])
        with gr.Column(visible=False, elem_id="blend-group") as page.blend_group, gr.Row(elem_classes=["tight"]):
            page.control("blend_start")
            page.control("blend_end")
        page.control("erase")
        with gr.Accordion("Place by hand, layer, trim", open=False):
            with gr.Row(elem_classes=["tight"]):
                page.control("dx")
                page.control("dy")
            with gr.Row(elem_classes=["tight"]):
                page.control("scale")
                page.control("angle")
            page.control("layer")
            page.control("trim")
        with gr.Accordion("Mask files and sharper clicks", open=False):
            with gr.Row(elem_classes=["tight"]):
                page.mask_import = raw_upload("Import PNG", "mask-import", PICTURE_TYPES, "sm")
                page.mask_export = gr.Button("Export PNG", elem_id="mask-export", size="sm")
            # All that there can be, of which a visitor is offered what is here: a page that rested too long is known by
            # its session, and not by a choice that Gradio has forgotten.
            page.segmenter = gr.Radio(
                ["parser", "classic", "sam", "sam2"],
                label="Clicks are read by",
                info=texts.SEGMENTER,
                visible=False,
                elem_id="segmenter",
                elem_classes=["segmented"],
            )
            # Strangers do not have the server download a large file.
            with gr.Column(visible=page.may_fetch, elem_id="sam-offer"):
                page.sam_fetch = gr.Button("Fetch Segment Anything", size="sm", elem_id="sam-fetch")
                page.sam_progress = gr.HTML("", elem_id="sam-progress", apply_default_css=False)


def _motion(page: Page) -> None:
    with gr.Column(elem_id="panel-motion"):
        _step(3, "Motion", "how it moves")
        page.motions = cards("motions")
        with gr.Row(elem_classes=["tight"]):
            page.control("pose_strength")
            page.control("expression_strength")
        with gr.Accordion("Move like a video", open=False, elem_id="driving"):
            page.video = raw_video("driving-video")
            with gr.Column(visible=False, elem_id="video-group") as page.video_group:
                with gr.Row(elem_classes=["tight"]):
                    page.control("trim_start")
                    page.control("trim_end")
                    page.control("neutral")
                page.control("sound")
                with gr.Row(elem_classes=["tight"]):
                    page.video_apply = gr.Button("Use this part", size="sm", elem_id="video-apply")
                    page.video_clear = gr.Button("Back to presets", size="sm", elem_id="video-clear")


def _settings(page: Page) -> None:
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        for pair in (
            ("frames", "fps"),
            ("size", "smoothing"),
            ("light", "seed"),
            ("label", "uncrop"),
            ("normalise_lips",),
        ):
            with gr.Row(elem_classes=["tight"]):
                for key in pair:
                    page.control(key)
        with (
            gr.Column(visible=False, elem_id="diffusion-group") as page.diffusion_group,
            gr.Row(elem_classes=["tight"]),
        ):
            page.control("steps")
            page.control("guidance")
        page.no_diffusion = gr.HTML(visible=False, elem_id="no-diffusion", apply_default_css=False)


def _result(page: Page) -> None:
    with gr.Column(elem_id="panel-result"):
        page.view = gr.Radio(
            [("Still", "still"), ("Video", "video")],
            value="still",
            show_label=False,
            container=False,
            elem_id="view",
            elem_classes=["segmented"],
        )
        with gr.Column(elem_id="still-pane"):
            page.still_stage = stage("still", texts.EMPTY_STILL, "still-stage")
            page.control("frame", info=None, buttons=[], elem_classes=["quiet"])
        page.result_video = shown_video("result-video")
        page.renderer = gr.Radio(
            ["preview", "diffusion"],
            label="Rendered by",
            info=texts.RENDERED_BY,
            visible=False,
            elem_id="renderer",
            elem_classes=["segmented"],
        )
        page.consent = gr.Checkbox(label=texts.CONSENT, value=False, elem_id="consent", container=False)
        with gr.Row(elem_classes=["tight", "actions"]):
            page.animate = gr.Button("Animate", variant="primary", elem_id="animate", scale=4)
            page.cancel = gr.Button("Cancel", visible="hidden", elem_id="cancel", scale=1, min_width=90)
        page.progress = gr.HTML("", elem_id="progress", apply_default_css=False)


def _tools(page: Page) -> None:
    with gr.Column(elem_id="panel-tools"), gr.Tabs(elem_id="tools", overflow_behavior="wrap"):
        with gr.Tab("Compare", id="compare") as page.compare_tab:
            page.compare = shown_pair("compare", show_label=False, buttons=["fullscreen"])
        with gr.Tab("α strip", id="strip"):
            page.strip_button = gr.Button("Show five steps from item 1 to item 2", size="sm", elem_id="strip-make")
            page.strip = shown_gallery("strip", show_label=False, columns=5, height="auto", buttons=["fullscreen"])
            gr.HTML(f"<p class='hint'>{texts.STRIP_HINT}</p>", apply_default_css=False)
        with gr.Tab("Look-book", id="look-book"):
            page.look_book_kind = gr.Radio(
                ["hat", "glasses", "hair", "beard", "lips"], value="hat", label="Wear their", elem_classes=["segmented"]
            )
            page.look_book_files = gr.File(
                file_count="multiple",
                file_types=PICTURE_TYPES,
                label="References",
                height=120,
                elem_id="look-book-files",
            )
            page.look_book = shown_gallery(
                "look-book",
                show_label=False,
                columns=3,
                height="auto",
                fit_columns=False,
                buttons=["fullscreen"],
            )
            gr.HTML(f"<p class='hint'>{texts.LOOK_BOOK_HINT}</p>", apply_default_css=False)
        with gr.Tab("Check", id="check") as page.check_tab:
            page.overlay_kind = gr.Radio(
                [(kind.capitalize(), kind) for kind in ("landmarks", "keypoints", "hole", "difference")],
                value="hole",
                show_label=False,
                container=False,
                elem_id="overlay-kind",
                elem_classes=["segmented"],
            )
            page.overlay = shown_picture("overlay", show_label=False, buttons=["fullscreen"])
        with gr.Tab("Save", id="save"):
            with gr.Row(elem_classes=["tight"]):
                page.save_mp4 = gr.Button("MP4", size="sm", min_width=70, elem_id="save-mp4")
                page.save_gif = gr.Button("GIF", size="sm", min_width=70, elem_id="save-gif")
                page.save_frames = gr.Button("Frames", size="sm", min_width=70, elem_id="save-frames")
                page.save_photo = gr.Button("Photo", size="sm", min_width=70, elem_id="save-photo")
                page.save_bundle = gr.Button("Bundle", size="sm", min_width=70, elem_id="save-bundle")
            page.restore = raw_upload("Drop in a bundle to restore everything", "restore", [".zip"], "sm")
            page.download = gr.File(visible="hidden", elem_id="download")
        with gr.Tab("History", id="history"):
            page.history = shown_gallery(
                "history",
                show_label=False,
                columns=4,
                allow_preview=False,
                fit_columns=False,
                height="auto",
                buttons=[],
            )
            gr.HTML(f"<p class='hint'>{texts.HISTORY_EMPTY}</p>", apply_default_css=False)

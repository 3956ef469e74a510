"""Colours, type and spacing of the page."""

from __future__ import annotations

import gradio as gr

ACCENT = gr.themes.Color(
    name="durian",
    c50="#f5f8ea",
    c100="#e8efcf",
    c200="#d3e0a5",
    c300="#b7cb72",
    c400="#9bb44a",
    c500="#7d9630",
    c600="#637824",
    c700="#4d5d20",
    c800="#3f4b1e",
    c900="#36401d",
    c950="#1b220b",
)
"""The husk's green (taste); 600 on paper and 300 on ink have a contrast above 4.5."""

PAPER = gr.themes.Color(
    name="paper",
    c50="#fbfaf6",
    c100="#f4f2ea",
    c200="#e6e3d7",
    c300="#d0ccbc",
    c400="#a5a08d",
    c500="#7c7767",
    c600="#5d594c",
    c700="#46433a",
    c800="#2b2a25",
    c900="#1d1c19",
    c950="#141411",
)


def theme() -> gr.themes.Base:
    """The Gradio theme; finer points are in ``static/style.css``."""
    # System fonts: nothing is fetched from anywhere, and the page is readable at once.
    sans = ("Avenir Next", "Avenir", "Segoe UI", "Inter", "Noto Sans", "system-ui", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "DejaVu Sans Mono", "monospace")
    base = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=PAPER,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=sans,
        font_mono=mono,
    )
    return base.set(
        body_background_fill="*neutral_100",
        body_background_fill_dark="*neutral_950",
        background_fill_primary="*neutral_50",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_950",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_padding="0px",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_weight="600",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_100",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_100",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_800",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_400",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_300",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="*neutral_950",
        button_secondary_background_fill="*neutral_50",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_700",
        button_border_width="1px",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_800",
        input_border_width="1px",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        shadow_drop="none",
        panel_border_width="0px",
    )

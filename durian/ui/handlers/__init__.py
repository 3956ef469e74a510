"""Handlers of the page's events, one file an idea; ``connect`` wires the events to them."""

from durian.ui.handlers import animate, motion, opening, portrait, rendering, sam, save, still, tools, wear
from durian.ui.layout import Page


def connect(page: Page, demo) -> None:
    """Attach every handler to the page's events."""
    for room in (portrait, wear, motion, still, rendering, animate, tools, sam, save):
        room.connect(page)
    opening.connect(page, demo)


__all__ = ["connect"]

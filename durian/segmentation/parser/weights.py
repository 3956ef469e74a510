"""Path of the parser's weights: half precision, safetensors, a few megabytes. Light to import."""

from __future__ import annotations

from pathlib import Path

from durian.settings import SHIPPED, get_settings

FILE = "parser.safetensors"


def find_parser() -> Path | None:
    """The parser's file in the weights folder, or else the one that the project ships; ``None`` without either."""
    for folder in (get_settings().weights, SHIPPED / "weights"):
        path = folder / "parser" / FILE
        if path.is_file():
            return path
    return None

"""Which paths are files that visitors sent: those in the upload folder, and nothing else of the server's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LONGEST_PATH = 4096
"""Characters; what Linux takes."""


def is_uploaded(path: Any) -> bool:
    """Whether there is a file at ``path``, in the folder of what visitors sent."""
    import gradio as gr

    if not isinstance(path, str) or not 0 < len(path) <= LONGEST_PATH:
        return False
    try:
        found = Path(path).resolve()
        return found.is_relative_to(Path(gr.utils.get_upload_folder()).resolve()) and found.is_file()
    except (OSError, ValueError):
        # A name that no file can have: too long, or with a NUL or half a character in it.
        return False

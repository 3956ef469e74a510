"""Visitors' uploads: whether a path is an uploaded file, and the newest ids whose progress may be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LONGEST_PATH = 4096
"""Characters; what Linux takes."""
UPLOADS_FOLLOWED = 1000
"""Ids by which pages ask how far an upload is; a page asks while it uploads, and never again."""


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


def forget_files(blocks: Any) -> None:
    """Let go of Gradio's lists of all files that ever came or were served, which only its own cleaning would use."""
    for paths in blocks.temp_file_sets:
        paths.clear()


class FollowedUploads:
    """The newest ids of uploads. Gradio itself remembers each that somebody named, for good."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def follow(self, upload_id: str) -> None:
        """An upload comes by that name, or somebody asks for it; what was long ago is forgotten."""
        from gradio.routes import file_upload_statuses

        self._ids.pop(upload_id, None)
        self._ids[upload_id] = None
        while len(self._ids) > UPLOADS_FOLLOWED:
            oldest = next(iter(self._ids))
            del self._ids[oldest]
            file_upload_statuses.stop_tracking(oldest)
            file_upload_statuses._signals.pop(oldest, None)

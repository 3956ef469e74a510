"""Visitors' uploads: each in a folder of its own, whether a path is one, and the ids whose progress is asked for."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from durian.folders import private_folder

LONGEST_PATH = 4096
"""Characters; what Linux takes."""
UPLOADS_FOLLOWED = 1000
"""Ids by which pages ask how far an upload is; a page asks while it uploads, and never again."""

_own: ContextVar[Path | None] = ContextVar("own", default=None)


class _Folder(os.PathLike[str]):
    """Where Gradio writes: while an upload is read, in the folder of that upload."""

    def __init__(self, uploads: Path) -> None:
        self._uploads = uploads

    def __fspath__(self) -> str:
        return str(_own.get() or self._uploads)

    __str__ = __fspath__


@contextmanager
def own_folder(app: Any, uploads: Path) -> Iterator[Path]:
    """A context in which Gradio writes what is uploaded into a folder that nobody can guess.

    It names files after their content, so that whoever has the same file could see that somebody sent it, and get it
    under their name of it.

    Args:
        app: Gradio's application, ``None`` where another is guarded.
        uploads: the folder of all uploads.
    """
    if app is not None:
        app.uploaded_file_dir = _Folder(uploads)
    folder = uploads / secrets.token_hex(16)
    token = _own.set(folder)
    try:
        yield folder
    finally:
        _own.reset(token)


def shared_folder() -> None:
    """Begin a request outside any upload's folder.

    An upload that the server reads piece by piece hands its context to the requests that follow on its connection, so
    that Gradio would serve them files of that upload alone.
    """
    _own.set(None)


def drop_folder(folder: Path) -> None:
    """Delete what came of an upload that was refused or broke off."""
    shutil.rmtree(folder, ignore_errors=True)


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


def served_folder() -> Path:
    """A new folder among the uploads, which nobody can guess. What is written there is served as it is, and may be sent
    along with another call as an upload; of files elsewhere Gradio serves copies.

    Raises:
        OutputFailed: it cannot be made.
    """
    import gradio as gr

    return private_folder(Path(gr.utils.get_upload_folder()) / secrets.token_hex(16))


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

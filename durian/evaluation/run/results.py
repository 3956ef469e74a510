"""Results of single cases on disk, so that no case is scored twice.

A result is one small JSON file, ``results/METHOD/CASE.json``. Its key is a digest of all that it depends on: the
protocol's settings, the method, the case's files and the version; a result with another key counts as missing.
Rendered frames, the truth and the inputs are kept beside it for the report.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from durian import __version__
from durian.content_hash import content_hash
from durian.errors import DurianError
from durian.evaluation.data.cases import CaseResult, Source
from durian.evaluation.data.tasks import Task, scaled
from durian.evaluation.methods.methods import MethodSpec, digest_of
from durian.evaluation.protocols.interface import Protocol
from durian.media.files import atomic_output
from durian.request import Attribute

RESULTS, TRUTH, INPUTS = "results", "truth", "inputs"
"""Folders; those of the rendered frames are called after their method below ``outputs``."""
OUTPUTS = "outputs"


class Store:
    """A folder of results, shared by the processes that fill it; ``None`` keeps nothing."""

    def __init__(self, folder: Path | None):
        self.folder = folder

    def find(self, case: str, method: str, key: str) -> CaseResult | None:
        """A result that was made with this key."""
        if self.folder is None:
            return None
        try:
            stored = json.loads(_result_file(self.folder, case, method).read_text())
            return CaseResult(**stored["result"]) if stored["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # never made, or half written by a crash: it is made again

    def keep(self, result: CaseResult, key: str, frames: np.ndarray, task: Task) -> None:
        """Store a result with what the report shows of it, the result itself last."""
        if self.folder is None:
            return
        _write_video(self.folder / OUTPUTS / result.method / f"{result.case}.mp4", frames, task.fps)
        path = _result_file(self.folder, result.case, result.method)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_output(path) as temporary:
            temporary.write_text(json.dumps({"key": key, "result": asdict(result)}))

    def keep_task(self, task: Task) -> None:
        """Store a task's inputs, side by side, and its truth or, without one, its real clip."""
        if self.folder is None:
            return
        from durian.media import write_image

        pictures = [task.image, *(_masked(attribute, task.size) for attribute in task.attributes)]
        path = self.folder / INPUTS / f"{task.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(np.hstack(pictures), path)
        footage = task.clip if task.truth is None else task.truth
        if footage is not None:
            _write_video(self.folder / TRUTH / f"{task.name}.mp4", footage, task.fps)


def _result_file(folder: Path, case: str, method: str) -> Path:
    return folder / RESULTS / method / f"{case}.json"


def stored_clip(folder: Path, method: str | None, case: str) -> list[np.ndarray] | None:
    """A method's frames of a case, or with ``None`` the true ones, as they were stored: ``(S, S, 3) uint8`` each."""
    from durian.media import iter_video

    path = (folder / TRUTH if method is None else folder / OUTPUTS / method) / f"{case}.mp4"
    return list(iter_video(path)) if path.is_file() else None


def data_digest(sources: list[Source]) -> str:
    """A digest of all files of all sources, by content."""
    return content_hash([[source.name, source_digest(source)] for source in sources])


def source_digest(source: Source) -> str:
    """A digest of a source's files, by name and content."""
    digest = hashlib.blake2b(source.detail.encode(), digest_size=16)
    for path in source.files:
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
        except OSError:
            content = b"unreadable"  # reading it will say so, and leave the case out
        digest.update(path.name.encode() + b"\0" + content)
    return digest.hexdigest()


def result_key(protocol: Protocol, source: Source, method: MethodSpec) -> str:
    """Digest of everything that a result depends on."""
    return content_hash([__version__, protocol.settings(), source_digest(source), digest_of(method)])


def told(error: Exception) -> str:
    """An error in one sentence."""
    return str(error) if isinstance(error, DurianError) else f"{type(error).__name__}: {error}"


def _masked(attribute: Attribute, size: int) -> np.ndarray:
    """The reference with all but the item faded, ``(size, size, 3) uint8``."""
    share = 0.25 + 0.75 * attribute.mask[..., None].astype(np.float32) / 255
    return scaled(np.rint(attribute.image * share + 255 * 0.75 * (1 - share)).astype(np.uint8), size)


def _write_video(path: Path, frames: np.ndarray, fps: float) -> None:
    from durian.media import write_video

    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(frames, path, fps)

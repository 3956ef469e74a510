"""Methods to compare: the still portrait, the pasted item, renderers, checkpoints, and frames made elsewhere.

On the command line a method is ``NAME`` or ``NAME=PATH``; :func:`parse_method` makes a :class:`MethodSpec` of it,
which can be sent to other processes, and :func:`process_method` the method itself, once a process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np

from durian.content_hash import content_hash
from durian.errors import InvalidRequest, UnreadableMedia
from durian.evaluation.data.tasks import Task, rendered, scaled
from durian.evaluation.methods.completers import COMPLETERS, completed
from durian.renderer import check_renderer, get_renderer

RENDER_SIZE = 512
"""Side in pixels at which renderers work unless another is asked for; scores are taken at the data's own size."""
PICTURES = (".png", ".webp", ".jpg", ".jpeg")
VIDEOS = (".mp4", ".mkv", ".webm", ".mov")


class Method(Protocol):
    """Makes the frames of a task."""

    def frames(self, task: Task) -> np.ndarray:
        """``(F, S, S, 3) uint8`` RGB for the task's F driving frames at its size S."""
        ...


@dataclass(frozen=True)
class MethodSpec:
    """``kind`` of method, its ``path`` where it has one, and the ``name`` it has in tables."""

    kind: str
    path: Path | None = None

    @property
    def name(self) -> str:
        return self.kind if self.path is None else self.path.resolve().name


class Still:
    """The portrait as it is, in every frame: what doing nothing scores."""

    def frames(self, task: Task) -> np.ndarray:
        return np.repeat(task.image[None], len(task.driving), axis=0)


class Paste:
    """The item, aligned by landmarks, pasted on the still portrait: no motion, no light, no blending of edges."""

    def frames(self, task: Task) -> np.ndarray:
        from durian.evaluation.methods.paste import pasted

        return pasted(task)


class OracleWarp:
    """Undoes the known change to the truth exactly: the ceiling of protocols that make copies."""

    def frames(self, task: Task) -> np.ndarray:
        """
        Raises:
            InvalidRequest: the task is not made from a copy of its truth.
        """
        if task.undone is None:
            raise InvalidRequest(f"Nothing was done to {task.name} that can be undone: use oracle-warp with self-item.")
        return task.undone


class Completed:
    """The portrait's hole filled by one of :data:`durian.evaluation.methods.completers.COMPLETERS`."""

    def __init__(self, name: str):
        self.complete = COMPLETERS[name]

    def frames(self, task: Task) -> np.ndarray:
        """
        Raises:
            InvalidRequest: the task has no hole.
        """
        return np.repeat(completed(self.complete, task)[None], len(task.driving), axis=0)


class Rendered:
    """One of the project's renderers, driven by the task's absolute landmarks."""

    def __init__(self, name: str, size: int, seed: int):
        self.renderer, self.size, self.seed = get_renderer(name), size, seed

    def frames(self, task: Task) -> np.ndarray:
        return rendered(self.renderer, task, self.size, self.seed)


class Checkpoint(Rendered):
    """The diffusion renderer with the model of a folder, as training leaves it."""

    def __init__(self, folder: Path, size: int, seed: int):
        from durian.diffusion.find_model import read_model
        from durian.diffusion.renderer import DiffusionRenderer

        self.renderer, self.size, self.seed = DiffusionRenderer(read_model(folder)), size, seed


class GivenFrames:
    """Frames that another method made: ``FOLDER/CASE/00000.png`` and so on, or ``FOLDER/CASE.mp4``."""

    def __init__(self, folder: Path):
        self.folder = folder

    def frames(self, task: Task) -> np.ndarray:
        """
        Raises:
            UnreadableMedia: the case's are missing, or not as many as were asked for.
        """
        frames = [scaled(_square(frame, task.name), task.size) for frame in self._read(task.name)]
        if len(frames) != len(task.driving):
            raise UnreadableMedia(
                f"{self.folder.name} holds {len(frames)} frames of {task.name}: give {len(task.driving)}."
            )
        return np.stack(frames)

    def _read(self, case: str) -> list[np.ndarray]:
        from durian.media import iter_video, read_image

        inside = self.folder / case
        if inside.is_dir():
            return [read_image(path) for path in sorted(inside.iterdir()) if path.suffix.lower() in PICTURES]
        for ending in VIDEOS:
            if (video := self.folder / f"{case}{ending}").is_file():
                return list(iter_video(video))
        raise UnreadableMedia(f"{self.folder.name} holds nothing of {case}: put its frames into {case}/00000.png etc.")


def parse_method(text: str) -> MethodSpec:
    """A name of :data:`METHODS`, a renderer's name, ``diffusion=FOLDER`` or ``frames=FOLDER``.

    Raises:
        InvalidRequest: nothing of that kind exists, or its folder does not.
        WeightsMissing: it needs a model that is not there.
    """
    kind, _, place = text.partition("=")
    path = Path(place) if place else None
    if path is not None and kind not in WITH_FOLDER:
        raise InvalidRequest(f"Method {kind} takes no folder: give {kind} alone, or {' or '.join(WITH_FOLDER)}=FOLDER.")
    if path is not None and not path.is_dir():
        raise InvalidRequest(f"{path} is not a folder: give the one of the {kind} after {kind}=.")
    if kind == "frames" and path is None:
        raise InvalidRequest("Method frames needs the folder they are in: give frames=FOLDER.")
    if path is not None and kind == "diffusion":
        from durian.diffusion.find_model import read_model

        read_model(path)
    elif kind not in METHODS and kind != "frames":
        check_renderer(kind)
    return MethodSpec(kind, path)


METHODS: dict[str, Callable[[], Method]] = {
    "still": Still,
    "paste": Paste,
    "oracle-warp": OracleWarp,
    **{name: partial(Completed, name) for name in COMPLETERS},
}
"""Methods that need nothing; all others are renderers, or read a folder."""
WITH_FOLDER: dict[str, Callable[..., Method]] = {"diffusion": Checkpoint, "frames": GivenFrames}


@lru_cache(maxsize=8)
def process_method(spec: MethodSpec, size: int = RENDER_SIZE, seed: int = 0) -> Method:
    """This process's method of a kind; models are loaded once."""
    if spec.path is not None:
        return GivenFrames(spec.path) if spec.kind == "frames" else Checkpoint(spec.path, size, seed)
    return METHODS[spec.kind]() if spec.kind in METHODS else Rendered(spec.kind, size, seed)


def check_distinct(methods: Sequence[MethodSpec]) -> None:
    """
    Raises:
        InvalidRequest: two methods have one name.
    """
    names = [method.name for method in methods]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InvalidRequest(f"Two methods are called {twice[0]}: give folders of different names.")


def digest_of(spec: MethodSpec) -> str:
    """Digest of what a method's results depend on besides the task: its kind, and its files' names, sizes and times."""
    return content_hash([spec.kind, [] if spec.path is None else _files_told(spec.path)])


def _files_told(folder: Path) -> list[tuple[str, int, int]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]


def _square(frame: np.ndarray, case: str) -> np.ndarray:
    if frame.shape[0] != frame.shape[1]:
        raise UnreadableMedia(f"A frame of {case} is {frame.shape[1]}×{frame.shape[0]} pixels: give square ones.")
    return frame

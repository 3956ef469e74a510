"""Clips to learn from: frames of one person, their landmarks, and masks of what the person wears.

A clip is one ZIP file, made by ``durian prepare`` from a video or a synthetic scene: ``frames/00000.webp``,
``masks/hair/00000.png`` (255 where the item covers a whole pixel), ``landmarks.npy`` and ``about.json``. Frames are
read one at a time and few files are open at once, so thousands of clips cost no more than what is drawn from them.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from durian.errors import UnreadableMedia

SUFFIX = ".clip"
CATEGORIES = ("hair", "glasses", "hat", "beard")
"""What the paper transfers (its training data's categories)."""
ROLES = ("target", "portrait", "reference")
"""Frames of a video are all targets. A synthetic scene also has portraits (the same person without the item) and
references (another person with it)."""
WEBP_QUALITY, WEBP_EFFORT = 92, 4
"""Taste: at 256 px a frame takes about 12 KB and its noise hides the rest."""
OPEN_CLIPS = 64
"""Files that a process keeps open; systems allow some hundreds."""


@dataclass(frozen=True)
class ClipFrame:
    """One frame.

    Attributes:
        image: ``(S, S, 3) uint8`` RGB.
        landmarks: ``(478, 3) float32`` pixels of it (MediaPipe; z on the scale of x).
        masks: for each category that is seen, ``(S, S) uint8``, how much of each pixel the item covers.
    """

    image: np.ndarray
    landmarks: np.ndarray
    masks: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class ClipAbout:
    """What a clip is, as its ``about.json`` says.

    Attributes:
        name: unique in its folder.
        size: S, pixels along a frame's side.
        fps: frames per second of the targets.
        roles: of each frame, one of :data:`ROLES`.
        items: categories that can be transferred: those with a mask in every target, or a scene's true items.
        people: who each frame shows: equal numbers are the same person.
        source: where it is from, for people to read.
        kind: ``video``, or a synthetic scene's kind (:data:`durian.synthetic.scenes.KINDS`).
        item_frames: of a scene, for each item the numbers of the references that wear it.
    """

    name: str
    size: int
    fps: float
    roles: tuple[str, ...]
    items: tuple[str, ...]
    people: tuple[int, ...]
    source: str = ""
    kind: str = "video"
    item_frames: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def frames_of(self, role: str) -> list[int]:
        """Numbers of the frames with a role."""
        return [number for number, other in enumerate(self.roles) if other == role]

    @property
    def has_truth(self) -> bool:
        """Whether its targets show somebody wearing what another person, the reference, wears."""
        return "reference" in self.roles and bool(self.item_frames)


class Clip:
    """A clip's file, read when something is asked of it, in whatever process."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            UnreadableMedia: the file is missing, broken or not a clip.
        """
        self.path = path
        with self._told():
            state = path.stat()
            self._version = (state.st_mtime_ns, state.st_size)
            self.about = _about(self._open().archive.read("about.json"))

    def __len__(self) -> int:
        return len(self.about.roles)

    @property
    def landmarks(self) -> np.ndarray:
        """``(N, 478, 3) float32`` of all frames; not to be changed."""
        with self._told():
            return self._open().landmarks

    def frame(self, number: int, categories: Sequence[str] = CATEGORIES) -> ClipFrame:
        """A frame with the masks of some categories.

        Raises:
            UnreadableMedia: the file cannot be read any more.
        """
        with self._told():
            image = _decoded(self._open().archive.read(f"frames/{number:05d}.webp"))
        masks = {name: mask for name in categories if (mask := self.mask(number, name)) is not None}
        return ClipFrame(image, self.landmarks[number], masks)

    def mask(self, number: int, category: str) -> np.ndarray | None:
        """A frame's mask alone, ``(S, S) uint8``; ``None`` where nothing of the category is seen.

        Raises:
            UnreadableMedia: the file cannot be read any more.
        """
        with self._told():
            archive, member = self._open().archive, f"masks/{category}/{number:05d}.png"
            return _decoded(archive.read(member)) if member in archive.NameToInfo else None

    def _open(self) -> _Opened:
        # Processes that share a file handle would move each other's place in it.
        return _opened(self.path, self._version, os.getpid())

    def _told(self) -> _Told:
        return _Told(self.path)


class _Told:
    """Whatever goes wrong within, in one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile)):
            raise UnreadableMedia(
                f"{self.path.name} is not a whole clip ({error}): delete it and run durian prepare again."
            ) from error


@dataclass(frozen=True)
class _Opened:
    archive: zipfile.ZipFile
    landmarks: np.ndarray


@lru_cache(maxsize=OPEN_CLIPS)
def _opened(path: Path, version: tuple[int, int], process: int) -> _Opened:
    archive = zipfile.ZipFile(path)
    landmarks = np.load(io.BytesIO(archive.read("landmarks.npy")))
    landmarks.setflags(write=False)
    return _Opened(archive, landmarks)


def write_clip(path: Path, about: ClipAbout, frames: Sequence[ClipFrame]) -> Path:
    """Write a clip; a file of its name is whole or absent.

    Args:
        path: ends in :data:`SUFFIX`.
        about: as many roles and people as there are frames.
        frames: in order.

    Raises:
        ValueError: frames and description do not agree.
    """
    if not len(frames) == len(about.roles) == len(about.people):
        raise ValueError(f"{len(frames)} frames, {len(about.roles)} roles and {len(about.people)} people do not agree.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, data in _members(about, frames):
            # A fixed time, so that the same frames make the same file.
            archive.writestr(zipfile.ZipInfo(name), data)
    os.replace(temporary, path)
    return path


def open_clips(folder: Path) -> list[Clip]:
    """All clips below a folder, by name.

    Raises:
        UnreadableMedia: there are none, or one is broken.
    """
    paths = sorted(path for path in folder.rglob(f"*{SUFFIX}") if not path.name.startswith("."))
    if not paths:
        raise UnreadableMedia(f"There are no clips in {folder}: make some with durian prepare --out {folder}.")
    return [Clip(path) for path in paths]


def _members(about: ClipAbout, frames: Sequence[ClipFrame]) -> Iterator[tuple[str, bytes]]:
    yield "about.json", json.dumps(asdict(about), indent=1).encode()
    yield "landmarks.npy", _npy(np.stack([frame.landmarks for frame in frames]).astype(np.float32))
    for number, frame in enumerate(frames):
        yield f"frames/{number:05d}.webp", _coded(frame.image, "WEBP", quality=WEBP_QUALITY, method=WEBP_EFFORT)
        for category, mask in frame.masks.items():
            yield f"masks/{category}/{number:05d}.png", _coded(mask, "PNG")


def _about(text: bytes) -> ClipAbout:
    values = json.loads(text)
    for name in ("roles", "items", "people"):
        values[name] = tuple(values[name])
    values["item_frames"] = {name: tuple(numbers) for name, numbers in values["item_frames"].items()}
    return ClipAbout(**values)


def _coded(image: np.ndarray, form: str, **options: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, form, **options)
    return buffer.getvalue()


def _decoded(data: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()

"""Training clips: frames of one person, their landmarks, and masks of the items they wear.

A clip is one ZIP file, made by ``durian prepare`` from a video or a synthetic scene: ``frames/00000.webp``,
``masks/hair/00000.png`` (255 where the item covers a whole pixel), ``landmarks.npy``, ``about.json`` and, if asked for,
``drafts/00/00000.webp``. Frames are read one at a time, so a clip costs no more memory than
what is drawn from it, and few files are open at once however many clips there are.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from durian.errors import UnreadableMedia
from durian.media.files import atomic_output
from durian.schema import Checked, Real, Switch, Text, Whole, checked

SUFFIX = ".clip"
CATEGORIES = ("hair", "glasses", "hat", "beard")
"""Items that the paper transfers (its training data's categories)."""
ROLES = ("target", "portrait", "reference")
"""Frames of a video are all targets. A synthetic scene also has portraits (the same person without the item) and
references (another person with it)."""
WEBP_QUALITY, WEBP_EFFORT = 92, 4
"""Taste: at 256 px a frame takes 7 to 15 KB, and its noise hides the rest."""
OPEN_CLIPS = 32
"""Clips that a process keeps open, the last ones read: a sample reads one clip many times, and files are few."""


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
class DraftPair(Checked):
    """The frames that drafts were made from: ``portrait`` puts on the ``category`` that ``attribute`` wears.

    ``has_truth``: the two are different people, and the targets show the first with the item.
    """

    category: Text
    attribute: Whole
    portrait: Whole
    has_truth: Switch


@dataclass(frozen=True)
class ClipAbout(Checked):
    """Description of a clip, as its ``about.json`` holds it.

    Attributes:
        name: unique in its folder.
        size: S, pixels along a frame's side.
        fps: frames per second of the targets.
        roles: of each frame, one of :data:`ROLES`.
        items: categories that can be transferred: those with a mask in every target, or a scene's true items.
        people: who each frame shows: equal numbers are the same person.
        source: where it is from, for people to read.
        kind: ``video``, or a synthetic scene's kind (:data:`durian.synthetic.scenes.scenes.KINDS`).
        item_frames: of a scene, for each item the numbers of the references that wear it.
        drafts: pairs of which there is a draft of every target.
    """

    name: str
    size: Whole
    fps: Real
    roles: tuple[Text, ...]
    items: tuple[Text, ...]
    people: tuple[Whole, ...]
    source: str = ""
    kind: Text = "video"
    item_frames: dict[str, tuple[Whole, ...]] = field(default_factory=dict)
    drafts: tuple[DraftPair, ...] = ()

    def frames_of(self, role: str) -> list[int]:
        """Numbers of the frames with a role."""
        return [number for number, other in enumerate(self.roles) if other == role]

    @property
    def has_truth(self) -> bool:
        """Whether its targets show somebody wearing what another person, the reference, wears."""
        return "reference" in self.roles and bool(self.item_frames)


class Clip:
    """A clip's file; it may be sent to other processes, each of which opens it for itself."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            UnreadableMedia: the file is missing, broken or not a clip.
        """
        self.path = path
        with _told(path), zipfile.ZipFile(path) as archive:
            self.about = _about(archive.read("about.json"))

    def __len__(self) -> int:
        return len(self.about.roles)

    @property
    def landmarks(self) -> np.ndarray:
        """``(N, 478, 3) float32`` of all frames, to be read only.

        Raises:
            UnreadableMedia: the file cannot be read any more.
        """
        with _told(self.path):
            return _landmarks(self.path, os.getpid())

    def frame(self, number: int, categories: Sequence[str] = CATEGORIES) -> ClipFrame:
        """A frame with the masks of some categories.

        Raises:
            UnreadableMedia: the file cannot be read any more.
        """
        with _told(self.path):
            image = _decoded(_archive(self.path, os.getpid()).read(f"frames/{number:05d}.webp"))
        masks = {name: mask for name in categories if (mask := self.mask(number, name)) is not None}
        return ClipFrame(image, self.landmarks[number], masks)

    def mask(self, number: int, category: str) -> np.ndarray | None:
        """A frame's mask alone, ``(S, S) uint8``; ``None`` where nothing of the category is seen.

        Raises:
            UnreadableMedia: the file cannot be read any more.
        """
        with _told(self.path):
            archive, member = _archive(self.path, os.getpid()), f"masks/{category}/{number:05d}.png"
            return _decoded(archive.read(member)) if member in archive.NameToInfo else None

    def draft(self, pair: int, number: int) -> np.ndarray:
        """A target as the preview makes it from a pair of ``about.drafts``, ``(S, S, 3) uint8``.

        Raises:
            UnreadableMedia: the file cannot be read any more.
        """
        with _told(self.path):
            return _decoded(_archive(self.path, os.getpid()).read(_draft_name(pair, number)))


@lru_cache(maxsize=OPEN_CLIPS)
def _archive(path: Path, process: int) -> zipfile.ZipFile:
    # Processes that share a file handle would move each other's place in it, so each has its own.
    return zipfile.ZipFile(path)


@lru_cache(maxsize=OPEN_CLIPS)
def _landmarks(path: Path, process: int) -> np.ndarray:
    landmarks = np.load(io.BytesIO(_archive(path, process).read("landmarks.npy")))
    landmarks.setflags(write=False)
    return landmarks


def _draft_name(pair: int, number: int) -> str:
    return f"drafts/{pair:02d}/{number:05d}.webp"


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever goes wrong within, in one sentence."""
    try:
        yield
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise UnreadableMedia(
            f"{path.name} is not a whole clip ({error}): delete it and run durian prepare again."
        ) from error


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
    _write(path, _members(about, frames))
    return path


def write_drafts(path: Path, drafts: Sequence[tuple[DraftPair, Mapping[int, np.ndarray]]]) -> None:
    """Write a clip anew, with these drafts instead of those it had.

    Args:
        path: of a whole clip.
        drafts: of each pair, by target frame, pictures of the clip's size.

    Raises:
        UnreadableMedia: the clip cannot be read.
    """
    with _told(path), zipfile.ZipFile(path) as archive:
        kept = [
            (name, archive.read(name))
            for name in archive.namelist()
            if name != "about.json" and not name.startswith("drafts/")
        ]
        about = replace(_about(archive.read("about.json")), drafts=tuple(pair for pair, _ in drafts))
    made = [
        (_draft_name(place, number), _webp(picture))
        for place, (_, pictures) in enumerate(drafts)
        for number, picture in pictures.items()
    ]
    _write(path, [_about_member(about), *kept, *made])


def _write(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    with atomic_output(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            # A fixed time, so that the same frames make the same file.
            archive.writestr(zipfile.ZipInfo(name), data)
    # What this process read of an older file of this name is of no use any more.
    _archive.cache_clear()
    _landmarks.cache_clear()


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
    yield _about_member(about)
    yield "landmarks.npy", _npy(np.stack([frame.landmarks for frame in frames]).astype(np.float32))
    for number, frame in enumerate(frames):
        yield f"frames/{number:05d}.webp", _webp(frame.image)
        for category, mask in frame.masks.items():
            yield f"masks/{category}/{number:05d}.png", _coded(mask, "PNG")


def _about_member(about: ClipAbout) -> tuple[str, bytes]:
    return "about.json", json.dumps(asdict(about), indent=1).encode()


def _about(text: bytes) -> ClipAbout:
    return checked(ClipAbout, json.loads(text), "about.json")


def _webp(image: np.ndarray) -> bytes:
    return _coded(image, "WEBP", quality=WEBP_QUALITY, method=WEBP_EFFORT)


def _coded(image: np.ndarray, form: str, **options: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, form, **options)
    return buffer.getvalue()


def _decoded(data: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as picture:
        return np.asarray(picture)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()

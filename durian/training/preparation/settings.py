"""Settings of a preparation: the sources, and the clips that are wanted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from durian.clips import CATEGORIES
from durian.errors import InvalidRequest

SIZES = (64, 1024)
"""Pixels along a frame's side: least and most."""
SIZE_MULTIPLE = 8
"""Sides that autoencoders take."""
FRAME_RATE = 15.0
"""Frames per second of clips. The lineage learns motion from every fourth frame of 30 a second; parsing a frame takes
half a second."""
MOST_FRAMES = 120
"""Frames of the longest clip: longer shots become several, which keeps what a process holds below 0.2 GB at 256 px."""
MOST_DRAFTS = 99
"""Pairs of a clip; each costs as much of a disk as its frames."""
LICENCE = "These clips keep the rights of the videos they are made from: see the licence of each clip's source."
"""Licence of clips whose sources' folder names none."""


@dataclass(frozen=True)
class Preparation:
    """How the clips of a folder are made.

    Attributes:
        sources: folder of videos, photos or synthetic scenes.
        out: folder of the clips.
        kind: ``videos``, ``portraits`` or ``scenes``.
        size: pixels along a frame's side.
        fps: most frames per second of videos.
        most_frames: of a clip.
        categories: of :data:`durian.clips.CATEGORIES`.
        masks: folder with masks of the videos' frames; the parser makes them if there is none.
        drafts: pairs of frames of each clip from which drafts of all its targets are made.
    """

    sources: Path
    out: Path
    kind: str = "videos"
    size: int = 256
    fps: float = FRAME_RATE
    most_frames: int = MOST_FRAMES
    categories: tuple[str, ...] = CATEGORIES
    masks: Path | None = None
    drafts: int = 0

    def __post_init__(self) -> None:
        if not SIZES[0] <= self.size <= SIZES[1] or self.size % SIZE_MULTIPLE:
            raise InvalidRequest(
                f"Frames of {self.size} px are not possible: give a multiple of {SIZE_MULTIPLE} from {SIZES[0]} to "
                f"{SIZES[1]}."
            )
        if not 0 <= self.drafts <= MOST_DRAFTS:
            raise InvalidRequest(f"{self.drafts} drafts of a clip are not possible: give 0 to {MOST_DRAFTS}.")
        if not 1 <= self.fps <= 120:
            raise InvalidRequest(f"{self.fps:g} frames a second are out of range: give a value from 1 to 120.")
        for folder in (self.sources, self.masks):
            if folder is not None and not folder.is_dir():
                raise InvalidRequest(f"{folder} is not a folder: give one that is there.")

    def about(self) -> dict[str, object]:
        """Settings that all clips of a folder share; those of other settings do not mix."""
        names = ("kind", "size", "categories", "drafts", *(("fps", "most_frames") if self.kind == "videos" else ()))
        shared: dict[str, object] = {name: getattr(self, name) for name in names}
        for name in ("sources", "masks"):
            folder = getattr(self, name)
            shared[name] = folder and folder.resolve().name
        # As JSON gives it back: lists for tuples.
        return json.loads(json.dumps({**shared, "licence": self._licence()}))

    def _licence(self) -> str:
        about = self.sources / "about.json"
        if self.kind == "scenes" and about.is_file():
            return json.loads(about.read_text()).get("licence", LICENCE)
        return LICENCE

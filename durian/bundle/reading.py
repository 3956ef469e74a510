"""Reading of bundles from untrusted sources: every size, name and type is checked before it is used."""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from durian.bundle import arrays as bundle_arrays
from durian.bundle import settings as bundle_settings
from durian.bundle.members import open_members, read_member
from durian.errors import DurianError, InvalidRequest, LimitExceeded, UnreadableMedia
from durian.face import check_crop
from durian.media.files import open_regular
from durian.motion import Motion
from durian.request import AnimationRequest, Attribute, Portrait
from durian.settings import get_settings

MAX_MEMBERS = 64
"""Eight attributes with picture and mask, six worn masks and the rest make 30."""
MAX_SETTINGS_BYTES = 1_000_000
FASTEST_DRIVING = 120
"""Frames a second of a driving video, from which the longest motion follows."""
ROUNDING = 1.01
"""A picture of the working size has a row or a column more at most."""
WORN = "portrait/worn_"
"""How the masks of what the portrait wears begin."""
PNG_HEAD = 24
"""Bytes of a PNG up to its width and height."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""Errors that :mod:`zipfile` raises on damaged, encrypted or oddly compressed members."""


class BundleReader:
    """An open bundle; a context manager.

    Raises:
        UnreadableMedia: from every method, when the bundle is not sound.
        LimitExceeded: from every method, when something is too large.
    """

    def __init__(self, path: str | os.PathLike[str], version: int) -> None:
        self._name = Path(path).name
        self._limit = get_settings().max_file_mb * 1_000_000
        self._file = open_regular(path, "bundle that Durian saved")
        try:
            with self._sentences():
                self._archive = open_members(self._file)
            self._check_members()
            with self._sentences():
                self._settings = bundle_settings.parse(self._settings_text(), version)
        except BaseException as error:
            self._file.close()
            if isinstance(error, (*_BROKEN, ValueError)) and not isinstance(error, DurianError):
                raise self._unreadable("is not a ZIP or is damaged") from error
            raise

    def _check_members(self) -> None:
        members = self._archive.infolist()
        self._members = {member.filename: member for member in members}
        if len(members) > MAX_MEMBERS or len(self._members) != len(members):
            raise self._unreadable("does not have a bundle's files")
        if sum(member.file_size for member in members) > self._limit:
            raise LimitExceeded(
                f"{self._name} unpacks to more than {get_settings().max_file_mb} MB: give a smaller one."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()
        self._file.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def content(self, name: str) -> bytes:
        """A member's content. Its declared size was checked."""
        if name not in self._members:
            raise self._unreadable(f"lacks {name}")
        try:
            return read_member(self._archive, self._members[name])
        except _BROKEN as error:
            raise self._unreadable(f"is damaged at {name}") from error

    def extra(self) -> dict[str, Any]:
        """Data saved beside the request. Any JSON: its user has to check it."""
        return self._settings.extra

    def request(self) -> AnimationRequest:
        """The request that was saved."""
        settings = self._settings
        limit = get_settings().max_attributes
        if len(settings.attributes) > limit:
            raise LimitExceeded(f"{len(settings.attributes)} attributes are too many: use at most {limit}.")
        self._check_pixels()
        with self._sentences():
            self._check_masks()
            landmarks = self._arrays("landmarks.npz")
            return AnimationRequest(
                portrait=self._portrait(settings.portrait, landmarks),
                attributes=tuple(self._attribute(i, a, landmarks) for i, a in enumerate(settings.attributes)),
                motion=None if settings.motion is None else self._motion(settings.motion),
                options=settings.options,
                mode=settings.mode,
                blend_start=settings.blend_start,
                blend_end=settings.blend_end,
                erase=settings.erase,
                renderer=settings.renderer,
                diffusion=settings.diffusion,
            )

    def check_working_size(self) -> None:
        """
        Raises:
            LimitExceeded: a picture is larger than an upload is worked on; told from its header.
        """
        # A reference may be the portrait's own picture, and then has its size.
        most = max(get_settings().portrait_megapixels, get_settings().reference_megapixels)
        for name in (name for name in self._members if name.endswith("image.png")):
            if self._pixels(name) > ROUNDING * most * 1_000_000:
                raise LimitExceeded(
                    f"{self._name} holds a picture of {self._pixels(name) / 1e6:.0f} megapixels: at most {most:g} are "
                    "restored; save it again from a smaller one."
                )

    # Parts

    def _portrait(self, saved: bundle_settings.SavedPortrait, landmarks: dict[str, np.ndarray]) -> Portrait:
        image = self._picture("portrait/image.png")
        points = bundle_arrays.landmarks_of(landmarks, "portrait", image.shape)
        check_crop(saved.crop, points, image.shape, what="its crop")
        return Portrait(
            image=image,
            landmarks=points,
            crop=saved.crop,
            worn={name: self._picture(f"{WORN}{name}.png")[..., 0].copy() for name in saved.worn},
        )

    def _attribute(
        self, index: int, saved: bundle_settings.SavedAttribute, landmarks: dict[str, np.ndarray]
    ) -> Attribute:
        image, key = self._picture(f"attributes/{index}/image.png"), f"attribute_{index}"
        return Attribute(
            image=image,
            mask=self._picture(f"attributes/{index}/mask.png")[..., 0].copy(),
            landmarks=bundle_arrays.landmarks_of(landmarks, key, image.shape) if key in landmarks else None,
            name=saved.name,
            strength=saved.strength,
            trim=saved.trim,
            layer=saved.layer,
            placement=saved.placement,
        )

    def _motion(self, saved: bundle_settings.SavedMotion) -> Motion:
        longest = math.ceil(get_settings().max_video_seconds * FASTEST_DRIVING)
        parts = bundle_arrays.motion_arrays(self._arrays("motion.npz"), longest)
        frames = len(parts["rotations"])
        if saved.frames not in (None, frames) or saved.neutral >= frames:
            raise InvalidRequest(f"its motion has {frames} frames, which its settings contradict.")
        return Motion(
            name=saved.name, fps=saved.fps, neutral=saved.neutral, neutral_opening=saved.neutral_opening, **parts
        )

    # Values

    def _settings_text(self) -> bytes:
        if "settings.json" in self and self._members["settings.json"].file_size > MAX_SETTINGS_BYTES:
            raise LimitExceeded("its settings are larger than a megabyte.")
        return self.content("settings.json")

    def _check_pixels(self) -> None:
        """Compare what all pictures will unpack to with the limit, from their headers, before one is decoded."""
        from durian.media import check_together

        pictures = [name for name in self._members if name.endswith(".png") and name != "result.png"]
        # A mask takes a third of the memory that its picture takes.
        pixels = sum(self._pixels(name) // (1 if name.endswith("image.png") else 3) for name in pictures)
        check_together(pixels, f"The pictures in {self._name}", "give a bundle of fewer or smaller ones")

    def _check_masks(self) -> None:
        """Compare masks with their pictures, from their headers: one may be far larger than what is worked on."""
        for name in (name for name in self._members if name.endswith("/mask.png") or name.startswith(WORN)):
            picture = f"{name.rpartition('/')[0]}/image.png"
            if picture in self and self._size(name) != self._size(picture):
                (width, height), (of_width, of_height) = self._size(name), self._size(picture)
                raise InvalidRequest(
                    f"its {name} has {width}×{height} pixels and the picture {of_width}×{of_height}, so give one that "
                    "Durian saved."
                )

    def _pixels(self, name: str) -> int:
        width, height = self._size(name)
        return width * height

    def _size(self, name: str) -> tuple[int, int]:
        """Width and height of a picture, by its header."""
        try:
            head = read_member(self._archive, self._members[name], PNG_HEAD)
        except _BROKEN as error:
            raise self._unreadable(f"is damaged at {name}") from error
        if len(head) < PNG_HEAD or not head.startswith(b"\x89PNG\r\n\x1a\n") or head[12:16] != b"IHDR":
            raise self._unreadable(f"is damaged at {name}")
        width, height = struct.unpack(">II", head[16:])
        return width, height

    def _picture(self, name: str) -> np.ndarray:
        from durian.media import pixel_count, read_image

        data = self.content(name)
        try:
            # A PNG may tell of its size twice, and the first is what was weighed.
            if pixel_count(data) != self._pixels(name):
                raise self._unreadable(f"is damaged at {name}")
            return read_image(data)
        except UnreadableMedia as error:
            raise self._unreadable(f"is damaged at {name}") from error

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        data = self.content(name)
        try:
            return bundle_arrays.read_arrays(data)
        except LimitExceeded as error:
            raise LimitExceeded(f"{name} in it is too large.") from error
        except _BROKEN as error:
            raise self._unreadable(f"is damaged at {name}") from error

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """Say of what is wrong inside that it is this bundle's."""
        try:
            yield
        except UnreadableMedia:
            raise
        except InvalidRequest as error:
            raise UnreadableMedia(f"{self._name} cannot be restored: {error}") from error
        except LimitExceeded as error:
            raise LimitExceeded(f"{self._name} cannot be restored: {error}") from error

    def _unreadable(self, what: str) -> UnreadableMedia:
        return UnreadableMedia(f"{self._name} {what}: give a bundle that Durian saved.")

"""The pictures of one request: measured before anything is unpacked, then each file unpacked once and shared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from durian import masks
from durian.errors import InvalidRequest
from durian.face import Face, detect_faces
from durian.media import Picture, check_together, pixel_count, read_picture
from durian.settings import get_settings

Source = Path | np.ndarray
"""A file, or a picture ``(H, W, 3) uint8`` that is taken as it is."""


class RequestPictures:
    """Reads what one request needs; files that are used several times are held once.

    A portrait is worked on at up to ``portrait_megapixels``, references at up to ``reference_megapixels``. A file that
    is both is unpacked for the portrait.

    Args:
        portrait: the portrait, if it is to be read.
        references: the items' pictures.

    Raises:
        UnreadableMedia: a file is not a picture.
        LimitExceeded: one is too large, or all are together.
    """

    def __init__(self, portrait: Source | None = None, references: Iterable[Source] = ()) -> None:
        self._portrait = None if portrait is None else _key(portrait)
        self._pictures: dict[object, Picture] = {}
        self._references: dict[object, Picture] = {}
        self._faces: dict[int, list[Face]] = {}
        given = {_key(source): source for source in (*([] if portrait is None else [portrait]), *references)}
        self._pixels = {
            key: source.shape[0] * source.shape[1] if isinstance(source, np.ndarray) else pixel_count(source)
            for key, source in given.items()
        }
        check_together(
            sum(self._pixels.values()), "The pictures of this request", "leave some out or make them smaller"
        )

    def megapixels(self, source: Source) -> float:
        """At how many a reference is worked on, known before it is unpacked."""
        given = self._pixels[_key(source)] / 1e6
        return given if isinstance(source, np.ndarray) else min(given, get_settings().reference_megapixels)

    def portrait(self, source: Source) -> Picture:
        """The portrait at the size it is worked on."""
        return self._read(source, get_settings().portrait_megapixels)

    def reference(self, source: Source) -> Picture:
        """A reference at the size it is worked on."""
        if isinstance(source, np.ndarray):
            return self._read(source, None)
        key, limits = _key(source), get_settings()
        if key not in self._references:
            largest = limits.portrait_megapixels if key == self._portrait else limits.reference_megapixels
            self._references[key] = self._read(source, largest).within(limits.reference_megapixels)
        return self._references[key]

    def faces(self, picture: Picture) -> list[Face]:
        """The picture's faces, looked for once."""
        # The pictures are kept here, so no other one can come to have this one's identity.
        key = id(picture.image)
        if key not in self._faces:
            self._faces[key] = detect_faces(picture.image)
        return self._faces[key]

    def _read(self, source: Source, megapixels: float | None) -> Picture:
        key = _key(source)
        if key not in self._pictures:
            self._pictures[key] = (
                Picture.whole(source) if isinstance(source, np.ndarray) else read_picture(source, megapixels)
            )
        return self._pictures[key]


def read_mask_of(source: Source, picture: Picture) -> np.ndarray:
    """The mask of ``picture``, given at its original's size, at the size it is worked on: ``(H, W) uint8``.

    Raises:
        UnreadableMedia: not a picture; InvalidRequest: of another size, or missing.
    """
    width, height = picture.given
    size = (picture.image.shape[1], picture.image.shape[0])
    if isinstance(source, np.ndarray):
        return masks.resized(source, size) if source.shape == (height, width) else source
    if not Path(source).exists():
        raise InvalidRequest(f"The mask {Path(source).name} does not exist: give a picture file.")
    return masks.read_mask(source, (height, width), size)


def _key(source: Source) -> object:
    return id(source) if isinstance(source, np.ndarray) else Path(source).resolve()

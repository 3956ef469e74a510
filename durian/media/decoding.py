"""Opening picture files and unpacking them: from any format to a Pillow image no larger than it is needed.

Every picture a visitor gives comes through here: the content chooses the decoder, and sizes are checked on the header.
What a decoder takes all the same has limits where a server reads (:mod:`durian.media.apart`).
"""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from durian.errors import DurianError, LimitExceeded, UnreadableMedia
from durian.media import results
from durian.media.apart import PICTURE, called_apart
from durian.media.avif_frames import exif_of_avif, unpacked_pixels
from durian.media.colour import in_8_bits
from durian.media.files import check_bytes, check_pixels, open_regular
from durian.media.heif_lists import check_lists
from durian.media.heif_parts import decoded_pixels, told_bytes
from durian.media.jpeg_scans import check_scans
from durian.media.kinds import HEAD_BYTES, IMAGE_FORMATS, IMAGE_KINDS, describe_kind, sniff
from durian.media.metered import MeteredStream, has_readable_exif
from durian.media.png_colour import add_profile, read_coding, scale_transparency
from durian.media.tiff_blocks import check_blocks
from durian.media.tiff_tags import check_exif, check_tags
from durian.media.unfinished_jpeg import with_its_end
from durian.media.webp_chunks import check_chunks
from durian.settings import get_settings

if TYPE_CHECKING:
    from PIL import Image
    from PIL.TiffImagePlugin import TiffImageFile

REDUCING_GAP = 2.0
"""Whole blocks are averaged down to this times the wanted size, the rest is resampled; as Pillow's own thumbnails."""

MOST_OF_PARTS = 2
"""Times ``max_megapixels``: tiles reach over the picture's edge, and what tells transparency has as many again."""
MOST_OF_FRAMES = 8
"""Times ``max_megapixels``: of a picture's layers, its transparency and what tells how to show it brighter."""
MOST_TOLD_BYTES = 50_000_000
"""Of EXIF, XMP and colour profiles of all pictures in a HEIF; a telephone's file has less than one megabyte."""
BIG_ENDIAN_BIG = b"MM\0+"
"""How a BigTIFF with the highest byte first begins, which Pillow takes for another TIFF."""

_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)
"""EXIF's tag, and its values that swap width and height."""


@dataclass(frozen=True)
class PictureFile:
    """An open picture of a known ``kind`` (:data:`IMAGE_KINDS`), nothing of it unpacked; ``name`` is for sentences."""

    stream: MeteredStream
    kind: str
    name: str


@contextmanager
def open_picture_file(source: str | os.PathLike[str] | bytes) -> Iterator[PictureFile]:
    """Open a picture and tell its kind from its content.

    Args:
        source: a path, or the file's bytes.

    Raises:
        UnreadableMedia: missing, not a regular file, empty, or not a picture.
        LimitExceeded: too many bytes.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        name = "The picture"
        stream: BinaryIO = io.BytesIO(source)
        check_bytes(len(source), name)
    else:
        name, stream = Path(source).name, open_regular(source, IMAGE_FORMATS)
    with stream:
        kind = sniff(stream.read(HEAD_BYTES))
        if kind not in IMAGE_KINDS:
            raise UnreadableMedia(f"{name} {describe_kind(kind)}: choose a {IMAGE_FORMATS}.")
        yield PictureFile(MeteredStream(stream, kind, name), kind, name)


@contextmanager
def open_header(file: PictureFile) -> Iterator[Image.Image]:
    """The picture with its header read. Whatever goes wrong in here is told in one sentence.

    Raises:
        UnreadableMedia: cut off or damaged.
        LimitExceeded: Pillow already refuses its size, or it holds far more than pixels.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 megapixels on; our own limit is what counts.
            warnings.simplefilter("ignore")
            with _opened(file) as image:
                file.stream.end_header()
                yield image
    except DurianError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(file) from error
    except Exception as error:
        # On hostile files the decoders raise nearly anything: OSError, SyntaxError, struct.error, KeyError, zlib.error.
        raise UnreadableMedia(f"{file.name} is cut off or damaged: choose a complete {IMAGE_FORMATS}.") from error


def _opened(file: PictureFile) -> Image.Image:
    from PIL import Image, UnidentifiedImageError
    from PIL.TiffImagePlugin import TiffImageFile

    if file.kind == "heif":
        # By its own class: nothing is registered, so no other package's HEIF reader is in the way.
        from pi_heif import HeifImageFile

        _check_parts(file)
        return HeifImageFile(file.stream)
    if file.kind == "avif":
        _check_frames(file)
    if file.kind == "tiff":
        check_blocks(file.stream, file.name)
        check_tags(file.stream, file.name)
        file.stream.seek(0)
        if file.stream.read(4) == BIG_ENDIAN_BIG:
            return _deep(file)
        file.stream.seek(0)
    if file.kind == "webp":
        check_chunks(file.stream, file.name)
        file.stream.seek(0)
    coding = read_coding(file.stream) if file.kind == "png" else None
    try:
        image = Image.open(file.stream, formats=[file.kind.upper()])
        if file.kind == "png":
            add_profile(image, coding)
            scale_transparency(image)
        if not (isinstance(image, TiffImageFile) and _is_misread(image)):
            return image
    except UnidentifiedImageError:
        if file.kind != "tiff":
            raise
    return _deep(file)


def _deep(file: PictureFile) -> Image.Image:
    from durian.media.deep_tiff import DeepTiffFile

    file.stream.seek(0)
    return DeepTiffFile(file.stream, file.name)


def _check_parts(file: PictureFile) -> None:
    """
    Raises:
        LimitExceeded: the picture is put together from far more pixels than one of ours may have, far too much is told
            about it and others in its file, or far too many are listed.
    """
    check_lists(file.stream, file.name)
    pixels, limit = decoded_pixels(file.stream), MOST_OF_PARTS * get_settings().max_megapixels
    told = told_bytes(file.stream)
    file.stream.seek(0)
    if told > MOST_TOLD_BYTES:
        raise LimitExceeded(
            f"{file.name} holds {told / 1e6:.0f} MB of metadata and colour profiles: save it again without metadata."
        )
    if pixels > limit * 1_000_000:
        raise LimitExceeded(
            f"{file.name} is put together from parts of {pixels / 1e6:.0f} megapixels: at most {limit} are unpacked; "
            "save it as one picture."
        )


def _check_frames(file: PictureFile) -> None:
    """
    Raises:
        LimitExceeded: an AVIF's frames are far larger than one of ours may be, or far more, also of those that are
            only listed, or its EXIF is far longer than one needs.
        UnreadableMedia: where that lies is told twice.
    """
    check_lists(file.stream, file.name)
    for exif in exif_of_avif(file.stream):
        check_exif(exif, file.name)
    (largest, together), limit = unpacked_pixels(file.stream), get_settings().max_megapixels
    file.stream.seek(0)
    if largest > MOST_OF_PARTS * limit * 1_000_000 or together > MOST_OF_FRAMES * limit * 1_000_000:
        raise LimitExceeded(
            f"{file.name} holds frames of far more than {limit} megapixels: save it as one picture of its own size."
        )


def _is_misread(image: TiffImageFile) -> bool:
    """Whether Pillow would mix up a TIFF's channels: more than 8 bits each, stored one channel after the other, or
    brightness and colour differences without compression."""
    bits, compression, photometric, planar = 258, 259, 262, 284
    tags = image.tag_v2
    is_plain_ycbcr = tags.get(photometric) == 6 and tags.get(compression, 1) == 1
    return is_plain_ycbcr or (tags.get(planar) == 2 and max(tags.get(bits, (8,))) > 8)


def loaded(file: PictureFile, image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture of :func:`open_header` unpacked.

    Args:
        file, image: as opened.
        size: width and height down to which it may be unpacked; a JPEG is, where a half, a quarter or an eighth is
            still as large.

    Raises:
        LimitExceeded: a JPEG of too many scans.
    """
    if file.kind != "jpeg":
        image.load()
        return image
    check_scans(file.stream, file.name)
    image.draft(None, size)
    try:
        image.load()
        return image
    except OSError:
        complete = with_its_end(file.stream, size)
        if complete is None:
            raise
        return complete


@called_apart(PICTURE, results.whole)
def pixel_count(source: str | os.PathLike[str] | bytes) -> int:
    """Pixels of a picture by its header, without unpacking it; a size beyond the limits is refused.

    Raises:
        UnreadableMedia: not a picture that is read.
        LimitExceeded: too many bytes or pixels, or too few.
    """
    with open_picture_file(source) as file, open_header(file) as image:
        check_pixels(*image.size, file.name)
        return image.size[0] * image.size[1]


def working_size(width: int, height: int, megapixels: float | None) -> tuple[int, int]:
    """The size at which a picture of ``width`` × ``height`` is worked on; ``None`` keeps it whole."""
    if megapixels is None:
        return width, height
    side = get_settings().working_side
    scale = min(1.0, side / max(width, height), math.sqrt(megapixels * 1e6 / (width * height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def unpack(
    file: PictureFile, finish: Callable[[Image.Image], np.ndarray], megapixels: float | None = None
) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode a picture, upright and at most at its working size.

    Args:
        file: of :func:`open_picture_file`.
        finish: makes the result from the picture, which is in a mode of :func:`durian.media.colour.in_8_bits`.
        megapixels: most that are wanted; ``None`` keeps the picture whole.

    Returns:
        What ``finish`` made, and the picture's own width and height, upright.

    Raises:
        UnreadableMedia, LimitExceeded: as :func:`open_header`, and too many pixels or too few.
    """
    from PIL import Image

    with open_header(file) as image:
        check_pixels(*image.size, file.name)
        size = image.size
        image = loaded(file, image, working_size(*size, megapixels))
        if file.kind == "heif":
            # A HEIF's header may tell another size than its parts have.
            size = image.size
            check_pixels(*size, file.name)
        orientation = orientation_of(image)
        small, wanted = in_8_bits(image), working_size(*size, megapixels)
        if small.size != wanted:
            small = small.resize(wanted, Image.Resampling.BICUBIC, reducing_gap=REDUCING_GAP)
        return finish(upright(small, orientation)), size[::-1] if orientation in _ON_ITS_SIDE else size


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation of a loaded picture, 1 to 8; 1 where it is upright."""
    orientation = image.getexif().get(_ORIENTATION, 1) if has_readable_exif(image) else 1
    return orientation if orientation in range(1, 9) else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Undo how the camera was held, by the EXIF standard's table."""
    from PIL import Image

    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


def _too_large(file: PictureFile) -> LimitExceeded:
    """The limit's own sentence for a picture so large that Pillow refuses to tell its size."""
    limits = get_settings()
    return LimitExceeded(
        f"{file.name} would unpack to far more than {limits.max_megapixels} megapixels ({file.kind.upper()}): at most "
        f"{limits.max_megapixels} megapixels and {limits.max_image_side} pixels a side are read; make it smaller."
    )

"""Recognition of a file's kind from its first bytes, and the words for it."""

from __future__ import annotations

import contextlib
import re
import struct

IMAGE_KINDS = ("jpeg", "png", "webp", "heif", "avif", "bmp", "tiff", "gif")
VIDEO_KINDS = ("mp4", "matroska", "avi", "gif")
IMAGE_FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, BMP, TIFF or GIF picture"
VIDEO_FORMATS = "MP4, MOV, WebM, MKV, AVI or GIF video"

HEAD_BYTES = 4096
"""How much of a file :func:`sniff` looks at; every magic number lies in the first 16 bytes, text needs a few more."""

RAW = "a camera's raw file"

_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"ID3", "sound"),
    (b"OggS", "sound"),
    (b"fLaC", "sound"),
    (b"\xff\xfb", "sound"),
    (b"\xff\xf3", "sound"),
    (b"\xff\xf1", "sound"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"8BPS", "a Photoshop file"),
    (b"BM", "bmp"),
    (b"\0\0\1\0", "an icon"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),
    (b"%!PS", "an EPS or PostScript drawing"),
    (b"\xc5\xd0\xd3\xc6", "an EPS or PostScript drawing"),
    (b"\0\0\1\xba", "an MPEG program stream"),
    (b"FLV\x01", "a Flash video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMV or ASF file"),
)
_PPM = re.compile(rb"P[1-6]\s+(#[^\n]*\n\s*)*\d+\s+\d+\s")
"""A netpbm picture up to its size."""
_PACKETS = (188, 192)
"""Bytes from one packet of an MPEG transport stream to the next, each of which begins with a G: as it is broadcast,
and with a time of four bytes before each (M2TS)."""
_DNG_VERSION, _NEW_SUBFILE_TYPE, _SUB_IFDS = 50706, 254, 330
"""TIFF's tags."""
_BOXES = {b"JXL ": "a JPEG XL picture", b"jP  ": "a JPEG 2000 picture"}
_RIFF = {b"WEBP": "webp", b"AVI ": "avi", b"WAVE": "sound"}
_AVIF_BRANDS = (b"avif", b"avis", b"avio")
_HEIF_BRANDS = tuple(
    b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 mif3 msf1 miaf MiHE MiHB MiHA MiPr jpeg jpgs avci avcs".split()
)
"""ISO/IEC 23008-12, annexes B and D to F, and 23000-22: stills and their sequences, whatever codes their pixels."""
_QUICKTIME_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def sniff(head: bytes) -> str:
    """Tell a file's kind from its first bytes; its name is not trusted.

    Returns:
        One of :data:`IMAGE_KINDS` or :data:`VIDEO_KINDS`, ``"empty"``, ``"sound"``, ``"text"``, ``"unknown"``, or a
        noun with its article ("a PDF document") for kinds that people mistake for pictures.
    """
    if not head:
        return "empty"
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "unknown")
    if head[4:8] in _QUICKTIME_ATOMS:
        return _still_kind(head) or "mp4"
    if head[4:8] in _BOXES:
        return _BOXES[head[4:8]]
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return RAW if kind == "tiff" and _is_raw(head) else kind
    if _is_transport_stream(head):
        return "an MPEG transport stream"
    if _PPM.match(head):
        return "a PPM picture"
    if _is_tga(head):
        return "a TGA picture"
    if b"<svg" in head[:1024]:
        return "an SVG drawing"
    if b"\0" not in head:
        with contextlib.suppress(UnicodeDecodeError):
            # The head may end inside a multi-byte character, so the last three bytes are not judged.
            head[: max(1, len(head) - 3)].decode("utf-8")
            return "text"
    return "unknown"


def _still_kind(head: bytes) -> str | None:
    """``"heif"``, ``"avif"`` or a camera's kind where an ISO base media file is a still picture."""
    if head[4:8] != b"ftyp":
        return None
    if head[8:12] == b"crx ":
        return RAW
    major, length = head[8:12], int.from_bytes(head[:4], "big")
    others = [head[place : place + 4] for place in range(16, min(length, len(head)), 4)]
    # The major brand may be one that this file does not know, or the family's common one.
    if major in _AVIF_BRANDS or (major in (b"mif1", b"msf1", b"miaf") and any(b in _AVIF_BRANDS for b in others)):
        return "avif"
    return "heif" if major in _HEIF_BRANDS or b"mif1" in others else None


def _is_raw(head: bytes) -> bool:
    """Whether a TIFF is a camera's: marked as Canon's or a DNG, or its first picture a small copy of one inside."""
    if head[8:10] == b"CR":
        return True
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] not in (b"*\0", b"\0*")
    if is_big or len(head) < 8 or (start := struct.unpack_from(order + "I", head, 4)[0]) + 2 > len(head):
        return False
    count = struct.unpack_from(order + "H", head, start)[0]
    entries = range(start + 2, min(start + 2 + 12 * count, len(head) - 11), 12)
    tags = {struct.unpack_from(order + "H", head, place)[0]: head[place + 8 : place + 12] for place in entries}
    is_copy = tags.get(_NEW_SUBFILE_TYPE) == struct.pack(order + "I", 1)
    return _DNG_VERSION in tags or (_SUB_IFDS in tags and is_copy)


def _is_transport_stream(head: bytes) -> bool:
    return any(head[step - 188 :: step][:3] == b"GGG" for step in _PACKETS)


def _is_tga(head: bytes) -> bool:
    """By its fields, since its magic stands at the end: true colour or grey without a palette, 8 to 32 bits."""
    if len(head) < 18 or head[1] != 0 or head[2] not in (2, 3, 10, 11) or any(head[3:8]):
        return False
    return head[16] in (8, 15, 16, 24, 32) and head[17] & 0xC0 == 0 and all(struct.unpack_from("<HH", head, 12))


def is_animated(head: bytes, kind: str) -> bool:
    """Whether a picture of the kinds that may move does: WebP, PNG and AVIF.

    Args:
        head: the file's first :data:`HEAD_BYTES`.
        kind: as :func:`sniff` tells it.
    """
    if kind == "webp":
        return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)
    if kind == "png":
        return b"acTL" in head.partition(b"IDAT")[0]
    return kind == "avif" and head[8:12] == b"avis"


def with_article(words: str) -> str:
    """``"a"`` or ``"an"`` before words, as they are spoken."""
    return f"{'an' if words.startswith((*'aeiou', 'MP4', 'AVI')) else 'a'} {words}"


def describe_kind(kind: str) -> str:
    """The kind as words for a message, such as ``"is a video"``."""
    if kind in ("mp4", "matroska", "avi"):
        return "is a video"
    if kind in IMAGE_KINDS:
        return "is a picture"
    if kind == "sound":
        return "holds sound only"
    if kind == "text":
        return "holds text"
    if kind == "empty":
        return "is empty"
    return f"is {kind}" if kind.startswith("a") else "is of an unknown kind"

"""Metadata of results: the mark that a file was generated, and the settings it was made with.

Every result carries a readable title and comment, and the IPTC digital source type as XMP, which is what newsrooms
and photo libraries look for (IPTC Photo Metadata Standard 2023.2, "Digital Source Type").
"""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, unescape

from durian.errors import UnreadableMedia
from durian.media.files import open_regular
from durian.media.kinds import HEAD_BYTES, IMAGE_KINDS, sniff

TITLE = "AI-generated portrait animation made with Durian"
COMMENT = "AI-generated: this is not a recording of a real event."
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a composite in which a real photograph and generated content meet."""

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Type of the MP4 box that holds XMP (XMP specification part 3, "MPEG-4")."""
_GIF_COMMENT = b"!\xfe"
_PNG_XMP_KEYWORD = "XML:com.adobe.xmp"
_MAX_TEXT = 1_000_000
"""Characters of metadata that are read from a file; ours have a few thousand."""


def xmp_packet(metadata: Mapping[str, object] | None = None) -> str:
    """The XMP packet with title, source type and ``metadata`` (as JSON in the description)."""
    settings = json.dumps(dict(metadata or {}), ensure_ascii=False, default=str)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"<Iptc4xmpExt:DigitalSourceType>{DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(TITLE)}</rdf:li></rdf:Alt></dc:title>'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(settings)}</rdf:li></rdf:Alt></dc:description>'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def container_tags(metadata: Mapping[str, object] | None = None) -> dict[str, str]:
    """Title, comment and description for a video container; ``metadata`` goes as JSON into the description."""
    tags = {"title": TITLE, "comment": COMMENT, "digital_source_type": DIGITAL_SOURCE_TYPE}
    if metadata:
        tags["description"] = json.dumps(dict(metadata), ensure_ascii=False, default=str)
    return tags


def mark_png(png: bytes, metadata: Mapping[str, object] | None = None) -> bytes:
    """Insert the mark and ``metadata`` as text chunks behind the header of an encoded PNG."""
    entries = {"Title": TITLE, "Comment": COMMENT, _PNG_XMP_KEYWORD: xmp_packet(metadata)}
    if metadata:
        entries["Description"] = json.dumps(dict(metadata), ensure_ascii=False, default=str)
    chunks = b"".join(_text_chunk(keyword, text) for keyword, text in entries.items())
    header_end = 8 + 4 + 4 + 13 + 4  # signature, then IHDR: length, type, 13 bytes of data, checksum
    return png[:header_end] + chunks + png[header_end:]


def _text_chunk(keyword: str, text: str) -> bytes:
    body = b"iTXt" + keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def append_xmp_box(path: Path, metadata: Mapping[str, object] | None = None) -> None:
    """Append the XMP packet to an MP4 as its ``uuid`` box; players skip boxes they do not know."""
    body = _XMP_UUID + xmp_packet(metadata).encode("utf-8")
    with path.open("ab") as file:
        file.write(struct.pack(">I", len(body) + 8) + b"uuid" + body)


def append_gif_comment(path: Path, metadata: Mapping[str, object] | None = None) -> None:
    """Put the mark and ``metadata`` into a GIF as a comment block before its trailer byte."""
    settings = json.dumps(dict(metadata or {}), ensure_ascii=False, default=str)
    text = "\n".join((TITLE, COMMENT, DIGITAL_SOURCE_TYPE, settings)).encode("utf-8")
    # A block's text is cut into pieces of at most 255 bytes, each behind its length.
    pieces = (text[i : i + 255] for i in range(0, len(text), 255))
    block = _GIF_COMMENT + b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0;"
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b";":
            file.seek(-1, os.SEEK_END)
        file.write(block)


def read_metadata(path: str | os.PathLike[str]) -> dict[str, object]:
    """Read the mark and the settings from one of our PNG, JPEG, WebP, MP4, MKV or GIF files.

    Returns:
        ``title``, ``comment`` and ``digital_source_type`` where present, and every key given when it was written.
        An empty dict for a file of somebody else's without such marks.

    Raises:
        UnreadableMedia: the file is neither a picture nor a video.
    """
    path = Path(path)
    with open_regular(path, "PNG or MP4 made with Durian") as file:
        kind = sniff(file.read(HEAD_BYTES))
        file.seek(0)
        if kind == "gif":
            tags = _gif_tags(file)
        elif kind in IMAGE_KINDS:
            tags = _image_tags(file, kind, path.name)
        elif kind in ("mp4", "matroska", "avi"):
            tags = _video_tags(file, kind, path)
        else:
            raise UnreadableMedia(f"{path.name} is neither a picture nor a video: give a PNG or MP4 made with Durian.")
    result: dict[str, object] = {}
    if "description" in tags:
        result.update(_settings(tags["description"]))
    for key in ("title", "comment"):
        if key in tags:
            result[key] = tags[key]
    found = re.search(
        r"https?://cv\.iptc\.org/newscodes/digitalsourcetype/\w+",
        tags.get("xmp") or tags.get("digital_source_type", ""),
    )
    if found:
        result["digital_source_type"] = found.group(0)
    return result


def _settings(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        # Somebody else's description is a sentence, not our JSON.
        return {}
    return value if isinstance(value, dict) else {}


def _tail(file: BinaryIO) -> bytes:
    """The end of the file, where our own marks lie in videos."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _MAX_TEXT))
    return file.read()


def _gif_tags(file: BinaryIO) -> dict[str, str]:
    tail = _tail(file)
    start = tail.rfind(_GIF_COMMENT)
    text, position = b"", start + len(_GIF_COMMENT)
    while start >= 0 and position < len(tail) and tail[position]:
        text += tail[position + 1 : position + 1 + tail[position]]
        position += 1 + tail[position]
    if not text.startswith(TITLE.encode()):
        return {}
    return dict(
        zip(("title", "comment", "digital_source_type", "description"), text.decode().split("\n", 3), strict=False)
    )


def _image_tags(file: BinaryIO, kind: str, name: str) -> dict[str, str]:
    from durian.media.decoding import PictureFile, open_header
    from durian.media.metered import MeteredStream

    with open_header(PictureFile(MeteredStream(file, kind, name), kind, name)) as image:
        info = dict(image.info)
    tags = {k.lower(): v for k, v in info.items() if isinstance(k, str) and isinstance(v, str) and len(v) < _MAX_TEXT}
    packet = info.get(_PNG_XMP_KEYWORD) or info.get("xmp") or ""
    tags["xmp"] = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet)
    comment = info.get("comment")
    if isinstance(comment, bytes):
        tags["comment"] = comment.decode("utf-8", "replace")
    if "description" not in tags:
        found = re.search(
            r'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">(.*?)</rdf:li>', tags["xmp"], re.DOTALL
        )
        if found:
            tags["description"] = unescape(found.group(1))
    if "title" not in tags and escape(TITLE) in tags["xmp"]:
        tags["title"] = TITLE
    return tags


def _video_tags(file: BinaryIO, kind: str, path: Path) -> dict[str, str]:
    from durian.media.probing import open_container

    with open_container(path, kind) as container:
        tags = {k.lower(): v for k, v in container.metadata.items() if len(v) < _MAX_TEXT}
    if kind == "mp4":
        # The box is the last one we write, so only the end of the file is searched.
        tail = _tail(file)
        start = tail.rfind(b"uuid" + _XMP_UUID)
        if start >= 0:
            tags["xmp"] = tail[start + 20 :].decode("utf-8", "replace")
    return tags

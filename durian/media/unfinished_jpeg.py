"""JPEGs that lack only the marker at their end, which viewers show without an error."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from durian.media.metered import ByteSource

if TYPE_CHECKING:
    from PIL import Image

_END = b"\xff\xd9"
_NOISE = b"\x5a\xa3\x69" * 100
"""Put where the data ends: a decoder that still wants some makes another picture of it."""


def with_its_end(stream: ByteSource, size: tuple[int, int]) -> Image.Image | None:
    """The picture with the missing end marker put behind it, loaded; ``None`` where more than that is missing.

    Decoders fill up what is missing with grey and do not tell. So it is decoded twice, with and without noise behind
    its data: where all of that is there, the noise is never looked at.

    Args:
        stream: the whole file.
        size: width and height, of which it is unpacked to a half, a quarter or an eighth if it was to be.
    """
    from PIL import Image, ImageChops

    stream.seek(0)
    data = stream.read().rstrip(b"\xff")
    pictures = []
    for end in (_END, _NOISE + _END):
        picture = Image.open(io.BytesIO(data + end), formats=["JPEG"])
        picture.draft(None, size)
        try:
            picture.load()
        except OSError:
            return None
        pictures.append(picture)
    return pictures[0] if ImageChops.difference(*pictures).getbbox() is None else None

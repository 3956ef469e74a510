"""TIFFs that Pillow does not read rightly: floats and 32 bits in colour, and plain YCbCr, read by tifffile."""

from __future__ import annotations

import numpy as np
import tifffile
from PIL import Image, ImageFile

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media.colour import deep_to_8_bit
from durian.media.files import check_pixels
from durian.media.metered import MeteredStream

MAX_BYTES = 400_000_000
"""Pixels of one picture as they lie in the file: 33 megapixels of 32-bit RGB."""
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's mode by samples of a pixel."""

_ORIENTATION, _PROFILE = 274, 34675
"""TIFF's tags."""
_ADVICE = "save it with 8 or 16 bits a channel"


class DeepTiffFile(ImageFile.ImageFile):
    """The first page of a TIFF as an 8-bit Pillow image; the header is read at once, the pixels by :meth:`load`.

    Raises:
        UnreadableMedia: a kind of TIFF that is not read either.
        LimitExceeded: more bytes than :data:`MAX_BYTES`, or too many pixels.
    """

    format = "TIFF"

    def __init__(self, stream: MeteredStream, name: str) -> None:
        self._stream, self._name = stream, name
        self._page: tifffile.TiffPage | None = None
        super().__init__(stream)

    def _open(self) -> None:
        self._page = page = tifffile.TiffFile(self._stream).pages.first
        samples, kind = page.samplesperpixel, page.dtype
        if page.imagedepth != 1 or samples not in MODES or kind is None or kind.kind not in "uif":
            raise UnreadableMedia(
                f"{self._name} is a TIFF with {samples} channels of {kind or 'an odd size'}: {_ADVICE}, as RGB or grey."
            )
        if page.compression != tifffile.COMPRESSION.NONE:
            # What unpacks these here has no limit on what comes out.
            words = tifffile.COMPRESSION(page.compression).name.replace("_", " ")
            raise UnreadableMedia(
                f"{self._name} is a TIFF of {page.bitspersample}-bit channels packed with {words}: "
                f"{_ADVICE}, or without compression."
            )
        check_pixels(page.imagewidth, page.imagelength, self._name)
        size = page.imagewidth * page.imagelength * samples * kind.itemsize
        if size > MAX_BYTES:
            raise LimitExceeded(
                f"{self._name} unpacks to {size / 1e6:.0f} MB: at most {MAX_BYTES // 1_000_000} MB are read of a TIFF "
                f"with {page.bitspersample} bits a channel; {_ADVICE}."
            )
        is_ycbcr = page.photometric == tifffile.PHOTOMETRIC.YCBCR
        if is_ycbcr and (samples, page.subsampling) != (3, (1, 1)):
            raise UnreadableMedia(f"{self._name} is a TIFF with colours at a coarser grid: save it as RGB.")
        self._size = page.imagewidth, page.imagelength
        self._mode = "YCbCr" if is_ycbcr else MODES[samples]
        if _PROFILE in page.tags:
            self.info["icc_profile"] = bytes(page.tags[_PROFILE].value)
        if _ORIENTATION in page.tags:
            exif = Image.Exif()
            exif[_ORIENTATION] = int(page.tags[_ORIENTATION].value)
            self.info["exif"] = exif.tobytes()
        self.tile = []

    def load(self) -> Image.core.PixelAccess | None:
        """Read the pixels and scale them to 8 bits."""
        if self._page is not None:
            page, self._page = self._page, None
            values = page.asarray(maxworkers=1).reshape(self._shape(page))
            if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
                values = np.moveaxis(values, 0, -1)
            data = np.ascontiguousarray(deep_to_8_bit(values))
            if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
                data = 255 - data
            self.load_prepare()
            self.frombytes(data.tobytes(), "raw", self.mode)
        return super().load()

    def _shape(self, page: tifffile.TiffPage) -> tuple[int, ...]:
        width, height = self.size
        separate = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        return (page.samplesperpixel, height, width) if separate else (height, width, page.samplesperpixel)

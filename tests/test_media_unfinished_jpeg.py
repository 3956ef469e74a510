"""JPEGs without the marker at their end."""

from __future__ import annotations

import numpy as np
import pytest
from pictures_made import exif_of, saved

from durian.errors import UnreadableMedia
from durian.masks import read_mask
from durian.media import read_image
from durian.media.images import read_picture

WHOLE = "cut off or damaged"


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}], ids=["plain", "progressive", "4:4:4"]
)
@pytest.mark.parametrize("missing", [1, 2])
def test_only_the_end_marker_may_be_missing(collins, options, missing):
    data = saved(collins[:203, :181], "JPEG", exif=exif_of(6), **options)
    assert data.endswith(b"\xff\xd9")
    assert np.array_equal(read_image(data[:-missing]), read_image(data))
    small = read_picture(data[:-missing], 0.01).image
    assert np.array_equal(small, read_picture(data, 0.01).image)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("missing", [6, 20, 200, 2000])
def test_missing_rows_are_still_refused(collins, options, missing):
    data = saved(collins[:203, :181], "JPEG", **options)
    with pytest.raises(UnreadableMedia, match=WHOLE):
        read_image(data[:-missing])


def test_a_mask_without_its_end():
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    read = read_mask(saved(mask, "JPEG", quality=100)[:-2], (64, 64))
    assert np.abs(read.astype(int) - mask).max() <= 3

"""ZIPs that say less than they hold: no memory is taken for what a member did not declare."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from requests_made import request
from test_bundle import holding, rewritten

from durian.bundle import load_bundle, save_bundle
from durian.bundle.members import open_members, read_member
from durian.errors import LimitExceeded, UnreadableMedia

TRUE_SIZE = 60_000_000
MOST_MEMORY = 15_000_000
"""Bytes; a quarter of what unpacking the member whole would take."""


def understated(name: str, packing: int, declared: int = 100) -> bytes:
    """A ZIP of one member of :data:`TRUE_SIZE` zeros, whose list of members says ``declared`` bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        archive.writestr(name, bytes(TRUE_SIZE))
    data = bytearray(buffer.getvalue())
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, place + 24, declared)
    struct.pack_into("<I", data, place + 16, zlib.crc32(bytes(declared)))
    return bytes(data)


def listing(count: int) -> bytes:
    """A ZIP that is nothing but a list of ``count`` members."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, *[0] * 15)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count % 65536, count % 65536, count * len(entry), 0, 0)
    return entry * count + end


@pytest.fixture
def peak():
    """Tells the most memory that Python's objects had since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_settings_that_unpack_to_more_than_they_say(tmp_path: Path, packing: int, peak):
    path = tmp_path / "bundle.zip"
    path.write_bytes(understated("settings.json", packing))
    tracemalloc.reset_peak()
    with pytest.raises(UnreadableMedia, match=r"bundle\.zip"):
        load_bundle(path)
    assert peak() < MOST_MEMORY


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_arrays_that_unpack_to_more_than_they_say(tmp_path: Path, packing: int, peak):
    saved = save_bundle(tmp_path / "bundle.zip", request())
    path = rewritten(saved, holding("landmarks.npz", understated("portrait.npy", packing)))
    tracemalloc.reset_peak()
    with pytest.raises(UnreadableMedia, match="hostile"):
        load_bundle(path)
    assert peak() < MOST_MEMORY


def test_no_more_than_the_declared_size_is_read():
    with open_members(io.BytesIO(understated("a", zipfile.ZIP_DEFLATED, 250_000))) as archive:
        (member,) = archive.infolist()
        assert read_member(archive, member) == bytes(250_000)
        assert read_member(archive, member, 24) == bytes(24)


def test_a_checksum_that_is_wrong():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", np.arange(100_000, dtype=np.uint32).tobytes())
    data = bytearray(buffer.getvalue())
    data[1000] ^= 1
    with open_members(io.BytesIO(data)) as archive, pytest.raises(zipfile.BadZipFile):
        read_member(archive, archive.infolist()[0])


def test_a_list_of_members_without_end(tmp_path: Path, peak):
    path = tmp_path / "bundle.zip"
    path.write_bytes(listing(200_000))
    tracemalloc.reset_peak()
    with pytest.raises(LimitExceeded, match=r"bundle\.zip cannot be restored: its list of files is too long"):
        load_bundle(path)
    assert peak() < MOST_MEMORY


def test_a_list_of_arrays_without_end(tmp_path: Path, peak):
    saved = save_bundle(tmp_path / "bundle.zip", request())
    path = rewritten(saved, holding("landmarks.npz", listing(200_000)))
    tracemalloc.reset_peak()
    with pytest.raises(LimitExceeded, match=r"landmarks\.npz"):
        load_bundle(path)
    assert peak() < 2 * MOST_MEMORY

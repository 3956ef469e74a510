"""AVIs whose tables tell of millions of frames, wherever they lie, which FFmpeg would all index."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest
from videos_made import make_video, steady

from durian.errors import LimitExceeded
from durian.media import avi_tables, probe_video

TOO_MANY = avi_tables.MOST_SAMPLES + 1


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content


def table(count: int) -> bytes:
    """Of frames: eight bytes each."""
    return struct.pack("<HBBI4sQI", 2, 0, 1, count, b"00dc", 0, 0) + bytes(8 * count)


def tables(places: list[int]) -> bytes:
    """A table of tables, which lie at ``places``."""
    named = b"".join(struct.pack("<QII", at, 0, 0) for at in places)
    return struct.pack("<HBBI4sIII", 4, 0, 0, len(places), b"00dc", 0, 0, 0) + named


def avi(path: Path, *chunks: bytes) -> Path:
    content = b"AVI " + b"".join(chunks)
    path.write_bytes(chunk(b"RIFF", content))
    return path


def named_often(count: int) -> tuple[bytes, ...]:
    """A table of some thousand frames that is named so often."""
    inside = chunk(b"ix00", table(5000))
    return (inside, chunk(b"indx", tables([12] * count)))


@pytest.mark.parametrize(
    "chunks",
    [
        (chunk(b"indx", table(TOO_MANY)),),
        (chunk(b"idx1", b"00dc" + bytes(12)) + chunk(b"idx1", (b"01wb" + bytes(12)) * TOO_MANY),),
        named_often(TOO_MANY // 5000 + 1),
        (chunk(b"indx", tables([12])),),  # that names itself
        (chunk(b"indx", tables([8] * 10_001)),),
    ],
)
def test_tables_without_end_are_refused(tmp_path: Path, chunks: tuple[bytes, ...]):
    with pytest.raises(LimitExceeded, match=r"many.avi tells of more than 3,000,000 frames"):
        probe_video(avi(tmp_path / "many.avi", *chunks))


@pytest.mark.parametrize(
    "chunks",
    [
        (chunk(b"indx", table(TOO_MANY - 1)),),
        named_often(TOO_MANY // 5000),
        (chunk(b"idx1", b"junk" * 4 * TOO_MANY),),  # of no stream
        (b"indx" * 1000,),
        (chunk(b"indx", tables([1 << 40] * 10)),),  # outside the file
        (chunk(b"indx", struct.pack("<HBBI", 3, 0, 1, 1 << 31) + bytes(40)),),
    ],
)
def test_what_ffmpeg_takes_no_entries_of_is_none(tmp_path: Path, chunks: tuple[bytes, ...]):
    avi_tables.check_tables(avi(tmp_path / "few.avi", *chunks))


def test_ffmpeg_takes_as_many_as_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A film's own table is counted to its last frame."""
    path = make_video(tmp_path / "film.avi", steady(30, 10))
    with av.open(str(path), format="avi") as container:
        entries = len(container.streams.video[0].index_entries)
    assert entries == 30
    monkeypatch.setattr(avi_tables, "MOST_SAMPLES", entries)
    assert probe_video(path).duration == pytest.approx(3)
    monkeypatch.setattr(avi_tables, "MOST_SAMPLES", entries - 1)
    with pytest.raises(LimitExceeded):
        probe_video(path)

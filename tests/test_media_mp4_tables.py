"""MP4s of some hundred bytes whose tables tell of a hundred million samples, which FFmpeg would all index."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from videos_made import make_video, steady

from durian.errors import LimitExceeded, UnreadableMedia
from durian.media import mp4_tables, probe_video
from durian.media.mp4_tables import MOST_SAMPLES, check_tables

MANY = 100_000_000


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def box(kind: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return numbers(len(inside) + 8) + kind + inside


def table(kind: bytes, *values: int) -> bytes:
    return box(kind, numbers(0, *values))


def pictures() -> bytes:
    """The description of JPEGs."""
    fields = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", 256, 256) + bytes(50)
    return box(b"stsd", numbers(0, 1), box(b"jpeg", fields))


def sound(kind: bytes) -> bytes:
    return box(b"stsd", numbers(0, 1), box(kind, bytes(6) + b"\0\1" + bytes(20)))


def track(sizes: bytes, described: bytes, handler: bytes = b"vide", edits: bytes = b"", chunk: int = MANY) -> bytes:
    tables = box(
        b"stbl", described, table(b"stts", 1, MANY, 1), table(b"stsc", 1, 1, chunk, 1), sizes, table(b"stco", 1, 40)
    )
    about = box(b"hdlr", numbers(0, 0), handler, bytes(13))
    return box(b"trak", edits, box(b"mdia", table(b"mdhd", 0, 0, 1000, 1000, 0), about, box(b"minf", tables)))


def film(*parts: bytes) -> bytes:
    return box(b"moov", box(b"mvhd", bytes(100)), *parts)


def one_size(count: int) -> bytes:
    return table(b"stsz", 1, count)


FRAGMENT = box(b"moof", box(b"traf", table(b"trun", MANY)))
EDITED = box(b"edts", table(b"elst", 1000))

BOMBS = {
    "samples of one size": film(track(one_size(MANY), pictures())),
    "in a compact table": film(track(table(b"stz2", 8, MANY), pictures())),
    "in several tracks": film(*[track(one_size(MOST_SAMPLES // 2), pictures())] * 3),
    "in a fragment": film(track(one_size(0), pictures())) + FRAGMENT,
    "used again and again": film(track(one_size(10_000), pictures(), edits=EDITED)),
    "in no film": track(one_size(MANY), pictures()),
    "in what is to be skipped": box(b"free", box(b"mvhd", bytes(100)), track(one_size(MANY), pictures())),
    "straight in the film": film(one_size(MANY)),
    "packed": film(box(b"cmov", box(b"dcom", b"zlib"))),
    "pictures as sound": film(track(one_size(MANY), pictures(), b"soun")),
    "sound as pictures": film(track(one_size(MANY), sound(b"sowt"))),
    "sound in endless chunks": film(track(one_size(MANY), sound(b"sowt"), b"soun", chunk=4_000_000_000)),
    "sound that is described twice": film(track(one_size(MANY), sound(b"sowt") + pictures(), b"soun")),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_more_samples_than_may_be(tmp_path: Path, content: bytes):
    path = tmp_path / "film.mp4"
    path.write_bytes(box(b"ftyp", b"isom", numbers(0), b"isom") + content + box(b"mdat", bytes(100)))
    with pytest.raises(LimitExceeded, match=r"film\.mp4 tells of more than 3,000,000"):
        probe_video(path)


@pytest.mark.parametrize(
    "content",
    [
        box(b"trak", table(b"stsz", 0) * 300),
        box(b"moov", box(b"trak", table(b"stz2", 0, 0) * 150), box(b"trak", b"trun".ljust(20, b"\0") * 150)),
        box(b"moov", box(b"trak") * 250),
        box(b"abcd") * 250,
        box(b"free") * 250,
    ],
    ids=["tables", "of two tracks", "tracks", "boxes", "boxes that are skipped"],
)
def test_tables_without_end(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch):
    """A file of 200 MB has 25 million of eight bytes, each of which would be looked at."""
    monkeypatch.setattr(mp4_tables, "MOST_FOUND", 200)
    path = tmp_path / "film.mp4"
    path.write_bytes(box(b"ftyp", b"isom", numbers(0), b"isom") + content + box(b"mdat", bytes(100)))
    with pytest.raises(LimitExceeded, match=r"film\.mp4 tells of more than 200 tables"):
        check_tables(path)
    monkeypatch.setattr(mp4_tables, "MOST_FOUND", 1000)
    check_tables(path)


def test_sound_whose_sizes_are_listed_is_not_plain(tmp_path: Path):
    """Else lists of any length would be read, as often as there are tables of them."""
    path = tmp_path / "film.mp4"
    described = track(table(b"stsz", 0, MANY), sound(b"sowt"), b"soun", chunk=1000)
    path.write_bytes(box(b"ftyp", b"isom", numbers(0), b"isom") + film(described) + box(b"mdat", bytes(100)))
    with pytest.raises(LimitExceeded, match="more than 3,000,000"):
        check_tables(path)


def without_sizes(count: int) -> bytes:
    return box(b"moof", box(b"traf", box(b"trun", numbers(0, count))))


EMPTY = {
    "a table of zeros": film(track(table(b"stsz", 0, 120_000, *[0] * 120_000), pictures())),
    "zeros between others": film(track(table(b"stsz", 0, 240_000, *[0, 7] * 120_000), pictures())),
    "a compact table": film(track(table(b"stz2", 8, 120_000), pictures())),
    "fragments without sizes": film(track(one_size(0), pictures())) + without_sizes(60_000) * 2,
}


@pytest.mark.parametrize("content", EMPTY.values(), ids=EMPTY)
def test_samples_without_content(tmp_path: Path, content: bytes):
    """FFmpeg would keep them all, in half a kilobyte each, while it looks for one with content."""
    path = tmp_path / "film.mp4"
    path.write_bytes(box(b"ftyp", b"isom", numbers(0), b"isom") + content + box(b"mdat", bytes(100)))
    with pytest.raises(LimitExceeded, match=r"film\.mp4 tells of 120,000 frames without content"):
        probe_video(path)


def test_some_samples_without_content(tmp_path: Path):
    path = tmp_path / "film.mp4"
    sizes = table(b"stsz", 0, 200_000, *[0] * 99_000, *[5] * 101_000)
    path.write_bytes(box(b"ftyp", b"isom", numbers(0), b"isom") + film(track(sizes, pictures())))
    check_tables(path)


def test_as_many_as_may_be_are_left_to_the_decoder(tmp_path: Path):
    path = tmp_path / "film.mp4"
    path.write_bytes(box(b"ftyp", b"isom", numbers(0), b"isom") + film(track(one_size(1000), pictures())))
    with pytest.raises(UnreadableMedia):
        probe_video(path)


def test_what_looks_like_tables_among_the_pictures_is_none(tmp_path: Path):
    path = make_video(tmp_path / "clip.mp4", steady(4, 10))
    with path.open("ab") as file:
        file.write(box(b"mdat", one_size(MANY), FRAGMENT) + box(b"uuid", bytes(16), one_size(MANY)))
    assert probe_video(path).duration > 0


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16be", "pcm_mulaw"])
def test_minutes_of_plain_sound(tmp_path: Path, codec: str):
    """Each of its samples is one of the tables', in the files of cameras; they are not indexed one by one."""
    path, rate, seconds = tmp_path / "clip.mov", 48_000, 65
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=1)
        pictures.width = pictures.height = 64
        sound = container.add_stream(codec, rate=rate, layout="mono")
        for second in range(seconds):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
            part = av.AudioFrame.from_ndarray(np.zeros((1, rate), np.int16), format="s16", layout="mono")
            part.sample_rate, part.pts = rate, second * rate
            container.mux(sound.encode(part))
        container.mux(pictures.encode(None))
        container.mux(sound.encode(None))
    assert path.read_bytes().count(b"stsz") == 2
    check_tables(path)
    info = probe_video(path)
    assert info.has_audio
    assert info.duration == pytest.approx(seconds, abs=1)


def test_a_file_cut_off_anywhere(tmp_path: Path):
    whole = b"".join(BOMBS.values())
    path = tmp_path / "film.mp4"
    for length in range(1, len(whole), 13):
        path.write_bytes(whole[:length])
        try:
            check_tables(path)
        except LimitExceeded:
            continue

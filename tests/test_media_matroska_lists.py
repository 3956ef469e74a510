"""MKVs of some megabytes whose lists have millions of entries, of two bytes each, which FFmpeg would all keep."""

from __future__ import annotations

from pathlib import Path

import pytest
from videos_made import make_video, steady

from durian.errors import LimitExceeded
from durian.media import byte_search, matroska_lists, probe_video
from durian.media.matroska_lists import check_lists


def element(kind: str, content: bytes) -> bytes:
    return bytes.fromhex(kind) + (len(content) | 1 << 56).to_bytes(8, "big") + content


HEAD = element("1a45dfa3", element("4282", b"matroska"))
TRACK = element("ae", element("d7", b"\1") + element("86", b"V_VP8"))


def film(*parts: bytes) -> bytes:
    return HEAD + element("18538067", element("1654ae6b", TRACK) + b"".join(parts))


def lists(count: int) -> dict[str, bytes]:
    """Parts of a film with ``count`` empty entries of two or three bytes."""
    return {
        "cues": element("1c53bb6b", b"\xbb\x80" * count),
        "cues of no size": bytes.fromhex("1c53bb6bff") + b"\xbb\x80" * count,
        "chapters": element("1043a770", element("45b9", b"\xb6\x80" * count)),
        "tags": element("1254c367", element("7373", b"\x67\xc8\x80" * count)),
        "attachments": element("1941a469", b"\x61\xa7\x80" * count),
        "places": element("114d9b74", b"\x4d\xbb\x80" * count),
        "encodings": element("1654ae6b", element("ae", element("6d80", b"\x62\x40\x80" * count))),
        "tracks": element("1654ae6b", b"\xae\x80" * (count // 15)),
        "beside a frame": element("1f43b675", element("a0", element("75a1", b"\xa6\x80" * (count // 30)))),
        "frames": element("1f43b675", b"\xa3\x80" * (7 * count)),
        "after what cannot be read": b"\0" * 5 + element("1254c367", b"\x73\x73\x80" * count),
    }


@pytest.mark.parametrize("name", lists(0))
def test_lists_without_end_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    for limit in ("MOST_ELEMENTS", "MOST_IN_GROUP", "MOST_IN_CLUSTERS"):
        monkeypatch.setattr(matroska_lists, limit, getattr(matroska_lists, limit) // 100)
    path = tmp_path / "lists.mkv"
    path.write_bytes(film(lists(3100)[name]))
    with pytest.raises(LimitExceeded, match=r"lists.mkv tells of more than [\d,]+ .*: convert it again"):
        probe_video(path)
    # Half as many are none too many.
    path.write_bytes(film(lists(1400)[name]))
    check_lists(path)


def test_a_list_across_two_parts_that_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(byte_search, "BYTES_AT_ONCE", 1000)
    path = tmp_path / "far.mkv"
    cues = lists(310_000)["cues"]
    for before in (1, 2, 3):
        start = film()
        path.write_bytes(start + bytes(byte_search.BYTES_AT_ONCE - before - len(start)) + cues)
        with pytest.raises(LimitExceeded):
            check_lists(path)


@pytest.mark.parametrize("ending", ["mkv", "webm"])
def test_other_films_pass(tmp_path: Path, ending: str):
    path = make_video(tmp_path / f"film.{ending}", steady(40, 20), sound=True)
    assert probe_video(path).duration == pytest.approx(2, abs=0.1)


def test_each_element_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The lists' heads, the track with two parts, and seven cues of three parts."""
    path = tmp_path / "counted.mkv"
    cue = element("bb", element("b3", b"\0") + element("b7", element("f7", b"\1")))
    path.write_bytes(film(element("1c53bb6b", cue * 7)))
    monkeypatch.setattr(matroska_lists, "MOST_ELEMENTS", 1 + 3 + 7 * 4)
    check_lists(path)
    monkeypatch.setattr(matroska_lists, "MOST_ELEMENTS", 1 + 3 + 7 * 4 - 1)
    with pytest.raises(LimitExceeded, match="31 entries of lists"):
        check_lists(path)


@pytest.mark.parametrize("kind", ["1654ae6b", "1f43b675"])
@pytest.mark.parametrize("size", [b"", b"\0", b"\x80"])
def test_marks_without_end(tmp_path: Path, kind: str, size: bytes, monkeypatch: pytest.MonkeyPatch):
    """A file of 200 MB has 50 million of them, each of which would be looked at."""
    monkeypatch.setattr(matroska_lists, "MOST_FOUND", 200)
    path = tmp_path / "marks.mkv"
    path.write_bytes(film((bytes.fromhex(kind) + size) * 201))
    with pytest.raises(LimitExceeded, match=r"marks.mkv tells of more than 200 (lists|clusters)"):
        check_lists(path)
    path.write_bytes(film((bytes.fromhex(kind) + size) * 190))
    check_lists(path)

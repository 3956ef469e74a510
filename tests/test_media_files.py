"""Opening of files: regular ones only; results that cannot be written; stills told from videos."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from durian.bundle import load_bundle
from durian.cli.batch import _read
from durian.errors import DurianError, OutputFailed, UnreadableMedia
from durian.masks import read_mask
from durian.media import atomic_output, probe_video, read_audio, read_image, read_metadata
from durian.media.files import open_regular
from durian.media.kinds import sniff

READERS: dict[str, Callable[[Path], object]] = {
    "picture": read_image,
    "mask": lambda path: read_mask(path, (40, 40)),
    "metadata": read_metadata,
    "video": probe_video,
    "sound": lambda path: read_audio(path, 0, 1),
    "bundle": load_bundle,
    "batch": _read,
}


@pytest.fixture(params=["fifo", "folder", "zero", "null", "socket", "descriptor", "link to a pipe", "endless text"])
def odd(request: pytest.FixtureRequest, tmp_path: Path):
    """Something with a name that is no regular file."""
    path = tmp_path / "portrait.png"
    if request.param == "fifo":
        os.mkfifo(path)
    elif request.param == "folder":
        path.mkdir()
    elif request.param in ("zero", "null"):
        path = Path("/dev") / request.param
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            # A socket's name is short, so it is given from the folder.
            before = Path.cwd()
            os.chdir(tmp_path)
            try:
                server.bind(path.name)
            finally:
                os.chdir(before)
            yield path
        return
    elif request.param == "descriptor":
        Image.new("RGB", (40, 40)).save(path)
        with path.open("rb") as file:
            yield Path(f"/proc/self/fd/{file.fileno()}")
        return
    elif request.param == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    else:
        path = Path("/proc/self/environ")
    yield path


@pytest.mark.parametrize("reader", READERS)
def test_only_regular_files_are_opened(odd: Path, reader: str):
    with pytest.raises(DurianError) as caught:
        READERS[reader](odd)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    if reader != "mask":
        assert ("is a folder" if odd.is_dir() else "is not a regular file") in sentence


def test_a_link_to_a_regular_file_is_that_file(tmp_path: Path):
    Image.new("RGB", (40, 50), (9, 8, 7)).save(tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    assert read_image(tmp_path / "link.png")[49, 39].tolist() == [9, 8, 7]


def test_an_opened_file_stays_the_one_that_was_judged(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"judged")
    with open_regular(path, "text") as file:
        path.unlink()
        os.mkfifo(path)
        assert file.read() == b"judged"


def test_a_file_that_may_not_be_named(tmp_path: Path):
    with pytest.raises(UnreadableMedia, match="cannot be opened"):
        open_regular("a\0b", "picture")
    with pytest.raises(UnreadableMedia, match=r"gone\.png does not exist"):
        open_regular(tmp_path / "gone.png", "picture")


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.EACCES, "inner is not writable"), (errno.ENOENT, "inner does not exist"), (errno.EIO, "Input/output")],
)
def test_a_result_that_cannot_be_written_names_no_path(tmp_path: Path, code: int, words: str):
    folder = tmp_path / "inner"
    if code != errno.ENOENT:
        folder.mkdir()
    with pytest.raises(OutputFailed) as caught, atomic_output(folder / "result.png") as temporary:
        raise OSError(code, os.strerror(code), str(temporary))
    assert words in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def ftyp(major: bytes, *others: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(others)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08mdat"


@pytest.mark.parametrize(
    ("head", "kind"),
    [(ftyp(brand, b"mif1"), "heif") for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevm", b"hevx")]
    + [
        (ftyp(b"mif1", b"heic"), "heif"),
        (ftyp(b"mif2"), "heif"),
        (ftyp(b"msf1", b"hevc"), "heif"),
        (ftyp(b"abcd", b"mif1"), "heif"),
        (ftyp(b"avif"), "avif"),
        (ftyp(b"avis", b"avif"), "avif"),
        (ftyp(b"mif1", b"miaf", b"avif"), "avif"),
        (ftyp(b"isom", b"iso2", b"avc1", b"mp41"), "mp4"),
        (ftyp(b"qt  "), "mp4"),
        (b"\0\0\0\x10ftypisom" + b"\0" * 8 + b"mif1", "mp4"),
    ],
)
def test_stills_are_told_from_videos_by_their_brands(head: bytes, kind: str):
    assert sniff(head) == kind

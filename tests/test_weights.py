"""Fetching weights: checked, whole or not there, and one sentence when the server is out of reach."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from durian import download, weights
from durian.errors import Cancelled, InvalidRequest, OutputFailed, WeightsMissing

CONTENT = bytes(range(256)) * 12_000  # three chunks


@pytest.fixture
def known(tmp_path, settings_environment, monkeypatch) -> weights.WeightFile:
    """A small known file, its server replaced by memory; ``known.path`` lies in an empty folder."""
    settings_environment(weights=tmp_path / "weights")
    entry = weights.WeightFile(
        name="tiny",
        file="tiny.pth",
        url="https://example.org/tiny.pth",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        what="a tiny model",
        licence="none",
    )
    monkeypatch.setitem(weights.KNOWN, "tiny", entry)
    serve(monkeypatch, CONTENT)
    return entry


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: io.BytesIO(content))


def leftovers(known: weights.WeightFile) -> list[str]:
    return [path.name for path in known.path.parent.iterdir()] if known.path.parent.exists() else []


def test_fetch_reports_progress_and_checks(known):
    steps: list[tuple[int, int]] = []
    assert not weights.is_present("tiny")
    path = weights.fetch("tiny", lambda done, total: steps.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert len(steps) == 3
    assert leftovers(known) == ["tiny.pth"]
    assert weights.is_present("tiny")


def test_a_present_file_is_not_fetched_again(known, monkeypatch):
    weights.fetch("tiny")
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: pytest.fail("fetched again"))
    steps: list[tuple[int, int]] = []
    assert weights.fetch("tiny", lambda done, total: steps.append((done, total))) == known.path
    assert steps == [(len(CONTENT), len(CONTENT))]


def test_a_half_file_is_not_taken_for_the_weights(known):
    known.path.parent.mkdir()
    known.path.write_bytes(CONTENT[:1000])
    assert not weights.is_present("tiny")
    assert weights.fetch("tiny").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "sent",
    [CONTENT[:-1], b"<html>Sign in</html>", CONTENT + b"more", CONTENT[:-1] + b"x"],
    ids=["cut", "page", "longer", "other"],
)
def test_a_wrong_file_is_refused(known, monkeypatch, sent):
    serve(monkeypatch, sent)
    with pytest.raises(WeightsMissing, match=r"example\.org sent is not tiny\.pth .*by hand\.$"):
        weights.fetch("tiny")
    assert leftovers(known) == []


@pytest.mark.parametrize(
    "failure", [urllib.error.URLError("no route"), TimeoutError("slow"), ConnectionResetError("reset")]
)
def test_out_of_reach(known, monkeypatch, failure):
    def fail(url, timeout):
        raise failure

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(
        WeightsMissing, match=r"could not be fetched from example\.org: check the connection.*by hand\.$"
    ):
        weights.fetch("tiny")
    assert leftovers(known) == []


def test_a_file_that_is_another_is_not_opened_and_is_replaced(known):
    path = weights.fetch("tiny")
    weights.verify(path)
    # Of the same size, as a swapped or damaged file may be.
    path.write_bytes(CONTENT[:-1] + b"x")
    words = r"tiny\.pth is not the file of that name .*python -m durian weights get tiny', which replaces it\.$"
    with pytest.raises(WeightsMissing, match=words):
        weights.verify(path)
    assert weights.fetch("tiny").read_bytes() == CONTENT
    weights.verify(path)


def test_a_file_is_read_once_for_its_checksum(known):
    path = weights.fetch("tiny")
    weights.verify(path)
    about = path.stat()
    # Neither its size nor its time of change tell: it is not read again.
    path.write_bytes(bytes(about.st_size))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    weights.verify(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    with pytest.raises(WeightsMissing, match="not the file of that name"):
        weights.verify(path)


def test_a_file_of_another_name_has_no_checksum_to_compare(tmp_path):
    (tmp_path / "sam_vit_b_my_own.pth").write_bytes(b"anything")
    weights.verify(tmp_path / "sam_vit_b_my_own.pth")


def test_a_stop_leaves_nothing(known):
    with pytest.raises(Cancelled, match="stopped"):
        weights.fetch("tiny", cancelled=lambda: True)
    assert leftovers(known) == []


def test_full_disk_before_and_while(known, monkeypatch):
    monkeypatch.setattr(download, "_created", lambda path: _Full())
    with pytest.raises(OutputFailed, match="disk is full"):
        weights.fetch("tiny")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(OutputFailed, match="needs 3 MB and the disk has 0 MB"):
        weights.fetch("tiny")
    assert leftovers(known) == []


class _Full(io.BytesIO):
    def write(self, data) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_unknown_name():
    with pytest.raises(InvalidRequest, match="'sam-vit-x': use one of sam-vit-b"):
        weights.fetch("sam-vit-x")


def test_what_is_known_is_sound():
    for name, entry in weights.KNOWN.items():
        assert name == entry.name
        assert entry.url.startswith("https://")
        assert entry.url.endswith("/" + entry.file)
        assert len(bytes.fromhex(entry.sha256)) == 32
        assert Path(entry.file).name == entry.file
    assert weights.KNOWN["sam-vit-b"].sha256.startswith(
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912"
    )

"""Fetching weights: checked, whole or not there, and one sentence when the server is out of reach."""

from __future__ import annotations

import errno
import hashlib
import io
import shutil
import urllib.error
from pathlib import Path

import pytest

from durian import weights
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
    monkeypatch.setattr(weights.urllib.request, "urlopen", lambda url, timeout: io.BytesIO(content))


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
    assert weights.require("tiny") == path


def test_a_present_file_is_not_fetched_again(known, monkeypatch):
    weights.fetch("tiny")
    monkeypatch.setattr(weights.urllib.request, "urlopen", lambda url, timeout: pytest.fail("fetched again"))
    steps: list[tuple[int, int]] = []
    assert weights.fetch("tiny", lambda done, total: steps.append((done, total))) == known.path
    assert steps == [(len(CONTENT), len(CONTENT))]


def test_a_half_file_is_not_taken_for_the_weights(known):
    known.path.parent.mkdir()
    known.path.write_bytes(CONTENT[:1000])
    assert not weights.is_present("tiny")
    assert weights.fetch("tiny").read_bytes() == CONTENT


@pytest.mark.parametrize("sent", [CONTENT[:-1], b"<html>Sign in</html>", CONTENT + b"more", CONTENT[:-1] + b"x"])
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

    monkeypatch.setattr(weights.urllib.request, "urlopen", fail)
    with pytest.raises(
        WeightsMissing, match=r"could not be fetched from example\.org: check the connection.*by hand\.$"
    ):
        weights.fetch("tiny")
    assert leftovers(known) == []


def test_a_stop_leaves_nothing(known):
    with pytest.raises(Cancelled, match="stopped"):
        weights.fetch("tiny", cancelled=lambda: True)
    assert leftovers(known) == []


def test_full_disk_before_and_while(known, monkeypatch):
    monkeypatch.setattr(weights, "_created", lambda path: _Full())
    with pytest.raises(OutputFailed, match="disk is full"):
        weights.fetch("tiny")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(OutputFailed, match="needs 3 MB and the disk has 0 MB"):
        weights.fetch("tiny")
    assert leftovers(known) == []


class _Full(io.BytesIO):
    def write(self, data) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_missing_says_how_to_get_it(known):
    with pytest.raises(WeightsMissing) as error:
        weights.require("tiny")
    assert "python -m durian weights get tiny" in str(error.value)
    assert "3 MB" in str(error.value)


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

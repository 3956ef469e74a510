"""Checks of result paths before any work, which leave nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from durian.errors import OutputFailed
from durian.media import probe_video, read_image, write_image, write_video
from durian.media.destination import check_file, check_folder

NOBODY = 65534
"""A user without rights."""


@contextmanager
def without_rights() -> Iterator[None]:
    """As an ordinary user: nothing is write-protected for root."""
    if os.geteuid():
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that ordinary users reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_file_may_be_new_or_replaced(tmp_path: Path):
    (tmp_path / "old.MP4").write_bytes(b"old")
    check_file(tmp_path / "old.MP4", (".mp4",))
    check_file(tmp_path / "new.webp", (".png", ".jpg", ".webp"))
    assert [path.name for path in tmp_path.iterdir()] == ["old.MP4"]
    assert (tmp_path / "old.MP4").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.avi", "out.avi cannot be written: end its name in .png, .jpg or .mp4"),
        ("out", "out cannot be written: end its name in"),
        ("folder.mp4", "folder.mp4 is a folder: give a file's name, such as folder.mp4/result.png"),
        ("pipe.mp4", "pipe.mp4 is not an ordinary file"),
        ("nowhere/out.mp4", "nowhere does not exist: make it, or choose another place"),
        ("file.txt/out.mp4", "does not exist"),
        ("頭" * 84 + ".mp4", "its name or path is too long: give it a shorter one"),
    ],
)
def test_a_file_that_cannot_be_written(tmp_path: Path, name: str, words: str):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file.txt").write_text("")
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(OutputFailed) as error:
        check_file(tmp_path / name, (".png", ".jpg", ".mp4"))
    assert words in str(error.value)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_link_that_leads_nowhere_is_called_one(tmp_path: Path):
    (tmp_path / "link.mp4").symlink_to(tmp_path / "gone" / "result.mp4")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    for name in ("link.mp4", "loop.mp4"):
        with pytest.raises(
            OutputFailed, match=rf"^{name} is a link that leads nowhere: remove it, or give another name"
        ):
            check_file(tmp_path / name, (".mp4",))


def test_a_result_is_written_through_a_link(tmp_path: Path):
    target = tmp_path / "there" / "data"
    target.parent.mkdir()
    link = tmp_path / "link.png"
    link.symlink_to(target)
    for level in (10, 200):
        # New at first, then replaced.
        check_file(link, (".png",))
        write_image(np.full((40, 40, 3), level, np.uint8), link)
        assert link.is_symlink()
        assert read_image(target)[0, 0].tolist() == [level] * 3
    video = tmp_path / "link.mp4"
    video.symlink_to(target)
    write_video([np.zeros((64, 64, 3), np.uint8)] * 3, video, 10)
    assert video.is_symlink()
    assert probe_video(target).width == 64
    assert [path.name for path in target.parent.iterdir()] == ["data"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc here")
def test_a_folder_of_the_systems_own_takes_no_files():
    with pytest.raises(OutputFailed, match="because the folder proc takes no files: choose another place"):
        check_file(Path("/proc/x.mp4"), (".mp4",))


def test_the_longest_name_is_no_obstacle(tmp_path: Path):
    check_file(tmp_path / ("é" * 125 + "x.mp4"), (".mp4",))
    assert list(tmp_path.iterdir()) == []


def test_write_protection_is_kept(reachable: Path):
    (reachable / "kept.mp4").write_bytes(b"kept")
    (reachable / "kept.mp4").chmod(0o444)
    reachable.chmod(0o777)
    with without_rights(), pytest.raises(OutputFailed, match=r"kept\.mp4 is write-protected"):
        check_file(reachable / "kept.mp4", (".mp4",))
    reachable.chmod(0o555)
    with without_rights():
        for check in (lambda: check_file(reachable / "new.mp4", (".mp4",)), lambda: check_folder(reachable / "a/b")):
            with pytest.raises(OutputFailed, match=f"{reachable.name} is not writable: choose another place"):
                check()


def test_a_folder_may_be_made_with_all_that_leads_to_it(tmp_path: Path):
    check_folder(tmp_path)
    check_folder(tmp_path / "a" / "b" / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken", tmp_path / "taken" / "deeper"):
        with pytest.raises(OutputFailed, match="taken is a file: give a folder"):
            check_folder(path)
    with pytest.raises(OutputFailed, match="too long"):
        check_folder(tmp_path / ("頭" * 90))

"""The folders of visitors' files: private, marked, and swept without following a link."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from gated import files_below

from durian import folders
from durian.errors import OutputFailed
from durian.settings import Settings, default_work

LATER = 61.0
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(work=tmp_path / "work", keep_seconds=60)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_for_this_user_alone(settings: Settings):
    results, uploads = folders.results_folder(settings), folders.uploads_folder(settings)
    assert [mode(path) for path in (results, uploads, uploads.parent, results.parent)] == [0o700] * 4
    results.chmod(0o777)
    assert mode(folders.results_folder(settings)) == 0o700


def test_the_default_folder_is_this_users_own():
    assert str(os.geteuid()) in default_work().name
    assert Settings().work == default_work()


def test_the_default_folder_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    default_work().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputFailed, match="somebody else's"):
        folders.visitors_folder(Settings())
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_in_the_place_of_a_folder_is_refused(settings: Settings, tmp_path: Path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    settings.work.mkdir()
    (settings.work / "visitors").symlink_to(theirs)
    with pytest.raises(OutputFailed, match="somebody else's"):
        folders.results_folder(settings)
    assert not list(theirs.iterdir())


@AS_ROOT
def test_a_folder_of_another_user_is_refused(settings: Settings):
    folder = folders.visitors_folder(settings)
    os.chown(folder, 12345, 12345)
    with pytest.raises(OutputFailed, match="somebody else's"):
        folders.visitors_folder(settings)
    assert folders.sweep(folder, 60, now=time.time() + LATER) == 0


def test_a_folder_with_other_files_is_not_taken(settings: Settings):
    folder = settings.work / "visitors"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputFailed, match="other files"):
        folders.visitors_folder(settings)
    assert folders.sweep(folder, 60, now=time.time() + LATER) == 0
    assert files_below(folder) == ["thesis.txt"]


def test_no_sentence_tells_where_the_folder_is(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputFailed) as failure:
        folders.results_folder(Settings(work=tmp_path / "file"))
    assert str(tmp_path) not in str(failure.value)
    assert "DURIAN_WORK" in str(failure.value)


def test_the_sweep_takes_uploads_results_and_what_other_processes_left(settings: Settings):
    results, own = folders.results_folder(settings), folders.uploads_folder(settings)
    theirs = folders.private_folder(own.parent / "of-another-process")
    for folder in (results, own, theirs):
        (folder / "one" / "deep").mkdir(parents=True)
        (folder / "one" / "deep" / "face.png").write_bytes(b"a face")
    top = folders.visitors_folder(settings)
    # Neither a copy's old time stamp nor one in the future changes its age.
    os.utime(results / "one" / "deep" / "face.png", (0, 0))
    os.utime(own / "one" / "deep" / "face.png", (2e9, 2e9))
    assert folders.sweep(top, 60, stay={own}) == 0
    assert folders.sweep(top, 60, stay={own}, now=time.time() + LATER) == 3
    assert files_below(top) == [folders.MARK]
    # A folder changes when something in it goes, so it goes a sweep later; the two rooms stay, and what shall.
    for _ in range(3):
        folders.sweep(top, 60, stay={own}, now=time.time() + LATER)
    left = sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_dir())
    assert left == [folders.RESULTS, folders.UPLOADS, f"{folders.UPLOADS}/{own.name}"]


def test_the_sweep_follows_no_link(settings: Settings, tmp_path: Path):
    precious = tmp_path / "precious"
    (precious / "deep").mkdir(parents=True)
    (precious / "deep" / "photo.jpg").write_text("keep")
    folder = folders.results_folder(settings) / "owner"
    folder.mkdir()
    (folder / "to-folder").symlink_to(precious)
    (folder / "to-file").symlink_to(precious / "deep" / "photo.jpg")
    assert folders.sweep(folders.visitors_folder(settings), 60, now=time.time() + LATER) == 2
    assert files_below(precious) == ["deep/photo.jpg"]
    assert not folder.exists() or not list(folder.iterdir())


def test_a_link_in_the_place_of_the_swept_folder_is_not_swept(settings: Settings, tmp_path: Path):
    theirs = tmp_path / "theirs"
    (theirs / "results").mkdir(parents=True)
    (theirs / "results" / "photo.jpg").write_text("keep")
    (theirs / folders.MARK).touch()
    settings.work.mkdir()
    (settings.work / "visitors").symlink_to(theirs)
    assert folders.sweep(settings.work / "visitors", 60, now=time.time() + LATER) == 0
    assert (theirs / "results" / "photo.jpg").exists()


def test_a_folder_in_use_stays_with_what_is_in_it(settings: Settings):
    folder = folders.results_folder(settings) / "owner" / "job"
    folder.mkdir(parents=True)
    (folder / "half.mp4").write_bytes(b"half")
    empty = folders.results_folder(settings) / "owner" / "empty-job"
    empty.mkdir()
    top = folders.visitors_folder(settings)
    assert folders.sweep(top, 60, in_use={folder, empty}, now=time.time() + LATER) == 0
    assert (folder / "half.mp4").exists()
    assert empty.exists()
    assert folders.sweep(top, 60, now=time.time() + LATER) == 1
    assert not empty.exists()

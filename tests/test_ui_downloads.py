"""Downloads from a page that stayed open for longer than its files were kept."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from test_ui_session import table

from durian.engine import Animation
from durian.media import read_image, write_video
from durian.ui import shares
from durian.ui.handlers import save
from durian.ui.handlers.common import guarded
from durian.ui.session import Outcome, Session
from durian.ui.visitors import get_visitors


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A table with one animation, whose files are there."""
    session = table("hat")
    session.consent = True
    path, master = tmp_path / "durian-1.mp4", tmp_path / "master.mkv"
    path.write_bytes(b"video")
    master.write_bytes(b"frames")
    animation = Animation(path, master, 8, 24.0, 96, 96, 1.0, "preview", 0, "1", {})
    session.remember(Outcome(animation, np.zeros((8, 8, 3), np.uint8), "nod", session.request()))
    return session


def test_the_video_is_the_one_that_was_made(session: Session, tmp_path: Path):
    assert save.mp4(session) == str(tmp_path / "durian-1.mp4")


@pytest.mark.parametrize("download", [save.mp4, save.gif, save.frames, save.bundle])
def test_what_was_deleted_is_refused_in_a_sentence(session: Session, tmp_path: Path, download):
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(gr.Error, match=r"make (it|the animation) again"):
        guarded(download)(session)
    with pytest.raises(gr.Error, match="make it again"):
        guarded(save.choose)(session, gr.EventData(None, {"index": 0}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("download", [save.gif, save.frames, save.bundle, save.photo])
def test_nothing_is_made_that_there_is_no_room_for(session: Session, tmp_path: Path, download, monkeypatch):
    """Neither for the visitor's address, nor on the disk; what was made before is handed out again."""
    master = tmp_path / "master.mkv"
    write_video(np.zeros((3, 64, 64, 3), np.uint8), master, 24)
    monkeypatch.setattr(shares, "room_on_disk", lambda folder: -1)
    with pytest.raises(gr.Error, match="disk is full"):
        guarded(download)(session)
    monkeypatch.setattr(shares, "room_on_disk", lambda folder: 10**12)
    visitors = get_visitors()
    with visitors.reserve(session.owner, tmp_path, visitors.shares.check_room(session.owner)):
        with pytest.raises(gr.Error, match="try again later"):
            guarded(download)(session)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["durian-1.mp4", "master.mkv"]
    before = visitors.shares.check_room(session.owner)
    made = Path(guarded(download)(session))
    assert before - visitors.shares.check_room(session.owner) == made.stat().st_size
    if download not in (save.bundle, save.photo):
        monkeypatch.setattr(shares, "room_on_disk", lambda folder: -1)
        assert guarded(download)(session) == str(made)


def test_a_photo_is_the_whole_one_with_the_hat_on(session: Session):
    given = session.portrait.image
    worn = read_image(save.photo(session))
    assert worn.shape == given.shape
    changed = np.abs(worn.astype(int) - given).max(-1) > 0
    hat = session.items[0]
    assert hat.ready
    assert 0.005 < changed.mean() < 0.5
    hat.strength = 0.0
    assert np.abs(read_image(save.photo(session)).astype(int) - worn).max() > 20


def test_a_photo_is_saved_only_with_consent(session: Session):
    session.consent = False
    with pytest.raises(gr.Error, match="tick the line"):
        guarded(save.photo)(session)


def test_a_download_takes_half_of_the_room_at_most(session: Session, tmp_path: Path, settings_environment):
    """So that several begun at once have no more than all together."""
    settings_environment(visitor_upload_mb=1)
    get_visitors.cache_clear()
    write_video(np.random.default_rng(0).integers(0, 256, (12, 256, 256, 3), np.uint8), tmp_path / "master.mkv", 24)
    with pytest.raises(gr.Error, match=r"more than 0 MB|more than 1 MB"):
        guarded(save.frames)(session)
    assert get_visitors().shares.check_room(session.owner) == 1_000_000
    get_visitors.cache_clear()

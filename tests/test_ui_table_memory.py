"""What a table takes of the server's memory, and that each way to put something on it asks for room first."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from requests_made import portrait, request
from test_ui_session import table

from durian.bundle import save_bundle
from durian.errors import LimitExceeded
from durian.ui import visitors as visitors_module
from durian.ui.handlers import common, save, wear
from durian.ui.handlers import portrait as portrait_handlers
from durian.ui.handlers.common import guarded
from durian.ui.session import Outcome, Session

SIDE = 900
"""Of a picture, of which the tables of an address have no room for two."""


@pytest.fixture
def session(settings_environment, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A table of a visitor, whose address has ten megabytes for tables and nine of them in use."""
    settings_environment(visitor_table_mb=10)
    known = visitors_module.Visitors()
    monkeypatch.setattr("durian.ui.reading.get_visitors", lambda: known)
    monkeypatch.setattr("durian.ui.handlers.save.get_visitors", lambda: known)
    monkeypatch.setattr("durian.ui.handlers.common.get_visitors", lambda: known)
    other = known.admit("other", "", "203.0.113.5")
    known.weigh_table(other.owner, 9_000_000)
    session = table("hat")
    session.owner = known.admit("mine", "", "203.0.113.5").owner
    return session


@pytest.fixture
def large(tmp_path: Path) -> str:
    path = tmp_path / "large.png"
    Image.new("RGB", (SIDE, SIDE), "tomato").save(path)
    return str(path)


def test_each_picture_counts_once():
    session = table("hat", "glasses")
    worn = np.zeros(session.portrait.image.shape[:2], np.uint8)
    session.portrait.worn = {"hair": worn}
    pictures = [session.portrait.image, *(item.image for item in session.items)]
    on_the_table = sum(picture.nbytes for picture in pictures) + worn.nbytes
    assert session.picture_bytes() == on_the_table
    outcome = Outcome(SimpleNamespace(), np.zeros((8, 8, 3), np.uint8), "nod", session.request())
    session.history = [outcome, outcome]
    masks = sum(item.history.mask.nbytes for item in session.items)
    assert session.picture_bytes() == on_the_table + masks
    kept = session.picture_bytes()
    session.items.clear()
    assert session.picture_bytes() == kept


def test_what_leaves_the_table_makes_room_at_once(session: Session):
    visitors = common.get_visitors()
    mine, theirs = session.owner, visitors.admit("third", "", "203.0.113.5").owner
    visitors.note_table(visitors.admit("other", "", "203.0.113.5").owner, 0)
    visitors.weigh_table(mine, 9_900_000)
    with pytest.raises(LimitExceeded, match="hold more than 10 MB of pictures"):
        visitors.weigh_table(theirs, 2_000_000)
    guarded(lambda table: table.items.clear())(session)
    visitors.weigh_table(theirs, 2_000_000)


@pytest.mark.parametrize("put", [portrait_handlers.put, wear.put])
def test_an_upload_asks_for_room(session: Session, large: str, put):
    before = session.portrait, [item.image for item in session.items]
    with pytest.raises(gr.Error, match="hold more than 10 MB of pictures"):
        guarded(put)(session, large)
    assert (session.portrait, [item.image for item in session.items]) == before


def test_a_bundle_asks_for_room(session: Session, tmp_path: Path):
    person = portrait(image=np.zeros((SIDE, SIDE, 3), np.uint8))
    path = save_bundle(tmp_path / "bundle.zip", request(portrait=person))
    before = session.portrait
    with pytest.raises(gr.Error, match="hold more than 10 MB of pictures"):
        guarded(save.restore)(session, str(path))
    assert session.portrait is before


def test_a_small_picture_has_room(session: Session, tmp_path: Path):
    content = io.BytesIO()
    Image.new("RGB", (100, 100), "tomato").save(content, "PNG")
    path = tmp_path / "small.png"
    path.write_bytes(content.getvalue())
    wear.put(session, str(path))
    assert session.item.image.shape == (100, 100, 3)

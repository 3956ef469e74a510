"""Uploads through Gradio itself: each lies where nobody can guess, and one that is refused leaves nothing."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import httpx
import pytest
from starlette.middleware import Middleware

from durian.settings import Settings
from durian.ui.guard import Guard
from durian.ui.visitors import Visitors


@pytest.fixture
def send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """``send(method, path, **httpx)`` asks Gradio, behind the guard, with all its files in ``tmp_path``."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.File()
    guard = Middleware(Guard, visitors=Visitors(Settings()), uploads=tmp_path)
    blocks.launch(
        quiet=True, prevent_thread_lock=True, ssr_mode=False, _frontend=False, app_kwargs={"middleware": [guard]}
    )
    with httpx.Client(base_url=blocks.local_url, timeout=60) as client:
        yield client.request
    blocks.close()


def files(*names: str) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", (name, b"the same for all")) for name in names]


def test_who_has_the_same_file_finds_no_other_of_it(send, tmp_path: Path):
    """Its name is often the telephone's own, or the one that it has in the web."""
    (theirs,) = send("POST", "gradio_api/upload", files=files("IMG_0042.jpg")).json()
    (mine,) = send("POST", "gradio_api/upload", files=files("mine.jpg")).json()
    guessed = Path(mine).with_name("IMG_0042.jpg")
    assert Path(theirs).parent.name == guessed.parent.name
    assert theirs != str(guessed)
    assert send("GET", f"gradio_api/file={guessed}").status_code == 403
    for path in (theirs, mine):
        assert Path(path).is_relative_to(tmp_path)
        assert send("GET", f"gradio_api/file={path}").content == b"the same for all"


def test_files_of_one_upload_lie_together(send):
    paths = [Path(path) for path in send("POST", "gradio_api/upload", files=files("a.png", "b.png")).json()]
    assert [path.name for path in paths] == ["a.png", "b.png"]
    assert paths[0].parent == paths[1].parent


def test_a_large_upload_hides_no_other_file_from_its_connection(send):
    """A browser sends all its requests over six connections, and keeps them."""
    (earlier,) = send("POST", "gradio_api/upload", files=files("earlier.jpg")).json()
    send("POST", "gradio_api/upload", files=[("files", ("large.bin", bytes(8_000_000)))])
    assert send("GET", f"gradio_api/file={earlier}").content == b"the same for all"


@pytest.mark.parametrize("name", ["..", "a/..", "..>", "/.."])
def test_a_file_without_a_name_is_refused_in_one_sentence(send, tmp_path: Path, name: str):
    answer = send("POST", "gradio_api/upload", files=files("a.png", name))
    assert answer.status_code in (400, 403)
    assert answer.text == "A file of the upload is called .. and nothing else: give it a name."
    assert not list(tmp_path.iterdir())


def test_what_gradio_itself_refuses_leaves_nothing(send, tmp_path: Path):
    """It reads names in the form's own letters: here these are two dots."""
    mark, name = b"--mark-of-the-parts", b'filename="+AC4ALg-"'
    form = mark + b'\r\nContent-Disposition: form-data; name="files"; ' + name + b"\r\n\r\n1\r\n" + mark + b"--\r\n"
    kind = {"content-type": "multipart/form-data; boundary=mark-of-the-parts; charset=utf-7"}
    answer = send("POST", "gradio_api/upload", content=form, headers=kind)
    assert answer.status_code == 400
    assert not list(tmp_path.iterdir())

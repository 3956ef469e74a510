"""Components that pass files on: nothing of Gradio's reads what a visitor sent."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import asynchronous
import gradio as gr
import numpy as np
import pytest
from gradio.state_holder import SessionState
from PIL import Image

from durian.ui.layout import build
from durian.ui.pictures import DISPLAY_SIDE
from durian.ui.widgets import (
    GALLERY_SIDE,
    raw_camera,
    raw_upload,
    raw_video,
    shown_gallery,
    shown_pair,
    shown_picture,
    shown_video,
)

FILES = (gr.Video, gr.Image, gr.UploadButton)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FFmpeg's programs, on the path of this process, as far as writing down that they were called goes."""
    called = tmp_path / "called"
    for name in ("ffmpeg", "ffprobe"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} >> "{called}"\n')
        program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return called


@pytest.mark.parametrize(
    "made",
    [
        lambda: raw_video("a"),
        lambda: shown_video("a"),
        lambda: raw_camera("a"),
        lambda: raw_upload("Send", "a", [".zip"]),
    ],
    ids=["driving video", "result", "camera", "button"],
)
def test_a_file_is_shown_as_it_is(made, programs: Path, tmp_path: Path):
    path = tmp_path / "clip.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3")
    component = made()
    shown = component.postprocess(str(path))
    assert (shown.path, shown.orig_name) == (str(path), "clip.mkv")
    assert component.postprocess(None) is None
    assert not programs.exists()


def test_it_stays_so_for_a_visitor_to_whom_its_label_changed(programs: Path, tmp_path: Path):
    """Gradio makes the component anew for them."""
    path = tmp_path / "clip.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3")
    with gr.Blocks() as blocks:
        video = raw_video("a")
        video.input(lambda path: path, video, video)
    state = SessionState(blocks)
    for update in (gr.update(label="Following the face"), gr.update(value=str(path), label="Driving video")):
        (shown,) = asynchronous.run(blocks.postprocess_data(blocks.fns[0], update, state))
    assert Path(shown["value"]["path"]).read_bytes() == path.read_bytes()
    again = state[video._id]
    assert (again.label, again.get_block_name()) == ("Driving video", "video")
    with pytest.raises(gr.Error, match=r"^'This is not an uploaded file: choose it again\.'$"):
        again.preprocess(gr.FileData(path=str(path)))
    assert not programs.exists()


def test_all_of_the_page_s_are(programs: Path):
    with gr.Blocks() as blocks:
        build(may_fetch=False)
    read_by_gradio = [
        block.elem_id for block in blocks.blocks.values() if isinstance(block, FILES) and type(block) in FILES
    ]
    assert read_by_gradio == []


PICTURES = [np.full((900, 600, 3), level, np.uint8) for level in (60, 200)]


@pytest.mark.parametrize(
    ("made", "value", "urls"),
    [
        (shown_picture, PICTURES[0], lambda shown: [shown["url"]]),
        (shown_pair, tuple(PICTURES), lambda shown: [picture["url"] for picture in shown]),
        (
            shown_gallery,
            [(picture, "text") for picture in PICTURES],
            lambda shown: [entry["image"]["url"] for entry in shown if entry["caption"] == "text"],
        ),
    ],
    ids=["picture", "pair", "gallery"],
)
def test_pictures_of_ours_leave_no_file(made, value, urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with gr.Blocks() as blocks:
        component = made("a")
        gr.Button().click(lambda: value, None, component)
    (shown,) = asynchronous.run(blocks.postprocess_data(blocks.fns[0], value, SessionState(blocks)))
    for url, picture in zip(urls(shown), PICTURES, strict=False):
        assert url.startswith("data:image/jpeg;base64,")
        with Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) as image:
            again = np.asarray(image)
        assert max(again.shape) == (GALLERY_SIDE if made is shown_gallery else DISPLAY_SIDE)
        assert abs(again.mean() - picture.mean()) < 2
    assert len(urls(shown)) == (1 if made is shown_picture else 2)
    assert not list(tmp_path.iterdir())
    nothing = component.postprocess(None)
    assert nothing is None or nothing.root == []


def test_all_pictures_of_the_page_leave_no_file():
    with gr.Blocks() as blocks:
        build(may_fetch=False)
    kinds = (gr.Image, gr.ImageSlider, gr.Gallery)
    pictures = [block for block in blocks.blocks.values() if isinstance(block, kinds)]
    assert [block.elem_id for block in pictures if type(block) in kinds] == []
    assert len(pictures) == 6  # the camera among them

"""Components that pass files on: nothing of Gradio's reads what a visitor sent."""

from __future__ import annotations

import os
from pathlib import Path

import asynchronous
import gradio as gr
import pytest
from gradio.state_holder import SessionState

from durian.ui.layout import build
from durian.ui.widgets import raw_camera, raw_upload, raw_video, shown_video

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
    # Pictures of ours, as arrays.
    assert read_by_gradio == ["overlay"]

"""Serving of the page: when it warms up, and which files it gives out."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from served import Served, serving

from durian.media import apart, probe_video, read_image
from durian.ui import launch_options

WATCHED = """
import gc, json, sys, threading
from gradio import Blocks, networking

HEAVY = ("torch", "mediapipe", "diffusers", "skimage", "matplotlib")
seen = {}

def look():
    threads = [thread.name for thread in threading.enumerate()]
    return {"heavy": [name for name in HEAVY if name in sys.modules], "warming": "durian-warm-up" in threads}

def answer(demo, start=Blocks.run_startup_events):
    seen["at the first answer"] = look()
    start(demo)

def wait(demo, block=Blocks.block_thread):
    seen["then"] = look()
    from durian.media import apart
    seen["reads apart"] = apart._source is not None
    next((t.join() for t in threading.enumerate() if t.name == "durian-warm-up"), None)
    seen["warm"] = look()
    seen["objects looked through after a job"] = len(gc.get_objects())
    seen["objects that stay"] = gc.get_freeze_count()
    print("seen", json.dumps(seen), flush=True)
    block(demo)

Blocks.run_startup_events, Blocks.block_thread = answer, wait
networking.url_ok = lambda url: False  # as on a machine that is too busy to answer in three seconds
from durian.ui import serve
serve()
"""
SECONDS_TO_WARM_UP = 120


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that tells its log what it saw of itself; a file that is no result lies in its working folder."""
    folder = tmp_path_factory.mktemp("server")
    work = folder / "outside"
    work.mkdir()
    (work / "secret.txt").write_text("not a result")
    with serving(folder, ["-c", WATCHED], work=work) as running:
        yield running


def test_the_page_opens_on_a_busy_machine_before_anything_heavy_is_loaded(watched: Served):
    deadline = time.monotonic() + SECONDS_TO_WARM_UP
    while not (told := [line for line in watched.log.read_text().splitlines() if line.startswith("seen ")]):
        assert watched.process.poll() is None, watched.log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    seen = json.loads(told[0].removeprefix("seen "))
    assert seen["at the first answer"] == {"heavy": [], "warming": False}
    assert seen["then"]["warming"]
    assert seen["reads apart"] is apart._is_possible()
    assert "mediapipe" in seen["warm"]["heavy"]
    assert "Traceback" not in watched.log.read_text()
    assert seen["objects that stay"] > 20 * seen["objects looked through after a job"]


def test_only_results_are_allowed_besides(tmp_path: Path, settings_environment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    settings_environment(work=tmp_path / "elsewhere")
    assert launch_options()["allowed_paths"] == [str(tmp_path / "elsewhere" / "visitors" / "results")]
    monkeypatch.chdir(tmp_path)
    settings_environment(work="below")
    assert launch_options()["allowed_paths"] == [str(tmp_path / "below" / "visitors" / "results")]


@pytest.mark.slow
def test_results_outside_the_working_and_the_temporary_folder_arrive_and_go_with_the_server(
    watched: Served, tmp_path: Path, collins: np.ndarray
):
    """The last of the server's users: it is stopped."""
    from gradio_client import Client, handle_file

    Image.fromarray(collins[:400, 40:440]).save(tmp_path / "portrait.png")
    client = Client(watched.address, verbose=False)
    portrait = handle_file(tmp_path / "portrait.png")
    video, told = client.predict(portrait, frames=2, size=128, api_name="/animate")
    assert told["frames"] == 2
    assert probe_video(video).width == 128
    assert Image.open(client.predict(portrait, size=128, api_name="/preview")).size == (128, 128)
    whole = client.predict(portrait, size=128, uncrop=True, label=False, api_name="/preview")
    assert np.array_equal(read_image(whole), collins[:400, 40:440])  # no item, no change
    mask = Image.open(client.predict(portrait, None, "hair", api_name="/segment"))
    assert mask.size == (400, 400)
    assert list(watched.results.rglob("*.mp4"))
    assert httpx.get(f"{watched.address}/gradio_api/file={watched.work / 'secret.txt'}").status_code == 403
    watched.process.send_signal(signal.SIGINT)
    watched.process.wait(60)
    assert {path.name for path in watched.work.rglob("*") if path.is_file()} == {".durian", "secret.txt"}

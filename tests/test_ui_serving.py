"""Serving of the page: when it warms up, and which files it gives out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from served import serving

from durian.media import probe_video
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

def wait(demo):
    seen["then"] = look()
    next((t.join() for t in threading.enumerate() if t.name == "durian-warm-up"), None)
    seen["warm"] = look()
    seen["objects looked through after a job"] = len(gc.get_objects())
    seen["objects that stay"] = gc.get_freeze_count()

Blocks.run_startup_events, Blocks.block_thread = answer, wait
networking.url_ok = lambda url: False  # as on a machine that is too busy to answer in three seconds
from durian.ui import serve
serve(server_port=None)
print(json.dumps(seen))
"""


def test_the_page_opens_on_a_busy_machine_before_anything_heavy_is_loaded(project_root: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=project_root,
        env={**os.environ, "DURIAN_WORK": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["at the first answer"] == {"heavy": [], "warming": False}
    assert seen["then"]["warming"]
    assert "mediapipe" in seen["warm"]["heavy"]
    assert "Traceback" not in done.stderr
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
    tmp_path: Path, collins: np.ndarray
):
    from gradio_client import Client, handle_file

    work = tmp_path / "outside"
    work.mkdir()
    (work / "secret.txt").write_text("not a result")
    Image.fromarray(collins[:400, 40:440]).save(tmp_path / "portrait.png")
    with serving(tmp_path, work=work) as served:
        client = Client(served.address, verbose=False)
        portrait = handle_file(tmp_path / "portrait.png")
        video, told = client.predict(portrait, frames=2, size=128, api_name="/animate")
        assert told["frames"] == 2
        assert probe_video(video).width == 128
        assert Image.open(client.predict(portrait, size=128, api_name="/preview")).size == (128, 128)
        mask = Image.open(client.predict(portrait, None, "hair", api_name="/segment"))
        assert mask.size == (400, 400)
        assert list(served.results.rglob("*.mp4"))
        assert httpx.get(f"{served.address}/gradio_api/file={work / 'secret.txt'}").status_code == 403
        served.process.send_signal(signal.SIGINT)
        served.process.wait(60)
        assert {path.name for path in work.rglob("*") if path.is_file()} == {".durian", "secret.txt"}

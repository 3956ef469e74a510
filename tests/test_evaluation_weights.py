"""Sources of metrics' weights, and the sentence where they cannot be had."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from durian.errors import WeightsMissing
from durian.evaluation.metrics import all_metrics, all_set_metrics
from durian.evaluation.metrics.weights import File, Pretrained, is_reachable, kept

NOBODY = "http://127.0.0.1:9"
"""The discard port: nobody listens there."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def empty(tmp_path: Path, settings_environment) -> Path:
    settings_environment(weights=tmp_path / "weights", device="cpu")
    return tmp_path / "weights" / "evaluation"


@pytest.fixture
def server(tmp_path: Path):
    """A host with one file of a thousand zeros."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "made.pth").write_bytes(bytes(1000))
    with serving(partial(Quiet, directory=tmp_path / "served")) as address:
        yield address


@contextmanager
def serving(handler: Any) -> Iterator[str]:
    """The address of a host that answers so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_is_fetched_once_and_checked(empty: Path, server: str, no_leftovers: Path):
    digest = hashlib.sha256(bytes(1000)).hexdigest()[:8]
    path = File("kept.pth", "A file", f"{server}/made.pth", digest=digest).require()
    assert path == empty / "kept.pth"
    assert path.read_bytes() == bytes(1000)
    # It is here, so nobody is asked.
    assert File("kept.pth", "A file", f"{NOBODY}/made.pth").require() == path


def test_another_file_than_was_published_is_refused(empty: Path, server: str):
    file = File("kept.pth", "A file", f"{server}/made.pth", digest="00000000")
    with pytest.raises(WeightsMissing, match=r"127\.0\.0\.1:\d+ sent is not kept\.pth .*, not 0{8}\): .*or put kept"):
        file.require()
    with pytest.raises(WeightsMissing, match=r"A file could not be fetched from 127\.0\.0\.1"):
        File("kept.pth", "A file", f"{server}/gone.pth").require()
    assert list(empty.iterdir()) == []


def test_a_file_that_ends_early_is_refused_although_nobody_published_its_checksum(empty: Path):
    class Cut(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(bytes(400))

        do_HEAD = do_GET  # noqa: N815 - the library asks for that name

        def log_message(self, *_: object) -> None:
            pass

    with serving(Cut) as address, pytest.raises(WeightsMissing, match=r"sent 400 of the 1000 bytes of kept\.pth"):
        File("kept.pth", "A file", f"{address}/made.pth").require()
    assert list(empty.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_as_such(empty: Path, server: str):
    empty.parent.write_text("not a folder")
    with pytest.raises(WeightsMissing, match=r"A file cannot be kept: The folder evaluation/ cannot be made"):
        File("kept.pth", "A file", f"{server}/made.pth").require()


def test_out_of_reach_is_said_in_a_sentence(empty: Path):
    assert not is_reachable(NOBODY)
    with pytest.raises(WeightsMissing) as told:
        File("alex.pth", "AlexNet", f"{NOBODY}/alex.pth").require()
    assert str(told.value) == (
        "AlexNet is not on this machine and 127.0.0.1:9 is out of reach: "
        "put alex.pth (from http://127.0.0.1:9/alex.pth) into weights/evaluation/."
    )
    with pytest.raises(WeightsMissing, match=r"is not on this machine: put rare.pth \(from a drive\) into"):
        File("rare.pth", "Something", page="a drive").require()


def test_a_model_of_the_hub_is_looked_for_at_home_first(empty: Path, monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub.constants
    from transformers import ViTConfig, ViTModel

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", NOBODY)
    model = Pretrained("tiny", "A model", "nobody/has-this-model")
    with pytest.raises(WeightsMissing, match=r"127.0.0.1:9 is out of reach: put the files of nobody/has-this-model"):
        model.load(ViTModel)
    config = ViTConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=16)
    ViTModel(config, add_pooling_layer=False).save_pretrained(empty / "tiny")
    loaded = model.load(ViTModel, add_pooling_layer=False)
    assert loaded.config.hidden_size == 8
    assert not loaded.training
    # With the pooler, which is not in the file, it would be partly random.
    with pytest.raises(WeightsMissing, match="lacks tensors such as pooler"):
        model.load(ViTModel)


def test_models_are_kept_for_a_folder(tmp_path: Path, settings_environment):
    made = kept(object)
    settings_environment(weights=tmp_path / "one")
    first = made()
    assert made() is first
    settings_environment(weights=tmp_path / "two")
    assert made() is not first


def test_what_cannot_be_measured_says_why(empty: Path, monkeypatch: pytest.MonkeyPatch):
    from durian.evaluation.metrics import weights

    # No host answers, wherever the tests run.
    monkeypatch.setattr(weights.urllib.request, "urlopen", _refused)
    is_reachable.cache_clear()
    described = (*all_metrics().values(), *all_set_metrics().values())
    reasons = {metric.name: metric.available() for metric in described if metric.needs_weights}
    is_reachable.cache_clear()
    assert set(reasons) == {"lpips", "clip_i", "dino", "identity", "fid", "vfid_i3d", "vfid_resnext"}
    for name in set(reasons) - {"clip_i", "dino"}:
        assert "is not on this machine" in reasons[name]
        assert "weights/evaluation/" in reasons[name]


def _refused(*_: object, **__: object) -> None:
    raise OSError("no network")

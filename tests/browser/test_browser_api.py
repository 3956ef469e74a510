"""The three named endpoints, through gradio_client."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def client(server):
    from gradio_client import Client

    return Client(server, verbose=False)


def item(photos, **rest) -> dict:
    from gradio_client import handle_file

    return {"image": handle_file(photos["hopper"]), **rest}


def test_only_the_named_endpoints_are_public(client):
    named = client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    assert set(named) == {"/animate", "/preview", "/segment"}
    assert "pixels" in named["/segment"]["description"] or "pixels" in str(named["/segment"])


def test_segment_by_name_and_by_points(client, photos, hopper):
    from gradio_client import handle_file

    path = client.predict(handle_file(photos["hopper"]), None, "hat", api_name="/segment")
    mask = np.asarray(Image.open(path))
    assert mask.shape == hopper.shape[:2]
    assert mask[110, 245] == 255
    assert mask[500, 60] == 0
    path = client.predict(handle_file(photos["hopper"]), [[245, 110, 1], [250, 300, 0]], None, api_name="/segment")
    assert np.asarray(Image.open(path))[110, 245] == 255


def test_preview(client, photos):
    from gradio_client import handle_file

    path = client.predict(handle_file(photos["collins"]), [item(photos, name="hat")], size=256, api_name="/preview")
    bare = client.predict(handle_file(photos["collins"]), None, size=256, api_name="/preview")
    assert Image.open(path).size == (256, 256)
    difference = np.abs(np.asarray(Image.open(path), int) - np.asarray(Image.open(bare), int))
    assert difference[:110].mean() > 5 > difference[180:].mean()


def test_animate(client, photos):
    from gradio_client import handle_file

    from durian.media import probe_video, read_metadata

    video, told = client.predict(
        handle_file(photos["collins"]),
        [item(photos, name="hat", clicks=[[245, 110, 1]]), item(photos, name="glasses", strength=0.8)],
        "smile",
        frames=10,
        size=256,
        seed=3,
        api_name="/animate",
    )
    path = Path(video["video"] if isinstance(video, dict) and "video" in video else video)
    info = probe_video(path)
    assert (info.width, info.height) == (256, 256)
    assert (told["frames"], told["seed"], told["renderer"]) == (10, 3, "preview")
    assert "AI-generated" in str(read_metadata(path))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"points": [[9000, 10, 1]], "name": None}, "outside"),
        ({"points": None, "name": None}, "click"),
        ({"points": None, "name": "shoes"}, "shoes"),
        ({"points": [["a", 1]], "name": None}, "give a number"),
    ],
)
def test_refusals_are_one_sentence(client, photos, arguments, words):
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=words):
        client.predict(handle_file(photos["hopper"]), **arguments, api_name="/segment")


def test_a_server_path_is_refused(client):
    from gradio_client.exceptions import ValidationError

    with pytest.raises(ValidationError, match="not an uploaded file"):
        client.predict({"path": "/etc/hostname"}, None, "hat", api_name="/segment")

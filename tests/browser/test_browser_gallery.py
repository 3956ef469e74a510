"""The gallery's page in a real browser, opened as a file: keys, undo, what is saved, and a phone's width."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from gallery_made import HEADER, write_pictures

from durian.evaluation.gallery.key import Key, read_key

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAIRS = f"""{HEADER}
1,hat,people/collins.png,people/hopper.png:hat,nod
2,glasses,people/collins.png,people/hopper.png:glasses,nod
3,hat,people/hopper.png,people/hopper.png:hat,nod
4,nobody,people/wall.png,people/hopper.png:hat,nod
"""


@pytest.fixture(scope="module")
def galleries(tmp_path_factory: pytest.TempPathFactory, collins: np.ndarray, hopper: np.ndarray) -> dict[str, Path]:
    """One of the preview, and a blind one of two methods; the second is the first by another name."""
    folder = tmp_path_factory.mktemp("gallery")
    write_pictures(folder / "data", collins, hopper)
    (folder / "pairs.csv").write_text(PAIRS)
    code = (
        "import json, sys; from durian.renderer import register_renderer; from durian.preview.renderer import "
        "PreviewRenderer; register_renderer('twin', PreviewRenderer); from durian.cli import main; "
        "[main(arguments) for arguments in json.loads(sys.argv[1])]"
    )
    commands = []
    for name, methods in (("plain", ["preview"]), ("blind", ["preview", "twin"])):
        options = ["--pairs", "pairs.csv", "--pictures", "data", "--size", "64", "--frames", "4", "--out", name]
        options += [part for method in methods for part in ("--method", method)]
        commands.append(["evaluate", "gallery", *options])
    # Both in one process, which would otherwise load everything twice.
    command = [sys.executable, "-c", code, json.dumps(commands)]
    subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, check=True, timeout=300)
    return {name: folder / name for name in ("plain", "blind")}


@pytest.fixture
def open_gallery(chromium):
    """``open_gallery(folder, width=390)`` opens the page without any network and gives the rater's name."""
    contexts = []

    def open_(folder: Path, width: int = 1440, height: int = 900):
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("requestfailed", lambda request: page.problems.append(request.url))
        page.goto((folder / "page" / "index.html").as_uri())
        assert "One would show it" in page.inner_text("#start")
        page.fill("#rater", "Ann B.")
        page.keyboard.press("Enter")
        page.wait_for_selector("#rating")
        return page

    yield open_
    for context in contexts:
        context.close()


def saved(page, button: str) -> dict[str, object]:
    with page.expect_download() as download:
        page.click(button)
    assert download.value.suggested_filename == "ratings-Ann-B-.json"
    return json.loads(Path(download.value.path()).read_text())


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def name_of(key: Key) -> Callable[[str], tuple[str, str]]:
    names = {look.name: (look.pair, look.method) for look in key.looks}
    return names.__getitem__


def test_three_pairs_are_rated_by_keys_and_saved(open_gallery, galleries: dict[str, Path]):
    page = open_gallery(galleries["plain"])
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.05")
    assert page.inner_text("#title") == "Pair 1 · hat"
    press(page, "1", "3", "h", "c", "2")
    # Three are done; the fourth could not be made, and says why.
    assert page.inner_text("#title") == "Pair 4 · nobody"
    assert "face" in page.inner_text("#told")
    assert "Rated 3 of 3" in page.inner_text("#progress")
    press(page, "Backspace", "3", "l", "ArrowLeft")
    assert page.inner_text("#title") == "Pair 3 · hat"
    assert page.inner_text("#rated-0") == "bad, leftover"
    press(page, "ArrowRight", "ArrowRight")
    assert page.inner_text("#summary") == "All pairs are rated."
    told = saved(page, "#save-all")
    assert (told["rater"], told["preferences"]) == ("Ann B.", [])
    assert [(each["pair"], each["method"], each["rating"], each["fault"]) for each in told["ratings"]] == [
        ("1", "preview", "good", None),
        ("2", "preview", "bad", "hole"),
        ("3", "preview", "bad", "leftover"),
    ]
    assert all(each["time"].endswith("Z") and each["seconds"] >= 0 for each in told["ratings"])
    find = name_of(read_key(galleries["plain"]))
    assert [find(each["look"])[0] for each in told["ratings"]] == ["1", "2", "3"]
    # They are still there after the page was closed.
    page.reload()
    page.keyboard.press("Enter")
    assert "Rated 3 of 3" in page.inner_text("#progress")
    page.reload()
    page.fill("#rater", "Bob")
    page.keyboard.press("Enter")
    assert "Rated 0 of 3" in page.inner_text("#progress"), "each rater has answers of their own"
    page.select_option("#kind", "glasses")
    assert page.inner_text("#title") == "Pair 2 · glasses"
    assert "0 of 1 of this kind" in page.inner_text("#progress")
    assert not page.problems


def test_two_methods_are_rated_blind_and_compared(open_gallery, galleries: dict[str, Path], tmp_path: Path):
    from durian.evaluation.gallery.merging import merge_ratings

    page = open_gallery(galleries["blind"])
    assert "preview" not in page.content()
    press(page, "1", "2", "s", "a")
    press(page, "3", "m", "1", "b")
    press(page, "1", "1", "=")
    press(page, "Backspace", "=")
    told = saved(page, "#save")
    assert len(told["ratings"]) == 6
    assert all(each["method"] is None for each in told["ratings"])
    find = name_of(read_key(galleries["blind"]))
    sides = [find(each["look"]) for each in told["ratings"]]
    assert [sides[place][0] for place in (0, 2, 4)] == [sides[place][0] for place in (1, 3, 5)]
    better = [each["better"] and find(each["better"]) for each in told["preferences"]]
    assert better == [sides[0], sides[3], None]
    (tmp_path / "ann.json").write_text(json.dumps(told))
    merged = merge_ratings([tmp_path / "ann.json"], galleries["blind"])
    assert sum(each["count"] for each in merged["preference"].values()) == 2
    assert {each["same"] for each in merged["preference"].values()} == {1}
    assert sum(kinds["all"]["failed"] for kinds in merged["methods"].values()) == 2
    assert not page.problems


@pytest.mark.parametrize("name", ["plain", "blind"])
def test_a_phone_scrolls_only_down(open_gallery, galleries: dict[str, Path], name: str):
    page = open_gallery(galleries[name], 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("#ratings button:nth-child(3)")
    assert page.inner_text("#question") == "What is wrong?"
    page.click("#faults button:nth-child(2)")
    told = saved(page, "#save")
    assert [(each["rating"], each["fault"]) for each in told["ratings"]] == [("bad", "cut")]
    while page.is_visible("#rating"):
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.click("#forth")
    assert page.inner_text("#last") == "That was the last pair"

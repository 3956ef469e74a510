"""Intervals, tables and the page: known values, worst case first, nothing fetched."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from durian.evaluation.data.cases import CaseResult
from durian.evaluation.data.tasks import Task
from durian.evaluation.protocols.interface import Options, get_protocol
from durian.evaluation.report import write_report
from durian.evaluation.report.statistics import estimate, paired_difference
from durian.evaluation.report.summary import from_worst, table
from durian.evaluation.report.templates import number
from durian.evaluation.run.results import Store, stored_clip
from durian.evaluation.run.running import Evaluation
from durian.request import Attribute

SIDE = 64
LEVELS = {"a": 20.0, "b": 11.0, "c": 30.0, "d": 16.0}
"""PSNR inside of each case by the studied method; the baseline has three less."""


def test_intervals_hold_the_true_mean_as_often_as_they_say():
    rng = np.random.default_rng(1)
    intervals = [estimate(rng.normal(5, 2, 60), seed) for seed in range(200)]
    hits = sum(found.low <= 5 <= found.high for found in intervals)
    assert 180 <= hits <= 198
    sure = estimate(rng.normal(5, 2, 60))
    # Close to the normal interval: 1.96 standard errors either way.
    assert sure.high - sure.low == pytest.approx(2 * 1.96 * 2 / np.sqrt(60), rel=0.25)
    assert estimate([3.0]) == estimate([3.0, 3.0, 3.0][:1])
    assert (estimate([3.0]).low, estimate([3.0]).high) == (3, 3)


def test_a_difference_is_taken_case_by_case():
    rng = np.random.default_rng(2)
    hard = rng.normal(20, 8, 30)
    difference = paired_difference(hard + 0.5 + rng.normal(0, 0.2, 30), hard)
    assert difference.mean == pytest.approx(0.5, abs=0.1)
    assert difference.is_apart_from_zero
    assert not paired_difference(hard, hard).is_apart_from_zero
    # The means alone could not tell.
    assert estimate(hard + 0.5).low < estimate(hard).high


def made_task(name: str, level: int) -> Task:
    picture = np.full((SIDE, SIDE, 3), level, np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:20] = 255
    landmarks = np.zeros((478, 3), np.float32)
    attribute = Attribute(picture, mask, landmarks, "hat")
    truth = np.repeat(picture[None], 3, axis=0)
    return Task(name, "hat", picture, landmarks, (attribute,), np.zeros((3, 478, 3), np.float32), 8.0, truth=truth)


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """Four cases by two methods, stored as a run stores them; a fifth was left out."""
    store, results = Store(tmp_path), {"still": [], "mine": []}
    for place, (name, level) in enumerate(LEVELS.items()):
        task = made_task(name, 40 * place + 40)
        store.keep_task(task)
        for method, loss in (("still", 3), ("mine", 0)):
            figures = {"psnr/all": 20.0, "psnr/inside": level - loss, "l1/all": 0.1 + 0.01 * loss}
            result = CaseResult(name, method, "hat" if place % 2 else "hair", figures, {"filled_frames": 0})
            store.keep(result, "key", task.truth, task)
            results[method].append(result)
    protocol = get_protocol("triplets")(Options(tmp_path))
    return Evaluation(protocol, ("still", "mine"), results, {"e": "No <face> in it."}, "0" * 32, tmp_path)


def test_a_table_has_means_differences_and_the_best(evaluation: Evaluation):
    rows = {row.key: row for row in table(evaluation, "still")}
    assert list(rows) == ["psnr/all", "psnr/inside", "l1/all"]
    inside = rows["psnr/inside"]
    assert (inside.title, inside.figure.unit) == ("PSNR inside the item", "dB")
    assert inside.means["mine"].mean == pytest.approx(np.mean(list(LEVELS.values())))
    assert inside.differences["mine"].mean == pytest.approx(3)
    assert inside.differences["mine"].low == pytest.approx(3)
    assert inside.best == ["mine"]
    assert rows["l1/all"].best == ["mine"], "less is better"
    assert rows["psnr/all"].best == ["still", "mine"]
    assert [case.case for case in from_worst(evaluation, "mine")] == ["b", "d", "a", "c"]


def test_what_is_stored_is_found_again_by_its_key_only(evaluation: Evaluation):
    store = Store(evaluation.folder)
    assert store.find("a", "mine", "key") == evaluation.results["mine"][0]
    assert store.find("a", "mine", "another") is None
    assert store.find("e", "mine", "key") is None
    clip = stored_clip(evaluation.folder, "mine", "b")
    assert len(clip) == 3
    assert np.abs(np.stack(clip).astype(int) - 80).max() < 4


def test_the_page_needs_nothing_else_and_shows_the_worst_first(evaluation: Evaluation):
    path = write_report(evaluation, "still")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href|poster|action)=["'](?!data:)|url\(|@import|<script|<link|<iframe""", text)
    heads = re.findall(r"<h3>(\w) · (\w+)</h3>", text)
    assert [name for name, _ in heads][:3] == ["b", "d", "a"]
    assert heads[3][0] == "c", "the best case comes first among the best"
    assert text.index("Worst cases of mine") < text.index("<h3>b") < text.index("Best cases of mine")
    assert "No &lt;face&gt; in it." in text
    assert text.count("<video ") == text.count("data:video/mp4") == len(heads)
    video = base64.b64decode(re.search(r"data:video/mp4;base64,([^\"]+)", text)[1])
    assert b"ftyp" in video[:16]
    assert len(text) < 2_000_000
    assert '<html lang="en">' in text
    assert all("alt=" in tag for tag in re.findall(r"<img [^>]*>", text))
    numbers = json.loads((evaluation.folder / "metrics.json").read_text())
    assert numbers["figures"]["psnr/inside"]["means"]["mine"]["mean"] == pytest.approx(19.25)
    assert numbers["by_group"]["hair"]["psnr/inside"]["means"]["mine"]["mean"] == 25
    assert numbers["skipped"] == {"e": "No <face> in it."}
    assert numbers["data"]["digest"] == "0" * 32
    assert set(numbers["unavailable"]).isdisjoint({"psnr", "ssim", "l1"})
    assert numbers["versions"]["durian"]


def test_names_and_sentences_are_text_in_the_page_and_never_markup(evaluation: Evaluation):
    named = "<b onload='x'>&\"it"
    others = [replace(case, method=named) for case in evaluation.results["mine"]]
    asked = replace(evaluation, methods=("still", named), results={"still": evaluation.results["still"], named: others})
    text = write_report(asked, "still").read_text(encoding="utf-8")
    assert "<b " not in text
    assert "onload='" not in text
    assert text.count("&lt;b onload=&#39;x&#39;&gt;&amp;&#34;it") > 5


def test_the_same_results_make_the_same_page(evaluation: Evaluation):
    first = write_report(evaluation, "still").read_bytes()
    assert write_report(evaluation, "still").read_bytes() == first


@pytest.mark.parametrize(
    ("value", "text"), [(18.256, "18.26"), (0.07442, "0.074"), (-1.5, "−1.500"), (123.456, "123.5"), (0, "0.000")]
)
def test_numbers_are_short_and_have_a_true_minus(value: float, text: str):
    assert number(value) == text


def test_a_grid_of_gaps_becomes_a_map_for_each_part(tmp_path: Path):
    cases = [
        CaseResult(
            f"{pose}-{light}", "still", "cell", {"psnr/face": 30.0 - pose / 9, "psnr/inside": 20.0 - light}, facts
        )
        for pose, light in ((0, 0), (45, 4))
        if (facts := {"pose": float(pose), "light": float(light)})
    ]
    protocol = get_protocol("robustness")(Options(tmp_path))
    text = write_report(Evaluation(protocol, ("still",), {"still": cases}, {}, "0" * 32, tmp_path), "still").read_text()
    assert "identity: still" in text
    assert "attribute: still" in text
    assert re.findall(r'class="heat" style="--share:([\d.]+)">([\d.]+)<', text) == [
        *(("1.000", "30.00"), ("0.000", "25.00")),
        *(("1.000", "20.00"), ("0.000", "16.00")),
    ]

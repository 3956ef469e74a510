"""Ratings of several raters: known intervals and kappas, the lower count, preference, and files that are no ratings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gallery_made import made_key, save_ratings

from durian.cli import main
from durian.errors import DurianError
from durian.evaluation.gallery.agreement import cohen_kappa, fleiss_kappa, plain_agreement, share_of
from durian.evaluation.gallery.merging import merge_ratings

FLEISS = np.array(
    [
        (0, 0, 0, 0, 14),
        (0, 2, 6, 4, 2),
        (0, 0, 3, 5, 6),
        (0, 3, 9, 2, 0),
        (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0),
        (3, 2, 6, 3, 0),
        (2, 5, 3, 2, 2),
        (6, 5, 2, 1, 0),
        (0, 2, 2, 3, 7),
    ]
)
"""The worked example of the encyclopaedias: fourteen raters, ten items, five categories."""


def test_intervals_are_those_of_the_books():
    assert (share_of(8, 10).low, share_of(8, 10).high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_of(0, 20).low == 0
    assert share_of(0, 20).high == pytest.approx(1.959964**2 / (20 + 1.959964**2), abs=1e-6)
    exact = share_of(8, 10, "exact")
    assert (exact.low, exact.high) == pytest.approx((0.4439, 0.9748), abs=1e-4)


def test_kappas_are_those_of_the_books():
    assert plain_agreement(FLEISS) == pytest.approx(0.378, abs=1e-3)
    assert fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=1e-3)
    # Fifty grants: both yes 20, both no 15, one yes and the other no 5 and 10.
    first = [0] * 25 + [1] * 25
    second = [0] * 20 + [1] * 5 + [0] * 10 + [1] * 15
    assert cohen_kappa(first, second, 2) == pytest.approx(0.4)
    assert cohen_kappa([2, 2], [2, 2], 3) is None
    assert fleiss_kappa(np.array([(3, 0), (3, 0)])) is None
    assert fleiss_kappa(np.array([(3, 0), (0, 3)])) == 1


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """Two methods, four pairs of two kinds; one look could not be made."""
    from dataclasses import replace

    from durian.evaluation.gallery.key import write_key

    folder = tmp_path / "gallery"
    folder.mkdir()
    key = made_key(folder, ("one", "two"), [("1", "hat"), ("2", "hat"), ("3", "hair"), ("4", "hair")])
    looks = [replace(look, error="No face.") if look.name == "two-4" else look for look in key.looks]
    write_key(folder, replace(key, looks=tuple(looks)))
    return folder


def test_two_raters_are_merged_and_unblinded(gallery: Path, tmp_path: Path):
    ann = save_ratings(
        tmp_path / "ann.json",
        "Ann",
        {
            "one-1": ("good", None),
            "one-2": ("usable", "cut"),
            "one-3": ("good", None),
            "one-4": ("bad", "hole"),
            "two-1": ("bad", "cut"),
            "two-2": ("bad", "cut"),
        },
        [("one-1", "two-1", "one-1"), ("two-2", "one-2", "one-2"), ("one-3", "two-3", None)],
    )
    bob = save_ratings(
        tmp_path / "bob.json",
        "Bob",
        {
            "one-1": ("good", None),
            "one-2": ("good", None),
            "one-3": ("usable", "edge or light"),
            "one-4": ("bad", None),
            "gone-9": ("bad", None),
        },
        [("one-1", "two-1", "two-1"), ("one-1", "gone-9", "one-1")],
    )
    merged = merge_ratings([ann, bob], gallery)
    assert json.loads((gallery / "ratings.json").read_text()) == merged
    assert (merged["raters"], merged["answers"], merged["left_out"]) == (["Ann", "Bob"], 14, 2)
    every = merged["methods"]["one"]["all"]
    assert {name: every["ratings"][name]["count"] for name in ("good", "usable", "bad")} == {
        "good": 4,
        "usable": 2,
        "bad": 2,
    }
    assert every["ratings"]["good"] == {"count": 4, "share": 0.5, "low": 0.2152, "high": 0.7848}
    # The lower count: each pair by the worst rating that anybody gave it.
    assert merged["lowest"]["one"] == {"1": "good", "2": "usable", "3": "usable", "4": "bad"}
    assert {name: every["lowest"][name]["count"] for name in ("good", "usable", "bad")} == {
        "good": 1,
        "usable": 2,
        "bad": 1,
    }
    hats = merged["methods"]["two"]["hat"]
    assert hats["ratings"]["total"] == 2
    assert hats["ratings"]["bad"]["count"] == 2
    assert merged["methods"]["two"]["hair"] == {"ratings": {"total": 0}, "lowest": {"total": 0}, "failed": 1}
    assert merged["faults"] == {"one": {"cut": 1, "hole": 1, "edge or light": 1}, "two": {"cut": 2}}
    assert merged["by_rater"]["Bob"]["one"] == {"good": 2, "usable": 1, "bad": 1}
    # Said of four: the same of two; by chance (2 × 2 + 1 × 1 + 1 × 1) / 16.
    assert merged["agreement"] == {
        "pictures": 4,
        "same": 0.5,
        "kappa": pytest.approx((0.5 - 0.375) / 0.625),
        "kind": "cohen",
    }
    assert merged["preference"]["one"] == {
        "count": 2,
        "share": 0.6667,
        "low": pytest.approx(0.0943, abs=1e-4),
        "high": pytest.approx(0.9916, abs=1e-4),
        "decided": 3,
        "same": 1,
    }
    assert merged["preference"]["two"]["count"] == 1


def test_three_raters_agree_by_fleiss(gallery: Path, tmp_path: Path):
    said = {"Ann": "good usable bad", "Bob": "good usable usable", "Cai": "good bad usable"}
    files = [
        save_ratings(
            tmp_path / f"{rater}.json",
            rater,
            {f"one-{place}": (rating, None) for place, rating in enumerate(ratings.split(), start=1)},
        )
        for rater, ratings in said.items()
    ]
    found = merge_ratings(files, gallery)["agreement"]
    table = np.array([(3, 0, 0), (0, 2, 1), (0, 2, 1)])
    assert found["kind"] == "fleiss"
    assert found["same"] == pytest.approx((1 + 1 / 3 + 1 / 3) / 3, abs=1e-4)
    assert found["kappa"] == pytest.approx(fleiss_kappa(table), abs=1e-4)


def test_the_later_of_a_raters_answers_counts(gallery: Path, tmp_path: Path):
    late = save_ratings(tmp_path / "b.json", "Ann ", {"one-1": ("bad", "cut")}, time="2026-01-02T00:00:00.000Z")
    early = save_ratings(tmp_path / "a.json", "Ann", {"one-1": ("good", None)})
    merged = merge_ratings([late, early], gallery)
    assert merged["lowest"]["one"] == {"1": "bad"}
    assert merged["agreement"] is None


def test_the_command_prints_a_table_and_json(capsys, gallery: Path, tmp_path: Path):
    file = save_ratings(tmp_path / "a.json", "Ann", {"one-1": ("good", None), "one-2": ("bad", "hole")})
    assert main(["evaluate", "gallery", "--ratings", str(file), "--out", str(gallery), "--json"]) == 0
    out, error = capsys.readouterr()
    assert json.loads(out)["lowest"]["one"] == {"1": "good", "2": "bad"}
    assert "50 % [9, 91]" in error
    assert "Faults of one: hole 1." in error
    assert main(["evaluate", "gallery", "--ratings", str(file), "--out", str(gallery)]) == 0
    assert "1/0/1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gallery": "h"}, "is about another gallery"),
        ({"format": "x"}, "a.json cannot be used"),
        ({"rater": ""}, "a.json cannot be used"),
        ({"ratings": [{"rating": "lovely"}]}, "a.json cannot be used"),
        ({"ratings": []}, "None of the files holds an answer"),
    ],
)
def test_files_that_are_no_ratings_of_it_are_one_sentence(gallery: Path, tmp_path: Path, changes, words: str):
    file = save_ratings(tmp_path / "a.json", "Ann", {"one-1": ("good", None)}, changes=changes)
    with pytest.raises(DurianError, match=words):
        merge_ratings([file], gallery)


def test_other_files_and_folders_are_one_sentence(gallery: Path, tmp_path: Path):
    (tmp_path / "a.json").write_bytes(b"\xff\xd8")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for name, words in (("a.json", "holds no ratings"), ("none.json", "does not exist"), ("deep.json", "no ratings")):
        with pytest.raises(DurianError, match=words):
            merge_ratings([tmp_path / name], gallery)
    with pytest.raises(DurianError, match=r"holds no key.json"):
        merge_ratings([tmp_path / "a.json"], tmp_path)

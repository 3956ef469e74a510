"""Refusal of options that have no effect together, each in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from durian.cli import main
from durian.cli.combinations import OF_BENCH, OF_COMPARISONS, OF_GALLERY, OF_PHOTOGRAPHS, REAL_CLIPS, check_together
from durian.cli.parser import make_parser
from durian.evaluation.protocols.interface import PROTOCOLS


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "animate --example hopper-cap --portrait p.png",
            "--portrait does not go with --example, which has a portrait",
        ),
        ("animate --example hopper-cap --face 1", "--face does not go with --example"),
        ("animate --portrait p.png --start 1", "--start is for a driving video only: give one to --motion, or leave"),
        ("animate --portrait p.png --motion nod --end 0", "--end is for a driving video only"),
        ("animate --portrait p.png --neutral 0", "--neutral is for a driving video only"),
        ("animate --example hopper-cap --sound", "--sound is for a driving video only"),
        ("animate --portrait p.png --steps 4", "--steps is for diffusion only: add --renderer diffusion, or leave"),
        ("animate --portrait p.png --renderer preview --sampler lcm", "--sampler is for diffusion only"),
        ("animate --portrait p.png --motion=", "Motion '' is neither a video nor a preset: use one of"),
        ("animate --portrait p.png --renderer=", "Renderer '' is not known"),
        ("animate --portrait p.png --portrait q.png", "--portrait is given twice: give it once"),
        ("animate -o a.mp4 --out b.mp4", "--out is given twice"),
        ("animate --portrait p.png --fps 24 --fps 24", "--fps is given twice"),
        ("animate --portrait p.png --mask m.png", "--mask stands before any --attribute: put it behind the one"),
        ("animate --portrait p.png --click 1,2 --attribute a.png", "--click stands before any --attribute"),
        ("animate --example hopper-cap --name hat", "--name stands before any --attribute"),
        ("animate --attribute a.png --strength 0.5 --strength 1", "--strength is given twice for one --attribute"),
        ("animate --portrait p.png --attribute a.png --mask m.png --click 1,2", "a.png has a mask and clicks"),
        ("animate --batch t.csv --gif a.gif", "--gif names one file, but each row of t.csv writes its own"),
        ("bench preview --frames 4", "--frames is not of bench preview: leave it out"),
        ("bench diffusion --keep-seconds 9", "--keep-seconds is not of bench diffusion"),
        ("evaluate self --data d --videos v", "--data and --videos both say where the clips are"),
        ("evaluate triplets --data d --videos v", "--data and --videos both say"),
        ("evaluate triplets --videos v", "--videos is not of evaluate triplets: leave it out"),
        ("evaluate triplets --data d --segmenter sam", "--segmenter is not of evaluate triplets"),
        ("evaluate segment --data d --method paste", "--method is not of evaluate segment: leave it out"),
        ("evaluate mattes --data d", "--data is not of evaluate mattes: leave it out"),
        ("evaluate mattes --method paste", "--method is not of evaluate mattes: leave it out"),
        (
            "prepare --videos a -o b --categories hat --categories hair",
            "--categories is given twice: give it once, with",
        ),
    ],
)
def test_what_would_not_be_heeded_is_refused(capsys, tmp_path: Path, monkeypatch, line: str, sentence: str):
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == 2
    out, error = capsys.readouterr()
    assert error.startswith(f"durian: {sentence}")
    assert error.count("\n") == 1
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "--portrait p.png --motion drive.mp4 --start 1 --end 2 --neutral 0 --sound",
        "--example hopper-cap --attribute a.png --name hat --motion drive.mp4",
        "--portrait p.png --attribute a.png --mask m.png --name hat --attribute a.png --click 1,2 --click 3,4",
        "--portrait p.png --renderer diffusion --steps 4 --guidance 1 --sampler lcm",
        "--portrait p.png --erase hat --erase glasses",
    ],
)
def test_what_goes_together_passes(line: str):
    check_together(make_parser().parse_args(["animate", *line.split()]))


def test_every_option_of_bench_and_evaluate_belongs_to_something():
    parsers = next(action.choices for action in make_parser()._actions if action.dest == "command")
    common = {"help", "json", "verbose", "what"}
    bench = {action.dest for action in parsers["bench"]._actions} - common
    assert bench == {name for names in OF_BENCH.values() for name in names}
    evaluate = {action.dest for action in parsers["evaluate"]._actions} - common
    assert evaluate == {*OF_COMPARISONS, *OF_PHOTOGRAPHS, *OF_GALLERY, "data", "videos", "segmenter", "masks", "limit"}
    assert set(REAL_CLIPS) <= set(PROTOCOLS)

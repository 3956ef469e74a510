"""Mistakes on the command line: each is one sentence, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from durian.cli.parser import make_parser
from durian.errors import InvalidRequest

pytestmark = pytest.mark.usefixtures("own_engine")

SMALL = ["--size", "128", "--frames", "3"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "No COMMAND was given: use one of animate, wear"),
        (["dance"], "'dance' is not known: use one of animate"),
        (["animate"], "No portrait was given"),
        (["animate", "--portrait", "none.png"], "none.png"),
        (["animate", "--portrait", "{wall}"], "No face was found in wall.png"),
        (["animate", "--portrait", "{collins}", "--face", "4"], "only one face"),
        (
            ["animate", "--portrait", "{collins}", "--attribute", "{hopper}"],
            "Nothing says where the item is in hopper.png: give a mask, a name or a click.",
        ),
        (
            ["animate", "--portrait", "{collins}", "--attribute", "{hopper}", "--click", "9000,5"],
            "9000,5 is outside hopper",
        ),
        (["animate", "--portrait", "{collins}", "--attribute", "{hopper}", "--click", "here"], "click"),
        (["animate", "--portrait", "{collins}", "--attribute", "{hopper}", "--mask", "{wall}"], "own size"),
        (["animate", "--portrait", "{collins}", "--attribute", "{hopper}", "--mask", "none.png"], "none.png"),
        (["animate", "--portrait", "{collins}", "--name", "hat"], "stands before any --attribute"),
        (["animate", "--portrait", "{collins}", "--blend", "0.5"], "exactly two"),
        (["animate", "--portrait", "{collins}", "--motion", "boogie"], "boogie"),
        (["animate", "--portrait", "{collins}", "--motion", "{wall}"], "wall.png"),
        (
            ["animate", "--portrait", "{collins}", "--frames", "0"],
            "give a whole number from 1 to 600",
        ),
        (["animate", "--portrait", "{collins}", "--size", "big"], "big"),
        (["animate", "--portrait", "{collins}", "--renderer", "oil"], "oil"),
        (["animate", "--portrait", "{collins}", "--crop", "1,2"], "'1,2' is not a crop"),
        (["animate", "--portrait", "{collins}", "--blend", "half"], "'half' is not a blend"),
        (["animate", "--portrait", "{collins}", "-o", "nowhere/out.mp4"], "nowhere"),
        (
            ["animate", "--portrait", "{collins}", "-o", "out.mp4/"],
            "'out.mp4/' names a folder: give a file",
        ),
        (["segment", "{collins}", "--name", "hair", "-o", "mask.png/."], "names a folder"),
        (["animate", "--portrait", "{collins}", "--room", "nan"], "cannot be --room: give a number from 0.4 to 5"),
        (
            ["animate", "--portrait", "{collins}", "--crop=0,0,1"],
            "The crop 0,0,1 does not hold the face: give a square",
        ),
        (["animate", "--portrait", "{collins}", "--motion", "{collins}", "--start", "nan"], "cannot be --start"),
        (["animate", "--portrait", "{collins}", "--motion", "{collins}", "--end", "inf"], "cannot be --end"),
        (["animate", "--example", "mona-lisa"], "hopper-cap"),
        (["animate", "--batch", "none.csv"], "none.csv"),
        (["segment", "{wall}"], "Nothing says where the item is in wall.png: give a name or a click."),
        (["segment", "{hopper}", "--name", "hat", "-o", "mask.jpg"], ".png"),
        (["segment", "{hopper}", "--name", "hat", "--segmenter", "magic"], "magic"),
        (["evaluate", "triplets"], "--data"),
        (["evaluate", "reenact", "--videos", "nowhere"], "nowhere"),
        (["evaluate", "self-item", "--data", ".", "--split", "none.csv"], "none.csv"),
        (["evaluate", "completion", "--data", "."], "no photographs"),
        (["evaluate", "completion", "--data", ".", "--kind", "crown"], "crown"),
        (["weights", "get", "nothing"], "nothing"),
    ],
)
def test_each_mistake_is_one_sentence(run, photos: Path, tmp_path: Path, monkeypatch, arguments: list[str], words: str):
    monkeypatch.chdir(tmp_path)
    filled = [a.format(**{path.stem: path for path in photos.iterdir()}) for a in arguments]
    code, out, error = run(*filled)
    sentences = [line for line in error.splitlines() if line.startswith("durian: ")]
    assert code == 2
    assert out == ""
    assert len(sentences) == 1
    assert words in sentences[0]
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_verbose_shows_the_trace(run, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    code, _, _ = run("animate", "--portrait", tmp_path / "none.png", "--verbose")
    assert code == 2
    assert any(record.exc_info for record in caplog.records)


def test_a_fault_of_ours_is_told_apart(run, monkeypatch: pytest.MonkeyPatch):
    import durian.cli.animate as command

    monkeypatch.setattr(command, "run", lambda arguments: 1 // 0)
    code, out, error = run("animate")
    assert code == 1
    assert out == ""
    assert "something broke inside (ZeroDivisionError" in error


@pytest.mark.parametrize("name", ["glasses", "beard"])
def test_a_name_of_nothing_that_is_worn_is_refused(run, photos: Path, tmp_path: Path, name: str):
    animate = ["animate", "--portrait", photos / "hopper.png", *SMALL, "--attribute"]
    for command in (["segment"], animate):
        out = tmp_path / ("m.png" if command[0] == "segment" else "m.mp4")
        code, printed, error = run(*command, photos / "collins.png", "--name", name, "-o", out, "--json")
        assert (code, printed) == (2, "")
        assert f"No {name} found in collins.png: click on the item" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["hat_bangs", "beard_woman", "glasses_woman"])
def test_strangers_who_wear_none_of_it_are_refused(run, shared_data: Path, tmp_path: Path, name: str):
    item = name.split("_")[0]
    picture = shared_data / "bugs" / f"no_{name}.jpg"
    code, printed, error = run("segment", picture, "--name", item, "-o", tmp_path / "mask.png", "--json")
    assert (code, printed) == (2, "")
    assert f"No {item} found in {picture.name}: click on the item" in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no requests"),
        ("portrait\n", "no requests"),
        ('portrait\n"open', "CSV"),
        ("\xff\xfe", "no requests"),
        ("\xff\xfe\x00", "CSV"),
        ("portrait\na\0.jpg", "CSV"),
        ("portrait\n\x81.jpg", "CSV"),
    ],
)
def test_a_csv_that_cannot_be_used(run, tmp_path: Path, text: str, words: str):
    (tmp_path / "bad.csv").write_bytes(text.encode("latin-1"))
    code, _, error = run("animate", "--batch", tmp_path / "bad.csv")
    assert code == 2
    assert words in error


def test_errors_of_the_parser_are_ours():
    with pytest.raises(InvalidRequest, match="--help"):
        make_parser().parse_args(["bench"])

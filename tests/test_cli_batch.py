"""Batches: tables as spreadsheets save them, and rows that would overwrite what is theirs or another's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian.cli import main
from durian.cli.table import MAX_BYTES, read_table
from durian.engine import Engine
from durian.engine import engine as engine_module
from durian.errors import LimitExceeded, UnreadableMedia
from durian.settings import Settings

KNOWN = ("portrait", "attribute", "name", "out")


@pytest.fixture(autouse=True)
def own_engine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """An engine whose files go with the test."""
    engine = Engine(Settings(work=tmp_path_factory.mktemp("work")))
    monkeypatch.setattr(engine_module, "_engine", engine)
    yield engine
    engine.close()


def read(path: Path, data: bytes) -> tuple[list[str], list[list[str]]]:
    path.write_bytes(data)
    table = read_table(path, KNOWN.__contains__)
    return table.header, table.rows


# Tables

TEXT = "portrait;out\r\nMüller, 1.jpg;é.mp4\r\n"
HELD = (["portrait", "out"], [["Müller, 1.jpg", "é.mp4"]])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace(";", "\t"),
        'portrait,out\n"Müller, 1.jpg",é.mp4\n',
        '"portrait";"out"\n"Müller, 1.jpg";"é.mp4"',
        "sep=;\r\n" + TEXT,
        '"sep=|"\n' + TEXT.replace(";", "|"),
        "\n\n" + TEXT.replace(";", " ; ") + "\n;\n",
        "portrait;out;;\nMüller, 1.jpg;é.mp4;;\n",
    ],
)
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path: Path, text: str, encoding: str):
    assert read(tmp_path / "t.csv", text.encode(encoding)) == HELD


def test_big_endian_utf_16_and_a_quoted_line_break(tmp_path: Path):
    text = '\ufeffportrait\tout\n"a\tb.jpg"\t"c""d.mp4"\n'
    assert read(tmp_path / "t.csv", text.encode("utf-16-be")) == (["portrait", "out"], [["a\tb.jpg", 'c"d.mp4']])


def test_the_separator_is_the_one_that_finds_known_columns(tmp_path: Path):
    # Of the three, only the comma makes two names that are known, though semicolons are more.
    header, _ = read(tmp_path / "t.csv", b"portrait,a;b;c,out\nx,y,z\n")
    assert header == ["portrait", "a;b;c", "out"]


def test_short_rows_are_filled_and_long_ones_kept(tmp_path: Path):
    assert read(tmp_path / "t.csv", b"portrait,out\na\nb,c,d\n")[1] == [["a", ""], ["b", "c", "d"]]


def test_only_ordinary_files_of_a_bounded_size_are_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.csv")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(UnreadableMedia, match=r"pipe.csv is not a regular file"):
        read_table(tmp_path / "pipe.csv", KNOWN.__contains__)
    with pytest.raises(UnreadableMedia, match="zero is not a regular file"):
        read_table(Path("/dev/zero"), KNOWN.__contains__)
    with pytest.raises(UnreadableMedia, match="is a folder"):
        read_table(tmp_path, KNOWN.__contains__)
    with pytest.raises(LimitExceeded, match="at most 20 MB"):
        read_table(tmp_path / "large.csv", KNOWN.__contains__)


# Headers


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("portrait,colour", "t.csv has a column 'colour', which is not known"),
        ("portrait,frames7", "'frames7', which is not known"),
        ("portrait,json", "'json', which is not known"),
        ("foto;kleur", "'foto;kleur', which is not known"),
        ("portrait,Portrait", "has the column 'portrait' 2 times: leave one"),
        ("portrait,name,name1", "has the column 'name' 2 times: number those of another item, such as name2"),
    ],
)
def test_a_header_that_cannot_be_used_is_told_once(capsys, tmp_path: Path, header: str, words: str):
    (tmp_path / "t.csv").write_text(f"{header}\na,b,c\na,b,c\n")
    assert main(["animate", "--batch", str(tmp_path / "t.csv")]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("durian: ") == 1
    assert "row" not in error.split(":")[0]
    assert words in error
    if "not known" in words:
        assert "frames-zip" in error
        assert "portrait" in error


def test_columns_may_be_written_with_capitals_spaces_and_underscores(capsys, tmp_path: Path):
    (tmp_path / "t.csv").write_text("Portrait;Frames Zip;pose_strength;attribute2\nno.jpg;x.zip;1;b.jpg\n")
    assert main(["animate", "--batch", str(tmp_path / "t.csv"), "--json"]) == 1
    failed = json.loads(capsys.readouterr().out)["failed"]
    assert "no.jpg does not exist" in failed[0]["error"]


# Rows


@pytest.fixture
def folder(tmp_path: Path, collins: np.ndarray) -> Path:
    """Holds ä.png, a portrait."""
    Image.fromarray(collins[:360, 60:420]).save(tmp_path / "ä.png")
    return tmp_path


def run(capsys, folder: Path, *lines: str, options: tuple[str, ...] = ()) -> dict[str, object]:
    (folder / "t.csv").write_text("\n".join(lines), "cp1252")
    main(["animate", "--batch", str(folder / "t.csv"), "--size", "128", "--frames", "2", "--json", *options])
    return json.loads(capsys.readouterr().out)


def test_an_excel_table_is_rendered(capsys, folder: Path):
    report = run(capsys, folder, "sep=;", "portrait;motion;out;", "ä.png;nod;größe.mp4;", "ä.png;;;too much")
    assert [Path(done["out"]) for done in report["done"]] == [folder / "größe.mp4"]
    assert (folder / "größe.mp4").is_file()
    assert [failed["row"] for failed in report["failed"]] == [2]
    assert "a cell without a heading" in report["failed"][0]["error"]


def test_nothing_is_rendered_twice_into_one_file_or_over_what_is_read(capsys, folder: Path):
    before = (folder / "ä.png").read_bytes()
    (folder / "drive.mp4").write_bytes(b"somebody's only copy")
    report = run(
        capsys,
        folder,
        "portrait,motion,out,gif,bundle",
        "nobody.png,,same.mp4,,",
        "ä.png,,./same.mp4,,",
        "ä.png,drive.mp4,drive.mp4,,",
        "ä.png,,drive.mp4,,",
        "ä.png,,a.mp4,,a.mp4",
        "ä.png,,b.mp4,,same.mp4",
        "ä.png,,c.mp4,c.webp,",
        "ä.png,,nowhere/d.mp4,,",
    )
    errors = {failed["row"]: failed["error"] for failed in report["failed"]}
    assert report["done"] == []
    assert "nobody.png does not exist" in errors[1]
    assert errors[2] == "same.mp4 is written by row 1: give another out."
    assert errors[3].startswith("drive.mp4 is already used by this request")
    assert errors[4] == "drive.mp4 is read by row 3: give another out."
    assert "end its name in .zip" in errors[5]
    assert "end its name in .zip" in errors[6]
    assert "end its name in .gif" in errors[7]
    assert "nowhere does not exist" in errors[8]
    assert (folder / "drive.mp4").read_bytes() == b"somebody's only copy"
    assert (folder / "ä.png").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["drive.mp4", "t.csv", "ä.png"]


def test_one_gif_for_all_rows_is_refused_behind_the_first(capsys, folder: Path):
    report = run(capsys, folder, "portrait", "none.png", "none.png", options=("--gif", str(folder / "all.gif")))
    assert report["failed"][1]["error"] == "all.gif is written by row 1: give another gif."

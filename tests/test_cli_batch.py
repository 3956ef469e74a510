"""Batches: tables as spreadsheets save them, and refusal of rows that would overwrite their own files or others'."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian.cli import batch, main
from durian.cli.parser import make_parser
from durian.cli.table import MAX_BYTES, read_table
from durian.errors import LimitExceeded, UnreadableMedia

pytestmark = pytest.mark.usefixtures("own_engine")

KNOWN = ("portrait", "attribute", "name", "out")


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
        "sep=;;;\r\n" + TEXT,
        '"sep=,";;\r\n' + TEXT,
        ("sep=;\n" + TEXT).replace("\r", "").replace("\n", "\r"),
    ],
)
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path: Path, text: str, encoding: str):
    assert read(tmp_path / "t.csv", text.encode(encoding)) == HELD


def test_big_endian_utf_16_and_a_quoted_line_break(tmp_path: Path):
    text = '\ufeffportrait\tout\n"a\tb.jpg"\t"c""d.mp4"\n'
    assert read(tmp_path / "t.csv", text.encode("utf-16-be")) == (["portrait", "out"], [["a\tb.jpg", 'c"d.mp4']])


@pytest.mark.parametrize("marks", [1, 2, 3])
@pytest.mark.parametrize("line", ["", "sep=;\n"])
def test_marks_before_the_first_column_are_not_of_its_name(tmp_path: Path, marks: int, line: str):
    assert read(tmp_path / "t.csv", ("\ufeff" * marks + line + TEXT).encode()) == HELD


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


@pytest.mark.parametrize("option", ["-o", "--out", "--gif", "--frames-zip", "--bundle"])
def test_one_result_for_all_rows_is_refused(capsys, folder: Path, option: str):
    (folder / "t.csv").write_text("portrait\nä.png\n", "utf-8")
    assert main(["animate", "--batch", str(folder / "t.csv"), option, str(folder / "all.mp4")]) == 2
    name = option.replace("-o", "--out") if option == "-o" else option
    out, error = capsys.readouterr()
    assert f"durian: {name} names one file, but each row of t.csv writes its own: leave it out, or give" in error
    assert out == ""
    assert not (folder / "all.mp4").exists()


# Cells


def parsed(folder: Path, text: str, *options: str) -> tuple[dict[int, argparse.Namespace], dict[int, str]]:
    """The rows of a table as they would run, and why the others do not."""
    (folder / "t.csv").write_text(text, "utf-8")
    arguments = make_parser().parse_args(["animate", "--batch", str(folder / "t.csv"), *options])
    return batch._parsed(batch._read(arguments.batch), arguments)


@pytest.mark.parametrize("cell", ["1", "yes", "Y", "TRUE", "on", "x", "✓", "ja", "WAHR", "oui", "Vrai"])
def test_a_switch_s_cell_says_yes(folder: Path, cell: str):
    rows, failed = parsed(folder, f"portrait,uncrop,no-label\nä.png,{cell},\n")
    assert failed == {}
    assert (rows[1].uncrop, rows[1].no_label) == (True, False)


@pytest.mark.parametrize("cell", ["0", "no", "N", "FALSE", "off", "nein", "FALSCH", "non", "faux"])
def test_a_switch_s_cell_says_no_whatever_holds_for_the_others(folder: Path, cell: str):
    rows, failed = parsed(folder, f"portrait,uncrop\nä.png,{cell}\nä.png,\n", "--uncrop")
    assert failed == {}
    assert [rows[number].uncrop for number in (1, 2)] == [False, True]


@pytest.mark.parametrize(("column", "option"), [("uncrop", "uncrop"), ("No Label", "no-label"), ("sound", "sound")])
@pytest.mark.parametrize("cell", ["maybe", "2", "-", "yes no"])
def test_a_switch_s_cell_that_says_neither_is_refused(folder: Path, column: str, option: str, cell: str):
    rows, failed = parsed(folder, f"portrait,{column}\nä.png,{cell}\n")
    assert rows == {}
    assert failed == {1: f"{cell!r} cannot be {option}: give yes or no."}


def test_one_number_may_have_a_decimal_comma_where_commas_separate_nothing(folder: Path):
    header = "portrait;light;fps;attribute;strength;crop;blend;attribute2;click2"
    rows, failed = parsed(folder, f"{header}\nä.png;0,5;12,0;a.png;-0,0;10,20,30;0,1;b.png;3,4 5,6,-\n")
    assert failed == {}
    assert (rows[1].light, rows[1].fps, rows[1].crop, rows[1].blend) == (0.5, 12.0, (10.0, 20.0, 30.0), (0.0, 1.0))
    assert [item.clicks for item in rows[1].attributes] == [[], [(3.0, 4.0, True), (5.0, 6.0, False)]]
    assert rows[1].attributes[0].strength == 0
    rows, failed = parsed(folder, 'portrait,light\nä.png,"0,5"\n')
    assert failed[1].startswith("'0,5' cannot be --light: give a number from 0 to 1")


def test_what_a_row_says_holds_even_where_it_is_the_default(folder: Path):
    text = "portrait,example,fps\nä.png,,24\nä.png,,\n,hopper-cap,\n"
    rows, failed = parsed(folder, text, "--fps", "12", "--example", "hopper-cap")
    assert failed == {}
    assert [rows[number].fps for number in (1, 2, 3)] == [24, 12, 12]
    assert [rows[number].example for number in (1, 2, 3)] == [None, None, "hopper-cap"]
    assert [row.portrait and row.portrait.name for row in rows.values()] == ["ä.png", "ä.png", None]


def test_a_row_without_a_portrait_is_told_its_columns(folder: Path):
    _, failed = parsed(folder, "portrait,motion\n,nod\n")
    assert failed == {1: "The row has no portrait: fill its column portrait or example."}


def test_a_motion_is_beside_the_table_and_nowhere_else(folder: Path, monkeypatch: pytest.MonkeyPatch):
    here = folder / "here"
    here.mkdir()
    (here / "drive.mp4").write_bytes(b"of somebody else")
    monkeypatch.chdir(here)
    rows, _ = parsed(folder, "portrait,motion\nä.png,drive.mp4\nä.png,nod\n")
    assert [rows[number].motion for number in (1, 2)] == [str(folder / "drive.mp4"), "nod"]


def test_a_result_that_is_a_folder_s_name_is_refused(folder: Path):
    _, failed = parsed(folder, "portrait,out\nä.png,x.mp4/\n")
    assert failed[1].startswith("'x.mp4/' names a folder: give a file, without the slash behind it")


def test_no_bar_is_drawn_where_nobody_watches(capsys, folder: Path):
    (folder / "t.csv").write_text("portrait\nä.png\n", "utf-8")
    assert main(["animate", "--batch", str(folder / "t.csv"), "--size", "128", "--frames", "2"]) == 0
    assert capsys.readouterr().err == ""

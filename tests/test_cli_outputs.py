"""Checks of output paths before anything is read; errors name the command that helps."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from durian.cli import main
from durian.cli.outputs import check_outputs
from durian.cli.parser import make_parser
from durian.cli.values import file_path, folder_path
from durian.errors import InvalidRequest

READ = {
    "animate": {"portrait", "attributes", "mask", "batch"},
    "wear": {"portrait", "attributes", "mask"},
    "segment": {"image"},
    "evaluate": {"data", "videos", "split", "stills", "pairs", "pictures", "ratings", "masks"},
    "synth build-model": {"facekit"},
    "prepare": {"videos", "scenes", "portraits", "masks"},
    "train parser": {"data", "portraits", "start", "masks", "pictures"},
    "train relief": {"masks", "pictures"},
    "train diffusion": {"clips", "start"},
}
"""Files and folders that are read, by command."""


def commands(parser: argparse.ArgumentParser, name: str = ""):
    """Every command that does something, with its parser."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for word, inner in group.choices.items():
            yield from commands(inner, f"{name} {word}".strip())


def test_every_path_of_every_command_is_known_as_read_or_written():
    seen = set()
    for name, parser in commands(make_parser()):
        paths = {action.dest for action in parser._actions if action.type in (file_path, folder_path)}
        written = set(parser.get_default("files")) | set(parser.get_default("folders"))
        assert paths == written | READ.get(name, set()), name
        seen.add(name)
    assert set(READ) <= seen


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("animate --portrait p.jpg -o out.avi", "out.avi cannot be written: end its name in .mp4 or .mkv"),
        ("animate --portrait p.jpg -o .mp4", ".mp4 is an ending without a name: give one, such as result.mp4"),
        ("animate --portrait p.jpg --gif .GIF", ".GIF is an ending without a name: give one, such as result.GIF"),
        ("segment p.png --name hat -o gone/.png", ".png is an ending without a name: give one, such as result.png"),
        ("animate --portrait p.jpg -o x.mp4/", "'x.mp4/' names a folder: give a file, without the slash behind it"),
        ("segment p.png --name hat -o m.png//", "'m.png/' names a folder"),
        ("animate --portrait p.jpg --out=", "'' names nothing: give a path"),
        ("evaluate self --videos=", "'' names nothing: give a path"),
        ("animate --portrait p.jpg --gif g.webp", "g.webp cannot be written: end its name in .gif"),
        ("animate --portrait p.jpg --frames-zip x.txt", "x.txt cannot be written: end its name in .zip"),
        ("animate --portrait p.jpg --bundle x.mp4", "x.mp4 cannot be written: end its name in .zip"),
        ("animate --portrait p.jpg --bundle gone/x.zip", "gone does not exist"),
        ("animate --portrait p.jpg --bundle x.zip --frames-zip ./x.zip", "already used by this request, and --bundle"),
        ("animate --portrait p.jpg --motion d.mp4 -o d.mp4", "d.mp4 is already used by this request, and --out"),
        ("wear --portrait p.png -o p.png", "p.png is already used by this request, and --out"),
        ("wear --portrait p.png -o out.mp4", "out.mp4 cannot be written: end its name in .png, .webp, .jpg or .jpeg"),
        ("segment p.png --name hat -o p.png", "p.png is already used by this request, and --out"),
        ("segment p.png --name hat -o gone/m.png", "gone does not exist"),
        ("evaluate self --videos gone -o file", "file is a file: give a folder"),
        ("evaluate self --videos gone --sheets file/x", "file is a file: give a folder"),
        ("synth render -o file", "file is a file"),
        ("synth preview -o sheet.tiff", "end its name in .png, .jpg, .jpeg or .webp"),
        ("synth build-model --facekit gone -o model.bin", "end its name in .npz"),
        ("prepare --videos gone -o file", "file is a file"),
        ("train parser --data gone -o file", "file is a file"),
        ("train relief --masks gone --pictures gone -o relief.bin", "end its name in .npz"),
        ("train diffusion --recipe none --clips gone -o file", "file is a file"),
        ("train diffusion --recipe none --clips gone -o new --show-batch b.txt", "b.txt cannot be written"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_first(capsys, tmp_path: Path, monkeypatch, line: str, words: str):
    # Nothing that is read exists, so these are told only where nothing was read before.
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    assert main(line.split()) == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_item_s_picture_and_mask_are_not_replaced(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = ["animate", "--portrait", "p.gif", "--attribute", "a.zip", "--mask", "m.gif"]
    for option in ("--gif=./p.gif", "--bundle=a.zip", "--gif=m.gif"):
        with pytest.raises(InvalidRequest, match="already used"):
            check_outputs(make_parser().parse_args([*line, option]))
    check_outputs(make_parser().parse_args([*line, "--gif=other.gif", "--bundle=other.zip"]))


@pytest.mark.parametrize(
    ("line", "words", "command"),
    [
        ("", "No COMMAND was given: use one of animate, wear,", "durian"),
        ("anmate --portrait p.jpg", "'anmate' is not known (did you mean animate?): use one of animate,", "durian"),
        ("animate --bogus", "--bogus is not known here;", "durian animate"),
        ("animate --portrat=p.jpg", "--portrat is not known here (did you mean --portrait?);", "durian animate"),
        ("animate --size big", "'big'", "durian animate"),
        ("segment", "required: IMAGE", "durian segment"),
        ("synth", "No ACTION was given: use one of build-model, render, preview, check;", "durian synth"),
        ("synth rendr -o x", "'rendr' is not known (did you mean render?)", "durian synth"),
        ("synth render -o x --barre", "--barre is not known here (did you mean --bare?)", "durian synth render"),
        ("--json animate", "--json is not known here: options stand behind the command;", "durian"),
    ],
)
def test_a_mistake_names_the_help_that_there_is(capsys, line: str, words: str, command: str):
    assert main(line.split()) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.endswith(f"; see python -m {command} --help.\n")
    with pytest.raises(SystemExit) as left:
        main([*command.split()[1:], "--help"])
    assert left.value.code == 0

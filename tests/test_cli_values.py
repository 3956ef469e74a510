"""Number options of every command, as they are typed, and argparse's errors in plain words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from durian.cli import main
from durian.cli.arguments import parse_blend, parse_click, parse_crop, parse_shard
from durian.cli.parser import make_parser
from durian.cli.values import Number, as_number, real, whole
from durian.errors import DurianError, InvalidRequest
from durian.request import RenderOptions

TEXTS = (
    *("nan", "NaN", "inf", "-inf", "1e999", "9" * 5000, "-" + "9" * 5000, "1e300", "-1", "-0.5", "0", "0.5", "4.0"),
    *("1", "1_000", "٤", "４", "²", "", " ", "big", "0x10", "1,5", "1e3", "--", "1\n2", "∞", "½", "9007199254740993"),
)


def numeric_options() -> Iterator[tuple[str, argparse.Action]]:
    """Each option that takes a number, with its command."""

    def walk(parser: argparse.ArgumentParser, command: str) -> Iterator[tuple[str, argparse.Action]]:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for word, inner in action.choices.items():
                    yield from walk(inner, f"{command} {word}".strip())
            elif isinstance(action.type, Number):
                yield command, action

    yield from walk(PARSER, "")


PARSER = make_parser()
"""One for all of the thousands of lines that are only parsed; commands that run make their own."""
OPTIONS = list(numeric_options())
NAMES = [f"{command} {action.option_strings[-1]}" for command, action in OPTIONS]
NEEDED = {
    "animate": "--portrait none.png --attribute none.png",
    "wear": "--portrait none.png --attribute none.png",
    "segment": "none.png --name hat",
    "bench": "diffusion --preset none",
    "evaluate": "triplets --data none",
    "synth render": "--out new",
    "prepare": "--videos none --out new",
    "train parser": "--data none --out new --from none.safetensors",
    "train relief": "--masks none --pictures none --out new.npz",
    "train diffusion": "--recipe none --clips none --out new",
}
"""Arguments with which each command ends as soon as it begins to read."""
ONLY_PARSED = ("bench", "demo")
"""Commands that would begin to work: to measure, or to listen."""


def test_no_option_reads_numbers_in_another_way():
    types = {action.type for _, action in every_action(make_parser())}
    assert not types & {int, float, complex}
    assert len(OPTIONS) > 60


def every_action(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        yield parser.prog, action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from every_action(inner)


@pytest.mark.parametrize(("command", "action"), OPTIONS, ids=NAMES)
def test_whatever_is_given_for_a_number_is_taken_or_refused_in_one_sentence(
    capsys, tmp_path: Path, monkeypatch, settings_environment, command: str, action: argparse.Action
):
    monkeypatch.chdir(tmp_path)
    settings_environment(head_model=tmp_path / "none.npz")
    option, refused = action.option_strings[-1], 0
    for text in TEXTS:
        line = [*command.split(), *NEEDED.get(command, "").split(), f"{option}={text}"]
        try:
            PARSER.parse_args(line)
        except DurianError as error:
            refused += 1
            sentence = str(error)
            assert any(words in sentence for words in (option, "number of frames", "frames are too many", "the size"))
            assert "give " in sentence or "at most" in sentence
            assert sentence.endswith(f"; see python -m durian {command} --help.")
            assert len(sentence) < 260
            assert sentence.isprintable()
            continue
        if command in ONLY_PARSED:
            continue
        code = main(line)
        assert code == 2, (text, capsys.readouterr().err)
        assert "inside" not in capsys.readouterr().err
    assert refused >= 20


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--frames abc", "'abc' cannot be the number of frames: give a whole number from 1 to 600"),
        ("--frames 4.5", "4.5 cannot be the number of frames: give a whole number from 1 to 600"),
        ("--frames 601", "601 frames are too many: at most 600 are rendered at once"),
        ("--size big", "'big' cannot be the size: give an even number from 64 to 1024"),
        ("--size 511", "511 cannot be the size: give an even number from 64 to 1024"),
        ("--fps 0", "0 cannot be --fps: give a number from 1 to 120"),
        ("--fps nan", "'nan' cannot be --fps: give a number from 1 to 120"),
        ("--light -1e3", "-1000 cannot be --light: give a number from 0 to 1"),
        ("--steps 101", "101 cannot be --steps: give a whole number from 1 to 100"),
        ("--seed 1e999", "'1e999' cannot be --seed: give a whole number from 0 to 9007199254740992"),
        ("--face -1", "-1 cannot be --face: give a whole number from 0 to 99"),
        ("--attribute a.png --strength 2", "2 cannot be --strength: give a number from 0 to 1"),
        ("--fps", "--fps is without its value: give --fps FPS"),
        ("--sampler", "--sampler is without its value: give --sampler ddim|dpm++|euler|lcm"),
        ("--fps=--", "--fps is without its value: give --fps FPS"),
        ("--motion=--", "--motion is without its value: give --motion NAME|VIDEO"),
        ("--uncrop=1", "--uncrop is a switch and takes no value: leave out what stands behind it"),
        ("--sampler best", "--sampler 'best' is not known: use one of ddim, dpm++, euler, lcm"),
        ("--blend 0,nan", "'0,nan' is not a blend: give A or A,B, each from 0 to 1, such as 0.5 or 0,1"),
        ("--crop 1,2,-3", "'1,2,-3' is not a crop: give X,Y,SIDE in pixels, with SIDE above 0"),
        ("--attribute a.png --click 1,inf", "'1,inf' is not a click: give X,Y in pixels or, for what does not belong"),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_accepted(line: str, sentence: str):
    with pytest.raises(DurianError) as caught:
        make_parser().parse_args(["animate", *line.split()])
    assert str(caught.value).startswith(sentence)


def test_two_sources_do_not_go_together():
    with pytest.raises(InvalidRequest, match="--scenes does not go with --videos: leave out one of them"):
        make_parser().parse_args(["prepare", "--videos", "a", "--scenes", "b", "-o", "c"])


def test_two_people_are_needed_to_differ():
    with pytest.raises(InvalidRequest, match="1 cannot be --people: give a whole number from 2 to"):
        make_parser().parse_args(["synth", "check", "--people", "1"])


def test_numbers_are_read_as_people_write_them():
    line = "animate --frames 4.0 --size 1.28e2 --fps 12 --trim -0.1 --crop -1,2.5,30 --blend 0,1 --seed +7"
    line = line.replace("--trim", "--attribute a.png --trim")
    arguments = make_parser().parse_args(line.split())
    assert (arguments.frames, arguments.size, arguments.fps, arguments.seed) == (4, 128, 12.0, 7)
    assert [type(number) for number in (arguments.frames, arguments.size, arguments.fps)] == [int, int, float]
    assert (arguments.crop, arguments.blend) == ((-1.0, 2.5, 30.0), (0.0, 1.0))
    assert arguments.attributes[0].trim == -0.1


def test_bounds_are_within_the_range():
    assert [whole(1, 3)(text) for text in ("1", "3", "2.0")] == [1, 3, 2]
    assert [real(-1, 2.5)(text) for text in ("-1", "2.5", "1e-2")] == [-1.0, 2.5, 0.01]
    for kind, text, words in ((whole(1, 3), "4", "4 cannot be this: give a whole number from 1 to 3"),
                              (real(-1, 2.5), "2.6", "2.6 cannot be this: give a number from -1 to 2.5")):  # fmt: skip
        with pytest.raises(InvalidRequest, match=words):
            kind(text)


def test_what_is_no_number_stays_a_text():
    texts = ("nan", "1e999", "1_0", "４", "", "0x1", "1.5.2", "9" * 400)
    assert [as_number(text) for text in texts] == list(texts)
    assert [as_number(text) for text in (" 7 ", "-.5", "5.", "1E2")] == [7, -0.5, 5.0, 100.0]


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/4/2", "１/４", "1/nan", "-1/4", "1/" + "9" * 5000])
def test_a_shard_is_one_of_its_number(text: str):
    assert parse_shard("4/4") == (4, 4)
    with pytest.raises(argparse.ArgumentTypeError, match="not a shard: give I/N, such as 1/4, with I from 1 to N"):
        parse_shard(text)


@pytest.mark.parametrize("text", ["", ",", "1", "1,2,3,4", "a,b", "1,nan", "1e999,1", "٤,٤", "1,2,-,-", "1e7,1"])
def test_lists_of_numbers_are_whole_or_refused(text: str):
    assert parse_click("3.5,4,-") == (3.5, 4.0, False)
    for parse in (parse_click, parse_crop, *((parse_blend,) if text != "1" else ())):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
            parse(text)


def test_options_begin_where_the_request_does():
    """The parser knows its defaults by itself, so that --help needs no heavy import."""
    given = make_parser().parse_args(["animate", "--example", "hopper-cap"])
    options, own = RenderOptions(), {"expansion": "expand", "label": "no_label", "normalise_lips": "no_normalise_lips"}
    for field in fields(options):
        expected, name = getattr(options, field.name), own.get(field.name, field.name)
        if name.startswith("no_"):
            expected = not expected
        # Without a number of frames a video's own is taken, else the request's.
        assert getattr(given, name) == (None if name == "frames" else expected), name

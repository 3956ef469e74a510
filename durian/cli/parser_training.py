"""The arguments of the commands that prepare training data and train."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from durian.cli.arguments import parse_shard
from durian.cli.values import (
    COUNT,
    FIRST_SCENE,
    FPS,
    FRAMES,
    MINUTES,
    PREPARATION,
    SCENE_SIZE,
    SCENES,
    SEED,
    WORKERS,
    file_path,
    folder_path,
    real,
    whole,
    whole_within,
)

SCENE_KINDS = ("triplet", "pair", "clip", "none", "mixed")
SCENE_ITEMS = ("hair", "glasses", "hat", "beard")
"""Those of :mod:`durian.synthetic.scenes.scenes`."""
TRAINING_STAGES = ("autoencoder", "image", "temporal")
"""The same as :data:`durian.training.recipe.STAGES`."""
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
"""Endings that :func:`durian.media.write_image` takes."""


def command_adder(commands: Any) -> Callable[[str, str], argparse.ArgumentParser]:
    """A function that adds a command, from its name and purpose, with the options that all have."""

    def add(name: str, purpose: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=purpose, description=purpose[:1].upper() + purpose[1:] + ".")
        command.add_argument("--json", action="store_true", help="print one JSON object as the last line of stdout")
        command.add_argument("--verbose", action="store_true", help="log more, and show traces of errors")
        # What its options have it write, for durian.cli.outputs: files with their endings, and folders.
        command.set_defaults(files={}, folders=())
        return command

    return add


def add_synth(command: argparse.ArgumentParser) -> None:
    """``durian synth``."""
    add = command_adder(command.add_subparsers(dest="action", metavar="ACTION"))
    build = add("build-model", "make the head's file from a clone of ICT-FaceKit")
    build.add_argument("--facekit", type=folder_path, required=True, metavar="CLONE", help="a clone of ICT-FaceKit")
    build.add_argument("-o", "--out", type=file_path, required=True, metavar="NPZ", help="the file to write")
    build.set_defaults(files={"out": (".npz",)})
    render = add("render", "render scenes: portrait, reference, and the truth in motion")
    render.add_argument("-o", "--out", type=folder_path, required=True, metavar="DIR", help="goes on where it was left")
    render.add_argument(
        "--workers", type=WORKERS, default=1, metavar="W", help="processes (0: this one, all its threads)"
    )
    render.add_argument("--bare", action="store_true", help="also the targets without the item")
    render.set_defaults(folders=("out",))
    preview = add("preview", "draw a contact sheet of scenes or people")
    preview.add_argument("-o", "--out", type=file_path, default=Path("synthetic.png"), metavar="PNG")
    preview.add_argument("--people", action="store_true", help="portraits instead of scenes")
    preview.set_defaults(files={"out": PICTURES})
    for command, scenes in ((render, 100), (preview, 8)):
        command.add_argument("--scenes", type=SCENES, default=scenes, metavar="N", help="how many, or how many people")
        command.add_argument("--first", type=FIRST_SCENE, default=0, metavar="N", help="number of the first scene")
        command.add_argument("--seed", type=SEED, default=0, metavar="S", help="another seed gives other people")
        command.add_argument("--size", type=SCENE_SIZE, default=256, metavar="PX")
        _recipe(command.add_argument_group("what the scenes are"))
    check = add("check", "measure whether faces are found in the pictures, and whether people differ")
    check.add_argument("--people", type=whole(2, 100_000), default=200, metavar="N")
    check.add_argument("--seed", type=SEED, default=0, metavar="S")
    check.add_argument("--size", type=SCENE_SIZE, default=256, metavar="PX")


def add_prepare(command: argparse.ArgumentParser) -> None:
    """``durian prepare``."""
    sources = command.add_mutually_exclusive_group(required=True)
    sources.add_argument("--videos", type=folder_path, metavar="DIR", help="videos of people, in it and below")
    sources.add_argument("--scenes", type=folder_path, metavar="DIR", help="what durian synth render made")
    sources.add_argument(
        "--portraits", type=folder_path, metavar="DIR", help="photos, which the preview renderer animates"
    )
    command.add_argument(
        "-o", "--out", type=folder_path, required=True, metavar="DIR", help="goes on where it was left"
    )
    command.add_argument(
        "--size", type=whole_within(PREPARATION, "SIZES"), default=256, metavar="PX", help="side of the clips' frames"
    )
    command.add_argument("--fps", type=FPS, metavar="F", help="most frames per second of videos (default: 15)")
    command.add_argument(
        "--categories", nargs="+", choices=SCENE_ITEMS, default=SCENE_ITEMS, metavar="NAME", help="only these items"
    )
    command.add_argument(
        "--masks", type=folder_path, metavar="DIR", help="instead of found ones: DIR/VIDEO/hair/00012.png of frame 12"
    )
    command.add_argument(
        "--drafts",
        type=whole_within(PREPARATION, "MOST_DRAFTS"),
        default=0,
        metavar="N",
        help="from N pairs of frames, for models that begin with drafts",
    )
    command.add_argument("--shard", type=parse_shard, default=(1, 1), metavar="I/N", help="only part I of N, from 1")
    command.add_argument("--workers", type=WORKERS, default=1, metavar="W", help="processes")
    command.set_defaults(folders=("out",))


def add_train(command: argparse.ArgumentParser) -> None:
    """``durian train``."""
    add = command_adder(command.add_subparsers(dest="action", metavar="ACTION"))
    parser = add("parser", "train the face parser on synthetic heads")
    parser.add_argument("-o", "--out", type=folder_path, required=True, metavar="DIR", help="goes on where it was left")
    parser.add_argument(
        "--data", type=folder_path, required=True, metavar="DIR", help="photos; what is missing is rendered"
    )
    parser.add_argument(
        "--portraits",
        type=folder_path,
        metavar="DIR",
        help="real ones, unlabelled: shown towards the end, labelled by itself",
    )
    parser.add_argument(
        "--masks", type=folder_path, metavar="DIR", help="drawn ones of real portraits: their train part"
    )
    parser.add_argument("--pictures", type=folder_path, metavar="DIR", help="the photographs of --masks")
    parser.add_argument("--from", dest="start", type=file_path, metavar="FILE", help="begin with this parser's weights")
    parser.add_argument(
        "--shards", type=whole(1, 10_000), metavar="N", help="of photos (default: as the shipped parser)"
    )
    parser.add_argument("--steps", type=whole(0, 10_000_000), metavar="N", help="of the classes, likewise")
    parser.add_argument("--click-steps", type=whole(0, 10_000_000), metavar="N", help="of the clicks, likewise")
    parser.add_argument("--rate", type=real(1e-6, 0.1), metavar="R", help="largest learning rate, likewise")
    parser.add_argument("--real-share", type=real(0, 1), metavar="0..1", help="of the examples, likewise")
    parser.add_argument("--seed", type=SEED, default=0, metavar="S")
    parser.add_argument("--workers", type=WORKERS, default=2, metavar="W", help="processes that render")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="(default: the settings')")
    parser.add_argument("--max-minutes", type=MINUTES, metavar="M", help="stop in time, with a checkpoint")
    parser.set_defaults(folders=("out",))
    relief = add("relief", "learn the relief of faces from photographs with drawn masks")
    relief.add_argument("--masks", type=folder_path, required=True, metavar="DIR", help="drawn ones: their train part")
    relief.add_argument("--pictures", type=folder_path, required=True, metavar="DIR", help="the photographs of --masks")
    relief.add_argument("-o", "--out", type=file_path, required=True, metavar="NPZ", help="the file to write")
    relief.add_argument("--modes", type=whole(1, 200), metavar="N", help="(default: as the shipped one)")
    relief.add_argument("--seed", type=SEED, default=0, metavar="S")
    relief.set_defaults(files={"out": (".npz",)})
    _train_diffusion(add("diffusion", "train the paper's model on clips (durian prepare makes them)"))


def _train_diffusion(command: argparse.ArgumentParser) -> None:
    command.add_argument("--recipe", required=True, metavar="NAME|TOML", help="a recipe that ships, or a file")
    command.add_argument("--clips", type=folder_path, nargs="+", required=True, metavar="DIR", help="folders of clips")
    command.add_argument(
        "-o", "--out", type=folder_path, required=True, metavar="DIR", help="goes on where it was left"
    )
    command.add_argument(
        "--stage", choices=TRAINING_STAGES, action="append", default=[], help="only this one of the recipe's; repeat"
    )
    command.add_argument(
        "--from", dest="start", type=folder_path, metavar="MODEL", help="begin with this model's weights"
    )
    command.add_argument("--steps", type=COUNT, metavar="N", help="of each stage (default: the recipe's)")
    command.add_argument("--max-minutes", type=MINUTES, metavar="M", help="stop in time, with a checkpoint")
    command.add_argument("--device", choices=("cpu", "cuda"), help="(default: the settings')")
    command.add_argument(
        "--show-batch", type=file_path, metavar="PNG", help="draw what the first step sees, train nothing"
    )
    command.set_defaults(files={"show_batch": PICTURES}, folders=("out",))


def _recipe(group: Any) -> None:
    group.add_argument("--kind", choices=SCENE_KINDS, default="triplet", help="two items, none, one person throughout")
    group.add_argument("--attribute", choices=SCENE_ITEMS, action="append", help="only these items; repeat")
    group.add_argument("--frames", type=FRAMES, default=12, metavar="N", help="target frames")
    group.add_argument("--fps", type=FPS, metavar="F", help="of the target frames (default: drawn, 6 to 24)")
    group.add_argument("--pose-gap", type=real(0, 45), metavar="0..45", help="degrees between portrait and reference")
    group.add_argument(
        "--light-gap", type=real(0, 20), metavar="G", help="between their lights: 1 is clearly seen, 4 is far"
    )
    group.add_argument("--wear", type=real(0, 1), default=1.0, metavar="0..1", help="blur, noise and JPEG; 0 is clean")

"""The arguments of every command. Imports nothing heavy: ``--help`` answers at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from durian.cli.arguments import NewItem, OfItem, Parser, parse_blend, parse_click, parse_crop
from durian.cli.parser_training import add_prepare, add_synth, add_train, command_adder
from durian.cli.values import (
    COUNT,
    FACE,
    FPS,
    FRAMES,
    REQUEST,
    SECONDS,
    SEED,
    SIZE,
    SOAK,
    WORKERS,
    file_path,
    folder_path,
    like,
    real,
    whole,
)

ITEM_NAMES = ("hair", "glasses", "hat", "beard", "lips", "other")
"""The same as :data:`durian.request.ATTRIBUTE_NAMES`, which would pull in NumPy and OpenCV."""
SAMPLERS = ("ddim", "dpm++", "euler", "lcm")
"""The same as :data:`durian.request.SAMPLERS`."""
WORN_KINDS = ("hair", "glasses", "hat", "beard")
"""Kinds of items that the evaluation looks for in photographs."""
PROTOCOLS = (
    "triplets",
    "composition",
    "interpolation",
    "robustness",
    "self",
    "cross",
    "reenact",
    "self-item",
    "completion",
    "segment",
    "mattes",
    "gallery",
)
"""Those of :mod:`durian.evaluation.protocols.interface`, ``segment``, ``mattes`` and ``gallery``."""
DEFAULT_MOTION = "nod"


def make_parser() -> Parser:
    """All commands."""
    parser = Parser(
        prog="durian", description="Animate a portrait that wears someone else's hair, glasses, hat or beard."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    add = command_adder(commands)
    _animate(add("animate", "make a portrait move, wearing the items of other pictures"))
    _wear(add("wear", "put items on a portrait, as a picture of the whole photo"))
    _segment(add("segment", "make an item's mask by name or clicks"))
    _bench(add("bench", "measure speed and memory"))
    _evaluate(add("evaluate", "measure quality on data"))
    _weights(add("weights", "fetch a model's weights"))
    add_prepare(add("prepare", "make clips to train on from videos, photos or synthetic scenes"))
    add_train(add("train", "train what the project learns"))
    add_synth(add("synth", "render synthetic people, with truth to learn from"))
    demo = add("demo", "start the page in a browser")
    demo.add_argument("--host", help="address to listen at (default: the settings')")
    demo.add_argument("--port", type=whole(1, 65_535), help="port to listen at (default: the settings')")
    return parser


def animate_options() -> dict[str, Any]:
    """The long options of ``animate``, without their dashes, and the type of what each takes."""
    parser = Parser()
    _animate(parser)
    return {
        name.removeprefix("--"): action.type
        for action in parser._actions
        for name in action.option_strings
        if name.startswith("--")
    }


def _animate(command: argparse.ArgumentParser) -> None:
    _inputs(command).add_argument(
        "--batch", type=file_path, metavar="CSV", help="many requests: columns named like these options"
    )
    _items(command)
    _motion(command)
    look = _look(command)
    look.add_argument("--size", type=SIZE, default=512, metavar="PX", help="side of the result")
    look.add_argument("--uncrop", action="store_true", help="paste the result back into the whole photo")
    _sampling(command)
    _results(command)


def _wear(command: argparse.ArgumentParser) -> None:
    _inputs(command)
    _items(command)
    look = _look(command)
    look.add_argument("--size", type=SIZE, metavar="PX", help="side at which the head is drawn (default: the photo's)")
    _sampling(command)
    out = command.add_argument_group("results")
    out.add_argument("-o", "--out", type=file_path, default=Path("durian.png"), metavar="PNG")
    command.set_defaults(files={"out": (".png", ".webp", ".jpg", ".jpeg")})


def _inputs(command: argparse.ArgumentParser) -> Any:
    """The group of options, here and below."""
    inputs = command.add_argument_group("what")
    inputs.add_argument("--portrait", type=file_path, metavar="FILE", help="photo of the person")
    inputs.add_argument("--face", type=FACE, default=0, metavar="N", help="which face of it, 0 is the largest")
    inputs.add_argument("--crop", type=parse_crop, metavar="X,Y,SIDE", help="square to animate (default: found)")
    inputs.add_argument("--room", type=real(0.4, 5), default=1.0, help="room around the face, above 1 shows more")
    inputs.add_argument("--example", metavar="NAME", help="a built-in case instead of files, such as hopper-cap")
    return inputs


def _items(command: argparse.ArgumentParser) -> None:
    items = command.add_argument_group("items (the options behind an --attribute belong to it; repeat to wear several)")
    items.add_argument(
        "--attribute", dest="attributes", type=file_path, action=NewItem, metavar="FILE", help="reference"
    )
    items.add_argument("--mask", type=file_path, action=OfItem, metavar="PNG", help="where the item is, white")
    items.add_argument("--name", choices=ITEM_NAMES, action=OfItem, help="find it by its name (or name its kind)")
    items.add_argument(
        "--click", dest="clicks", type=parse_click, action=OfItem, metavar="X,Y[,-]", help="part of it, or not; repeat"
    )
    items.add_argument("--strength", type=like(REQUEST, "Strength"), action=OfItem, metavar="0..1", help="opacity")
    items.add_argument(
        "--trim", type=like(REQUEST, "Trim"), action=OfItem, metavar="D", help="shrink its mask, in eye distances"
    )
    items.add_argument(
        "--layer", type=like(REQUEST, "Layer"), action=OfItem, metavar="N", help="drawing order, low first"
    )
    items.add_argument("--item-face", dest="face", type=FACE, action=OfItem, metavar="N", help="which face wears it")
    items.add_argument("--erase", action="append", default=[], choices=ITEM_NAMES[:-1], help="take off; repeat")
    items.add_argument("--blend", type=parse_blend, metavar="A[,B]", help="mix two items instead, by α from A to B")


def _motion(command: argparse.ArgumentParser) -> None:
    motion = command.add_argument_group("motion")
    motion.add_argument("--motion", metavar="NAME|VIDEO", help=f"a preset or a driving video ({DEFAULT_MOTION})")
    motion.add_argument("--start", type=SECONDS, default=0.0, metavar="S", help="trim the video, seconds")
    motion.add_argument("--end", type=SECONDS, metavar="S", help="trim the video, seconds")
    motion.add_argument(
        "--neutral", type=whole(0, 1_000_000), metavar="N", help="the video's resting frame (default: found)"
    )
    motion.add_argument("--sound", action="store_true", help="keep the driving video's sound")
    motion.add_argument("--frames", type=FRAMES, metavar="N", help="48, or as many as the video has")
    motion.add_argument("--fps", type=FPS, default=24.0)
    motion.add_argument(
        "--pose-strength", type=like(REQUEST, "RenderOptions.pose_strength"), default=1.0, metavar="0..2"
    )
    motion.add_argument(
        "--expression-strength", type=like(REQUEST, "RenderOptions.expression_strength"), default=1.0, metavar="0..2"
    )
    motion.add_argument(
        "--no-normalise-lips",
        action="store_true",
        help="leave a mouth open that is open in the portrait, even where the motion speaks",
    )
    motion.add_argument(
        "--smoothing",
        type=like(REQUEST, "RenderOptions.smoothing"),
        default=0.0,
        metavar="S",
        help="over time, seconds",
    )


def _look(command: argparse.ArgumentParser) -> Any:
    look = command.add_argument_group("look")
    look.add_argument(
        "--expand",
        type=like(REQUEST, "RenderOptions.expansion"),
        default=0.1,
        metavar="D",
        help="grow the hole, in eye distances",
    )
    look.add_argument(
        "--light",
        type=like(REQUEST, "RenderOptions.light"),
        default=0.5,
        metavar="0..1",
        help="0 keeps an item's colours, 1 matches",
    )
    look.add_argument("--renderer", help="preview or, with a trained model, diffusion (default: the settings')")
    look.add_argument("--seed", type=SEED, default=0)
    look.add_argument("--no-label", action="store_true", help='leave out the visible "AI-generated" label')
    return look


def _sampling(command: argparse.ArgumentParser) -> None:
    sampling = command.add_argument_group("diffusion (what is left out is as its model was made for)")
    sampling.add_argument(
        "--steps",
        type=like(REQUEST, "DiffusionOptions.steps"),
        metavar="N",
        help="passes over the clip: more is finer and slower",
    )
    sampling.add_argument(
        "--guidance",
        type=like(REQUEST, "DiffusionOptions.guidance_scale"),
        metavar="G",
        help="how closely it follows; 1 is none and twice as fast",
    )
    sampling.add_argument("--sampler", choices=SAMPLERS)


def _results(command: argparse.ArgumentParser) -> None:
    out = command.add_argument_group("results")
    out.add_argument("-o", "--out", type=file_path, default=Path("durian.mp4"), metavar="MP4")
    out.add_argument("--gif", type=file_path, help="also as a GIF")
    out.add_argument("--frames-zip", type=file_path, metavar="ZIP", help="also as a ZIP of PNG frames")
    out.add_argument(
        "--bundle", type=file_path, metavar="ZIP", help="also with inputs, masks and settings, to restore from"
    )
    command.set_defaults(
        files={"out": (".mp4", ".mkv"), "gif": (".gif",), "frames_zip": (".zip",), "bundle": (".zip",)}
    )


def _segment(command: argparse.ArgumentParser) -> None:
    command.add_argument("image", type=file_path, metavar="IMAGE")
    command.add_argument("--name", choices=ITEM_NAMES[:-1], help="the item to find")
    command.add_argument("--click", dest="clicks", type=parse_click, action="append", default=[], metavar="X,Y[,-]")
    command.add_argument("--face", type=FACE, default=0, metavar="N", help="which face wears it, 0 is the largest")
    command.add_argument("--segmenter", default="auto", help="auto, parser, classic, sam or sam2")
    command.add_argument("-o", "--out", type=file_path, default=Path("mask.png"), metavar="PNG")
    command.set_defaults(files={"out": (".png",)})


def _bench(command: argparse.ArgumentParser) -> None:
    command.add_argument("what", choices=("preview", "diffusion", "synth", "soak"))
    command.add_argument(
        "--jobs",
        type=whole(1, 100_000),
        default=50,
        metavar="N",
        help="of preview: jobs over which memory growth is measured",
    )
    command.add_argument("--preset", default="mini-256", help="of diffusion: the model's shape, mini-256 or sd15-512")
    command.add_argument("--device", choices=("cpu", "cuda"), help="of diffusion (default: the settings')")
    command.add_argument("--frames", type=FRAMES, metavar="N", help="of the clips: 24 of diffusion, 48 of soak")
    command.add_argument(
        "--scenes", type=whole(1, 100_000), default=24, metavar="N", help="of synth: scenes that are timed"
    )
    command.add_argument("--size", type=SIZE, metavar="PX", help="of the pictures: 256 of synth, 512 of soak")
    command.add_argument(
        "--workers", type=whole(1, 256), default=2, metavar="W", help="of synth: processes, beside one alone"
    )
    soak = command.add_argument_group("soak: the real server, with many visitors at once")
    soak.add_argument(
        "--animations", type=like(SOAK, "SoakOptions.animations"), metavar="N", help="of all visitors together (60)"
    )
    soak.add_argument("--stills", type=like(SOAK, "SoakOptions.stills"), metavar="N", help="likewise (300)")
    soak.add_argument("--clients", type=like(SOAK, "SoakOptions.clients"), metavar="N", help="at a time (8)")
    soak.add_argument(
        "--seed", type=like(SOAK, "SoakOptions.seed"), metavar="S", help="another one draws other visits (0)"
    )
    soak.add_argument(
        "--keep-seconds",
        type=like(SOAK, "SoakOptions.keep_seconds"),
        metavar="S",
        help="age at which the server deletes files (120)",
    )
    soak.add_argument(
        "--limit",
        type=like(SOAK, "SoakOptions.limit"),
        metavar="S",
        help="for one request; later is without an answer (120)",
    )
    soak.add_argument("--strict", action="store_true", help="exit code 1 when something is not kept")


def _evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument("what", choices=PROTOCOLS)
    data = command.add_argument_group("data")
    data.add_argument(
        "--data", type=folder_path, metavar="DIR", help="scenes, as synth render makes them, or prepared clips"
    )
    data.add_argument("--videos", type=folder_path, metavar="DIR", help="real clips, for self, cross and reenact")
    data.add_argument("--scenes", default="test", help="of a folder of scenes: test (400 and above), all, FIRST-LAST")
    data.add_argument("--limit", type=COUNT, metavar="N", help="only the first N cases (robustness: N in each cell)")
    photographs = command.add_argument_group("photographs, for self-item and completion")
    photographs.add_argument("--split", type=file_path, metavar="CSV", help="file and split: only those of --part")
    photographs.add_argument("--part", choices=("train", "validation", "test"), default="test", help="of the --split")
    photographs.add_argument(
        "--kind", dest="kinds", action="append", choices=WORN_KINDS, help="only this item; repeat (default: all)"
    )
    photographs.add_argument(
        "--stills", type=file_path, metavar="CSV", help="file and kind: what is worn (default: found)"
    )
    photographs.add_argument("--relit", action="store_true", help="of self-item: take it from under other light")
    methods = command.add_argument_group("methods")
    methods.add_argument(
        "--method",
        dest="methods",
        action="append",
        metavar="NAME[=DIR]",
        help="still, paste, preview, diffusion=MODEL or frames=DIR, of self-item oracle-warp, of completion push-pull, "
        "taken-off, telea or navier-stokes; repeat (default: still and the --renderer, or the protocol's own)",
    )
    methods.add_argument("--renderer", default="preview")
    methods.add_argument("--baseline", metavar="NAME", help="what the others are compared with (default: the first)")
    methods.add_argument("--size", type=SIZE, default=512, metavar="PX", help="at which renderers work")
    methods.add_argument(
        "--seed", type=SEED, default=0, metavar="S", help="of drawn references, of noise, of a gallery's order"
    )
    methods.add_argument("--segmenter", default="auto", help="for segment: auto, parser, classic, sam or sam2")
    methods.add_argument(
        "--masks", type=folder_path, metavar="DIR", help="for segment: drawn ones of photographs in --data, by --part"
    )
    gallery = command.add_argument_group("gallery: a page to rate results by eye")
    gallery.add_argument(
        "--pairs", type=file_path, metavar="CSV", help="columns number, kind, portrait, attributes, motion"
    )
    gallery.add_argument(
        "--pictures", type=folder_path, nargs="+", metavar="DIR", help="where the files of the CSV lie"
    )
    gallery.add_argument("--frames", type=FRAMES, default=48, metavar="N", help="of each clip")
    gallery.add_argument("--again", action="store_true", help="render also what is there already")
    gallery.add_argument("--ratings", type=file_path, nargs="+", metavar="FILE", help="what raters saved: merge it")
    out = command.add_argument_group("results")
    out.add_argument("-o", "--out", type=folder_path, metavar="DIR", help="write the report; goes on where it was left")
    out.add_argument("--metric", dest="metrics", action="append", default=[], metavar="NAME", help="only this; repeat")
    out.add_argument("--sheets", type=folder_path, metavar="DIR", help="also write contact sheets to look at")
    out.add_argument("--workers", type=WORKERS, default=1, metavar="N", help="processes")
    command.set_defaults(folders=("out", "sheets"))


def _weights(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("get",))
    command.add_argument("name", help="such as sam-vit-b")

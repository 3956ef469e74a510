"""The arguments of every command. Imports nothing heavy: ``--help`` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from durian.cli.arguments import (
    NewItem,
    OfItem,
    Parser,
    parse_blend,
    parse_click,
    parse_crop,
    parse_output,
    parse_shard,
)

ITEM_NAMES = ("hair", "glasses", "hat", "beard", "lips", "other")
"""The same as :data:`durian.request.ATTRIBUTE_NAMES`, which would pull in NumPy and OpenCV."""
SAMPLERS = ("ddim", "dpm++", "euler", "lcm")
"""The same as :data:`durian.request.SAMPLERS`."""
SCENE_KINDS = ("triplet", "pair", "clip", "none", "mixed")
SCENE_ITEMS = ("hair", "glasses", "hat", "beard")
"""Those of :mod:`durian.synthetic.scenes`."""
TRAINING_STAGES = ("autoencoder", "image", "temporal")
"""The same as :data:`durian.training.recipe.STAGES`."""
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
    "gallery",
)
"""Those of :mod:`durian.evaluation.protocols`, ``segment`` and ``gallery``."""
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
"""Endings that :func:`durian.media.write_image` takes."""
DEFAULT_MOTION = "nod"


def make_parser() -> Parser:
    """All commands."""
    parser = Parser(
        prog="durian", description="Animate a portrait that wears someone else's hair, glasses, hat or beard."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    add = _adder(commands)
    _animate(add("animate", "make a portrait move, wearing the items of other pictures"))
    _segment(add("segment", "make an item's mask by name or clicks"))
    _bench(add("bench", "measure speed and memory"))
    _evaluate(add("evaluate", "measure quality on data"))
    _weights(add("weights", "fetch a model's weights"))
    _prepare(add("prepare", "make clips to train on from videos, photos or synthetic scenes"))
    _train(add("train", "train what the project learns"))
    _synth(add("synth", "render synthetic people, with truth to learn from"))
    demo = add("demo", "start the page in a browser")
    demo.add_argument("--host", help="address to listen at (default: the settings')")
    demo.add_argument("--port", type=int, help="port to listen at (default: the settings')")
    return parser


def animate_options() -> list[str]:
    """The long options of ``animate``, without their dashes."""
    parser = Parser()
    _animate(parser)
    return [name.removeprefix("--") for name in parser.option_names() if name.startswith("--")]


def _adder(commands: Any) -> Callable[[str, str], argparse.ArgumentParser]:
    def add(name: str, purpose: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=purpose, description=purpose[:1].upper() + purpose[1:] + ".")
        command.add_argument("--json", action="store_true", help="print one JSON object as the last line of stdout")
        command.add_argument("--verbose", action="store_true", help="log more, and show traces of errors")
        # What its options have it write, for durian.cli.outputs: files with their endings, and folders.
        command.set_defaults(files={}, folders=())
        return command

    return add


def _animate(command: argparse.ArgumentParser) -> None:
    inputs = command.add_argument_group("what")
    inputs.add_argument("--portrait", type=Path, metavar="FILE", help="photo of the person")
    inputs.add_argument("--face", type=int, default=0, metavar="N", help="which face of it, 0 is the largest")
    inputs.add_argument("--crop", type=parse_crop, metavar="X,Y,SIDE", help="square to animate (default: found)")
    inputs.add_argument("--room", type=float, default=1.0, help="room around the face, above 1 shows more")
    inputs.add_argument("--example", metavar="NAME", help="a built-in case instead of files, such as hopper-cap")
    inputs.add_argument("--batch", type=Path, metavar="CSV", help="many requests: columns named like these options")
    items = command.add_argument_group("items (the options behind an --attribute belong to it; repeat to wear several)")
    items.add_argument("--attribute", dest="attributes", type=Path, action=NewItem, metavar="FILE", help="reference")
    items.add_argument("--mask", type=Path, action=OfItem, metavar="PNG", help="where the item is, white")
    items.add_argument("--name", choices=ITEM_NAMES, action=OfItem, help="find it by its name (or name its kind)")
    items.add_argument(
        "--click", dest="clicks", type=parse_click, action=OfItem, metavar="X,Y[,-]", help="part of it, or not; repeat"
    )
    items.add_argument("--strength", type=float, action=OfItem, metavar="0..1", help="opacity")
    items.add_argument("--trim", type=float, action=OfItem, metavar="D", help="shrink its mask, in eye distances")
    items.add_argument("--layer", type=int, action=OfItem, metavar="N", help="drawing order, low first")
    items.add_argument("--item-face", dest="face", type=int, action=OfItem, metavar="N", help="which face wears it")
    items.add_argument("--erase", action="append", default=[], choices=ITEM_NAMES[:-1], help="take off; repeat")
    items.add_argument("--blend", type=parse_blend, metavar="A[,B]", help="mix two items instead, by α from A to B")
    motion = command.add_argument_group("motion")
    motion.add_argument("--motion", metavar="NAME|VIDEO", help=f"a preset or a driving video ({DEFAULT_MOTION})")
    motion.add_argument("--start", type=float, default=0.0, metavar="S", help="trim the video, seconds")
    motion.add_argument("--end", type=float, metavar="S", help="trim the video, seconds")
    motion.add_argument("--neutral", type=int, metavar="N", help="the video's resting frame (default: found)")
    motion.add_argument("--sound", action="store_true", help="keep the driving video's sound")
    motion.add_argument("--frames", type=int, metavar="N", help="48, or as many as the video has")
    motion.add_argument("--fps", type=float, default=24.0)
    motion.add_argument("--pose-strength", type=float, default=1.0, metavar="0..2")
    motion.add_argument("--expression-strength", type=float, default=1.0, metavar="0..2")
    motion.add_argument(
        "--no-normalise-lips",
        action="store_true",
        help="leave a mouth open that is open in the portrait, even where the motion speaks",
    )
    motion.add_argument("--smoothing", type=float, default=0.0, metavar="S", help="over time, seconds")
    look = command.add_argument_group("look")
    look.add_argument("--size", type=int, default=512, metavar="PX", help="side of the result")
    look.add_argument("--expand", type=float, default=0.1, metavar="D", help="grow the hole, in eye distances")
    look.add_argument("--light", type=float, default=0.5, metavar="0..1", help="0 keeps an item's colours, 1 matches")
    look.add_argument("--renderer", help="preview or, with a trained model, diffusion (default: the settings')")
    look.add_argument("--seed", type=int, default=0)
    look.add_argument("--uncrop", action="store_true", help="paste the result back into the whole photo")
    look.add_argument("--no-label", action="store_true", help='leave out the visible "AI-generated" label')
    sampling = command.add_argument_group("diffusion (what is left out is as its model was made for)")
    sampling.add_argument("--steps", type=int, metavar="N", help="passes over the clip: more is finer and slower")
    sampling.add_argument(
        "--guidance", type=float, metavar="G", help="how closely it follows; 1 is none and twice as fast"
    )
    sampling.add_argument("--sampler", choices=SAMPLERS)
    out = command.add_argument_group("results")
    out.add_argument("-o", "--out", type=parse_output, default=Path("durian.mp4"), metavar="MP4")
    out.add_argument("--gif", type=parse_output, help="also as a GIF")
    out.add_argument("--frames-zip", type=parse_output, metavar="ZIP", help="also as a ZIP of PNG frames")
    out.add_argument(
        "--bundle", type=parse_output, metavar="ZIP", help="also with inputs, masks and settings, to restore from"
    )
    command.set_defaults(
        files={"out": (".mp4", ".mkv"), "gif": (".gif",), "frames_zip": (".zip",), "bundle": (".zip",)}
    )


def _segment(command: argparse.ArgumentParser) -> None:
    command.add_argument("image", type=Path, metavar="IMAGE")
    command.add_argument("--name", choices=ITEM_NAMES[:-1], help="the item to find")
    command.add_argument("--click", dest="clicks", type=parse_click, action="append", default=[], metavar="X,Y[,-]")
    command.add_argument("--face", type=int, default=0, metavar="N", help="which face wears it, 0 is the largest")
    command.add_argument("--segmenter", default="auto", help="auto, parser, classic or sam")
    command.add_argument("-o", "--out", type=parse_output, default=Path("mask.png"), metavar="PNG")
    command.set_defaults(files={"out": (".png",)})


def _bench(command: argparse.ArgumentParser) -> None:
    command.add_argument("what", choices=("preview", "diffusion", "synth", "soak"))
    command.add_argument(
        "--jobs", type=int, default=50, metavar="N", help="of preview: jobs over which memory growth is measured"
    )
    command.add_argument("--preset", default="mini-256", help="of diffusion: the model's shape, mini-256 or sd15-512")
    command.add_argument("--device", choices=("cpu", "cuda"), help="of diffusion (default: the settings')")
    command.add_argument("--frames", type=int, metavar="N", help="of the clips: 24 of diffusion, 48 of soak")
    command.add_argument("--scenes", type=int, default=24, metavar="N", help="of synth: scenes that are timed")
    command.add_argument("--size", type=int, metavar="PX", help="of the pictures: 256 of synth, 512 of soak")
    command.add_argument("--workers", type=int, default=2, metavar="W", help="of synth: processes, beside one alone")
    soak = command.add_argument_group("soak: the real server, with many visitors at once")
    soak.add_argument("--animations", type=int, metavar="N", help="of all visitors together (60)")
    soak.add_argument("--stills", type=int, metavar="N", help="likewise (300)")
    soak.add_argument("--clients", type=int, metavar="N", help="at a time (8)")
    soak.add_argument("--seed", type=int, metavar="S", help="another one draws other visits (0)")
    soak.add_argument("--keep-seconds", type=int, metavar="S", help="age at which the server deletes files (30)")
    soak.add_argument("--limit", type=float, metavar="S", help="for one request; later is without an answer (120)")
    soak.add_argument("--strict", action="store_true", help="exit code 1 when something is not kept")


def _evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument("what", choices=PROTOCOLS)
    data = command.add_argument_group("data")
    data.add_argument("--data", type=Path, metavar="DIR", help="scenes, as synth render makes them, or prepared clips")
    data.add_argument("--videos", type=Path, metavar="DIR", help="real clips, for self, cross and reenact")
    data.add_argument("--scenes", default="test", help="of a folder of scenes: test (400 and above), all, FIRST-LAST")
    data.add_argument("--limit", type=int, metavar="N", help="only the first N cases (robustness: N in each cell)")
    photographs = command.add_argument_group("photographs, for self-item and completion")
    photographs.add_argument("--split", type=Path, metavar="CSV", help="file and split: only those of --part")
    photographs.add_argument("--part", choices=("train", "validation", "test"), default="test", help="of the --split")
    photographs.add_argument(
        "--kind", dest="kinds", action="append", choices=SCENE_ITEMS, help="only this item; repeat (default: all)"
    )
    photographs.add_argument("--stills", type=Path, metavar="CSV", help="file and kind: what is worn (default: found)")
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
    methods.add_argument("--size", type=int, default=512, metavar="PX", help="at which renderers work")
    methods.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of drawn references, of noise, of a gallery's order"
    )
    methods.add_argument("--segmenter", default="auto", help="for segment: auto, parser, classic or sam")
    gallery = command.add_argument_group("gallery: a page to rate results by eye")
    gallery.add_argument("--pairs", type=Path, metavar="CSV", help="columns number, kind, portrait, attributes, motion")
    gallery.add_argument("--pictures", type=Path, nargs="+", metavar="DIR", help="where the files of the CSV lie")
    gallery.add_argument("--frames", type=int, default=48, metavar="N", help="of each clip")
    gallery.add_argument("--again", action="store_true", help="render also what is there already")
    gallery.add_argument("--ratings", type=Path, nargs="+", metavar="FILE", help="what raters saved: merge it")
    out = command.add_argument_group("results")
    out.add_argument("-o", "--out", type=Path, metavar="DIR", help="write the report; goes on where it was left")
    out.add_argument("--metric", dest="metrics", action="append", default=[], metavar="NAME", help="only this; repeat")
    out.add_argument("--sheets", type=Path, metavar="DIR", help="also write contact sheets to look at")
    out.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    command.set_defaults(folders=("out", "sheets"))


def _synth(command: argparse.ArgumentParser) -> None:
    add = _adder(command.add_subparsers(dest="action", metavar="ACTION"))
    build = add("build-model", "make the head's file from a clone of ICT-FaceKit")
    build.add_argument("--facekit", type=Path, required=True, metavar="CLONE", help="a clone of ICT-FaceKit")
    build.add_argument("-o", "--out", type=parse_output, required=True, metavar="NPZ", help="the file to write")
    build.set_defaults(files={"out": (".npz",)})
    render = add("render", "render scenes: portrait, reference, and the truth in motion")
    render.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="goes on where it was left")
    render.add_argument("--workers", type=int, default=1, metavar="W", help="processes (0: this one, all its threads)")
    render.add_argument("--bare", action="store_true", help="also the targets without the item")
    render.set_defaults(folders=("out",))
    preview = add("preview", "draw a contact sheet of scenes or people")
    preview.add_argument("-o", "--out", type=parse_output, default=Path("synthetic.png"), metavar="PNG")
    preview.add_argument("--people", action="store_true", help="portraits instead of scenes")
    preview.set_defaults(files={"out": PICTURES})
    for command, scenes in ((render, 100), (preview, 8)):
        command.add_argument("--scenes", type=int, default=scenes, metavar="N", help="how many, or how many people")
        command.add_argument("--first", type=int, default=0, metavar="N", help="number of the first scene")
        command.add_argument("--seed", type=int, default=0, metavar="S", help="another seed gives other people")
        command.add_argument("--size", type=int, default=256, metavar="PX")
        _recipe(command.add_argument_group("what the scenes are"))
    check = add("check", "measure whether faces are found in the pictures, and whether people differ")
    check.add_argument("--people", type=int, default=200, metavar="N")
    check.add_argument("--seed", type=int, default=0, metavar="S")
    check.add_argument("--size", type=int, default=256, metavar="PX")


def _prepare(command: argparse.ArgumentParser) -> None:
    sources = command.add_mutually_exclusive_group(required=True)
    sources.add_argument("--videos", type=Path, metavar="DIR", help="videos of people, in it and below")
    sources.add_argument("--scenes", type=Path, metavar="DIR", help="what durian synth render made")
    sources.add_argument("--portraits", type=Path, metavar="DIR", help="photos, which the preview renderer animates")
    command.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="goes on where it was left")
    command.add_argument("--size", type=int, default=256, metavar="PX", help="side of the clips' frames")
    command.add_argument("--fps", type=float, metavar="F", help="most frames per second of videos (default: 15)")
    command.add_argument(
        "--categories", nargs="+", choices=SCENE_ITEMS, default=SCENE_ITEMS, metavar="NAME", help="only these items"
    )
    command.add_argument(
        "--masks", type=Path, metavar="DIR", help="instead of found ones: DIR/VIDEO/hair/00012.png of frame 12"
    )
    command.add_argument("--latents", type=Path, metavar="MODEL", help="store what its autoencoder makes of each frame")
    command.add_argument(
        "--drafts", type=int, default=0, metavar="N", help="from N pairs of frames, for models that begin with drafts"
    )
    command.add_argument("--shard", type=parse_shard, default=(1, 1), metavar="I/N", help="only part I of N, from 1")
    command.add_argument("--workers", type=int, default=1, metavar="W", help="processes")
    command.set_defaults(folders=("out",))


def _train(command: argparse.ArgumentParser) -> None:
    add = _adder(command.add_subparsers(dest="action", metavar="ACTION"))
    parser = add("parser", "train the face parser on synthetic heads")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="goes on where it was left")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="photos; what is missing is rendered")
    parser.add_argument(
        "--portraits", type=Path, metavar="DIR", help="real ones, unlabelled: shown towards the end, labelled by itself"
    )
    parser.add_argument("--from", dest="start", type=Path, metavar="FILE", help="begin with this parser's weights")
    parser.add_argument("--shards", type=int, metavar="N", help="of photos (default: as the shipped parser)")
    parser.add_argument("--steps", type=int, metavar="N", help="likewise")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--workers", type=int, default=2, metavar="W", help="processes that render")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="(default: the settings')")
    parser.add_argument("--max-minutes", type=float, metavar="M", help="stop in time, with a checkpoint")
    parser.set_defaults(folders=("out",))
    _train_diffusion(add("diffusion", "train the paper's model on clips (durian prepare makes them)"))


def _train_diffusion(command: argparse.ArgumentParser) -> None:
    command.add_argument("--recipe", required=True, metavar="NAME|TOML", help="a recipe that ships, or a file")
    command.add_argument("--clips", type=Path, nargs="+", required=True, metavar="DIR", help="folders of clips")
    command.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="goes on where it was left")
    command.add_argument(
        "--stage", choices=TRAINING_STAGES, action="append", default=[], help="only this one of the recipe's; repeat"
    )
    command.add_argument("--from", dest="start", type=Path, metavar="MODEL", help="begin with this model's weights")
    command.add_argument("--steps", type=int, metavar="N", help="of each stage (default: the recipe's)")
    command.add_argument("--max-minutes", type=float, metavar="M", help="stop in time, with a checkpoint")
    command.add_argument("--device", choices=("cpu", "cuda"), help="(default: the settings')")
    command.add_argument(
        "--show-batch", type=parse_output, metavar="PNG", help="draw what the first step sees, train nothing"
    )
    command.set_defaults(files={"show_batch": PICTURES}, folders=("out",))


def _recipe(group: Any) -> None:
    group.add_argument("--kind", choices=SCENE_KINDS, default="triplet", help="two items, none, one person throughout")
    group.add_argument("--attribute", choices=SCENE_ITEMS, action="append", help="only these items; repeat")
    group.add_argument("--frames", type=int, default=12, metavar="N", help="target frames")
    group.add_argument("--fps", type=float, metavar="F", help="of the target frames (default: drawn, 6 to 24)")
    group.add_argument("--pose-gap", type=float, metavar="0..45", help="degrees between portrait and reference")
    group.add_argument("--light-gap", type=float, metavar="G", help="between their lights: 1 is clearly seen, 4 is far")
    group.add_argument("--wear", type=float, default=1.0, metavar="0..1", help="blur, noise and JPEG; 0 is clean")


def _weights(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("get",))
    command.add_argument("name", help="such as sam-vit-b")

"""``durian animate``: one request from files to an MP4, or many from a CSV."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from durian.cli.combinations import check_together
from durian.cli.parser import DEFAULT_MOTION
from durian.engine import Animation, JobStatus, get_engine
from durian.errors import InvalidRequest
from durian.face import Crop
from durian.layers.fit import Fit, fits
from durian.motion import PRESETS
from durian.prepare import AttributeSource, Click, MotionSource, PortraitSource, Prepared, build_request
from durian.renderer import check_renderer
from durian.request import DiffusionOptions, RenderOptions
from durian.schema import shown
from durian.settings import get_settings

if TYPE_CHECKING:
    from durian.assets import Example


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """The report: ``out, frames, fps, width, height, seconds, renderer, seed, fit``."""
    if arguments.batch is not None:
        from durian.cli.batch import run_batch

        return run_batch(arguments)
    check_together(arguments)
    prepared = prepare(arguments)
    with _Progress(prepared.request.options.frames) as progress:
        return report(animate(arguments, prepared, progress), prepared)


def prepare(arguments: argparse.Namespace) -> Prepared:
    """The request that the arguments describe.

    Raises:
        DurianError: one sentence about the argument or file.
    """
    # Before anything is read: without its model, all of that would be for nothing.
    check_renderer(get_settings().renderer if arguments.renderer is None else arguments.renderer)
    portrait, items, blend, what = who(arguments)
    items += given_items(arguments)
    whole = arguments.frames is None
    if arguments.motion is not None:
        what = arguments.motion
    motion = MotionSource(_motion(what), arguments.start, arguments.end, arguments.neutral, whole)
    options = RenderOptions(
        size=arguments.size,
        frames=RenderOptions.frames if arguments.frames is None else arguments.frames,
        fps=arguments.fps,
        seed=arguments.seed,
        expansion=arguments.expand,
        light=arguments.light,
        pose_strength=arguments.pose_strength,
        expression_strength=arguments.expression_strength,
        smoothing=arguments.smoothing,
        label=not arguments.no_label,
        uncrop=arguments.uncrop,
        normalise_lips=not arguments.no_normalise_lips,
    )
    diffusion = DiffusionOptions(arguments.steps, arguments.guidance, arguments.sampler)
    prepared = build_request(portrait, items, motion, options, blend, arguments.erase, arguments.renderer, diffusion)
    for notice in (*prepared.notices, *warnings(items, fits(prepared.request))):
        print(f"durian: {notice}", file=sys.stderr)
    return prepared


def who(arguments: argparse.Namespace) -> tuple[PortraitSource, list[AttributeSource], tuple[float, float] | None, str]:
    """The person, and of an example what they wear, how two of its items are mixed, and how it moves.

    Raises:
        InvalidRequest: no portrait, or an example that does not exist.
    """
    if arguments.example is not None:
        example = _example(arguments.example)
        case = example.case()
        return case.portrait, list(case.attributes), arguments.blend or example.blend, example.motion
    if arguments.portrait is None:
        many = "batch" in arguments
        ways = "--portrait FILE, --example NAME or --batch CSV" if many else "--portrait FILE or --example NAME"
        raise InvalidRequest(f"No portrait was given: use {ways}.")
    crop = None if arguments.crop is None else Crop(*arguments.crop)
    return PortraitSource(arguments.portrait, arguments.face, crop, arguments.room), [], arguments.blend, DEFAULT_MOTION


def given_items(arguments: argparse.Namespace) -> list[AttributeSource]:
    """What the arguments put on."""
    return [
        AttributeSource(
            item.picture,
            item.name,
            item.mask,
            tuple(Click(*click) for click in item.clicks),
            item.strength,
            item.trim,
            item.layer,
            face=item.face,
        )
        for item in arguments.attributes or []
    ]


def warnings(items: list[AttributeSource], found: tuple[Fit, ...]) -> list[str]:
    """Warnings of each reference's fit, each beginning with its file's name."""
    called = ["reference" if isinstance(item.picture, np.ndarray) else item.picture.name for item in items]
    return [f"{name}: {reason}" for name, fit in zip(called, found, strict=True) for reason in fit.reasons]


def _motion(what: str) -> str | Path:
    """A preset's name, or the driving video that the text names here, on the user's own machine.

    Raises:
        InvalidRequest: neither.
    """
    if what in PRESETS:
        return what
    if not what or not Path(what).exists():
        raise InvalidRequest(
            f"Motion {shown(Path(what).name)} is neither a video nor a preset: use one of {', '.join(PRESETS)}."
        )
    return Path(what)


def _example(name: str) -> Example:
    from durian.assets import examples

    known = {example.name: example for example in examples()}
    if name not in known:
        raise InvalidRequest(f"There is no example {name!r}: use one of {', '.join(known)}.")
    return known[name]


def animate(arguments: argparse.Namespace, prepared: Prepared, progress: _Progress | None = None) -> Animation:
    """Render, and write every form of the result that the arguments ask for."""
    animation = get_engine().animate(
        prepared.request,
        audio_from=prepared.audio_from if arguments.sound else None,
        audio_start=prepared.audio_start,
        on_progress=progress,
        out=arguments.out,
    )
    for notice in animation.notices:
        print(f"durian: {notice}", file=sys.stderr)
    if arguments.gif is not None:
        animation.gif(arguments.gif)
    if arguments.frames_zip is not None:
        animation.frames_zip(arguments.frames_zip)
    if arguments.bundle is not None:
        from durian.bundle import save_bundle

        save_bundle(arguments.bundle, prepared.request, animation.path)
    return animation


def report(animation: Animation, prepared: Prepared) -> dict[str, object]:
    return {
        "out": str(animation.path),
        "frames": animation.frames,
        "fps": animation.fps,
        "width": animation.width,
        "height": animation.height,
        "seconds": round(animation.seconds, 3),
        "renderer": animation.renderer,
        "seed": animation.seed,
        "fit": [fit.told() for fit in fits(prepared.request)],
    }


class _Progress:
    """A bar on a terminal, silence elsewhere; a context manager to be called with each status."""

    def __init__(self, frames: int) -> None:
        self._frames = frames

    def __enter__(self) -> _Progress:
        from tqdm import tqdm

        self._bar = tqdm(total=self._frames, unit="frame", file=sys.stderr, disable=not sys.stderr.isatty())
        return self

    def __call__(self, status: JobStatus) -> None:
        if status.stage == "denoising":
            self._bar.set_postfix_str(f"step {status.step} of {status.steps}")
        self._bar.update(status.frame - self._bar.n)

    def __exit__(self, *error: object) -> None:
        self._bar.close()

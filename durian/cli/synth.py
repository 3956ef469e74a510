"""``durian synth``: the head model of synthetic people, scenes with them, and contact sheets."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from math import radians
from typing import TYPE_CHECKING

from durian.cli.progress import progress

if TYPE_CHECKING:
    from durian.synthetic.scenes.scenes import Recipe


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """One of the actions; what it reports is said by each."""
    return _ACTIONS[arguments.action](arguments)


def build_model(arguments: argparse.Namespace) -> dict[str, object]:
    """``model``, the file, and its ``megabytes``."""
    from durian.synthetic.head.facekit import build_model as build

    with progress("mesh") as show:
        path = build(arguments.facekit, arguments.out, show)
    return {"model": str(path), "megabytes": round(path.stat().st_size / 1e6, 1)}


def render(arguments: argparse.Namespace) -> dict[str, object]:
    """``folder``, scenes ``rendered`` now, those ``found`` there, and ``frames_per_second`` with all that is around."""
    from durian.synthetic.scenes.scene_set import SceneSet, render_set
    from durian.synthetic.scenes.scenes import PORTRAITS, REFERENCES

    recipe = _recipe(arguments)
    wanted = SceneSet(
        arguments.out, arguments.scenes, recipe, arguments.size, arguments.seed, arguments.first, arguments.bare
    )
    start = time.perf_counter()
    with progress("scene") as show:
        rendered = render_set(wanted, arguments.workers, show)
    frames = rendered * (PORTRAITS + REFERENCES + recipe.frames)
    return {
        "folder": str(arguments.out),
        "rendered": rendered,
        "found": arguments.scenes - rendered,
        "frames_per_second": round(frames / (time.perf_counter() - start), 2),
    }


def preview(arguments: argparse.Namespace) -> dict[str, object]:
    """``sheet``, the file."""
    from durian.media import write_image
    from durian.synthetic.head.head import HeadModel
    from durian.synthetic.scenes.filming import film
    from durian.synthetic.scenes.scenes import scene
    from durian.synthetic.scenes.sheets import people_sheet, scene_sheet
    from durian.synthetic.studio.studio import Studio

    studio, numbers = Studio(HeadModel.load()), range(arguments.first, arguments.first + arguments.scenes)
    if arguments.people:
        sheet = people_sheet(studio, [arguments.seed + number for number in numbers], arguments.size)
    else:
        recipe = _recipe(arguments)
        sheet = scene_sheet(film(studio, scene(number, recipe, arguments.seed), arguments.size) for number in numbers)
    write_image(sheet, arguments.out)
    return {"sheet": str(arguments.out)}


def check(arguments: argparse.Namespace) -> dict[str, object]:
    """The results of :func:`durian.synthetic.scenes.checks.check`."""
    from durian.synthetic.scenes.checks import check as check_people

    with progress("face") as show:
        return check_people(arguments.people, arguments.seed, arguments.size, show)


_ACTIONS = {"build-model": build_model, "render": render, "preview": preview, "check": check}


def _recipe(arguments: argparse.Namespace) -> Recipe:
    from durian.synthetic.scenes.scenes import MIXED, TRIPLETS

    recipe = MIXED if arguments.kind == "mixed" else replace(TRIPLETS, kinds={arguments.kind: 1.0})
    if arguments.attribute:
        recipe = replace(recipe, attributes=dict.fromkeys(arguments.attribute, 1.0))
    return replace(
        recipe,
        frames=arguments.frames,
        fps=arguments.fps,
        pose_gap=None if arguments.pose_gap is None else radians(arguments.pose_gap),
        light_gap=arguments.light_gap,
        wear=arguments.wear,
    )

"""``durian train``: what the project learns, learned anew."""

from __future__ import annotations

import argparse
from dataclasses import replace

from durian.cli.progress import progress


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """``weights``, the parser's file, and its ``megabytes``."""
    from durian.settings import get_settings
    from durian.training.parser.loop import ParserRecipe, train_parser

    given = {name: getattr(arguments, name) for name in ("shards", "steps", "seed")}
    recipe = replace(ParserRecipe(), **{name: value for name, value in given.items() if value is not None})
    device = arguments.device or get_settings().torch_device()
    portraits = sorted(arguments.portraits.iterdir()) if arguments.portraits else []
    with progress("shard") as shards, progress("step") as steps:
        path = train_parser(
            arguments.out,
            arguments.data,
            recipe,
            device,
            arguments.workers,
            arguments.max_minutes,
            portraits,
            steps,
            shards,
        )
    return {"weights": str(path), "megabytes": round(path.stat().st_size / 1e6, 1)}

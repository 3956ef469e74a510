"""``durian evaluate``: quality on data."""

from __future__ import annotations

import argparse
from pathlib import Path

from durian.cli.progress import progress
from durian.errors import InvalidRequest


def run(arguments: argparse.Namespace) -> dict[str, object]:
    if arguments.what == "reenact":
        from durian.evaluation.reenact import evaluate_reenact

        videos = _folder(arguments.videos, "--videos")
        return evaluate_reenact(videos, arguments.renderer, arguments.limit, arguments.workers, arguments.sheets)
    data = _folder(arguments.data, "--data")
    if arguments.what == "triplets":
        from durian.evaluation.triplets import evaluate_triplets

        return evaluate_triplets(
            data,
            arguments.renderer,
            size=arguments.size,
            scenes=arguments.scenes,
            limit=arguments.limit,
            workers=arguments.workers,
            sheets=arguments.sheets,
        )
    from durian.evaluation.segment import evaluate_segment

    with progress("scene") as show:
        return evaluate_segment(data, limit=arguments.limit, kind=arguments.segmenter, on_scene=show)


def _folder(path: Path | None, option: str) -> Path:
    if path is None:
        raise InvalidRequest(f"No folder was given: use {option} DIR.")
    if not path.is_dir():
        raise InvalidRequest(f"{path} is not a folder: give the one with the data to {option}.")
    return path

"""``durian synth``: the head behind synthetic people."""

from __future__ import annotations

import argparse
import sys


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """``model``, the file, and its ``megabytes``."""
    from tqdm import tqdm

    from durian.synthetic.facekit import build_model

    with tqdm(unit="mesh", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        path = build_model(arguments.facekit, arguments.out, show)
    return {"model": str(path), "megabytes": round(path.stat().st_size / 1e6, 1)}

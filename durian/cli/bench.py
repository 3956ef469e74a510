"""``durian bench``: speed and memory."""

from __future__ import annotations

import argparse


def run(arguments: argparse.Namespace) -> dict[str, object]:
    from durian.bench import bench_preview

    return bench_preview(arguments.jobs)

"""``durian weights``: download a model's weights and check their checksum."""

from __future__ import annotations

import argparse
import sys


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """``name`` and ``path`` of the fetched file."""
    from tqdm import tqdm

    from durian.weights import fetch

    with tqdm(unit="B", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        path = fetch(arguments.name, show)
    return {"name": arguments.name, "path": str(path)}

"""``durian evaluate gallery``: make a page for rating results by eye, or summarise its raters' answers."""

from __future__ import annotations

import argparse
from pathlib import Path

from durian.cli.table import read_table
from durian.errors import InvalidRequest


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """With ``--ratings`` what the raters of the gallery in ``--out`` said, and otherwise that gallery, made."""
    if arguments.out is None:
        raise InvalidRequest("No folder was given: use --out DIR, where the gallery is or is to be.")
    if arguments.ratings:
        return _merge(arguments)
    from durian.evaluation.gallery.making import GalleryOptions, make_gallery
    from durian.evaluation.gallery.pairs import is_column, pairs_of
    from durian.evaluation.methods.methods import parse_method

    if arguments.pairs is None or not arguments.pictures:
        raise InvalidRequest("No pairs were given: use --pairs CSV and --pictures DIR, or --ratings FILE to merge.")
    for folder in arguments.pictures:
        if not folder.is_dir():
            raise InvalidRequest(f"{folder} is not a folder: give those with the pictures to --pictures.")
    table = read_table(arguments.pairs, is_column)
    pairs = pairs_of(arguments.pairs.name, table.header, table.rows, arguments.pictures)
    methods = [parse_method(text) for text in arguments.methods or (arguments.renderer,)]
    options = GalleryOptions(arguments.out, arguments.size, arguments.frames, arguments.seed, arguments.again)
    return make_gallery(pairs, methods, options)


def _merge(arguments: argparse.Namespace) -> dict[str, object]:
    from durian.evaluation.gallery.merging import merge_ratings
    from durian.evaluation.gallery.tables import told

    merged = merge_ratings(arguments.ratings, arguments.out)
    if arguments.json:
        print(told(merged))  # to stderr: the last line of stdout is for programs
        return merged
    return {"table": f"\n{told(merged)}", "written": str(Path(arguments.out) / "ratings.json")}

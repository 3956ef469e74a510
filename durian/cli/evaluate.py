"""``durian evaluate``: measure methods on data, by protocol."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from durian.cli.combinations import REAL_CLIPS, check_evaluation
from durian.cli.progress import progress
from durian.errors import InvalidRequest, WeightsMissing

if TYPE_CHECKING:
    from durian.evaluation.data.photographs import Photographs
    from durian.evaluation.methods.methods import MethodSpec


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """The protocol's results, and with ``--out`` the path of its ``report``."""
    check_evaluation(arguments)
    if arguments.what == "segment":
        return _segment(arguments)
    if arguments.what == "mattes":
        return _mattes(arguments)
    if arguments.what == "gallery":
        from durian.cli import gallery

        return gallery.run(arguments)
    from durian.evaluation.protocols.interface import Options, get_protocol
    from durian.evaluation.report.summary import printed
    from durian.evaluation.run.running import evaluate

    option = "--videos" if arguments.what in REAL_CLIPS else "--data"
    given = (arguments.videos or arguments.data) if arguments.what in REAL_CLIPS else arguments.data
    options = Options(
        data=_made(given, option) if arguments.what == "robustness" else _folder(given, option),
        scenes=arguments.scenes,
        limit=arguments.limit,
        size=arguments.size,
        metrics=_metrics(arguments),
        seed=arguments.seed,
        photographs=_photographs(arguments),
        relit=arguments.relit,
    )
    protocol = get_protocol(arguments.what)(options)
    methods = _methods(arguments, protocol.usual_methods(arguments.renderer))
    evaluation = evaluate(protocol, methods, arguments.workers, arguments.out, arguments.sheets)
    report = printed(evaluation)
    if arguments.out is not None:
        from durian.evaluation.report import write_report

        report["report"] = str(write_report(evaluation, arguments.baseline or evaluation.methods[0]))
    return report


def _photographs(arguments: argparse.Namespace) -> Photographs:
    from durian.evaluation.data.photographs import KINDS, Photographs

    kinds = tuple(dict.fromkeys(arguments.kinds or KINDS))
    return Photographs(arguments.split, arguments.part, kinds, arguments.stills)


def _methods(arguments: argparse.Namespace, usual: tuple[str, ...]) -> list[MethodSpec]:
    """Those given, or the ``usual`` ones; the baseline must be one of them."""
    from durian.evaluation.methods.methods import parse_method

    methods = [parse_method(text) for text in arguments.methods or usual]
    names = [method.name for method in methods]
    if arguments.baseline is not None and arguments.baseline not in names:
        raise InvalidRequest(f"Baseline {arguments.baseline!r} is not measured: use one of {', '.join(names)}.")
    return methods


def _metrics(arguments: argparse.Namespace) -> tuple[str, ...]:
    from durian.evaluation.metrics import get_metric

    for name in arguments.metrics:
        if (reason := get_metric(name).available()) is not None:
            raise WeightsMissing(reason)
    return tuple(arguments.metrics)


def _segment(arguments: argparse.Namespace) -> dict[str, object]:
    from durian.evaluation.protocols.drawn_masks import evaluate_drawn
    from durian.evaluation.protocols.segment import evaluate_segment

    data = _folder(arguments.data, "--data")
    if arguments.masks is not None:
        with progress("picture") as show:
            return evaluate_drawn(arguments.masks, data, arguments.part, arguments.segmenter, on_picture=show)
    with progress("scene") as show:
        return evaluate_segment(data, limit=arguments.limit, kind=arguments.segmenter, on_scene=show)


def _mattes(arguments: argparse.Namespace) -> dict[str, object]:
    from durian.evaluation.protocols.mattes import evaluate_mattes

    with progress("head") as show:
        return evaluate_mattes(arguments.limit, arguments.size, arguments.seed, on_scene=show)


def _made(path: Path | None, option: str) -> Path:
    """A folder that may still have to be made."""
    if path is None:
        raise InvalidRequest(f"No folder was given: use {option} DIR, where scenes are or are to be rendered.")
    return path


def _folder(path: Path | None, option: str) -> Path:
    if path is None:
        raise InvalidRequest(f"No folder was given: use {option} DIR.")
    if not path.is_dir():
        raise InvalidRequest(f"{path} is not a folder: give the one with the data to {option}.")
    return path

"""Entry point of the command line: runs the command, and turns errors into one sentence and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import sys
from collections.abc import Sequence

from durian.cli.outputs import check_outputs
from durian.cli.parser import make_parser
from durian.errors import DurianError

BAD_REQUEST, BROKEN, INTERRUPTED = 2, 1, 130
"""Exit codes: something the user can change, something of ours, Ctrl-C (128 + SIGINT, as shells expect)."""

_COMMANDS = {
    "animate": "durian.cli.animate",
    "wear": "durian.cli.wear",
    "segment": "durian.cli.segment",
    "bench": "durian.cli.bench",
    "evaluate": "durian.cli.evaluate",
    "weights": "durian.cli.weights",
    "synth": "durian.cli.synth",
    "prepare": "durian.cli.prepare",
    "train": "durian.cli.train",
    "demo": "durian.cli.demo",
}
"""Where each command's ``run(arguments) -> report`` is; imported when used, so that ``--help`` is quick."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments without the program's name; by default the process's own.

    Returns:
        The exit code: 0, or 2 after one sentence on stderr about what to change.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    verbose = "--verbose" in argv
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, stream=sys.stderr)
    # Of MediaPipe's notices these are those that heed a level; durian.face.notices has the others.
    os.environ.setdefault("GLOG_minloglevel", "0" if verbose else "2")
    try:
        arguments = make_parser().parse_args(argv)
        if getattr(arguments, "batch", None) is None:  # whose rows are checked one by one
            check_outputs(arguments)
        command = importlib.import_module(_COMMANDS[arguments.command])
        # Whatever a library prints must not end up in the JSON's stream.
        with contextlib.redirect_stdout(sys.stderr):
            report = command.run(arguments)
    except DurianError as error:
        if verbose:
            logging.getLogger(__name__).exception("The command failed.")
        print(f"durian: {error}", file=sys.stderr)
        return BAD_REQUEST
    except KeyboardInterrupt:
        print("durian: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if verbose:
            raise
        print(
            f"durian: something broke inside ({type(error).__name__}: {error}); --verbose shows where.",
            file=sys.stderr,
        )
        return BROKEN
    if report is not None:
        print(json.dumps(report) if arguments.json else _in_words(report), flush=True)
    return int(bool(report and report.get("failed")))


def _in_words(report: dict[str, object]) -> str:
    """A report for people: one line for each entry."""
    return "\n".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in report.items())


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(part)}" for key, part in value.items())
    if isinstance(value, list):
        return "".join(f"\n  {_value(part)}" for part in value) or "none"
    return str(value)

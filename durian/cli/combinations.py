"""Refusal of options that have no effect together."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from durian.cli.outputs import option
from durian.errors import InvalidRequest

OF_A_PORTRAIT = ("portrait", "face", "crop", "room")
OF_A_VIDEO = ("start", "end", "neutral", "sound")
OF_DIFFUSION = ("steps", "guidance", "sampler")
OF_BENCH = {
    "preview": ("jobs",),
    "diffusion": ("preset", "device", "frames"),
    "synth": ("scenes", "size", "workers"),
    "soak": ("animations", "stills", "clients", "seed", "frames", "size", "keep_seconds", "limit", "strict"),
}
"""The options of each measurement."""
REAL_CLIPS = ("self", "cross", "reenact")
"""Protocols whose folder may be given as ``--videos`` too."""
OF_COMPARISONS = ("methods", "renderer", "baseline", "size", "seed", "out", "metrics", "sheets", "workers", "scenes")
"""Options that ``evaluate segment`` does not use; only it uses ``segmenter``."""
MATTES_TOO = ("size", "seed")
"""Those of them that ``evaluate mattes``, which renders its own pictures, heeds."""

OF_PHOTOGRAPHS = ("split", "part", "kinds", "stills", "relit")
"""Of the protocols on photographs alone."""
PHOTOGRAPHS = ("self-item", "completion")
OF_GALLERY = ("pairs", "pictures", "frames", "again", "ratings")
"""Of ``evaluate gallery`` alone, which of the comparisons' options has only those below."""
GALLERY_TOO = ("methods", "size", "seed", "out")

REPEATED = {"methods": "method", "metrics": "metric", "kinds": "kind"}
"""Options that are repeated have a plural for all that they collect."""


def check_together(arguments: argparse.Namespace) -> None:
    """Check what was given for one animation; ``arguments.given`` names it.

    Raises:
        InvalidRequest: an option that another one makes meaningless.
    """
    from durian.motion import PRESETS
    from durian.settings import get_settings

    given = arguments.given
    if "example" in given and (name := _first(given, OF_A_PORTRAIT)):
        raise InvalidRequest(f"--{name} does not go with --example, which has a portrait of its own: leave out one.")
    motion = getattr(arguments, "motion", None)  # a picture has none
    if (motion is None or motion in PRESETS) and (name := _first(given, OF_A_VIDEO)):
        raise InvalidRequest(f"--{name} is for a driving video only: give one to --motion, or leave --{name} out.")
    renderer = get_settings().renderer if arguments.renderer is None else arguments.renderer
    if renderer == "preview" and (name := _first(given, OF_DIFFUSION)):
        raise InvalidRequest(f"--{name} is for diffusion only: add --renderer diffusion, or leave --{name} out.")
    for item in arguments.attributes or ():
        if {"mask", "clicks"} <= item.given:
            raise InvalidRequest(f"{item.picture.name} has a mask and clicks: leave out one, for both say where it is.")


def check_batch(arguments: argparse.Namespace) -> None:
    """Check that what is given beside ``--batch`` can hold for all its rows.

    Raises:
        InvalidRequest: a result's file, which each row would replace.
    """
    if name := _first(arguments.given, arguments.files):
        raise InvalidRequest(
            f"--{name} names one file, but each row of {arguments.batch.name} writes its own: "
            f"leave it out, or give the CSV a column {name}."
        )


def check_bench(arguments: argparse.Namespace) -> None:
    """Check that every option is of the measurement that was asked for.

    Raises:
        InvalidRequest: one that is another's.
    """
    others = [name for names in OF_BENCH.values() for name in names if name not in OF_BENCH[arguments.what]]
    if name := _first(arguments.given, others):
        raise InvalidRequest(f"--{name} is not of bench {arguments.what}: leave it out.")


def check_evaluation(arguments: argparse.Namespace) -> None:
    """Check that every option is of the protocol that was asked for.

    Raises:
        InvalidRequest: one that is another's, or two folders of data.
    """
    if {"data", "videos"} <= arguments.given:
        raise InvalidRequest("--data and --videos both say where the clips are: leave out one.")
    what = arguments.what
    others: tuple[str, ...] = () if what in REAL_CLIPS else ("videos",)
    others += () if what == "segment" else ("segmenter",)
    drawn = what == "segment" and "masks" in arguments.given
    of_photographs = tuple(name for name in OF_PHOTOGRAPHS if not (drawn and name == "part"))
    others += () if what in PHOTOGRAPHS else of_photographs
    others += () if what == "segment" else ("masks",)
    others += () if what == "gallery" else OF_GALLERY
    if what == "segment":
        others += OF_COMPARISONS
        others += ("limit",) if drawn else ()
    elif what == "mattes":
        others += ("data", *(name for name in OF_COMPARISONS if name not in MATTES_TOO))
    elif what == "gallery":
        others += ("data", "limit", *(name for name in OF_COMPARISONS if name not in GALLERY_TOO))
    if name := _first(arguments.given, others):
        raise InvalidRequest(f"--{name} is not of evaluate {arguments.what}: leave it out.")


def _first(given: set[str], names: Iterable[str]) -> str | None:
    """The first of ``names`` that was given, as it is typed."""
    return next((option(REPEATED.get(name, name)) for name in names if name in given), None)

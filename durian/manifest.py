"""Checks that a folder filled over several runs is always filled with the same settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from durian.errors import InvalidRequest
from durian.media.files import atomic_output


def check_manifest(path: Path, about: Mapping[str, Any], what: str) -> None:
    """Make a folder that of some settings, or see that it is.

    Args:
        path: of the file in it that says so; it is written if it is not there.
        about: the settings, as JSON gives them back.
        what: is in the folder, for people.

    Raises:
        InvalidRequest: it holds things of other settings; the sentence names one that differs.
    """
    if path.is_file():
        there = json.loads(path.read_text())
        differing = [name for name in about if about[name] != there.get(name)]
        if differing:
            name = differing[0]
            raise InvalidRequest(
                f"{path.parent} holds {what} with {name} {there.get(name)}, not {about[name]}: "
                "give the same settings to go on with it, or another folder."
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(about, indent=1))

"""Draws which room of the project imports which, from the imports themselves, into docs/architecture.md.

python scripts/draw_rooms.py
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms, drawn by scripts/draw_rooms.py -->\n", "<!-- end of rooms -->\n"
ROOMS = {
    "ui": ("ui",),
    "cli": ("cli",),
    "bench, soak": ("bench", "soak"),
    "training": ("training",),
    "evaluation": ("evaluation",),
    "synthetic": ("synthetic",),
    "engine": ("engine",),
    "renderer": ("renderer", "watch"),
    "preview": ("preview",),
    "diffusion": ("diffusion",),
    "prepare, bundle, assets": (
        "prepare", "assets", "bundle",
        "request_pictures",
    ),
    "scene": ("scene", "keypoints"),
    "segmentation": ("segmentation",),
    "layers": ("layers",),
    "geometry": ("geometry",),
    "request": ("request",),
    "motion": ("motion",),
    "face": ("face",),
    "media": ("media", "masks"),
}  # fmt: skip
"""Rooms of the picture, and the folders and files of ``durian/`` in each; what all of them use is left out."""


def imports() -> dict[str, set[str]]:
    """For every room the rooms that its files import at their top."""
    room_of = {part: room for room, parts in ROOMS.items() for part in parts}
    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in sorted((ROOT / "durian").rglob("*.py")):
        room = room_of.get(path.relative_to(ROOT / "durian").with_suffix("").parts[0])
        if room is None:
            continue
        for statement in ast.parse(path.read_text()).body:
            if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("durian."):
                other = room_of.get(statement.module.split(".")[1], room)
                found[room] |= {other} - {room}
    return found


def reached(arrows: dict[str, set[str]], start: str) -> set[str]:
    """Rooms that arrows lead to from one, itself only if they go in a circle."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = arrows[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


def needed(arrows: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Arrows without those that follow from others."""
    return [
        (room, other)
        for room in arrows
        for other in sorted(arrows[room])
        if not any(other in reached(arrows, between) for between in arrows[room] - {other})
    ]


def drawing() -> str:
    """The rooms as a Mermaid diagram."""
    numbers = {room: f"r{number}" for number, room in enumerate(ROOMS)}
    boxes = [f'    {number}["{room}"]' for room, number in numbers.items()]
    lines = [f"    {numbers[room]} --> {numbers[other]}" for room, other in needed(imports())]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *lines, "```", ""])


def main() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + drawing() + END + rest.split(END)[1])


if __name__ == "__main__":
    main()

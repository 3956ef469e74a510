"""Record of what was made of one video or scene: a file beside its clips, which also marks them as done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from durian.media.files import atomic_output
from durian.schema import checked
from durian.training.preparation.quality import SENTENCES, Reason


@dataclass(frozen=True)
class LeftOut:
    """Frames ``first`` to ``first + frames - 1`` of a source, as it numbers them, that no clip has."""

    reason: str
    first: int = 0
    frames: int = 0
    sentence: str = ""


@dataclass(frozen=True)
class Made:
    """A clip that was made: its file's name, how many frames it has, and what is worn."""

    file: str
    frames: int
    seconds: float
    items: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """All that was made of a source and what was left out."""

    source: str
    made: tuple[Made, ...] = ()
    left_out: tuple[LeftOut, ...] = field(default=())


def unreadable(source: str, sentence: str) -> Record:
    """The record of a source that nothing can be made of."""
    return Record(source, left_out=(LeftOut(Reason.UNREADABLE, sentence=sentence),))


def write_record(record: Record, path: Path) -> None:
    """Write a record; a file of its name is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(asdict(record), indent=1))


def read_record(path: Path) -> Record | None:
    """The record of a source that is done; ``None`` if it is not, or if one of its clips is gone."""
    if not path.is_file():
        return None
    record = checked(Record, json.loads(path.read_text()), path.name)
    return record if all((path.parent / made.file).is_file() for made in record.made) else None


def summary(records: Iterable[Record]) -> dict[str, object]:
    """Summary of all records.

    Returns:
        ``sources``, ``clips``, ``frames`` and ``seconds`` in them, ``items`` (clips by category), ``left_out`` (frames
        by reason; sources where a file or a scene is left out as a whole) and ``why``, a sentence for each reason.
    """
    records = list(records)
    made = [made for record in records for made in record.made]
    left_out: Counter[str] = Counter()
    for part in (part for record in records for part in record.left_out):
        left_out[part.reason] += max(1, part.frames)
    return {
        "sources": len(records),
        "clips": len(made),
        "frames": sum(clip.frames for clip in made),
        "seconds": round(sum(clip.seconds for clip in made), 2),
        "items": dict(sorted(Counter(item for clip in made for item in clip.items).items())),
        "left_out": dict(sorted(left_out.items())),
        "why": {reason: SENTENCES[Reason(reason)] for reason in sorted(left_out)},
    }

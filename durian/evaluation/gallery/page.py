"""The page that raters look through: one HTML file, and a folder of pictures and clips beside it.

It needs no network and works from a file's address. With several methods it is blind: pairs and sides come in an order
by the gallery's seed, and nothing in the page or its media says which method made what.
"""

from __future__ import annotations

from pathlib import Path

from durian.content_hash import content_hash
from durian.evaluation.gallery.key import Key, LookRecord, PairRecord
from durian.evaluation.gallery.rendering import CLIP, ITEM, PORTRAIT, STILL, frame_names
from durian.evaluation.gallery.rubric import FAULTS, RATINGS
from durian.evaluation.report.templates import fill

PAGE, MEDIA = "index.html", "media"


def write_page(folder: Path, key: Key) -> Path:
    """Write the page into ``folder``, in which its media lie already; returns its path.

    Raises:
        OutputFailed: it cannot be written.
    """
    from durian.media import atomic_output

    with atomic_output(folder / PAGE) as temporary:
        temporary.write_text(page(key), encoding="utf-8")
    return folder / PAGE


def page(key: Key) -> str:
    """The whole document."""
    return fill("gallery.html", key=key, data=shown_data(key), ratings=RATINGS)


def shown_data(key: Key) -> dict[str, object]:
    """All that the page knows of the gallery."""
    blind = len(key.methods) > 1
    pairs = [(record, _looks(key, record)) for record in key.pairs]
    if blind:
        pairs.sort(key=lambda pair: content_hash([key.seed, pair[0].number]))
    pairs.sort(key=lambda pair: not any(look.error is None for look in pair[1]))  # nothing to rate comes last
    return {
        "gallery": key.gallery,
        "blind": blind,
        "method": None if blind else key.methods[0],
        "ratings": list(RATINGS),
        "faults": dict(FAULTS),
        "pairs": [_pair(key, record, looks, blind) for record, looks in pairs],
    }


def _looks(key: Key, record: PairRecord) -> list[LookRecord]:
    """The looks that exist of a pair, in the order of its sides."""
    looks = [look for method in key.methods if (look := key.look(record.number, method)) is not None]
    return sorted(looks, key=lambda look: content_hash([key.seed, look.pair, look.method]))


def _pair(key: Key, record: PairRecord, looks: list[LookRecord], blind: bool) -> dict[str, object]:
    made = [look for look in looks if look.error is None]
    told = record.error or (None if made or not looks else "It could not be made." if blind else looks[0].error)
    inputs = [] if record.error else [("portrait", PORTRAIT.format(record.name))]
    inputs += [] if record.error else [(name, ITEM.format(record.name, i)) for i, name in enumerate(record.items)]
    return {
        "number": record.number,
        "kind": record.kind,
        "inputs": [{"name": name, "file": f"{MEDIA}/{file}"} for name, file in inputs],
        "looks": [_look(look, key.frames) for look in made],
        "missing": 0 if record.error else len(looks) - len(made),
        "error": told,
    }


def _look(look: LookRecord, frames: int) -> dict[str, object]:
    return {
        "name": look.name,
        "still": f"{MEDIA}/{STILL.format(look.name)}",
        "frames": [f"{MEDIA}/{name}" for name in frame_names(look.name, frames)],
        "clip": f"{MEDIA}/{CLIP.format(look.name)}",
    }

"""The page that raters look through: one HTML file, and a folder of pictures and clips beside it.

It needs no network and works from a file's address. With several methods it is blind: pairs and sides come in an order
by the gallery's seed, and nothing in the page or its media says which method made what.
"""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from pathlib import Path

from durian.content_hash import content_hash
from durian.evaluation.gallery.key import Key, LookRecord, PairRecord
from durian.evaluation.gallery.rendering import CLIP, ITEM, PORTRAIT, STILL, frame_names
from durian.evaluation.gallery.rubric import FAULTS, RATINGS
from durian.evaluation.report.style import STYLE

PAGE, MEDIA = "index.html", "media"
LETTERS = "ABCD"
TASK = (
    "In each pair somebody puts on what is seen on somebody else, and moves. Take one look at the still and one at the "
    "moving clip, as somebody who might post it."
)
BLIND = "Several methods did each pair: which did which is hidden, and their order is drawn by lot."


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
    static = resources.files("durian.evaluation.gallery") / "static"
    style, script = ((static / name).read_text(encoding="utf-8") for name in ("gallery.css", "gallery.js"))
    # A "</script>" inside a text would end the element; as JSON the escaped sign is the same.
    data = json.dumps(shown_data(key), ensure_ascii=False).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Good, usable or bad? – Durian</title><style>{STYLE}{style}</style></head>"
        f"<body><main>{_start(key)}{RATING}{_end()}</main>"
        f'<script type="application/json" id="data">{data}</script><script>{script}</script></body></html>\n'
    )


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


def _start(key: Key) -> str:
    blind = len(key.methods) > 1
    facts = [f"{len(key.pairs)} pairs", f"{key.size} px", f"{key.frames} frames"]
    facts += [] if blind else [f"method: {key.methods[0]}"]
    listed = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    rubric = "".join(
        f'<dt><kbd>{number}</kbd> <b class="{name}">{name}</b></dt><dd>{escape(text)}</dd>'
        for number, (name, text) in enumerate(RATINGS.items(), start=1)
    )
    faults = "".join(f"<span><kbd>{key}</kbd> {escape(fault)}</span>" for fault, key in FAULTS.items())
    better = f"<p>Then say which is better: {_keys(LETTERS[: len(key.methods)] + '=')}.</p>" if blind else ""
    return (
        '<section id="start"><header><h1>Good, usable or bad?</h1>'
        f'<p>{TASK} {BLIND if blind else ""}</p><div class="facts">{listed}</div></header>'
        f'<dl class="rubric">{rubric}</dl>'
        f'<p>After <i>usable</i> or <i>bad</i>, a letter says what is wrong:</p><p class="facts">{faults}</p>{better}'
        f"<p>{_keys('←→')} go back and forth, <kbd>Backspace</kbd> takes the last answer back. Answers stay in this "
        "browser; at the end, or whenever you stop, save them as a file and send that.</p>"
        '<form id="who"><label>Your name <input id="rater" maxlength="60" autocomplete="name" required></label> '
        '<button class="main" type="submit">Start</button></form>'
        "<noscript><p>This page needs JavaScript; nothing is fetched or sent.</p></noscript></section>"
    )


def _keys(keys: str) -> str:
    return " ".join(f"<kbd>{key}</kbd>" for key in keys)


RATING = (
    '<section id="rating" hidden><div class="bar"><button id="back" aria-label="Pair before">←</button>'
    '<button id="forth" aria-label="Next pair">→</button><p id="progress" role="status"></p>'
    '<label>Kind <select id="kind"></select></label><button id="save">Save ratings</button></div>'
    '<h2 id="title"></h2><p id="told" class="soft" hidden></p>'
    '<div class="pair"><div id="inputs"></div><div id="looks"></div></div>'
    '<div class="answers"><p id="question" aria-live="polite"></p><div id="ratings"></div><div id="faults"></div>'
    '<div id="better"></div><button id="undo">Undo</button></div></section>'
)


def _end() -> str:
    return (
        '<section id="end" hidden><h1 id="last"></h1><p id="summary"></p><p>Save your ratings as a file and send it to '
        'whoever asked you.</p><p><button class="main" id="save-all">Save ratings</button> '
        '<button id="return">Back to the pairs</button></p></section>'
    )

"""Merging of several raters' answers: counts with intervals, the lower count, agreement, preference and faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from durian.errors import InvalidRequest
from durian.evaluation.gallery.agreement import cohen_kappa, fleiss_kappa, plain_agreement, share_of
from durian.evaluation.gallery.key import KEY, Key, LookRecord, read_key
from durian.evaluation.gallery.ratings import Given, gather
from durian.evaluation.gallery.rubric import FAULTS, RATINGS, lowest

MERGED = "ratings.json"
ALL = "all"
"""Name of the row of all kinds."""


def merge_ratings(paths: Sequence[Path], folder: Path) -> dict[str, object]:
    """Merge raters' files about the gallery in ``folder``, and write ``ratings.json`` there.

    Returns:
        ``raters``, ``answers``, ``left_out``, ``seconds`` (the median of one rating); ``methods``: by method and kind
        the ``ratings`` of all raters, the ``lowest`` that each pair got, and how many pairs ``failed``; ``faults`` by
        method; ``agreement``; ``preference`` by method; ``lowest`` by method and pair; ``by_rater``.

    Raises:
        InvalidRequest: there is no gallery, or a file is no ratings of it.
        OutputFailed: the file cannot be written.
    """
    from durian.media import atomic_output

    key = read_key(folder)
    if key is None:
        raise InvalidRequest(f"{folder} holds no {KEY}: give the gallery's folder to --out.")
    merged = summary(key, gather(paths, key))
    with atomic_output(folder / MERGED) as temporary:
        temporary.write_text(json.dumps(merged, indent=1), encoding="utf-8")
    return merged


def summary(key: Key, given: Given) -> dict[str, object]:
    """Summary of the answers; see :func:`merge_ratings`."""
    looks = {look.name: look for look in key.looks if look.method in key.methods}
    times = [rating.seconds for rating in given.ratings.values()]
    return {
        "raters": given.raters,
        "answers": len(given.ratings) + len(given.preferences),
        "left_out": given.left_out,
        "seconds": round(median(times), 3) if times else None,
        "methods": {method: _by_kind(key, given, looks, method) for method in key.methods},
        "faults": {method: _faults(given, looks, method) for method in key.methods},
        "agreement": agreement(given),
        "preference": _preferences(key, given, looks) if len(key.methods) > 1 else None,
        "lowest": {method: _lowest(given, looks, method) for method in key.methods},
        "by_rater": {
            rater: {method: _counts(_ratings(given, looks, method, rater)) for method in key.methods}
            for rater in given.raters
        },
    }


def agreement(given: Given) -> dict[str, object] | None:
    """Over pictures that all raters rated: Cohen's kappa of two raters, Fleiss' of more; ``None`` of one, or none."""
    raters, names = given.raters, list(RATINGS)
    shared = [look for look in {look for _, look in given.ratings} if all((r, look) in given.ratings for r in raters)]
    if len(raters) < 2 or not shared:
        return None
    said = np.array([[names.index(given.ratings[rater, look].rating) for rater in raters] for look in shared])
    table = np.stack([(said == index).sum(axis=1) for index in range(len(names))], axis=1)
    kappa = cohen_kappa(said[:, 0], said[:, 1], len(names)) if len(raters) == 2 else fleiss_kappa(table)
    return {
        "pictures": len(shared),
        "same": round(plain_agreement(table), 4),
        "kappa": None if kappa is None else round(kappa, 4),
        "kind": "cohen" if len(raters) == 2 else "fleiss",
    }


def _by_kind(key: Key, given: Given, looks: dict[str, LookRecord], method: str) -> dict[str, object]:
    kinds = {record.number: record.kind for record in key.pairs}
    rated = {place: rating.rating for place, rating in given.ratings.items() if looks[place[1]].method == method}
    worst = _lowest(given, looks, method)
    failed = [look.pair for look in looks.values() if look.method == method and look.error and look.pair in kinds]
    found: dict[str, object] = {}
    for kind in (ALL, *dict.fromkeys(kinds.values())):
        within = {number for number in kinds if kind in (ALL, kinds[number])}
        found[kind] = {
            "ratings": _shares([rating for (_, name), rating in rated.items() if looks[name].pair in within]),
            "lowest": _shares([rating for pair, rating in worst.items() if pair in within]),
            "failed": sum(pair in within for pair in failed),
        }
    return found


def _lowest(given: Given, looks: dict[str, LookRecord], method: str) -> dict[str, str]:
    """By pair the worst rating that anybody gave it."""
    by_pair: dict[str, list[str]] = {}
    for (_, name), rating in given.ratings.items():
        if looks[name].method == method:
            by_pair.setdefault(looks[name].pair, []).append(rating.rating)
    return {pair: lowest(ratings) for pair, ratings in by_pair.items()}


def _shares(ratings: Sequence[str]) -> dict[str, object]:
    counts = _counts(ratings)
    if not ratings:
        return {"total": 0}
    return {"total": len(ratings), **{name: share_of(n, len(ratings)).rounded() for name, n in counts.items()}}


def _counts(ratings: Sequence[str]) -> dict[str, int]:
    counted = Counter(ratings)
    return {name: counted[name] for name in RATINGS}


def _ratings(given: Given, looks: dict[str, LookRecord], method: str, rater: str) -> list[str]:
    return [r.rating for (who, name), r in given.ratings.items() if who == rater and looks[name].method == method]


def _faults(given: Given, looks: dict[str, LookRecord], method: str) -> dict[str, int]:
    """How often each fault was named, the most frequent first; those that never were are left out."""
    named = [rating.fault for (_, name), rating in given.ratings.items() if looks[name].method == method]
    counted = Counter(fault for fault in named if fault is not None)
    return {fault: counted[fault] for fault in sorted(FAULTS, key=lambda fault: -counted[fault]) if counted[fault]}


def _preferences(key: Key, given: Given, looks: dict[str, LookRecord]) -> dict[str, object]:
    """How often each method was the better one, of the answers with it that named one, with an exact interval."""
    found: dict[str, object] = {}
    for method in key.methods:
        asked = [
            answer for (_, names), answer in given.preferences.items() if method in {looks[n].method for n in names}
        ]
        decided = [answer.better for answer in asked if answer.better is not None]
        better = sum(looks[name].method == method for name in decided)
        share = share_of(better, len(decided), "exact").rounded() if decided else {"count": 0}
        found[method] = {**share, "decided": len(decided), "same": len(asked) - len(decided)}
    return found

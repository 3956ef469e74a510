"""Text tables of merged ratings for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from durian.evaluation.gallery.rubric import RATINGS


def told(merged: dict[str, Any]) -> str:
    """All of :func:`~durian.evaluation.gallery.merging.merge_ratings` but what each rater said, in lines."""
    parts = [_counts(merged), _faults(merged["faults"])]
    if merged["agreement"] is not None:
        parts.append(_agreement(merged["agreement"], len(merged["raters"])))
    if merged["preference"] is not None:
        parts.append(_preference(merged["preference"]))
    if merged["left_out"]:
        parts.append(f"{merged['left_out']} answers are about pictures that the gallery no longer shows, and left out.")
    return "\n\n".join(filter(None, parts))


def _counts(merged: dict[str, Any]) -> str:
    """Shares in percent with 95 % intervals, and the lower count: each pair by the worst rating it got."""
    names = list(RATINGS)
    rows = [["method", "kind", "ratings", *names, f"lowest: {'/'.join(names)}", "good of lowest", "failed"]]
    for method, kinds in merged["methods"].items():
        for kind, found in kinds.items():
            every, worst = found["ratings"], found["lowest"]
            counts = "/".join(str(worst[name]["count"]) for name in names) if worst["total"] else "–"
            shares = [_share(every.get(name)) for name in names]
            rows.append([method, kind, every["total"], *shares, counts, _share(worst.get(names[0])), found["failed"]])
    return _lines(rows)


def _faults(faults: dict[str, dict[str, int]]) -> str:
    told = [
        f"Faults of {method}: {', '.join(f'{fault} {count}' for fault, count in counted.items())}."
        for method, counted in faults.items()
        if counted
    ]
    return "\n".join(told)


def _agreement(found: dict[str, Any], raters: int) -> str:
    kappa = "not defined" if found["kappa"] is None else f"{found['kappa']:.2f}"
    name = {"cohen": "Cohen's", "fleiss": "Fleiss'"}[found["kind"]]
    return (
        f"{raters} raters, {found['pictures']} pictures that all of them rated: the same in {found['same']:.0%}, "
        f"{name} kappa {kappa}."
    )


def _preference(found: dict[str, dict[str, Any]]) -> str:
    rows = [["method", "better", "of decided", "share", "the same"]]
    for method, each in found.items():
        rows.append([method, each["count"], each["decided"], _share(each if each["decided"] else None), each["same"]])
    return _lines(rows)


def _share(found: dict[str, float] | None) -> str:
    if found is None:
        return "–"
    return f"{100 * found['share']:.0f} % [{100 * found['low']:.0f}, {100 * found['high']:.0f}]"


def _lines(rows: Sequence[Sequence[object]]) -> str:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in texts)

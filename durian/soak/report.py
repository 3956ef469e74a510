"""The report of a soak, line by line: the measured value, its goal, and whether it was met."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from durian.soak.measuring import Left, Reading
from durian.soak.outcomes import ENDINGS, Outcome, Thing
from durian.soak.server import Server

MOST_GROWTH_MB = 50.0
MOST_TIMES_IDLE = 3.0
THREADS_MORE = 2
"""Threads that may be in the server's pool by chance at the moment of counting."""
FILES_MORE = 4
"""Open files likewise: a connection that is just closing, a file that the sweeper looks at."""
FOLDERS_MORE = 4
"""Folders that are made once, at the first use of what lies in them."""
WORDS_SHOWN = 12


@dataclass(frozen=True)
class Line:
    """``kept`` is ``None`` for what could not be measured."""

    what: str
    measured: str
    goal: str
    kept: bool | None


@dataclass(frozen=True)
class Measured:
    """All that a soak measured: counts of endings, the server's folders at first and at last, its process before (after
    the warm-up) and after."""

    counts: Mapping[Thing, Mapping[str, int]]
    outcomes: list[Outcome]
    waiting: Mapping[str, float] | None
    seconds: float
    at_first: Mapping[str, Left]
    at_last: Mapping[str, Left]
    before: Reading | None
    after: Reading | None
    traces: list[str]
    alive: bool

    def again(self, server: Server) -> Measured:
        """With the server as it is now."""
        return replace(
            self, at_last=server.left(), after=server.reading(), traces=server.traces(), alive=server.alive()
        )

    def is_as_before(self) -> bool:
        """Whether nothing is left, on disk or in the process."""
        return all(line.kept is not False for line in (*_disk(self), *_process(self)))

    def total(self, ending: str) -> int:
        """Requests of all kinds that ended so."""
        return sum(row[ending] for row in self.counts.values())


def judge(measured: Measured) -> list[Line]:
    """One line for each thing that a soak must show."""
    return [*_requests(measured), *_disk(measured), *_process(measured), *_patience(measured)]


def as_dictionary(measured: Measured, lines: list[Line], strict: bool = False) -> dict[str, Any]:
    """The report as JSON can hold it; if ``strict``, ``failed`` in it makes the command fail."""
    not_kept = sum(line.kept is False for line in lines)
    return {
        **({"failed": not_kept} if strict else {}),
        "lines": [asdict(line) for line in lines],
        "not_kept": not_kept,
        "requests": {thing: dict(row) for thing, row in measured.counts.items()},
        "seconds": round(measured.seconds, 1),
        "stills_beside_animations": None
        if measured.waiting is None
        else {name: round(value, 3) for name, value in measured.waiting.items()},
        "before": None if measured.before is None else asdict(measured.before),
        "after": None if measured.after is None else asdict(measured.after),
        "left": {name: asdict(left) for name, left in measured.at_last.items()},
        "words": _words(measured),
        "traces": dict(Counter(measured.traces).most_common(WORDS_SHOWN)),
    }


def print_table(measured: Measured, lines: list[Line]) -> None:
    """Counts, lines, and what was said, on stderr."""
    out = ["", f"{'':10}{'planned':>10}" + "".join(f"{ending:>10}" for ending in ENDINGS)]
    for thing, row in measured.counts.items():
        out.append(f"{thing:10}{row['planned']:>10}" + "".join(f"{row[ending]:>10}" for ending in ENDINGS))
    widths = [max(len(getattr(line, name)) for line in lines) for name in ("what", "measured", "goal")]
    out.append("")
    for line in lines:
        verdict = {True: "kept", False: "NOT KEPT", None: "not measured"}[line.kept]
        texts = (line.what, line.measured, line.goal)
        out.append("  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)) + "  " + verdict)
    out += [f"  {words}" for words in _words(measured)]
    out += [f"  in the log: {error} ({times} ×)" for error, times in Counter(measured.traces).most_common(WORDS_SHOWN)]
    print("\n".join(out), file=sys.stderr)


def _requests(measured: Measured) -> list[Line]:
    asked = sum(row["planned"] for row in measured.counts.values())
    answered, refused, cancelled = (measured.total(ending) for ending in ("answered", "refused", "cancelled"))
    late = sum(not outcome.in_time for outcome in measured.outcomes)
    ended = f"{asked} asked: {answered} answered, {refused} refused as full, {cancelled} cancelled"
    lost, wrong, said = (measured.total(ending) for ending in ("lost", "wrong", "said"))
    return [
        Line("requests ended", ended, "all, some answered", answered + refused + cancelled == asked and answered > 0),
        Line("lost without a sentence", str(lost), "0", lost == 0),
        Line("other sentences of the server", str(said), "0", said == 0),
        Line("wrong answers", str(wrong), "0", wrong == 0),
        Line("clients that ran out of time", str(late), "0", late == 0),
        Line("traces in the server's log", str(len(measured.traces)), "0", not measured.traces),
        Line("the server", "runs" if measured.alive else "has ended", "runs", measured.alive),
    ]


def _disk(measured: Measured) -> list[Line]:
    lines = []
    for name, last in measured.at_last.items():
        first = measured.at_first[name]
        lines.append(Line(f"files left: {name}", str(last.files), str(first.files), last.files <= first.files))
    before, after = (sum(left.folders for left in lefts.values()) for lefts in (measured.at_first, measured.at_last))
    return [*lines, _back("folders left", before, after, FOLDERS_MORE)]


def _process(measured: Measured) -> list[Line]:
    before, after = measured.before, measured.after
    if before is None or after is None:
        missing = "needs Linux's /proc" if measured.alive else "the server has ended"
        return [Line(what, missing, "as before", None) for what in ("memory", "threads", "open files")]
    growth = after.resident_mb - before.resident_mb
    memory = f"{before.resident_mb:.0f} → {after.resident_mb:.0f} MB ({growth:+.0f}), peak {after.peak_mb:.0f}"
    return [
        Line("memory", memory, f"at most +{MOST_GROWTH_MB:.0f} MB", growth <= MOST_GROWTH_MB),
        _back("threads", before.threads, after.threads, THREADS_MORE),
        _back("open files", before.open_files, after.open_files, FILES_MORE),
    ]


def _back(what: str, before: int, after: int, more: int) -> Line:
    return Line(what, f"{before} → {after}", f"at most +{more}", after <= before + more)


def _patience(measured: Measured) -> list[Line]:
    goal, waited = f"at most {MOST_TIMES_IDLE:.0f} × idle", measured.waiting
    names = {"median": "stills beside animations, median", "most": "stills beside animations, 95 %"}
    if waited is None:
        return [Line(what, "no still was beside an animation", goal, None) for what in names.values()]
    return [
        Line(
            what,
            f"{waited[key]:.1f} × idle, {waited[f'{key}_seconds']:.2f} s ({waited['stills']:.0f} stills)",
            goal,
            waited[key] <= MOST_TIMES_IDLE,
        )
        for key, what in names.items()
    ]


def _words(measured: Measured) -> list[str]:
    """Messages received instead of answers, with their counts."""
    heard = Counter(
        f"{outcome.client}, {outcome.thing}, {outcome.ending}: {outcome.words}"
        for outcome in measured.outcomes
        if outcome.words and outcome.ending in ("refused", "said", "wrong", "lost")
    )
    return [f"{words} ({times} ×)" for words, times in heard.most_common(WORDS_SHOWN)]

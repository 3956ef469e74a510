"""Writing of an evaluation's two report files from its folder and figures alone, so that it can be repeated."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from durian import __version__
from durian.evaluation.metrics.scoring import unavailable_metrics
from durian.evaluation.report.page import page
from durian.evaluation.report.sets import SetDistances, set_distances
from durian.evaluation.report.summary import Row, groups_of, table
from durian.evaluation.run.running import Evaluation
from durian.media.files import atomic_output

PAGE, NUMBERS = "report.html", "metrics.json"
LIBRARIES = ("numpy", "opencv-python", "mediapipe", "torch", "diffusers", "scipy")
"""Those that scores depend on; their versions are told."""


@dataclass(frozen=True)
class Findings:
    """All that is reported, ready for either file."""

    evaluation: Evaluation
    baseline: str
    rows: list[Row]
    groups: dict[str, list[Row]]
    sets: SetDistances
    unavailable: dict[str, str]
    versions: dict[str, str]


def write_report(evaluation: Evaluation, baseline: str) -> Path:
    """Write both files into the evaluation's folder; returns the page's path.

    Args:
        evaluation: with a folder.
        baseline: the method that others are compared with.
    """
    seed = evaluation.protocol.options.seed
    sets = set_distances(evaluation)
    findings = Findings(
        evaluation=evaluation,
        baseline=baseline,
        rows=table(evaluation, baseline, seed),
        groups={group: table(evaluation, baseline, seed, group) for group in groups_of(evaluation)},
        sets=sets,
        unavailable={**unavailable_metrics(), **sets.unavailable},
        versions=versions(),
    )
    _write(evaluation.kept_in / NUMBERS, json.dumps(numbers(findings), indent=1))
    return _write(evaluation.kept_in / PAGE, page(findings))


def numbers(findings: Findings) -> dict[str, object]:
    """The content of ``metrics.json``."""
    evaluation = findings.evaluation
    return {
        "protocol": evaluation.protocol.name,
        "settings": evaluation.protocol.settings(),
        "data": {"folder": evaluation.protocol.options.data.resolve().name, "digest": evaluation.data},
        "versions": findings.versions,
        "methods": list(evaluation.methods),
        "baseline": findings.baseline,
        "cases": len(evaluation.cases),
        "figures": {row.key: _row(row) for row in findings.rows},
        "by_group": {group: {row.key: _row(row) for row in rows} for group, rows in findings.groups.items()},
        "sets": findings.sets.distances,
        **evaluation.protocol.summary(evaluation.results),
        "by_case": {
            method: {case.case: {"group": case.group, **case.facts, **case.figures} for case in cases}
            for method, cases in evaluation.results.items()
        },
        "skipped": evaluation.skipped,
        "unavailable": findings.unavailable,
    }


def versions() -> dict[str, str]:
    """Of the project, of Python and of the libraries that scores depend on."""
    return {"durian": __version__, "python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def _row(row: Row) -> dict[str, object]:
    return {
        "title": row.title,
        "unit": row.figure.unit,
        "higher_is_better": row.figure.higher_is_better,
        "means": {method: mean.rounded() for method, mean in row.means.items()},
        "differences": {method: difference.rounded() for method, difference in row.differences.items()},
    }


def _write(path: Path, text: str) -> Path:
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path

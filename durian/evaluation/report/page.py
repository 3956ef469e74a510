"""The report's page: settings, tables, worst and best cases, and how to repeat the evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from durian.evaluation.data.cases import CaseResult
from durian.evaluation.report.pictures import case_pictures
from durian.evaluation.report.summary import figure_of, from_worst
from durian.evaluation.report.templates import fill, number

if TYPE_CHECKING:
    from durian.evaluation.report.writing import Findings

MAIN_REGIONS = ("all", "inside", "outside", "face")
"""Those of other names are of use to few, and fold away."""
SHOWN = 3
"""Worst and best cases that are shown: with pictures and videos the page stays below a few megabytes."""


def page(findings: Findings) -> str:
    """A whole HTML document that needs nothing else."""
    evaluation, protocol = findings.evaluation, findings.evaluation.protocol
    method, methods = studied(findings), list(evaluation.methods)
    ranked = from_worst(evaluation, method)
    worst, best = ranked[:SHOWN], ranked[: -1 - SHOWN : -1] if len(ranked) > SHOWN else []
    main = [row for row in findings.rows if row.key.partition("/")[2] in MAIN_REGIONS]
    return fill(
        "report.html",
        findings=findings,
        evaluation=evaluation,
        protocol=protocol,
        methods=methods,
        main=main,
        others=[row for row in findings.rows if row not in main],
        distances=[
            (findings.sets.titles[name], *(distances.get(method) for method in methods))
            for name, distances in findings.sets.distances.items()
        ],
        heat=_heat(protocol.summary(evaluation.results)),
        studied=method,
        ranked_title=next((row.title for row in findings.rows if row.key == protocol.ranked_by), protocol.ranked_by),
        worst=[_case(findings, case) for case in worst],
        best=[_case(findings, case) for case in best],
        ranked=[(case.case, case.group, *_figures(findings, case).values()) for case in ranked],
        meanings={row.figure.title: row.figure.definition for row in findings.rows},
        repeated={
            **protocol.settings(),
            "baseline": findings.baseline,
            "data": f"{protocol.options.data.resolve().name}, {len(evaluation.cases)} cases",
            "digest of the data": evaluation.data,
            **findings.versions,
        },
    )


def studied(findings: Findings) -> str:
    """The method whose cases are shown: the last that is not the baseline."""
    others = [method for method in findings.evaluation.methods if method != findings.baseline]
    return others[-1] if others else findings.baseline


def _heat(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For protocols that vary two gaps: a map for each method and part, with each value's share from its worst to its
    best."""
    return [
        {
            "title": f"{part}: {method}, PSNR in dB",
            "columns": [f"light {light}" for light in summary["light_gaps"]],
            "lines": list(zip(summary["pose_gaps"], _with_shares(values), strict=True)),
        }
        for method, parts in summary.get("heat", {}).items()
        for part, values in parts.items()
    ]


def _with_shares(values: Sequence[Sequence[float | None]]) -> list[list[tuple[float | None, float]]]:
    known = [value for line in values for value in line if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)

    def share(value: float | None) -> float:
        return 0.5 if value is None or high == low else (value - low) / (high - low)

    return [[(value, share(value)) for value in line] for line in values]


def _figures(findings: Findings, case: CaseResult) -> dict[str, float | None]:
    """By method, the figure of a case by which cases are ranked."""
    key, results = findings.evaluation.protocol.ranked_by, findings.evaluation.results
    return {
        method: next(own for own in results[method] if own.case == case.case).figures.get(key)
        for method in findings.evaluation.methods
    }


def _case(findings: Findings, case: CaseResult) -> dict[str, Any]:
    evaluation = findings.evaluation
    unit = figure_of(evaluation, evaluation.protocol.ranked_by.partition("/")[0]).unit
    scores = {method: value for method, value in _figures(findings, case).items() if value is not None}
    return {
        "case": case.case,
        "group": case.group,
        "told": " · ".join(f"{method} {number(value)} {unit}" for method, value in scores.items()),
        "pictures": case_pictures(evaluation, case.case),
    }

"""The report's page: settings, tables, worst and best cases, and how to repeat the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from durian.evaluation.data.cases import CaseResult
from durian.evaluation.report.pictures import CasePictures, case_pictures
from durian.evaluation.report.style import STYLE
from durian.evaluation.report.summary import figure_of, from_worst
from durian.evaluation.report.tables import (
    differences_table,
    groups_table,
    heat_table,
    means_table,
    number,
    plain_table,
)

if TYPE_CHECKING:
    from durian.evaluation.report.writing import Findings

MAIN_REGIONS = ("all", "inside", "outside", "face")
"""Those of other names are of use to few, and fold away."""
SHOWN = 3
"""Worst and best cases that are shown: with pictures and videos the page stays below a few megabytes."""


def page(findings: Findings) -> str:
    """A whole HTML document that needs nothing else."""
    protocol = findings.evaluation.protocol
    sections = [
        _head(findings),
        _results(findings),
        _heat(findings),
        _cases(findings),
        _left_out(findings),
        _meaning(findings),
        _repeat(findings),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(protocol.title)} – Durian</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def studied(findings: Findings) -> str:
    """The method whose cases are shown: the last that is not the baseline."""
    others = [method for method in findings.evaluation.methods if method != findings.baseline]
    return others[-1] if others else findings.baseline


def _head(findings: Findings) -> str:
    evaluation = findings.evaluation
    facts = [
        f"{len(evaluation.cases)} cases",
        f"{len(evaluation.skipped)} left out",
        f"methods: {', '.join(evaluation.methods)}",
        f"data {evaluation.data[:12]}",
        f"Durian {findings.versions['durian']}",
    ]
    listed = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    title, purpose = escape(evaluation.protocol.title), escape(evaluation.protocol.purpose)
    return f'<header><h1>{title}</h1><p>{purpose}</p><div class="facts">{listed}</div></header>'


def _results(findings: Findings) -> str:
    methods, key = findings.evaluation.methods, findings.evaluation.protocol.ranked_by
    main = [row for row in findings.rows if row.key.partition("/")[2] in MAIN_REGIONS]
    others = [row for row in findings.rows if row not in main]
    parts = ["<h2>Results</h2>", means_table(main, methods)]
    if any(row.differences for row in main):
        parts.append(differences_table(main, methods, findings.baseline))
    if others:
        told = means_table(others, methods) + differences_table(others, methods, findings.baseline)
        parts.append(f"<details><summary>Further regions</summary>{told}</details>")
    if len(findings.groups) > 1 and not _heat_of(findings):
        parts.append(groups_table(findings.groups, key, methods, f"{_ranked_title(findings)}, by kind of case"))
    if findings.sets.distances:
        lines = [
            (findings.sets.titles[name], *(distances.get(method) for method in methods))
            for name, distances in findings.sets.distances.items()
        ]
        parts.append(plain_table("Distances of all clips to the real ones (less is better)", ["", *methods], lines))
    return "".join(parts)


def _heat(findings: Findings) -> str:
    """For protocols that vary two gaps: a map for each method and part."""
    heat, summary = _heat_of(findings), findings.evaluation.protocol.summary(findings.evaluation.results)
    if not heat:
        return ""
    maps = "".join(
        heat_table(f"{part}: {method}, PSNR in dB", summary["pose_gaps"], summary["light_gaps"], values)
        for method, parts in heat.items()
        for part, values in parts.items()
    )
    return (
        "<h2>Pose and light apart</h2><p>Rows are degrees between the heads of portrait and reference, columns the "
        f'distance of their lights. Darker is better within a map.</p><div class="heats">{maps}</div>'
    )


def _heat_of(findings: Findings) -> Mapping:
    return findings.evaluation.protocol.summary(findings.evaluation.results).get("heat", {})


def _cases(findings: Findings) -> str:
    method = studied(findings)
    ranked = from_worst(findings.evaluation, method)
    title = _ranked_title(findings)
    worst, best = ranked[:SHOWN], ranked[: -1 - SHOWN : -1] if len(ranked) > SHOWN else []
    parts = [f"<h2>Worst cases of {escape(method)}</h2><p>By {escape(title)}, the worst first.</p>"]
    parts += [_case(findings, case) for case in worst]
    if best:
        parts.append(f"<h2>Best cases of {escape(method)}</h2><p>The best first.</p>")
        parts += [_case(findings, case) for case in best]
    key, methods = findings.evaluation.protocol.ranked_by, findings.evaluation.methods
    figures = {name: {case.case: case.figures for case in findings.evaluation.results[name]} for name in methods}
    lines = [(case.case, case.group, *(figures[name][case.case].get(key) for name in methods)) for case in ranked]
    table = plain_table(f"{title}, the worst first", ["case", "kind", *methods], lines)
    return "".join(parts) + f"<details><summary>All {len(ranked)} cases</summary>{table}</details>"


def _case(findings: Findings, case: CaseResult) -> str:
    evaluation, key = findings.evaluation, findings.evaluation.protocol.ranked_by
    scores = []
    for method in evaluation.methods:
        own = next(result for result in evaluation.results[method] if result.case == case.case)
        if key in own.figures:
            scores.append(f"{method} {number(own.figures[key])}")
    unit = figure_of(evaluation, key.partition("/")[0]).unit
    told = escape(" · ".join(f"{score} {unit}" for score in scores))
    head = f'<h3>{escape(case.case)} · {escape(case.group)}</h3><p class="facts">{told}</p>'
    pictures = case_pictures(evaluation, case.case)
    if pictures is None:
        return f"<article>{head}</article>"
    return f'<article>{head}<div class="views">{_views(case.case, pictures)}</div></article>'


def _views(case: str, pictures: CasePictures) -> str:
    """Inputs, some frames, and the clips in motion."""
    case, told = escape(case), escape(", ".join(pictures.names))
    names = "".join(f"<span>{escape(name)}</span>" for name in pictures.names)
    strip = f'<img src="{pictures.strip}" alt="Frames of case {case}, from above: {told}">'
    video = (
        f'<video src="{pictures.video}" controls loop muted playsinline preload="auto" '
        f'aria-label="Case {case} in motion, from the left: {told}"></video>'
    )
    return (
        '<figure class="inputs"><figcaption>Portrait, and what it is to wear</figcaption>'
        f'<img src="{pictures.inputs}" alt="Inputs of case {case}"></figure>'
        '<figure><figcaption>Some frames</figcaption><div class="wide" tabindex="0">'
        f'<div class="strip"><div class="rows">{names}</div>{strip}</div></div></figure>'
        '<figure><figcaption>In motion</figcaption><div class="wide" tabindex="0">'
        f'<div class="names">{names}</div>{video}</div></figure>'
    )


def _left_out(findings: Findings) -> str:
    parts = []
    if findings.evaluation.skipped:
        lines = findings.evaluation.skipped.items()
        parts.append(f"<h2>Left out</h2>{plain_table('Cases without a score', ['case', 'why'], lines)}")
    if findings.unavailable:
        lines = findings.unavailable.items()
        parts.append(f"<h2>Not measured</h2>{plain_table('Metrics that need something', ['metric', 'why'], lines)}")
    return "".join(parts)


def _meaning(findings: Findings) -> str:
    figures = {row.figure.title: row.figure.definition for row in findings.rows}
    told = "".join(f"<dt>{escape(title)}</dt><dd>{escape(text)}</dd>" for title, text in figures.items())
    return (
        f"<h2>What the figures mean</h2><dl>{told}</dl><p>Intervals are percentile bootstraps over cases; differences "
        "are taken case by case first, which makes them surer than the intervals of two means suggest.</p>"
    )


def _repeat(findings: Findings) -> str:
    evaluation = findings.evaluation
    told = {
        **evaluation.protocol.settings(),
        "baseline": findings.baseline,
        "data": f"{evaluation.protocol.options.data.resolve().name}, {len(evaluation.cases)} cases",
        "digest of the data": evaluation.data,
        **findings.versions,
    }
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in told.items())
    return f"<h2>To repeat it</h2><dl>{listed}</dl>"


def _ranked_title(findings: Findings) -> str:
    key = findings.evaluation.protocol.ranked_by
    return next((row.title for row in findings.rows if row.key == key), key)

"""Summary of results for tables: means with intervals, differences to a baseline, groups, cases from worst to best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from durian.evaluation.data.cases import CaseResult
from durian.evaluation.metrics import all_metrics
from durian.evaluation.metrics.figures import Figure, region_title
from durian.evaluation.report.statistics import Estimate, estimate, paired_difference
from durian.evaluation.run.running import Evaluation

DECIMALS = 5
REGION_ORDER = ("all", "inside", "outside")


@dataclass(frozen=True)
class Row:
    """A figure of a table: its key ``metric/region``, what it is, and by method its mean and its difference to the
    baseline's, over the cases that have it."""

    key: str
    title: str
    figure: Figure
    means: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]

    @property
    def best(self) -> list[str]:
        """Methods with the best mean, none where no way is better."""
        if self.figure.higher_is_better is None or len(self.means) < 2:
            return []
        sign = 1 if self.figure.higher_is_better else -1
        top = max(sign * mean.mean for mean in self.means.values())
        return [method for method, mean in self.means.items() if sign * mean.mean == top]

    def verdict(self, method: str) -> str | None:
        """``better`` or ``worse`` than the baseline, where that cannot be chance and a way is better."""
        difference, better = self.differences.get(method), self.figure.higher_is_better
        if difference is None or better is None or not difference.is_apart_from_zero:
            return None
        return "better" if (difference.mean > 0) == better else "worse"


def table(evaluation: Evaluation, baseline: str, seed: int = 0, group: str | None = None) -> list[Row]:
    """All figures of an evaluation, or of one group of its cases."""
    results = {
        method: [case for case in cases if group is None or case.group == group]
        for method, cases in evaluation.results.items()
    }
    rows = []
    for key in _keys(results):
        values = {method: [case.figures.get(key) for case in cases] for method, cases in results.items()}
        means, differences = {}, {}
        for method, own in values.items():
            known = [value for value in own if value is not None]
            if known:
                means[method] = estimate(known, seed)
            paired = [(a, b) for a, b in zip(own, values[baseline], strict=True) if a is not None and b is not None]
            if paired and method != baseline:
                differences[method] = paired_difference([a for a, _ in paired], [b for _, b in paired], seed)
        name, _, region = key.partition("/")
        figure = figure_of(evaluation, name)
        title = " ".join(part for part in (figure.title, region_title(region)) if part)
        rows.append(Row(key, title, figure, means, differences))
    return rows


def figure_of(evaluation: Evaluation, name: str) -> Figure:
    """Description of a figure: a metric's description or the protocol's own."""
    own = {figure.name: figure for figure in evaluation.protocol.figures}
    if name in own:
        return own[name]
    metric = all_metrics()[name]
    return Figure(name, metric.title, metric.unit, metric.higher_is_better, metric.definition)


def groups_of(evaluation: Evaluation) -> list[str]:
    """Names of the groups, in alphabetical order."""
    return sorted({case.group for case in evaluation.results[evaluation.methods[0]]})


def from_worst(evaluation: Evaluation, method: str) -> list[CaseResult]:
    """A method's cases from worst to best by the protocol's ranking figure; those without it are left out."""
    key = evaluation.protocol.ranked_by
    higher = figure_of(evaluation, key.partition("/")[0]).higher_is_better
    ranked = [case for case in evaluation.results[method] if key in case.figures]
    return sorted(ranked, key=lambda case: (case.figures[key] if higher else -case.figures[key], case.case))


def printed(evaluation: Evaluation) -> dict[str, object]:
    """The means, as the command line prints them: by method, region and metric, over all and by group."""
    units = f"{evaluation.protocol.unit}s"
    groups = groups_of(evaluation)
    report: dict[str, object] = {units: len(evaluation.cases), **_means(evaluation, None)}
    if groups != [evaluation.protocol.unit]:
        report["by_attribute"] = {
            group: {
                units: sum(case.group == group for case in evaluation.results[evaluation.methods[0]]),
                **_means(evaluation, group),
            }
            for group in groups
        }
    report |= evaluation.protocol.summary(evaluation.results)
    report["skipped"] = list(evaluation.skipped)
    if evaluation.skipped:
        report["why_skipped"] = evaluation.skipped
    return report


def _means(evaluation: Evaluation, group: str | None) -> dict[str, dict[str, dict[str, float]]]:
    means: dict[str, dict[str, dict[str, float]]] = {}
    for method, cases in evaluation.results.items():
        chosen = [case for case in cases if group is None or case.group == group]
        regions = means.setdefault(method, {})
        for key in _keys({method: chosen}):
            name, _, region = key.partition("/")
            values = [case.figures[key] for case in chosen if key in case.figures]
            regions.setdefault(region, {})[name] = round(sum(values) / len(values), DECIMALS)
    return means


def _keys(results: Mapping[str, Sequence[CaseResult]]) -> list[str]:
    """All figures, metric by metric, and of each the whole picture first."""
    found = dict.fromkeys(key for cases in results.values() for case in cases for key in case.figures)
    names = list(dict.fromkeys(key.partition("/")[0] for key in found))

    def place(key: str) -> tuple[int, int, str]:
        name, _, region = key.partition("/")
        known = REGION_ORDER.index(region) if region in REGION_ORDER else len(REGION_ORDER)
        return names.index(name), known, region

    return sorted(found, key=place)

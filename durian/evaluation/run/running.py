"""Running of a protocol: every case by every method, over several processes; a run that was stopped goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from durian.errors import InvalidRequest
from durian.evaluation.data.cases import CaseResult, Source
from durian.evaluation.data.workers import score_all
from durian.evaluation.methods.methods import MethodSpec, check_distinct, process_method
from durian.evaluation.metrics.scoring import Scorer
from durian.evaluation.protocols.interface import Protocol
from durian.evaluation.run.results import Store, data_digest, result_key, told
from durian.evaluation.run.sheets import write_case_sheet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """The results of a run.

    Attributes:
        protocol: what was measured.
        methods: names, in order; the first is what the others are compared with unless said otherwise.
        results: by method, in the order of cases, those of cases that every method answered.
        skipped: by case, why it is left out.
        data: digest of the files of all cases.
        folder: where it was stored, if anywhere.
    """

    protocol: Protocol
    methods: tuple[str, ...]
    results: dict[str, list[CaseResult]]
    skipped: dict[str, str]
    data: str
    folder: Path | None

    @property
    def kept_in(self) -> Path:
        """``folder``, for what reads what was kept.

        Raises:
            InvalidRequest: nothing was.
        """
        if self.folder is None:
            raise InvalidRequest("This evaluation kept nothing that a report could show: give it a folder.")
        return self.folder

    @property
    def cases(self) -> list[str]:
        """Names of the cases that count."""
        return [result.case for result in self.results[self.methods[0]]]


def evaluate(
    protocol: Protocol,
    methods: Sequence[MethodSpec],
    workers: int = 1,
    folder: Path | None = None,
    sheets: Path | None = None,
) -> Evaluation:
    """Score all cases by all methods.

    A case that cannot be loaded, or that a method fails on, is left out for all methods, so that means stay
    comparable; the next run tries it again.

    Args:
        protocol: what to measure.
        methods: at least one; no two of a name.
        workers: processes.
        folder: where results are kept; those already there are not made again.
        sheets: a folder for one contact sheet of each case that is scored now.

    Raises:
        InvalidRequest: two methods have one name, or no case could be scored.
    """
    check_distinct(methods)
    names = tuple(method.name for method in methods)
    sources = protocol.sources()
    score = partial(score_case, protocol=protocol, methods=tuple(methods), folder=folder, sheets=sheets)
    scored = score_all(score, sources, workers, protocol.unit)
    skipped = {}
    for source, results in zip(sources, scored, strict=True):
        errors = [result.error for result in results if result.error is not None]
        if errors:
            skipped[source.name] = errors[0]
    whole = [results for source, results in zip(sources, scored, strict=True) if source.name not in skipped]
    if not whole:
        first, reason = next(iter(skipped.items()))
        raise InvalidRequest(f"None of {len(sources)} cases could be scored; {first}: {reason}")
    return Evaluation(
        protocol=protocol,
        methods=names,
        results={name: [results[place] for results in whole] for place, name in enumerate(names)},
        skipped=skipped,
        data=data_digest(sources),
        folder=folder,
    )


def score_case(
    source: Source,
    protocol: Protocol,
    methods: tuple[MethodSpec, ...],
    folder: Path | None = None,
    sheets: Path | None = None,
) -> list[CaseResult]:
    """One case by every method, in order; stored results are taken as they are."""
    store, options = Store(folder), protocol.options
    keys = {method: result_key(protocol, source, method) for method in methods}
    stored = {method: store.find(source.name, method.name, key) for method, key in keys.items()}
    found = {method: result for method, result in stored.items() if result is not None}
    if len(found) == len(methods):
        return [found[method] for method in methods]
    try:
        task = protocol.load(source)
        store.keep_task(task)
    except Exception as error:  # one broken clip must not end a night's run
        log.info("%s cannot be loaded.", source.name, exc_info=True)
        return [CaseResult(source.name, method.name, error=told(error)) for method in methods]
    scorer = Scorer(task, options.metrics)
    rows = [] if task.truth is None else [task.truth]
    for method in methods:
        if method not in found:
            try:
                frames, figures = protocol.score(process_method(method, options.size, options.seed), scorer)
                made = CaseResult(source.name, method.name, task.group, figures, task.facts)
                store.keep(made, keys[method], frames, task)
                rows.append(frames)
            except Exception as error:
                log.info("%s fails on %s.", method.name, source.name, exc_info=True)
                made = CaseResult(source.name, method.name, task.group, error=f"{method.name}: {told(error)}")
            found[method] = made
    if sheets is not None:
        write_case_sheet(sheets / f"{source.name}.png", task, rows)
    return [found[method] for method in methods]

"""Distances of sets of clips (FID, VFID), taken from the clips that an evaluation stored.

Rendered and real clips both went through the same video encoding, so it favours neither, and a run that goes on has
the same distances as one in a single go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from durian.evaluation.metrics import all_set_metrics
from durian.evaluation.run.results import stored_clip
from durian.evaluation.run.running import Evaluation


@dataclass(frozen=True)
class SetDistances:
    """``distances`` by metric and method; why other metrics are ``unavailable``; the ``titles`` of those measured."""

    distances: dict[str, dict[str, float]] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)


def set_distances(evaluation: Evaluation) -> SetDistances:
    """All set metrics of all methods against the true clips, or the real ones where there is no truth."""
    reasons = {name: metric.available() for name, metric in all_set_metrics().items()}
    found = SetDistances(unavailable={name: reason for name, reason in reasons.items() if reason is not None})
    for method in evaluation.methods:
        metrics = {name: metric for name, metric in all_set_metrics().items() if reasons[name] is None}
        for case in evaluation.cases if metrics else ():
            real, fake = stored_clip(evaluation.kept_in, None, case), stored_clip(evaluation.kept_in, method, case)
            if real is not None and fake is not None:
                for metric in metrics.values():
                    metric.add(np.stack(real), np.stack(fake))
        for name, metric in metrics.items():
            distance = metric.compute()
            if distance is not None:
                found.distances.setdefault(name, {})[method] = round(float(distance), 4)
                found.titles[name] = metric.title
    return found

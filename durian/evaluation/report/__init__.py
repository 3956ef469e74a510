"""Reports of an evaluation: ``report.html`` for people and ``metrics.json`` for programs."""

from durian.evaluation.report.writing import write_report

__all__ = ["write_report"]

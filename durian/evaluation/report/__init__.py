"""What came out of an evaluation, for people and for programs: ``report.html`` and ``metrics.json``."""

from durian.evaluation.report.writing import write_report

__all__ = ["write_report"]

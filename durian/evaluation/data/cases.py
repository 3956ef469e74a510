"""Cases of an evaluation: the sources they are made of, and the result of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One case to be: its ``name``, unique and fit for a file's, and the ``files`` it is made of."""

    name: str
    files: tuple[Path, ...]
    detail: str = ""


@dataclass(frozen=True)
class CaseResult:
    """Figures of one case and one method by ``metric/region``, or the ``error`` that left it out."""

    case: str
    method: str
    group: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None

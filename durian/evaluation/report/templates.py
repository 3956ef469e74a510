"""The pages' templates, of ``durian/evaluation/templates``: whatever is put into them is escaped."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def fill(template: str, **values: Any) -> str:
    """A whole HTML document that needs nothing else; what its template asks for must be given."""
    return _environment().get_template(template).render(values)


def number(value: float) -> str:
    """Four digits, or three behind the point for small ones; a true minus."""
    digits = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return f"{value:.{digits}f}".replace("-", "−")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    loader = PackageLoader("durian.evaluation")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["number"] = number
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return made

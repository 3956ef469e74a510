"""Examples in docstrings give what they say."""

import doctest
import importlib

import pytest

MODULES = ("durian.content_hash", "durian.geometry.mesh", "durian.masks", "durian.motion.presets")


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name: str):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


def test_every_module_with_examples_is_tried(project_root):
    paths = sorted((project_root / "durian").rglob("*.py"))
    with_examples = [path.relative_to(project_root) for path in paths if "    >>> " in path.read_text()]
    assert tuple(".".join(path.with_suffix("").parts) for path in with_examples) == MODULES

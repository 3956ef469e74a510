"""``diffusers.DurianPipeline``, so that ``diffusers.DiffusionPipeline.from_pretrained`` opens models of Durian.

It looks a model's class up by name among diffusers' own attributes, and knows no other way to be told of one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

PIPELINE = "DurianPipeline"


def offer_pipeline() -> None:
    """Give diffusers the attribute, now or when it is imported. Imports neither diffusers nor the pipeline itself."""
    if "diffusers" in sys.modules:
        _give(sys.modules["diffusers"])
    else:
        sys.meta_path.insert(0, _WhenDiffusersIsImported())


class _WhenDiffusersIsImported(MetaPathFinder):
    """Finds diffusers as everybody else does, and gives it the attribute once it has run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "diffusers":
            return None
        # Not by one of ours either: a reload of Durian leaves the old one there.
        others = [finder for finder in sys.meta_path if type(finder).__name__ != type(self).__name__]
        found = (finder.find_spec(name, path, target) for finder in others if hasattr(finder, "find_spec"))
        spec = next((spec for spec in found if spec is not None), None)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_give(module: ModuleType) -> None:
            run(module)
            _give(sys.modules[name])  # diffusers puts another module in its own place

        spec.loader.exec_module = run_and_give  # type: ignore[method-assign] # this one import's own loader
        return spec


def _give(module: ModuleType) -> None:
    """A property of the module's class: the pipeline is imported when somebody asks for it."""

    def pipeline(_: ModuleType) -> type:
        from durian.diffusion.pipeline import DurianPipeline

        return DurianPipeline

    kind = type(module)
    if not hasattr(kind, PIPELINE):
        module.__class__ = type(kind.__name__, (kind,), {PIPELINE: property(pipeline)})

"""Durian: portrait animation with attribute transfer from reference images (arXiv 2509.04434)."""

import os

from durian.diffusion.offering import offer_pipeline

# NumPy's OpenBLAS reads it once. With threads of its own, two products at the same time, as of a still beside an
# animation, were seen to wait for each other for ever; ours are small, and torch has threads of another library.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

offer_pipeline()


def __getattr__(name: str) -> object:
    # Only then: torch takes seconds.
    if name == "DurianPipeline":
        from durian.diffusion.pipeline import DurianPipeline

        return DurianPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

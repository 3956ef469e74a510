"""The paper's model: Durian (arXiv 2509.04434) as a diffusers pipeline. Imports nothing heavy by itself.

What saved models name, and what a script needs, is here: each name is imported when it is first used.
"""

from importlib import import_module

_HOMES = {
    "AttributeReference": "checks",
    "Conditioner": "conditioning",
    "CosineAutoencoder": "cosine_autoencoder",
    "Denoiser": "denoiser",
    "DurianPipeline": "pipeline",
    "DurianPipelineOutput": "output",
    "KeypointGuider": "guider",
    "ReferenceNet": "reference_net",
    "TrailingDDIM": "sampling",
}
"""Modules of the public classes."""

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

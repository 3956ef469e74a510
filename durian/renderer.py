"""The interface of renderers, and the registry of those that exist.

A renderer turns an :class:`~durian.request.AnimationRequest` into frames and knows nothing of queues, files or pages.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol, runtime_checkable

import numpy as np

from durian.errors import InvalidRequest, WeightsMissing
from durian.request import AnimationRequest
from durian.schema import shown
from durian.watch import Watch


@runtime_checkable
class Renderer(Protocol):
    """Frames for a request: ``(S, S, 3) uint8`` RGB with ``S = request.options.size``, without a label.

    Each frame is a new array, since the encoder still reads the last ones while the next is made.

    ``still`` may be called from one thread while another iterates ``render``: the engine's stills do not wait
    behind its animations.
    """

    name: str

    def render(self, request: AnimationRequest, watch: Watch | None = None) -> Generator[np.ndarray, None, None]:
        """``request.options.frames`` frames (one without a motion), one at a time; closing the generator stops it.

        A renderer that works long before its first frame tells ``watch`` how far it is.

        Raises:
            Cancelled: ``watch`` said so.
        """
        ...

    def still(self, request: AnimationRequest, frame: int = 0) -> np.ndarray:
        """One frame, fast. Without a motion it shows the portrait's own pose."""
        ...

    def overlays(self, request: AnimationRequest) -> dict[str, np.ndarray]:
        """Pictures to check a request by: ``landmarks``, ``keypoints``, ``hole``, ``aligned``."""
        ...

    def close(self) -> None:
        """Give models and caches back."""
        ...


def _preview() -> Renderer:
    from durian.preview.renderer import PreviewRenderer

    return PreviewRenderer()


def _diffusion() -> Renderer:
    from durian.diffusion.renderer import DiffusionRenderer

    return DiffusionRenderer()


def _why_no_diffusion() -> str | None:
    from durian.diffusion.find_model import why_not

    return why_not()


_FACTORIES: dict[str, Callable[[], Renderer]] = {"preview": _preview, "diffusion": _diffusion}
_WHY_NOT: dict[str, Callable[[], str | None]] = {"diffusion": _why_no_diffusion}
"""Of renderers that need something that is not on every machine: asked anew each time, since it may have come."""


def register_renderer(name: str, factory: Callable[[], Renderer]) -> None:
    """Make ``factory`` known as ``name``; an older one of that name is replaced.

    ``factory`` is called when the renderer is first needed, so that its imports cost nothing before.
    """
    _FACTORIES[name] = factory
    _WHY_NOT.pop(name, None)


def available_renderers() -> tuple[str, ...]:
    """The names that a request's ``renderer`` can have here and now."""
    return tuple(name for name in _FACTORIES if why_unavailable(name) is None)


def why_unavailable(name: str) -> str | None:
    """The reason why a known renderer is not available here, in one sentence; ``None`` where it is available."""
    return _WHY_NOT[name]() if name in _WHY_NOT else None


def check_renderer(name: str) -> None:
    """
    Raises:
        InvalidRequest: no renderer of that name is known.
        WeightsMissing: it needs a model, and there is none that can be used.
    """
    if name not in _FACTORIES:
        raise InvalidRequest(f"Renderer {shown(name)} is not known: use {' or '.join(available_renderers())}.")
    if (reason := why_unavailable(name)) is not None:
        raise WeightsMissing(reason)


def get_renderer(name: str) -> Renderer:
    """A new renderer. The engine keeps one of each; call this only where no engine is wanted, as in evaluation.

    Raises:
        InvalidRequest, WeightsMissing: as :func:`check_renderer`.
    """
    check_renderer(name)
    return _FACTORIES[name]()

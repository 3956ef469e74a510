"""What a renderer is, and which there are.

A renderer turns an :class:`~durian.request.AnimationRequest` into frames and knows nothing of queues, files or pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from durian.errors import InvalidRequest
from durian.request import AnimationRequest


@runtime_checkable
class Renderer(Protocol):
    """Frames for a request: ``(S, S, 3) uint8`` RGB with ``S = request.options.size``, without a label.

    Each frame is a new array, since the encoder still reads the last ones while the next is made.

    ``still`` may be called from one thread while another iterates ``render``: the engine's stills do not wait
    behind its animations.
    """

    name: str

    def render(self, request: AnimationRequest) -> Iterator[np.ndarray]:
        """``request.options.frames`` frames, one at a time. Closing the generator stops the work."""
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


_FACTORIES: dict[str, Callable[[], Renderer]] = {"preview": _preview}


def register_renderer(name: str, factory: Callable[[], Renderer]) -> None:
    """Make ``factory`` known as ``name``; an older one of that name is replaced.

    ``factory`` is called when the renderer is first needed, so that its imports cost nothing before.
    """
    _FACTORIES[name] = factory


def available_renderers() -> tuple[str, ...]:
    """The names that a request's ``renderer`` can have."""
    return tuple(_FACTORIES)


def check_renderer(name: str) -> None:
    """
    Raises:
        InvalidRequest: no renderer of that name is known.
    """
    if name not in _FACTORIES:
        raise InvalidRequest(f"Renderer {name!r} is not known: use {' or '.join(available_renderers())}.")


def get_renderer(name: str) -> Renderer:
    """A new renderer. The engine keeps one of each; call this only where no engine is wanted, as in evaluation.

    Raises:
        InvalidRequest: no renderer of that name is known.
    """
    check_renderer(name)
    return _FACTORIES[name]()

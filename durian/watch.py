"""The interface through which a long rendering reports progress and estimates, and is cancelled."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Watch(Protocol):
    """Follows one rendering. A renderer calls it from the thread in which its frames are asked for."""

    @property
    def frame(self) -> int | None:
        """Index of the frame whose estimates are wanted; ``None`` for the middle one."""
        ...

    def step(self, index: int, steps: int) -> None:
        """``index`` of ``steps`` passes over the whole clip are done; 0 when the first begins."""
        ...

    def estimate(self, picture: np.ndarray) -> None:
        """The estimate of that frame so far, ``(S, S, 3) uint8`` RGB with ``S = request.options.size``."""
        ...

    def is_cancelled(self) -> bool:
        """Whether the result is not wanted any more."""
        ...

    def check_cancelled(self) -> None:
        """
        Raises:
            Cancelled: the result is not wanted any more.
        """
        ...

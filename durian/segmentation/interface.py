"""The interface of segmenters: one picture, then any number of clicks and named starts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np

from durian.errors import InvalidRequest
from durian.masks import check_size

START_NAMES = ("hair", "glasses", "hat", "beard", "lips")
"""The items with a one-click start."""


class NamedMasks(Protocol):
    """The items of one face, by the classic rules or by the parser; each is looked for when first asked for."""

    @property
    def unit(self) -> float:
        """Distance of the outer eye corners in the picture's pixels."""

    def is_worn(self, name: str) -> bool:
        """Whether there is such an item, when nobody has said so; a hole cut in error harms."""

    def is_seen(self, name: str) -> bool:
        """Whether the item's mask is of use to somebody who says that it is worn."""

    def mask(self, name: str) -> np.ndarray:
        """The item's mask, ``(H, W) uint8``, soft at the edge; do not write into it."""


class Segmenter(ABC):
    """Turns clicks into a mask of one picture.

    Points are ``(x, y)`` pixels of that picture, pixel centres at integers; masks are ``(H, W) uint8`` of its size,
    255 inside, soft at the edge. An instance holds one picture and belongs to one caller; models and per-picture
    results are shared between instances and found again by the picture's content.
    """

    name: str

    def __init__(self):
        self._image: np.ndarray | None = None

    @abstractmethod
    def set_image(self, image: np.ndarray) -> None:
        """Take the picture, ``(H, W, 3) uint8`` RGB. Cheap when the same content was given before."""

    @abstractmethod
    def predict(
        self,
        points: np.ndarray,
        labels: np.ndarray,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """The mask for these clicks.

        Args:
            points: ``(N, 2)`` pixels, in the order they were clicked; N may be 0 with a start.
            labels: ``(N,)``, 1 to include and 0 to exclude.
            start: a mask to refine, for example from :meth:`named`; it is not changed.

        Returns:
            ``(H, W) uint8``: inside at every positive click, outside at every negative one.

        Raises:
            InvalidRequest: no picture yet, a click outside it, labels that do not fit the points.
        """

    @abstractmethod
    def named(self, name: str, landmarks: np.ndarray | None = None) -> np.ndarray:
        """The whole item of that name, ``(H, W) uint8``; empty when nothing like it is there.

        A name says that the item is there, so this looks harder than :func:`durian.segmentation.worn`.

        Args:
            name: one of :data:`START_NAMES`.
            landmarks: ``(478, 3)`` of the face that wears it; ``None`` finds the largest face, or, in a picture
                without one, the object in front of the background.

        Raises:
            InvalidRequest: an unknown name, or no picture yet.
        """

    @property
    def image(self) -> np.ndarray:
        if self._image is None:
            raise InvalidRequest("No picture was given: set a picture before clicking in it.")
        return self._image

    def _check_clicks(
        self, points: np.ndarray, labels: np.ndarray, start: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        points = np.asarray(points, np.float32).reshape(-1, 2)
        labels = np.asarray(labels).reshape(-1).astype(int)
        if len(points) != len(labels):
            raise InvalidRequest(f"{len(points)} clicks came with {len(labels)} labels: give one label for each click.")
        if not np.isin(labels, (0, 1)).all():
            raise InvalidRequest("A click's label must be 1 (include) or 0 (exclude).")
        height, width = self.image.shape[:2]
        for x, y in points:
            if not (-0.5 <= x < width - 0.5 + 1e-3 and -0.5 <= y < height - 0.5 + 1e-3):
                raise InvalidRequest(
                    f"The click at ({x:g}, {y:g}) is outside the picture of {width}×{height} pixels: click inside it."
                )
        if start is not None:
            check_size(start, self.image)
        elif not len(points):
            raise InvalidRequest("Nothing says what to select: click the item or use its name.")
        return points, labels

    def _check_name(self, name: str) -> None:
        if name not in START_NAMES:
            raise InvalidRequest(f"There is no start named {name!r}: use one of {', '.join(START_NAMES)}.")


def check_image(image: np.ndarray) -> None:
    """Refuse anything but an RGB picture.

    Raises:
        InvalidRequest: with what was given.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise InvalidRequest(f"The picture is {image.dtype} {image.shape}: give an RGB picture, uint8 (H, W, 3).")

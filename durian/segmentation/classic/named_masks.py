"""Named starts: hair, glasses, hat, beard, lips of one face, computed once per picture and face."""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.segmentation.classic.beard import beard_head, beard_region
from durian.segmentation.classic.glasses import glasses_head, glasses_region
from durian.segmentation.classic.hair import hair_region
from durian.segmentation.classic.hat import hat_region, hat_score
from durian.segmentation.classic.head import HeadCrop
from durian.segmentation.classic.lenses import Lenses, fit_lenses
from durian.segmentation.classic.lips import lips_mask
from durian.segmentation.classic.worn_classifier import NAMED_LEEWAY, signs_of_a_beard, signs_of_a_hat, signs_of_glasses

HAIR_UNDER_HAT = 0.75
"""Log-odds of a hat above which hair is looked for below it only."""

WORN = {"glasses": signs_of_glasses, "hat": signs_of_a_hat, "beard": signs_of_a_beard}
"""Log-odds above which each is worn."""

_cache = ContentCache(entries=12)


def classic_masks(image: np.ndarray, landmarks: np.ndarray) -> ClassicMasks:
    """The starts of one face, shared by everybody who looks at the same picture."""
    return _cache.get(image, lambda picture: ClassicMasks(picture, landmarks), key=content_hash(landmarks))


class ClassicMasks:
    """Everything known about one face's items; each part is worked out when first asked for."""

    def __init__(self, image: np.ndarray, landmarks: np.ndarray):
        self.image = image
        self.landmarks = np.asarray(landmarks, np.float32)
        self._masks: dict[str, np.ndarray] = {}
        self._lock = threading.RLock()

    @cached_property
    def head(self) -> HeadCrop:
        return HeadCrop(self.image, self.landmarks)

    @cached_property
    def eyes(self) -> HeadCrop:
        return glasses_head(self.image, self.landmarks)

    @cached_property
    def jaw(self) -> HeadCrop:
        return beard_head(self.image, self.landmarks)

    @cached_property
    def lenses(self) -> Lenses:
        return fit_lenses(self.eyes)

    @cached_property
    def hat(self) -> np.ndarray:
        """The hat in the head's window, taking for granted that there is one."""
        return hat_region(self.head)

    @cached_property
    def hat_score(self) -> float:
        """Log-odds that a hat is worn."""
        return hat_score(self.head, self.hat)

    @property
    def unit(self) -> float:
        """Distance of the outer eye corners in the picture's pixels."""
        return self.head.unit

    def is_worn(self, name: str) -> bool:
        """Whether there is such an item; hair and lips are taken for granted."""
        return name not in WORN or WORN[name](self) > 0

    def is_seen(self, name: str) -> bool:
        """Whether the item's mask is of use to somebody who says that it is worn."""
        return name not in WORN or WORN[name](self) > -NAMED_LEEWAY

    def mask(self, name: str) -> np.ndarray:
        """The item's mask, ``(H, W) uint8``; do not write into it."""
        with self._lock:
            if name not in self._masks:
                self._masks[name] = getattr(self, f"_{name}")()
            return self._masks[name]

    def _hair(self) -> np.ndarray:
        region = hair_region(self.head, self.hat if self.hat_score > HAIR_UNDER_HAT else None)
        return self.head.window.put(self.image, self.head.matte(region))

    def _hat(self) -> np.ndarray:
        return self.head.window.put(self.image, self.head.matte(self.hat, 0.03))

    def _glasses(self) -> np.ndarray:
        region = glasses_region(self.eyes, self.lenses)
        return self.eyes.window.put(self.image, self.eyes.matte(region, 0.02))

    def _beard(self) -> np.ndarray:
        return self.jaw.window.put(self.image, self.jaw.matte(beard_region(self.jaw), 0.03))

    def _lips(self) -> np.ndarray:
        return lips_mask(self.image, self.landmarks)

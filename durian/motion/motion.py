"""``Motion``: a head's movement and facial expression over time, independent of the face that made it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from durian.errors import InvalidRequest
from durian.face.geometry import LANDMARKS
from durian.motion.rotations import nearest_rotation

KERNEL_REACH = 3.0
"""Half-length of the smoothing kernel in standard deviations."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A motion of F frames relative to its neutral frame, in the head's own frame (x right, y down, z away).

    ``rotations`` ``(F, 3, 3)``, ``translations`` ``(F, 3)`` of the skull's centre in outer-eye distances and
    ``scales`` ``(F,)`` move the whole head. ``expressions`` ``(F, 478, 3)`` is what remains of each landmark, in
    outer-eye distances, carried over to the canonical face (:mod:`durian.motion.canonical`), so that nobody's face
    shape is in it. All float32; at ``neutral`` they are the identity. ``neutral_opening`` is how far the lips are apart
    in the neutral frame, in outer-eye distances: 0 and more.
    """

    name: str
    fps: float
    neutral: int
    rotations: np.ndarray = field(repr=False)
    translations: np.ndarray = field(repr=False)
    scales: np.ndarray = field(repr=False)
    expressions: np.ndarray = field(repr=False)
    neutral_opening: float = 0.0

    def __post_init__(self) -> None:
        frames = len(self.rotations)
        shapes = {
            "rotations": (frames, 3, 3),
            "translations": (frames, 3),
            "scales": (frames,),
            "expressions": (frames, LANDMARKS, 3),
        }
        for name, shape in shapes.items():
            values = np.ascontiguousarray(getattr(self, name), np.float32)
            if values.shape != shape:
                raise ValueError(f"A motion's {name} are {values.shape}, not {shape}.")
            if not np.isfinite(values).all():
                raise ValueError(f"A motion's {name} are not all finite.")
            object.__setattr__(self, name, values)
        if not frames:
            raise InvalidRequest("A motion needs at least one frame.")
        if not self.fps > 0:
            raise InvalidRequest(f"A motion of {self.fps:g} frames per second is not possible: give more than 0.")
        if not 0 <= self.neutral_opening < np.inf:
            raise ValueError(f"A motion's neutral opening is {self.neutral_opening}, not 0 or more.")
        if not 0 <= self.neutral < frames:
            raise InvalidRequest(
                f"Neutral frame {self.neutral} does not exist: the motion has frames 0 to {frames - 1}."
            )

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self) / self.fps

    def resampled(self, frames: int, fps: float) -> Motion:
        """The same movement, as ``frames`` frames at ``fps`` frames per second.

        The movement keeps its speed: it is cut off, or its last frame held, where the lengths differ.
        """
        if frames < 1:
            raise InvalidRequest(f"{frames} frames cannot be made: give at least 1.")
        if frames == len(self) and fps == self.fps:
            return self
        positions = np.arange(frames) * (self.fps / fps)
        neutral = int(np.argmin(np.abs(positions - self.neutral)))
        return self._sampled(np.clip(positions, 0, len(self) - 1), fps, neutral)

    def smoothed(self, seconds: float) -> Motion:
        """Gaussian smoothing in time with a standard deviation of ``seconds``; the neutral frame stays neutral."""
        sigma = seconds * self.fps
        if sigma < 1e-3 or len(self) == 1:
            return self
        from scipy.ndimage import gaussian_filter1d

        reach = int(np.ceil(KERNEL_REACH * sigma))
        smooth = partial(gaussian_filter1d, sigma=sigma, axis=0, output=np.float64, mode="nearest", radius=reach)

        return replace(
            self,
            # The chordal mean of rotations: average the matrices, take the nearest rotation.
            rotations=nearest_rotation(smooth(self.rotations)),
            translations=smooth(self.translations),
            scales=np.exp(smooth(np.log(self.scales))),
            expressions=smooth(self.expressions),
        )._about_neutral()

    def pose_activity(self) -> np.ndarray:
        """How far the head is from neutral, ``(F,)``: turn in radians, shift in eye distances, change of size."""
        turn = np.linalg.norm(self.rotations - np.eye(3, dtype=np.float32), axis=(1, 2)) / np.sqrt(2)
        return turn + np.linalg.norm(self.translations, axis=1) + np.abs(np.log(self.scales))

    def expression_activity(self) -> np.ndarray:
        """How far the expression is from neutral, ``(F,)``: root mean square in eye distances."""
        return np.sqrt((self.expressions**2).sum(2).mean(1))

    def _sampled(self, positions: np.ndarray, fps: float, neutral: int) -> Motion:
        """Interpolated at fractional frame ``positions``."""
        low = np.floor(positions).astype(int)
        high = np.minimum(low + 1, len(self) - 1)
        part = positions - low

        def mix(values: np.ndarray) -> np.ndarray:
            weight = part.reshape(-1, *[1] * (values.ndim - 1))
            return values[low] * (1 - weight) + values[high] * weight

        return replace(
            self,
            fps=float(fps),
            neutral=neutral,
            rotations=nearest_rotation(mix(self.rotations)),
            translations=mix(self.translations),
            scales=mix(self.scales),
            expressions=mix(self.expressions),
        )._about_neutral()

    def _about_neutral(self) -> Motion:
        """The same motion measured from its neutral frame, which becomes the exact identity."""
        n = self.neutral
        shown = self.expressions[n, 14, 1] - self.expressions[n, 13, 1]
        rotations = nearest_rotation(np.swapaxes(self.rotations[n], 0, 1) @ self.rotations)
        rotations[n] = np.eye(3)
        return replace(
            self,
            rotations=rotations,
            translations=self.translations - self.translations[n],
            scales=self.scales / self.scales[n],
            expressions=self.expressions - self.expressions[n],
            neutral_opening=max(0.0, float(self.neutral_opening + shown)),
        )

"""The one typed request that the page, the API and the command line fill.

Images are ``(H, W, 3) uint8`` RGB, upright (EXIF applied). Masks are ``(H, W) uint8``, 255 inside, of the same
picture. Points and landmarks are ``(x, y)`` pixels of that same upright picture, pixel centres at integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from durian.errors import InvalidRequest, LimitExceeded
from durian.face import LANDMARKS, Crop
from durian.fingerprint import fingerprint
from durian.motion import Motion
from durian.settings import get_settings

ATTRIBUTE_NAMES = ("hair", "glasses", "hat", "beard", "lips", "other")
"""The kinds an attribute can be. The paper trains hair, glasses, hat and beard."""

DEFAULT_LAYERS: Mapping[str, int] = {"lips": 0, "beard": 1, "hair": 2, "other": 3, "hat": 4, "glasses": 5}
"""Drawing order, low first: a hat lies over hair, glasses over both."""

SAMPLERS = ("ddim", "dpm++", "euler", "lcm")
"""Names of the diffusion renderer's samplers."""
MOST_STEPS, MOST_GUIDANCE = 100, 20
"""Beyond these nothing is gained: samplers have converged, and guidance burns colours (taste)."""


@dataclass(frozen=True)
class Placement:
    """A visitor's correction of where an aligned item sits.

    ``dx`` and ``dy`` are in outer-eye distances of the portrait (right and down), ``scale`` is a factor about the
    item's own centre, ``angle`` is in degrees, clockwise as seen.
    """

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    angle: float = 0.0

    def __post_init__(self) -> None:
        _check_range("move right", self.dx, -10, 10)
        _check_range("move down", self.dy, -10, 10)
        _check_range("item size", self.scale, 0.05, 20)
        _check_range("item angle", self.angle, -360, 360)


class _ComparedByContent:
    """Equality and hash by content, since a dataclass's own cannot compare arrays.

    The digest is computed once: whoever fills a request hands its arrays over and no longer writes to them.
    """

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.fingerprint == self.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


@dataclass(frozen=True, eq=False)
class Portrait(_ComparedByContent):
    """The person to animate. ``landmarks`` is ``(478, 3) float32`` (MediaPipe order; z in pixels, smaller is nearer).

    ``worn`` maps an attribute name to the mask of what this portrait already wears there (``M_init``).
    """

    image: np.ndarray
    landmarks: np.ndarray
    crop: Crop
    worn: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_image(self.image, "portrait")
        _check_landmarks(self.landmarks, "portrait")
        for name, mask in self.worn.items():
            _check_mask(mask, self.image, f"mask of the portrait's {name}")


@dataclass(frozen=True, eq=False)
class Attribute(_ComparedByContent):
    """One item to wear: where it is in a reference picture, and how it goes on.

    ``landmarks`` of the reference's face, or ``None`` for a picture without one (a product shot).
    ``strength`` in [0, 1]; opacity in the preview renderer, an attention weight in the diffusion renderer.
    ``trim`` shrinks (above 0) or grows (below 0) the reference's own mask, in outer-eye distances.
    ``layer`` is the drawing order (``None``: the default of its name).
    """

    image: np.ndarray
    mask: np.ndarray
    landmarks: np.ndarray | None
    name: str = "other"
    strength: float = 1.0
    trim: float = 0.0
    layer: int | None = None
    placement: Placement = field(default_factory=Placement)

    def __post_init__(self) -> None:
        if self.name not in ATTRIBUTE_NAMES:
            raise InvalidRequest(f"Attribute {self.name!r} is not known: use one of {', '.join(ATTRIBUTE_NAMES)}.")
        _check_image(self.image, f"{self.name} reference")
        _check_mask(self.mask, self.image, f"{self.name} mask")
        if self.landmarks is not None:
            _check_landmarks(self.landmarks, f"{self.name} reference")
        if not self.mask.any():
            raise InvalidRequest(f"The {self.name} mask is empty: click the {self.name} in the reference or paint it.")
        if (self.mask > 127).mean() > 0.98:
            raise InvalidRequest(f"The {self.name} mask covers the whole picture: click or paint only the {self.name}.")
        if not 0.0 <= self.strength <= 1.0:
            raise InvalidRequest(f"Strength {self.strength:g} is out of range: give a value from 0 to 1.")
        _check_range("trim", self.trim, -1, 1)

    @property
    def drawing_layer(self) -> int:
        return DEFAULT_LAYERS[self.name] if self.layer is None else self.layer


@dataclass(frozen=True)
class RenderOptions:
    """Sliders and settings. Distances are in outer-eye distances (landmarks 33 to 263) of the portrait."""

    size: int = 512
    frames: int = 48
    fps: float = 24.0
    seed: int = 0
    expansion: float = 0.1
    """Growth (or, below 0, shrinkage) of the hole in the portrait, ``M_port``."""
    light: float = 0.5
    """0 keeps the item's own colours, 1 matches its light to the portrait's."""
    pose_strength: float = 1.0
    expression_strength: float = 1.0
    smoothing: float = 0.0
    """Temporal smoothing of the motion, standard deviation in seconds."""
    label: bool = True
    """Draw the small visible "AI-generated" label."""
    uncrop: bool = False
    """Paste the result back into the uncropped photo."""
    normalise_lips: bool = True
    """Close a mouth that is open in the portrait before a motion that speaks acts on it."""

    def __post_init__(self) -> None:
        limits = get_settings()
        if not 64 <= self.size <= limits.max_size or self.size % 2:
            raise InvalidRequest(f"Size {self.size} is not possible: give an even number from 64 to {limits.max_size}.")
        if self.frames < 1:
            raise InvalidRequest(f"{self.frames} frames cannot be rendered: give at least 1.")
        if self.frames > limits.max_frames:
            raise LimitExceeded(f"{self.frames} frames are too many: at most {limits.max_frames} are rendered at once.")
        _check_range("fps", self.fps, 1, 120)
        _check_range("expansion", self.expansion, -1, 2)
        _check_range("light", self.light, 0, 1)
        _check_range("pose strength", self.pose_strength, 0, 2)
        _check_range("expression strength", self.expression_strength, 0, 2)
        _check_range("smoothing", self.smoothing, 0, 1)
        _check_range("seed", self.seed, 0, 2**53)


@dataclass(frozen=True)
class DiffusionOptions:
    """How the diffusion renderer samples; other renderers ignore it. ``None`` leaves a choice to the model's own.

    ``guidance_scale`` 1 samples without guidance, in half the time. ``sampler`` is one of :data:`SAMPLERS`.
    """

    steps: int | None = None
    guidance_scale: float | None = None
    sampler: str | None = None

    def __post_init__(self) -> None:
        if self.steps is not None:
            if not isinstance(self.steps, int):
                raise InvalidRequest(f"{self.steps!r} is not a number of steps: give a whole number.")
            _check_range("number of steps", self.steps, 1, MOST_STEPS)
        if self.guidance_scale is not None:
            _check_range("guidance scale", self.guidance_scale, 1, MOST_GUIDANCE)
        if self.sampler is not None and self.sampler not in SAMPLERS:
            raise InvalidRequest(f"Sampler {self.sampler!r} is not known: use one of {', '.join(SAMPLERS)}.")


@dataclass(frozen=True, eq=False)
class AnimationRequest(_ComparedByContent):
    """A portrait, what it puts on, how it moves.

    ``mode`` is ``"wear"`` (all attributes at once) or ``"blend"`` (exactly two of one kind, mixed by α: 0 is the
    first, 1 the second; α runs linearly from ``blend_start`` to ``blend_end`` over the clip).
    ``motion`` ``None`` is a still. ``erase`` names what of the portrait is taken off without a replacement.
    """

    portrait: Portrait
    attributes: tuple[Attribute, ...] = ()
    motion: Motion | None = None
    options: RenderOptions = field(default_factory=RenderOptions)
    mode: Literal["wear", "blend"] = "wear"
    blend_start: float = 0.5
    blend_end: float = 0.5
    erase: tuple[str, ...] = ()
    renderer: str = "preview"
    diffusion: DiffusionOptions = field(default_factory=DiffusionOptions)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", tuple(self.attributes))
        object.__setattr__(self, "erase", tuple(self.erase))
        if len(self.attributes) > get_settings().max_attributes:
            raise LimitExceeded(
                f"{len(self.attributes)} attributes are too many: use at most {get_settings().max_attributes}."
            )
        if self.mode not in ("wear", "blend"):
            raise InvalidRequest(f"Mode {self.mode!r} is not known: use wear or blend.")
        if self.mode == "blend":
            if len(self.attributes) != 2:
                raise InvalidRequest(
                    f"Blending needs exactly two attributes, not {len(self.attributes)}: add or remove references."
                )
            first, second = (a.name for a in self.attributes)
            if first != second:
                raise InvalidRequest(
                    f"Blending needs two items of one kind, not {first} and {second}: pick the same kind for both."
                )
            _check_range("blend start", self.blend_start, 0, 1)
            _check_range("blend end", self.blend_end, 0, 1)
        for name in self.erase:
            if name not in ATTRIBUTE_NAMES:
                raise InvalidRequest(f"{name!r} cannot be erased: use one of {', '.join(ATTRIBUTE_NAMES)}.")

    def at_alpha(self, alpha: float) -> AnimationRequest:
        """The same request as a still with both ends of the blend at ``alpha``."""
        return replace(self, blend_start=alpha, blend_end=alpha, motion=None)

    def alphas(self, frames: int) -> np.ndarray:
        """α per frame, ``(frames,) float32``, linear from start to end."""
        return np.linspace(self.blend_start, self.blend_end, frames, dtype=np.float32)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidRequest(f"The {name} of {value:g} is out of range: give a value from {low:g} to {high:g}.")


def _check_image(image: np.ndarray, what: str) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InvalidRequest(f"The {what} is {image.dtype} {image.shape}: give an RGB picture, uint8 (H, W, 3).")


def _check_landmarks(landmarks: np.ndarray, what: str) -> None:
    if landmarks.shape != (LANDMARKS, 3) or not np.isfinite(landmarks).all():
        raise InvalidRequest(
            f"The {what}'s landmarks are an array of {landmarks.shape}: give {LANDMARKS} finite points of x, y and z."
        )


def _check_mask(mask: np.ndarray, image: np.ndarray, what: str) -> None:
    if mask.dtype != np.uint8 or mask.shape != image.shape[:2]:
        raise InvalidRequest(
            f"The {what} is {mask.shape[1]}×{mask.shape[0]} pixels but its picture is "
            f"{image.shape[1]}×{image.shape[0]}: give a mask of the picture's own size."
            if mask.ndim == 2
            else f"The {what} has {mask.ndim} dimensions: give one channel of the picture's own size."
        )

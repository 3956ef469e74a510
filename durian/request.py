"""The one typed request that the page, the API and the command line fill.

Images are ``(H, W, 3) uint8`` RGB, upright (EXIF applied). Masks are ``(H, W) uint8``, 255 inside, of the same
picture. Points and landmarks are ``(x, y)`` pixels of that same upright picture, pixel centres at integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from durian.content_hash import content_hash
from durian.errors import InvalidRequest, LimitExceeded
from durian.face import LANDMARKS, Crop, check_crop
from durian.motion import Motion
from durian.schema import MOST_DIGITS, Checked, Real, Switch, Text, Whole, at_most, called, settle, shown
from durian.settings import get_settings

ErasableName = Literal["hair", "glasses", "hat", "beard", "lips"]
"""What can be taken off; of "other" nobody knows what it would be."""
AttributeName = Literal[ErasableName, "other"]
ATTRIBUTE_NAMES: tuple[AttributeName, ...] = get_args(AttributeName)
"""The kinds an attribute can be. The paper trains hair, glasses, hat and beard."""

DEFAULT_LAYERS: Mapping[str, int] = {"lips": 0, "beard": 1, "hair": 2, "other": 3, "hat": 4, "glasses": 5}
"""Drawing order, low first: a hat lies over hair, glasses over both."""

Mode = Literal["wear", "blend"]

SamplerName = Literal["ddim", "dpm++", "euler", "lcm"]
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)
"""Names of the diffusion renderer's samplers."""
MOST_STEPS, MOST_GUIDANCE = 100, 20
"""Beyond these nothing is gained: samplers have converged, and guidance burns colours (taste)."""

LEAST_SIZE = 64
"""Pixels of the square output."""


def _even(given: Any, handler: ValidatorFunctionWrapHandler) -> int:
    size, most = _whole_or_none(given, handler), get_settings().max_size
    if size is None or not LEAST_SIZE <= size <= most or size % 2:
        raise InvalidRequest(f"{_given(given)} cannot be the size: give an even number from {LEAST_SIZE} to {most}.")
    return size


def _renderable(given: Any, handler: ValidatorFunctionWrapHandler) -> int:
    count, most = _whole_or_none(given, handler), get_settings().max_frames
    if count is None or count < 1:
        raise InvalidRequest(f"{_given(given)} cannot be the number of frames: give a whole number from 1 to {most}.")
    if count > most:
        many = count if count < 10**MOST_DIGITS else "That many"
        raise LimitExceeded(f"{many} frames are too many: at most {most} are rendered at once.")
    return count


def _whole_or_none(given: Any, handler: ValidatorFunctionWrapHandler) -> int | None:
    try:
        return handler(given)
    except ValidationError:
        return None


def _given(value: Any) -> str:
    words = shown(value)
    return words[0].upper() + words[1:]


Size = Annotated[Whole, WrapValidator(_even)]
Frames = Annotated[Whole, WrapValidator(_renderable), called("number of frames")]
"""Both within the settings' limits, which their sentences name."""
Seed = Annotated[Whole, Field(ge=0, le=2**53)]
FaceNumber = Annotated[Whole, Field(ge=0, le=99)]
"""Which face of a picture, 0 is the largest."""
ItemName = Annotated[AttributeName, called("attribute")]
Strength = Annotated[Real, Field(ge=0, le=1)]
Trim = Annotated[Real, Field(ge=-1, le=1)]
Layer = Annotated[Whole, Field(ge=-100, le=100)]
Alpha = Annotated[Real, Field(ge=0, le=1)]
ErasedName = Annotated[ErasableName, called("what is taken off")]
Erased = Annotated[tuple[ErasedName, ...], at_most(len(ATTRIBUTE_NAMES)), called("list of what is taken off")]


@dataclass(frozen=True)
class Placement(Checked):
    """A visitor's correction of where an aligned item sits.

    ``dx`` and ``dy`` are in outer-eye distances of the portrait (right and down), ``scale`` is a factor about the
    item's own centre, ``angle`` is in degrees, clockwise as seen.
    """

    dx: Annotated[Real, Field(ge=-10, le=10), called("move right")] = 0.0
    dy: Annotated[Real, Field(ge=-10, le=10), called("move down")] = 0.0
    scale: Annotated[Real, Field(ge=0.05, le=20), called("item size")] = 1.0
    angle: Annotated[Real, Field(ge=-360, le=360), called("item angle")] = 0.0


class _ComparedByContent:
    """Equality and hash by content, since a dataclass's own cannot compare arrays.

    The digest is computed once: whoever fills a request hands its arrays over and no longer writes to them.
    """

    @cached_property
    def content_hash(self) -> str:
        return content_hash(self)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.content_hash == self.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)


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
        if not isinstance(self.crop, Crop) or not isinstance(self.worn, Mapping):
            raise InvalidRequest("The portrait's crop or worn masks are of the wrong kind: give a Crop and a mapping.")
        check_crop(self.crop, self.landmarks, self.image.shape)
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
    name: ItemName = "other"
    strength: Strength = 1.0
    trim: Trim = 0.0
    layer: Layer | None = None
    placement: Placement = field(default_factory=Placement)

    def __post_init__(self) -> None:
        settle(self, "name", "strength", "trim", "layer")
        if not isinstance(self.placement, Placement):
            raise InvalidRequest(f"{shown(self.placement)} cannot be the placement: give a Placement.")
        _check_image(self.image, f"{self.name} reference")
        _check_mask(self.mask, self.image, f"{self.name} mask")
        if self.landmarks is not None:
            _check_landmarks(self.landmarks, f"{self.name} reference")
        if not self.mask.any():
            raise InvalidRequest(f"The {self.name} mask is empty: click the {self.name} in the reference or paint it.")
        if (self.mask > 127).mean() > 0.98:
            raise InvalidRequest(f"The {self.name} mask covers the whole picture: click or paint only the {self.name}.")

    @property
    def face_landmarks(self) -> np.ndarray:
        """``landmarks``, for what can only be done with a face.

        Raises:
            InvalidRequest: the picture shows none.
        """
        if self.landmarks is None:
            raise InvalidRequest(f"The {self.name} reference shows no face: use a picture of a person who wears it.")
        return self.landmarks

    @property
    def drawing_layer(self) -> int:
        return DEFAULT_LAYERS[self.name] if self.layer is None else self.layer


@dataclass(frozen=True)
class RenderOptions(Checked):
    """Sliders and settings. Distances are in outer-eye distances (landmarks 33 to 263) of the portrait."""

    size: Size = 512
    frames: Frames = 48
    fps: Annotated[Real, Field(ge=1, le=120)] = 24.0
    seed: Seed = 0
    expansion: Annotated[Real, Field(ge=-1, le=2)] = 0.1
    """Growth (or, below 0, shrinkage) of the hole in the portrait, ``M_port``."""
    light: Annotated[Real, Field(ge=0, le=1)] = 0.5
    """0 keeps the item's own colours, 1 matches its light to the portrait's."""
    pose_strength: Annotated[Real, Field(ge=0, le=2)] = 1.0
    expression_strength: Annotated[Real, Field(ge=0, le=2)] = 1.0
    smoothing: Annotated[Real, Field(ge=0, le=1)] = 0.0
    """Temporal smoothing of the motion, standard deviation in seconds."""
    label: Switch = True
    """Draw the small visible "AI-generated" label."""
    uncrop: Switch = False
    """Paste the result back into the uncropped photo."""
    normalise_lips: Switch = True
    """Close a mouth that is open in the portrait before a motion that speaks acts on it."""


@dataclass(frozen=True)
class DiffusionOptions(Checked):
    """How the diffusion renderer samples; other renderers ignore it. ``None`` leaves a choice to the model's own.

    ``guidance_scale`` 1 samples without guidance, in half the time. ``sampler`` is one of :data:`SAMPLERS`.
    """

    steps: Annotated[Whole, Field(ge=1, le=MOST_STEPS), called("number of steps")] | None = None
    guidance_scale: Annotated[Real, Field(ge=1, le=MOST_GUIDANCE)] | None = None
    sampler: SamplerName | None = None


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
    mode: Mode = "wear"
    blend_start: Alpha = 0.5
    blend_end: Alpha = 0.5
    erase: Erased = ()
    renderer: Text = "preview"
    diffusion: DiffusionOptions = field(default_factory=DiffusionOptions)

    def __post_init__(self) -> None:
        _check_kinds(self)
        settle(self, "mode", "blend_start", "blend_end", "erase", "renderer")
        if len(self.attributes) > get_settings().max_attributes:
            raise LimitExceeded(
                f"{len(self.attributes)} attributes are too many: use at most {get_settings().max_attributes}."
            )
        pixels = self.options.frames * self.options.size**2
        most = get_settings().max_diffusion_megapixels
        if self.renderer == "diffusion" and self.motion is not None and pixels > most * 1_000_000:
            raise LimitExceeded(
                f"{self.options.frames} frames of {self.options.size} pixels are {pixels / 1e6:.0f} megapixels: by "
                f"diffusion at most {most} are rendered; give fewer frames or a smaller size."
            )
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

    def at_alpha(self, alpha: float) -> AnimationRequest:
        """The same request as a still with both ends of the blend at ``alpha``."""
        return replace(self, blend_start=alpha, blend_end=alpha, motion=None)

    def alphas(self, frames: int) -> np.ndarray:
        """α per frame, ``(frames,) float32``, linear from start to end."""
        return np.linspace(self.blend_start, self.blend_end, frames, dtype=np.float32)


def _check_kinds(request: AnimationRequest) -> None:
    """That the nouns of a request are what they should be; what is in them they have checked themselves."""
    if not isinstance(request.attributes, (list, tuple)):
        raise InvalidRequest(f"{shown(request.attributes)} cannot be the attributes: give a list of them.")
    object.__setattr__(request, "attributes", tuple(request.attributes))
    nouns: list[tuple[str, object, type | UnionType]] = [
        ("portrait", request.portrait, Portrait),
        ("options", request.options, RenderOptions),
        ("motion", request.motion, Motion | None),
        ("diffusion options", request.diffusion, DiffusionOptions),
    ]
    nouns += [("attribute", each, Attribute) for each in request.attributes]
    for name, given, kind in nouns:
        if not isinstance(given, kind):
            raise InvalidRequest(f"{shown(given)} cannot be the {name}: give what durian.request has for it.")


def _check_image(image: np.ndarray, what: str) -> None:
    _check_array(image, what)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InvalidRequest(f"The {what} is {image.dtype} {image.shape}: give an RGB picture, uint8 (H, W, 3).")


def _check_landmarks(landmarks: np.ndarray, what: str) -> None:
    _check_array(landmarks, f"{what}'s landmarks")
    if landmarks.shape != (LANDMARKS, 3) or landmarks.dtype.kind not in "fiu" or not np.isfinite(landmarks).all():
        raise InvalidRequest(
            f"The {what}'s landmarks are an array of {landmarks.shape}: give {LANDMARKS} finite points of x, y and z."
        )


def _check_mask(mask: np.ndarray, image: np.ndarray, what: str) -> None:
    _check_array(mask, what)
    if mask.dtype != np.uint8 or mask.shape != image.shape[:2]:
        raise InvalidRequest(
            f"The {what} is {mask.shape[1]}×{mask.shape[0]} pixels but its picture is "
            f"{image.shape[1]}×{image.shape[0]}: give a mask of the picture's own size."
            if mask.ndim == 2
            else f"The {what} has {mask.ndim} dimensions: give one channel of the picture's own size."
        )


def _check_array(given: np.ndarray, what: str) -> None:
    if not isinstance(given, np.ndarray):
        raise InvalidRequest(f"{shown(given)} cannot be the {what}: give a NumPy array.")

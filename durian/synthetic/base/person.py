"""A person, and the view, light and camera they are seen with, as plain data.

Colours are linear RGB, angles radians, lengths centimetres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from durian.synthetic.base.looks import BeardLook, BrowLook, ClothLook, EarringLook, GlassesLook, HairLook, HatLook


@dataclass(frozen=True)
class Light:
    """Lamps and surroundings.

    ``direction`` points from the head to the key light, whose ``colour`` includes its strength; ``ambient``,
    ``ambient_colour`` and ``ground`` (colour from below) are the surroundings'; ``rim`` is the strength of a light
    from behind, opposite the key, and ``rim_colour`` its colour; ``softness`` in [0, 1] the size of the key light, from
    a bulb to a window.
    """

    direction: tuple[float, float, float] = (0.5, 0.45, 0.75)
    colour: tuple[float, float, float] = (0.75, 0.72, 0.68)
    ambient: float = 0.5
    ambient_colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rim: float = 0.0
    ground: tuple[float, float, float] = (0.45, 0.38, 0.32)
    softness: float = 0.35
    rim_colour: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Sensor:
    """A camera's flaws and style; everything is off at its default and, but for ``jpeg``, grows continuously
    from there.

    Attributes:
        defocus: radius to which a point blurs, share of the picture's side.
        motion, motion_angle: length of the way a point moves during exposure, likewise, and its direction in radians.
        vignette: share of light that is lost in the corners.
        aberration: by which share of the distance from the middle red lies further out than green, and blue less.
        exposure: stops.
        warmth, tint: white balance: mired towards orange; share by which green is stronger.
        contrast, saturation: by which share the encoded picture's are greater.
        shot, read: standard deviation of noise at light 1 (it goes with the root of light), and in the dark; of
            linear light, at 256 pixels a side.
        sharpening: strength of what is added along edges.
        resolution: share of the pixels along a side that are lost: the picture is made smaller and larger again.
        jpeg: quality from 1 to 100; 0 for none.
        seed: of the noise, together with the frame's number.
    """

    defocus: float = 0.0
    motion: float = 0.0
    motion_angle: float = 0.0
    vignette: float = 0.0
    aberration: float = 0.0
    exposure: float = 0.0
    warmth: float = 0.0
    tint: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    shot: float = 0.0
    read: float = 0.0
    sharpening: float = 0.0
    resolution: float = 0.0
    jpeg: int = 0
    seed: int = 0


@dataclass(frozen=True)
class View:
    """A view of a person, which changes from frame to frame: face, pose, place in the picture, light, background,
    camera."""

    expression: Mapping[str, float] = field(default_factory=dict)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 33.0
    cx: float = 0.0
    cy: float = 0.0
    light: Light = field(default_factory=Light)
    background: int = 0
    frame: int = 0
    sensor: Sensor = field(default_factory=Sensor)


@dataclass(frozen=True)
class Person:
    """A person, who stays the same when the view changes.

    ``feminine``, ``freckles`` and ``makeup`` lie in [0, 1]; ``age`` in years shows in shape and skin; ``tone`` is the
    skin's colour, ``iris`` the irises', ``lips`` that of the lips relative to the skin's, lipstick included;
    ``eye_size`` is about 1.
    """

    seed: int = 0
    feminine: float = 0.5
    age: float = 30.0
    identity: np.ndarray = field(default_factory=lambda: np.zeros(100, np.float32))
    tone: tuple[float, float, float] = (0.65, 0.42, 0.31)
    iris: tuple[float, float, float] = (0.11, 0.06, 0.03)
    lips: tuple[float, float, float] = (0.95, 0.65, 0.72)
    freckles: float = 0.0
    makeup: float = 0.0
    eye_size: float = 1.0
    hair: HairLook = field(default_factory=HairLook)
    beard: BeardLook = field(default_factory=BeardLook)
    brows: BrowLook = field(default_factory=BrowLook)
    glasses: GlassesLook = field(default_factory=GlassesLook)
    hat: HatLook = field(default_factory=HatLook)
    earrings: EarringLook = field(default_factory=EarringLook)
    cloth: ClothLook = field(default_factory=ClothLook)

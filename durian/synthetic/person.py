"""A person, and the view, light and camera they are seen with, as plain data.

Colours are linear RGB, angles radians, lengths centimetres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from durian.synthetic.beard import BeardLook
from durian.synthetic.brows import BrowLook
from durian.synthetic.looks import ClothLook, EarringLook, GlassesLook, HatLook
from durian.synthetic.sensor import Sensor
from durian.synthetic.styles import HairLook


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

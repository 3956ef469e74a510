"""Backdrops of a street: houses with windows and shops, cars, the sky at its end."""

from __future__ import annotations

import numpy as np

from durian.synthetic.backdrops.painting import Backdrop, fractal, tone
from durian.synthetic.backdrops.perspective import AXES, FLOOR, NEAREST, SKIES, Plane, Setting
from durian.synthetic.base.wear import linear

FACADES = tuple(
    linear(text) for text in ("#b9a48a", "#8d8880", "#c9c2b4", "#7a5a48", "#6c7076", "#d9d0be", "#a8806a", "#94a0a6")
)
SIGNS = tuple(
    linear(text) for text in ("#8a3a36", "#3c5a72", "#4a6a55", "#b0924e", "#d8d4cc", "#3a3a40", "#c9c2b6", "#55504a")
)
CARS = tuple(linear(text) for text in ("#c8ccd0", "#24262a", "#8a8e92", "#e4e4e2", "#7a2c2a", "#34485c"))


def street(rng: np.random.Generator, side: int, night: bool = False) -> Backdrop:
    """Houses on both sides of a street, with windows, signs, cars, and the sky at its end."""
    stage = Setting(Backdrop.blank(side), rng.uniform(0.5, 0.9), rng.uniform(-0.35, 0.35), rng.uniform(-0.02, 0.14))
    sky = tone(rng, SKIES, 0.08) * (0.02 if night else rng.uniform(0.9, 1.8))
    stage.scene.glow[:] = sky * np.linspace(1.15, 0.9, side)[:, None, None]
    x, y, z = AXES
    left, right, far = -rng.uniform(2, 6), rng.uniform(2, 6), rng.uniform(18, 45)
    ground = Plane((left, FLOOR, NEAREST), x, z)
    stage.rectangle(ground, 0, 0, right - left, far, tone(rng, (linear("#77756f"), linear("#5c5b58"))))
    for kerb in (1.5, right - left - 1.7):
        stage.rectangle(ground, kerb, 0, kerb + 0.2, far, np.full(3, 0.4))
    end = Plane((left, FLOOR, far), x, y)
    _facade(stage, rng, end, 0, right - left, rng.uniform(2, 14), night)
    for across in (left, right):
        houses = []
        place = NEAREST
        while place < far:
            houses.append((place, rng.uniform(4, 9)))
            place += houses[-1][1]
        for start, length in reversed(houses):
            plane = Plane((across, FLOOR, start), z, y)
            _facade(stage, rng, plane, 0, length, rng.uniform(4, 12), night)
    for _ in range(rng.integers(0, 4)):
        distance, lane = rng.uniform(6, far / 2), rng.uniform(left + 1, right - 2.5)
        _car(stage, rng, Plane((lane, FLOOR, distance), x, y))
    grime = np.exp(0.12 * fractal(rng, side, 10, 4))[..., None]
    return Backdrop(stage.scene.reflectance * grime, stage.scene.glow)


def _facade(
    stage: Setting,
    rng: np.random.Generator,
    plane: Plane,
    left: float,
    length: float,
    height: float,
    night: bool,
) -> None:
    wall, glass = tone(rng, FACADES, 0.25), tone(rng, (linear("#3a444c"), linear("#586873")), 0.2)
    stage.rectangle(plane, left, 0, left + length, height, wall)
    stage.rectangle(plane, left, height - 0.3, left + length, height, 0.7 * wall)
    step, share = rng.uniform(1.2, 2.2), rng.uniform(0.4, 0.75)
    lit = 0.35 if night else 0.08
    for bottom in np.arange(3.4, height - 1.5, 2.8):
        for place in np.arange(left + 0.5, left + length - step * share, step):
            shine = rng.uniform(0.4, 1.5) * np.array([1.0, 0.75, 0.45]) if rng.random() < lit else 0.12 * glass
            stage.rectangle(plane, place - 0.1, bottom - 0.1, place + step * share + 0.1, bottom + 1.7, 1.15 * wall)
            stage.rectangle(plane, place, bottom, place + step * share, bottom + 1.6, glass, shine)
    shop = rng.uniform(0.1, 1.2) * np.array([1.0, 0.85, 0.65]) if rng.random() < 0.6 else 0.1
    stage.rectangle(plane, left + 0.4, 0.3, left + length - 0.4, 2.4, glass, shop)
    for place in np.arange(left + 0.4, left + length - 0.4, rng.uniform(0.9, 2)):
        stage.rectangle(plane, place, 0, place + 0.12, 2.6, 0.6 * wall)
    sign = tone(rng, SIGNS)
    stage.rectangle(plane, left + 0.3, 2.4, left + length - 0.3, 3.0, sign, 0.5 * sign * night)


def _car(stage: Setting, rng: np.random.Generator, plane: Plane) -> None:
    paint = tone(rng, CARS)
    stage.rectangle(plane, 0, 0.15, 1.8, 0.95, paint)
    stage.rectangle(plane, 0.2, 0.9, 1.6, 1.45, paint)
    stage.rectangle(plane, 0.3, 0.95, 1.5, 1.38, np.full(3, 0.05), 0.15)
    for place in (0.1, 1.4):
        stage.rectangle(plane, place, 0, place + 0.3, 0.3, np.full(3, 0.01))
        stage.rectangle(plane, place, 0.6, place + 0.3, 0.72, np.array([0.5, 0.03, 0.02]), np.array([0.5, 0.03, 0.02]))

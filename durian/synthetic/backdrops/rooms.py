"""Backdrops of a room: windows, doors, shelves, pictures and furniture along its walls."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from durian.synthetic.backdrops.painting import Backdrop, fractal, tone
from durian.synthetic.backdrops.perspective import AXES, FLOOR, NEAREST, SKIES, Plane, Setting
from durian.synthetic.backdrops.walls import BOARDS, FABRICS, PAINTS
from durian.synthetic.base.wear import linear

BOOKS = tuple(
    linear(text)
    for text in ("#7a2e2a", "#2d4560", "#3f5a3c", "#c9b58a", "#e6e0d4", "#1f2024", "#a6602e", "#6a4a6e", "#8fa7b0")
)
FLOORS = tuple(linear(text) for text in ("#8a6a4a", "#5e4632", "#a89f92", "#77736e", "#b79f7c"))


def room(rng: np.random.Generator, side: int) -> Backdrop:
    """A room: walls, floor and ceiling; windows, doors, shelves, pictures and furniture along them."""
    depth, left, right, height = rng.uniform([2.5, -2.6, 0.8, 0.9], [5, -0.8, 2.6, 1.5])
    stage = Setting(Backdrop.blank(side), rng.uniform(0.45, 0.95), rng.uniform(-0.4, 0.4), rng.uniform(-0.05, 0.15))
    paint, floor = tone(rng, PAINTS), tone(rng, FLOORS)
    stage.scene.reflectance[:] = paint
    x, y, z = AXES
    back = Plane((left, FLOOR, depth), x, y)
    sides = (Plane((left, FLOOR, NEAREST), z, y), Plane((right, FLOOR, NEAREST), z, y))
    ground, ceiling = (Plane((left, level, NEAREST), x, z) for level in (FLOOR, height))
    wide, deep, tall = right - left, depth - NEAREST, height - FLOOR
    stage.rectangle(ceiling, 0, 0, wide, deep, np.full(3, 0.75))
    stage.rectangle(ground, 0, 0, wide, deep, floor)
    for plane, shade in zip(sides, (0.72, 0.85)):
        stage.rectangle(plane, 0, 0, deep, tall, paint * shade)
    stage.rectangle(back, 0, 0, wide, tall, paint if rng.random() < 0.7 else tone(rng, PAINTS + FABRICS))
    for plane, length in ((sides[0], deep), (sides[1], deep), (back, wide)):
        stage.rectangle(plane, 0, 0, length, 0.1, np.full(3, 0.6))
        _furnish(stage, rng, plane, length, tall)
    texture = np.exp(0.02 * fractal(rng, side, 5, 4))[..., None]
    return Backdrop(stage.scene.reflectance * texture, stage.scene.glow)


def _furnish(stage: Setting, rng: np.random.Generator, plane: Plane, length: float, tall: float) -> None:
    """Things along a wall, one beside the other."""
    place = rng.uniform(0, 0.4)
    while place < length - 0.5:
        width = min(rng.uniform(0.6, 1.7), length - place - 0.05)
        piece = (_window, _window, _shelf, _shelf, _pictures, _pictures, _door, _sideboard, _nothing)[rng.integers(9)]
        piece(stage, rng, plane, place, width, tall)
        place += width + rng.uniform(0.05, 0.5)


def _nothing(stage: Setting, rng: np.random.Generator, plane: Plane, left: float, width: float, tall: float) -> None:
    """Bare wall."""


def _window(stage: Setting, rng: np.random.Generator, plane: Plane, left: float, width: float, tall: float) -> None:
    bottom, top, frame = rng.uniform(0.3, 0.95), tall - rng.uniform(0.15, 0.5), tone(rng, (linear("#e8e6e0"), *BOARDS))
    bright = rng.uniform(1.0, 3.2) * tone(rng, SKIES, 0.05)
    stage.rectangle(plane, left, bottom, left + width, top, frame)
    panes, rows = rng.integers(1, 4), rng.integers(1, 3)
    horizon = rng.uniform(0, 0.6)
    green = 0.35 * bright * tone(rng, (linear("#8fa070"), linear("#a09c94"), linear("#6f8a5a")), 0.2)
    for column in range(panes):
        for row in range(rows):
            a, b = left + 0.05 + (width - 0.05) * np.array([column, column + 1]) / panes - [0, 0.05]
            c, d = bottom + 0.05 + (top - bottom - 0.05) * np.array([row, row + 1]) / rows - [0, 0.05]
            stage.rectangle(plane, a, c, b, d, np.zeros(3), bright)
            level = bottom + horizon * (top - bottom)
            if level > c:
                stage.rectangle(plane, a, c, b, min(d, level), np.zeros(3), green)
    if rng.random() < 0.5:
        cloth = tone(rng, FABRICS, 0.2)
        for edge, sign in ((left, 1), (left + width, -1)):
            for fold in range(4):
                a, b = edge + sign * 0.06 * np.array([fold - 1, fold])
                stage.rectangle(plane, a, 0.1, b, tall - 0.08, cloth * (0.75, 1.0)[fold % 2], 0.12 * cloth * bright)


def _shelf(stage: Setting, rng: np.random.Generator, plane: Plane, left: float, width: float, tall: float) -> None:
    wood, boards = tone(rng, (*BOARDS, linear("#efeeea")), 0.15), rng.integers(4, 7)
    top = tall - rng.uniform(0.1, 0.8)
    stage.rectangle(plane, left, 0, left + width, top, wood)
    filled, levels = rng.uniform(0.75, 1), np.linspace(0.08, top, boards + 1)
    for low, high in pairwise(levels):
        stage.rectangle(plane, left + 0.03, low, left + width - 0.03, high - 0.03, 0.3 * wood)
        place = left + 0.04
        while place < left + width - 0.09:
            thick, share = rng.uniform(0.02, 0.06), rng.uniform(0.6, 0.95)
            if rng.random() < filled:
                stage.rectangle(plane, place, low, place + thick, low + share * (high - low - 0.03), tone(rng, BOOKS))
            else:
                thick = rng.uniform(0.03, 0.15)
            place += thick + 0.004


def _pictures(stage: Setting, rng: np.random.Generator, plane: Plane, left: float, width: float, tall: float) -> None:
    for number in range(rng.integers(1, 3)):
        wide, high = rng.uniform(0.3, 0.9) * width, rng.uniform(0.25, 0.6)
        a, c = left + rng.uniform(0, width - wide), tall - rng.uniform(0.8, 1.2) - 0.75 * number
        frame, inside, figure = tone(rng, (*BOARDS, linear("#202022"))), tone(rng, PAINTS), tone(rng, BOOKS)
        stage.rectangle(plane, a, c, a + wide, c + high, frame)
        stage.rectangle(plane, a + 0.03, c + 0.03, a + wide - 0.03, c + high - 0.03, np.full(3, 0.75))
        stage.rectangle(plane, a + 0.08, c + 0.08, a + wide - 0.08, c + high - 0.08, inside)
        level = rng.uniform(0.2, 0.7) * (high - 0.16)
        stage.rectangle(plane, a + 0.08, c + 0.08, a + wide - 0.08, c + 0.08 + level, figure)


def _door(stage: Setting, rng: np.random.Generator, plane: Plane, left: float, width: float, tall: float) -> None:
    wide, high, colour = min(width, 0.9), min(2.05, tall - 0.15), tone(rng, (*BOARDS, linear("#eceae4")))
    stage.rectangle(plane, left, 0, left + wide, high + 0.07, 1.1 * colour)
    if rng.random() < 0.3:  # it stands open
        stage.rectangle(plane, left + 0.07, 0, left + wide - 0.07, high, np.full(3, 0.03), rng.uniform(0, 0.6))
        return
    stage.rectangle(plane, left + 0.07, 0, left + wide - 0.07, high, 0.85 * colour)
    for bottom, top in ((0.2, 0.85), (1.05, 0.92 * high)):
        stage.rectangle(plane, left + 0.18, bottom, left + wide - 0.18, top, 0.65 * colour)
    stage.rectangle(plane, left + wide - 0.16, 0.98, left + wide - 0.1, 1.02, np.full(3, 0.5))


def _sideboard(stage: Setting, rng: np.random.Generator, plane: Plane, left: float, width: float, tall: float) -> None:
    high, colour = rng.uniform(0.7, 1.1), tone(rng, (*BOARDS, *FABRICS))
    stage.rectangle(plane, left, 0.08, left + width, high, colour)
    stage.rectangle(plane, left, high - 0.04, left + width, high, 1.3 * colour)
    for place in np.arange(left + 0.45, left + width, 0.45):
        stage.rectangle(plane, place, 0.1, place + 0.015, high - 0.05, 0.3 * colour)
    middle = left + rng.uniform(0.2, 0.8) * width
    stage.rectangle(plane, middle - 0.015, high, middle + 0.015, high + 0.35, np.full(3, 0.1))
    lamp = rng.uniform(0.5, 3) * np.array([1.0, 0.72, 0.42]) * (rng.random() < 0.6)
    stage.rectangle(plane, middle - 0.14, high + 0.3, middle + 0.14, high + 0.55, np.full(3, 0.6), lamp)

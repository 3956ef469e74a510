"""Backdrops that are one surface: studio paper and canvas, plaster, concrete, brick, tiles, boards, wallpaper,
curtains."""

from __future__ import annotations

import numpy as np

from durian.synthetic.backdrops.painting import Backdrop, fractal, grid, mixed, tone
from durian.synthetic.base.wear import linear, near_colour

PAPERS = tuple(
    linear(text)
    for text in ("#f2f1ee", "#d8d8d6", "#9a9b9c", "#5a5c5f", "#2b2c2e", "#8fa6b8", "#b7a48f", "#7d8a6e", "#3f5a73")
) + tuple(linear(text) for text in ("#c98f7c", "#e0b8a4", "#6d2f33", "#d9c37a"))
CANVASES = tuple(linear(text) for text in ("#6b5a48", "#4a4f52", "#5e6a62", "#5a4640", "#7b7469", "#39404c"))
PAINTS = tuple(
    linear(text)
    for text in ("#efece4", "#e4ddd0", "#d2d8d8", "#c4cfc4", "#dfc9b0", "#b9c7d6", "#a9a196", "#5f7480", "#8a5348")
)
BRICKS = tuple(linear(text) for text in ("#93503c", "#7a4334", "#a8705a", "#e8e4dc", "#6a6462"))
BOARDS = tuple(linear(text) for text in ("#a07a55", "#7a5638", "#5a3f2c", "#c4a27c", "#8f8a82", "#dcd6cb"))
TILES = tuple(linear(text) for text in ("#eef0ee", "#c9d6d4", "#8fb0ad", "#46627a", "#d8cbb4"))
FABRICS = tuple(linear(text) for text in ("#e9e4da", "#b8b2a8", "#7d3036", "#2f4a5e", "#4d5a44", "#c7a37a", "#33333a"))


def _surface(reflectance: np.ndarray) -> Backdrop:
    reflectance = np.clip(reflectance, 0.003, 0.9).astype(np.float32)
    return Backdrop(reflectance, np.zeros_like(reflectance))


def studio(rng: np.random.Generator, side: int) -> Backdrop:
    """Seamless paper with a spot of light on it, or a painted canvas, cloudy and darker towards its edges."""
    x, y = grid(side)
    canvas = rng.random() < 0.4
    paper, cloth = tone(rng, PAPERS), tone(rng, CANVASES)
    clouds = fractal(rng, side, rng.uniform(2, 4), 5)
    weave = fractal(rng, side, 160, 1)
    px, py, width = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.7), rng.uniform(0.35, 0.9)
    spot = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * width**2))
    fall = rng.uniform(-0.35, 0.35) * (x - 0.5) + rng.uniform(-0.4, 0.3) * (y - 0.5)
    depth = rng.uniform(0.25, 0.75)
    shading = (1 - depth + 1.3 * depth * spot) * (1 + fall)
    if canvas:
        return _surface(cloth * (shading * np.exp(0.36 * clouds + 0.05 * weave))[..., None])
    return _surface(paper * (shading * (1 + 0.012 * clouds))[..., None])


def plaster(rng: np.random.Generator, side: int) -> Backdrop:
    """A painted wall: trowel marks, faint stains, perhaps a skirting of another colour."""
    _, y = grid(side)
    colour, other = tone(rng, PAINTS), tone(rng, PAINTS)
    relief = fractal(rng, side, rng.uniform(8, 20), 4, rng.uniform(1, 3))
    stains = fractal(rng, side, 2, 3)
    edge, two = rng.uniform(0.45, 0.95), rng.random() < 0.3
    rough = rng.uniform(0.01, 0.07)
    wall = mixed(colour, other, (y > edge) & two)
    return _surface(wall * np.exp(rough * relief + 0.06 * stains)[..., None])


def concrete(rng: np.random.Generator, side: int) -> Backdrop:
    """Grey panels with joints and the holes of their moulds."""
    x, y = grid(side)
    colour = np.array(near_colour(linear("#8d8c89"), rng, 0.2), np.float32)
    clouds, grain = fractal(rng, side, 3, 5), fractal(rng, side, 60, 2)
    width, height = rng.uniform(0.5, 0.9), rng.uniform(0.4, 0.8)
    u, v = (x + rng.random()) / width % 1, (y + rng.random()) / height % 1
    joint = np.minimum(np.minimum(u, 1 - u) * width, np.minimum(v, 1 - v) * height)
    holes = np.hypot((np.abs(u - 0.5) - 0.25) * width, (np.abs(v - 0.5) - 0.3) * height)
    dark = 0.5 * _line(joint, 0.004, side) + 0.55 * _line(holes, 0.011, side)
    return _surface(colour * (np.exp(0.14 * clouds + 0.03 * grain) * (1 - dark))[..., None])


def brick(rng: np.random.Generator, side: int) -> Backdrop:
    """Courses of bricks, each of its own tone, in mortar."""
    colour, mortar = tone(rng, BRICKS, 0.2), tone(rng, (linear("#b5aea3"), linear("#d6d0c6"), linear("#6f6a64")))
    height = rng.uniform(0.035, 0.09)
    return _courses(rng, side, colour, mortar, height, 2.9 * height, 0.5, rng.uniform(0.08, 0.13), 0.22, 0.12)


def tiles(rng: np.random.Generator, side: int) -> Backdrop:
    """Square or flat tiles, all nearly alike."""
    colour, grout = tone(rng, TILES), tone(rng, (linear("#cfcac0"), linear("#8c8880")))
    height = rng.uniform(0.06, 0.14)
    flat = rng.random() < 0.5
    shift = 0.5 if flat else 0.0
    return _courses(rng, side, colour, grout, height, (2 if flat else 1) * height, shift, 0.05, 0.05, 0.01)


def boards(rng: np.random.Generator, side: int) -> Backdrop:
    """Boards of wood, upright or lying, with their grain."""
    colour = tone(rng, BOARDS, 0.2)
    height, upright = rng.uniform(0.07, 0.22), rng.random() < 0.5
    scene = _courses(rng, side, colour, 0.25 * colour, height, rng.uniform(1.2, 3), 0.37, 0.03, 0.14, 0.02)
    grain = fractal(rng, side, rng.uniform(40, 80), 3, 14, 0.8)
    knots = fractal(rng, side, 7, 2, 5)
    _, y = grid(side)
    rings = np.sin(2 * np.pi * (y / rng.uniform(0.02, 0.04) + knots))
    wood = scene.reflectance * np.exp(0.14 * grain + 0.07 * rings)[..., None]
    return _surface(wood.transpose(1, 0, 2) if upright else wood)


def wallpaper(rng: np.random.Generator, side: int) -> Backdrop:
    """Stripes, lozenges or sprigs on a pale or deep ground."""
    x, y = grid(side)
    ground, figure = tone(rng, PAINTS, 0.25), tone(rng, PAINTS + FABRICS, 0.25)
    period, kind = rng.uniform(0.06, 0.2), rng.integers(3)
    u, v = (x + rng.random()) / period, (y + rng.random()) / period
    swirl = np.sin(2 * np.pi * u) * np.sin(2 * np.pi * v)
    pattern = (
        np.sin(2 * np.pi * u) + 0.3 * np.sin(6 * np.pi * u),
        swirl + 0.5 * np.sin(4 * np.pi * u) * np.cos(2 * np.pi * v) - 0.2,
        np.cos(2 * np.pi * (u + v)) + np.cos(2 * np.pi * (u - v)) + 0.6 * np.cos(4 * np.pi * v) - 0.9,
    )[kind]
    softness = 0.1 + 3 / (side * period)
    share = rng.uniform(0.25, 0.8) * np.clip(pattern / softness + 0.5, 0, 1)
    fade = 1 + 0.05 * fractal(rng, side, 3, 3)
    return _surface(mixed(ground, figure, share) * fade[..., None])


def curtain(rng: np.random.Generator, side: int) -> Backdrop:
    """Cloth that hangs in folds, which sway a little towards the hem."""
    x, y = grid(side)
    colour = tone(rng, FABRICS, 0.2)
    place = x + 0.006 * fractal(rng, side, 2, 2, 0.5) * (0.3 + y)
    folds = np.zeros((side, side), np.float32)
    for waves in rng.uniform(3, 14, 3):
        phase = 2 * np.pi * (waves * place + rng.random())
        folds += np.sin(phase + 0.6 * np.sin(phase))
    shading = 0.66 + 0.34 * np.tanh(0.8 * folds)
    return _surface(colour * np.maximum(shading, 0.12)[..., None])


def _line(distance: np.ndarray, width: float, side: int) -> np.ndarray:
    """1 within ``width`` of a line, anti-aliased; both in shares of the picture."""
    return np.clip((width - distance) * side + 0.5, 0, 1)


def _courses(
    rng: np.random.Generator,
    side: int,
    colour: np.ndarray,
    joint_colour: np.ndarray,
    height: float,
    width: float,
    shift: float,
    joint: float,
    variety: float,
    roughness: float,
) -> Backdrop:
    """Cells of ``height`` and ``width``, every other row moved by ``shift`` of a cell; ``joint`` is a share of the
    height, ``variety`` the spread of the cells' tones and ``roughness`` that within one."""
    x, y = grid(side)
    row = (y + rng.random()) / height
    number = np.floor(row).astype(int)
    column = (x + rng.random()) / width + shift * (number % 2) + (0.37 * number if shift not in (0, 0.5) else 0)
    tones = np.exp(rng.normal(0, variety, (64, 64, 1)) + rng.normal(0, variety / 4, (64, 64, 3))).astype(np.float32)
    u, v = column % 1, row % 1
    edge = np.minimum(np.minimum(u, 1 - u) * width, np.minimum(v, 1 - v) * height)
    cell = colour * tones[number % 64, np.floor(column).astype(int) % 64]
    cell = cell * np.exp(roughness * fractal(rng, side, 40, 2))[..., None]
    return _surface(mixed(cell, joint_colour, _line(edge, joint * height / 2, side)))

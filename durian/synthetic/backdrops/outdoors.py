"""Backdrops without walls: leaves, parks, sky and sea, lights at night, a crowd."""

from __future__ import annotations

import numpy as np

from durian.synthetic.backdrops.painting import Backdrop, fractal, grid, mixed, tone
from durian.synthetic.backdrops.perspective import SKIES
from durian.synthetic.backdrops.rooms import room
from durian.synthetic.backdrops.streets import FACADES, street
from durian.synthetic.backdrops.walls import FABRICS, PAPERS
from durian.synthetic.base.wear import linear

LEAVES = tuple(linear(text) for text in ("#4f6b2e", "#6f8a3c", "#3c5a34", "#8a8a3a", "#a8702e", "#56703f"))
TRUNKS = tuple(linear(text) for text in ("#4a3a2e", "#6a5a4c", "#8a8278"))
GRASS = tuple(linear(text) for text in ("#6d8a44", "#8a9a58", "#b0a070", "#5f7a46"))
LAMPS = tuple(linear(text) for text in ("#ffb060", "#ffd9a0", "#ff5a3c", "#fff2e0", "#6ab0ff", "#70ffa8", "#ff70c0"))
SKINS = tuple(linear(text) for text in ("#e0b49a", "#c68f70", "#8a5a42", "#5a3828", "#f0cbb4"))
HAIRS = tuple(linear(text) for text in ("#17120f", "#3a281c", "#6a4a30", "#a8845a", "#8a8680"))


def leaves(rng: np.random.Generator, side: int, sparks: float) -> Backdrop:
    """Foliage in layers, with trunks, and the sky between; ``sparks`` is the radius to which points blur."""
    _, y = grid(side)
    dark, light = 0.35 * tone(rng, LEAVES, 0.2), tone(rng, LEAVES, 0.2)
    frequency = rng.uniform(3, 8)
    boughs, gaps = fractal(rng, side, frequency, 3), fractal(rng, side, frequency, 3)
    foliage, lace = (fractal(rng, side, 6 * frequency, 3, persistence=0.8) for _ in range(2))
    share = np.clip(0.35 + 0.34 * boughs + 0.4 * foliage, 0, 1.3)
    scene = Backdrop(mixed(dark, light, share), np.zeros((side, side, 3), np.float32))
    for _ in range(rng.integers(0, 4)):
        place, width, lean = rng.uniform([0, 0.02, -0.15], [1, 0.09, 0.15])
        top = place + lean
        trunk = [(place, 1.1), (place + width, 1.1), (top + 0.7 * width, -0.1), (top, -0.1)]
        scene.polygon(trunk, 0.8 * tone(rng, TRUNKS))
    sky, openness = tone(rng, SKIES, 0.1) * rng.uniform(0.8, 1.6), rng.uniform(-2.4, -0.2)
    seen = np.clip(1.5 * (openness + 1.1 * gaps + 0.95 * lace - 1.5 * (y - 0.3)), 0, 1)[..., None]
    scene.reflectance[:] *= 1 - seen
    scene.glow[:] = seen * sky
    count = rng.integers(10, 90)
    places, strength = rng.uniform(0, [1, 0.85], (count, 2)), rng.exponential(0.45, (count, 1))
    scene.sparks(places, strength * mixed(light, sky, rng.uniform(0.2, 1, count)), sparks)
    return scene


def park(rng: np.random.Generator, side: int, sparks: float) -> Backdrop:
    """A meadow or a shore below trees, hills or houses, and the sky."""
    _, y = grid(side)
    horizon = rng.uniform(0.35, 0.8)
    ridge = fractal(rng, side, rng.uniform(3, 9), 5, persistence=0.45)[:1]
    ridge = horizon - rng.uniform(0.02, 0.16) * np.maximum(0.3, 1 + 0.48 * ridge)
    sky, ground = tone(rng, SKIES, 0.08), tone(rng, (*GRASS, linear("#c9b894"), linear("#8a8c8c")), 0.2)
    clouds = np.clip(0.55 * fractal(rng, side, 2, 5, 2.0), 0, 1)
    bright = rng.uniform(0.8, 1.5)
    up = mixed(sky * (1, 1.02, 1.1), np.full(3, 1.1), 0.7 * clouds) * bright * (0.85 + 0.3 * (1 - y))[..., None]
    turf = ground * np.exp(0.28 * fractal(rng, side, 6, 5, 2.5))[..., None]
    trees = tone(rng, (*LEAVES, *LEAVES, *FACADES), 0.2) * np.exp(0.55 * fractal(rng, side, 12, 4))[..., None]
    soft = 2 / side
    hidden, below = np.clip((y - ridge) / soft + 0.5, 0, 1), np.clip((y - horizon) / soft + 0.5, 0, 1)
    scene = Backdrop(
        mixed(trees * 0.6, turf, below) * hidden[..., None], (up * (1 - hidden[..., None])).astype(np.float32)
    )
    count = max(0, rng.integers(-20, 20))
    places = np.stack([rng.uniform(0, 1, count), rng.uniform(horizon - 0.06, horizon, count)], axis=1)
    scene.sparks(places, rng.exponential(0.3, (count, 1)) * np.ones(3), sparks)
    return scene


def night(rng: np.random.Generator, side: int, sparks: float) -> Backdrop:
    """A street, or a room, in which little but lamps is seen."""
    scene = street(rng, side, night=True) if rng.random() < 0.6 else room(rng, side)
    scene.reflectance[:] *= rng.uniform(0.08, 0.35)
    count, palette = rng.integers(20, 90), rng.integers(len(LAMPS), size=rng.integers(2, 5))
    colours = np.array(LAMPS)[palette][rng.integers(len(palette), size=count)]
    rows = rng.normal(rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.3), count)
    places = np.stack([rng.uniform(0, 1, count), rows], axis=1)
    inside = (rows > 0) & (rows < 1)
    strength = rng.gamma(2, 0.35, (count, 1))
    scene.sparks(places[inside], (strength * colours)[inside], sparks)
    return scene


def crowd(rng: np.random.Generator, side: int) -> Backdrop:
    """People behind, the nearer the larger, in a room or outside."""
    scene = room(rng, side) if rng.random() < 0.6 else street(rng, side)
    for distance in np.sort(rng.uniform(0.5, 1.6, rng.integers(3, 12)))[::-1]:
        tall = 0.16 / distance
        place = np.array([rng.uniform(-0.05, 1.05), 0.5 + rng.uniform(-0.06, 0.1) + 0.06 / distance])
        _person(scene, rng, place, tall)
    return scene


def _person(scene: Backdrop, rng: np.random.Generator, place: np.ndarray, tall: float) -> None:
    """Somebody whose head's middle is at ``place``; ``tall`` is the height of their face."""
    skin, hair, cloth = 0.8 * tone(rng, SKINS), tone(rng, HAIRS), 0.7 * tone(rng, (*FABRICS, *PAPERS), 0.3)
    wide, turned = 0.34 * tall, rng.uniform(-0.35, 0.35)

    def at(x: float, y: float) -> np.ndarray:
        return place + np.array([x * wide, y * tall])

    scene.disc(at(0, 1.75), np.array([1.1 * tall, 1.05 * tall]), cloth)
    scene.polygon(place + tall * np.array([[-1.05, 1.6], [1.05, 1.6], [1.2, 9], [-1.2, 9]]), cloth)
    if rng.random() < 0.4:
        scene.disc(at(0, 0.3), np.array([1.4 * wide, 0.8 * tall]), hair)
    scene.polygon(place + tall * np.array([[-0.18, 0.2], [0.18, 0.2], [0.25, 0.9], [-0.25, 0.9]]), 0.5 * skin)
    scene.disc(at(0, -0.12), np.array([1.15 * wide, 0.46 * tall]), hair)
    if rng.random() < 0.3:  # seen from behind
        scene.disc(at(0, 0.05), np.array([1.1 * wide, 0.44 * tall]), hair)
        return
    scene.disc(at(turned, 0.06), np.array([0.95 * wide, 0.42 * tall]), skin)
    scene.disc(at(turned + 0.35, 0.1), np.array([0.5 * wide, 0.3 * tall]), 1.2 * skin)
    for eye in (-0.4, 0.4):
        scene.disc(at(1.4 * turned + eye, -0.02), np.array([0.28 * wide, 0.05 * tall]), 0.35 * skin)
    scene.disc(at(1.4 * turned, 0.3), np.array([0.3 * wide, 0.04 * tall]), 0.4 * skin)

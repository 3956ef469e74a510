"""Earrings: their styles, random looks, and meshes from a look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.looks import EarringLook
from durian.synthetic.base.shapes import merged, mesh, sphere, tube
from durian.synthetic.base.wear import NONE, Style, linear, near_colour, style_of, styled
from durian.synthetic.head.head import HeadModel

LOBE = (-1.25, 0.75)
"""Height and depth of the hole in an ear lobe, cm."""
LOBE_REACH = 0.25
"""Distance within which ear vertices say how far out the lobe is, cm."""

METALS = tuple(linear(text) for text in ("#d9b36c", "#e0c18a", "#cfd2d6", "#cfd2d6", "#c98f76", "#3a3a3d"))
STONES = tuple(
    linear(text)
    for text in ("#f1efe8", "#e8e2d4", "#8e1224", "#1a3f8f", "#0f5c3c", "#4b2a6b", "#17171a", "#3f9aa0", "#c26a2e")
)
PEARL = linear("#efe6da")
POST = 0.06
"""Half the breadth of posts and wires, cm."""


def sample_earring_look(rng: np.random.Generator, styles: Sequence[str] | None = None) -> EarringLook:
    """A pair drawn at random; ``styles`` are those to choose from, each as likely as the others, all if left out."""
    names = list(styles or STYLES)
    style = names[rng.integers(len(names))]
    if style == NONE:
        return EarringLook()
    return EarringLook(
        style=style,
        parameters=STYLES[style].sample(rng),
        seed=int(rng.integers(2**31)),
        colour=near_colour(METALS[rng.integers(len(METALS))], rng, 0.06),
        stone=PEARL if style == "pearl" else near_colour(STONES[rng.integers(len(STONES))], rng),
    )


def make_earrings(head: HeadModel, look: EarringLook) -> list[Mesh]:
    """Meshes of the left and the right earring on the neutral head; nothing for style ``"none"``.

    Raises:
        InvalidRequest: there is no such style, or it has no such number.
    """
    if not look.is_worn:
        return []
    style = style_of(look, STYLES)
    hole = lobe(head)
    # Each is one piece: it moves with the skin at its first vertex, the post's end in the lobe.
    post = tube(hole + np.array([[-0.15, 0, 0], [0.06, 0, 0]]), POST, sides=6, **_metal(look))
    left = merged([post, *style.build(look, hole + np.array([0.06, 0, 0.02]), **style.complete(look.parameters))])
    mirrored = mesh(
        left.vertices * [-1, 1, 1],
        left.triangles[:, ::-1],
        material=left.material,
        label=left.label,
        colour=left.colour,
        binding=left.binding,
    )
    return [left, mirrored]


@lru_cache(maxsize=2)
def lobe(head: HeadModel) -> np.ndarray:
    """Where the left ear is pierced, ``(3,)`` on its outer side."""
    ear = np.unique(head.triangles[head.labels == Label.EAR])
    outer = ear[(head.normals[ear, 0] > 0.4) & (head.neutral[ear, 0] > 7)]
    place = head.neutral[outer].astype(np.float64)
    weight = np.exp(-(((place[:, 1:] - LOBE) / LOBE_REACH) ** 2).sum(axis=1) / 2)
    return np.array([(weight * place[:, 0]).sum() / weight.sum(), *LOBE])


def _metal(look: EarringLook) -> dict[str, Any]:
    return {"material": Material.METAL, "label": Label.EARRING, "colour": look.colour, "binding": "rigid"}


def _stone(look: EarringLook) -> dict[str, Any]:
    return _metal(look) | {"material": Material.PLASTIC, "colour": look.stone}


@styled(radius=(0.18, 0.42), rim=(0.03, 0.1))
def stud(look: EarringLook, hole: np.ndarray, radius: float, rim: float) -> list[Mesh]:
    """A stone in a setting of ``rim`` cm."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    middle = hole + np.array([0.3 * radius, 0, 0])
    ring = middle + radius * np.stack([0 * angle, np.cos(angle), np.sin(angle)], axis=1)
    return [
        sphere(middle, (0.62 * radius, radius, radius), rings=9, **_stone(look)),
        tube(ring, rim, closed=True, sides=6, **_metal(look)),
    ]


@styled(radius=(0.3, 0.6))
def pearl(look: EarringLook, hole: np.ndarray, radius: float) -> list[Mesh]:
    """A pearl that sits on the lobe."""
    return [sphere(hole + np.array([0.5 * radius, -0.3 * radius, 0.1]), radius, rings=12, **_stone(look))]


def _hoop(look: EarringLook, hole: np.ndarray, radius: float, wire: float, turn: float, sides: int = 8) -> Mesh:
    """A ring through the lobe, its plane turned by ``turn`` radians from straight ahead to sideways."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ahead = np.array([np.sin(turn), 0, np.cos(turn)])
    path = hole + radius * ((np.cos(angle) - 1)[:, None] * np.array([0, 1, 0]) + np.sin(angle)[:, None] * ahead)
    path[:, 0] += (0.12 + 0.2 * radius * np.sin(turn)) * (1 - np.cos(angle))  # the jaw is in the way
    return tube(path, wire, up=(np.cos(turn), 0, -np.sin(turn)), closed=True, sides=sides, **_metal(look))


@styled(radius=(0.8, 2.9), wire=(0.06, 0.2), turn=(0.1, 0.7))
def hoop(look: EarringLook, hole: np.ndarray, radius: float, wire: float, turn: float) -> list[Mesh]:
    """A ring of wire."""
    return [_hoop(look, hole, radius, wire, turn)]


@styled(radius=(0.5, 0.75), wire=(0.13, 0.22), turn=(0.0, 0.5))
def huggie(look: EarringLook, hole: np.ndarray, radius: float, wire: float, turn: float) -> list[Mesh]:
    """A small thick ring close to the lobe."""
    return [_hoop(look, hole, radius, wire, turn)]


def _hook(look: EarringLook, hole: np.ndarray, length: float) -> Mesh:
    """A wire from the hole forward and down, ``length`` cm long."""
    share = np.linspace(0, 1, 14)
    path = hole + np.stack(
        [0.1 * share, -length * share**1.3 + 0.12 * np.sin(np.pi * share), 0.16 * np.sin(np.pi * share)], axis=1
    )
    return tube(path, 0.045, sides=6, **_metal(look))


@styled(length=(0.8, 2.6), radius=(0.28, 0.55), slender=(1.0, 2.0))
def drop(look: EarringLook, hole: np.ndarray, length: float, radius: float, slender: float) -> list[Mesh]:
    """A drop of glass on a wire."""
    stone = sphere((0, 0, 0), 1, rings=14, **_stone(look))
    x, y, z = stone.vertices.T
    narrow = 1 - 0.55 * (np.clip(y, -0.6, 1) + 0.6) / 1.6
    shaped = np.stack([x * narrow, y * slender, z * narrow], axis=1) * radius
    end = hole + np.array([0.1, -length, 0])
    stone.vertices = (end - np.array([0, 0.9 * radius * slender, 0]) + shaped).astype(np.float32)
    return [_hook(look, hole, length), sphere(end, 0.1, rings=6, **_metal(look)), stone]


@styled(length=(0.5, 1.6), radius=(0.7, 1.6), turn=(0.2, 1.2))
def disc(look: EarringLook, hole: np.ndarray, length: float, radius: float, turn: float) -> list[Mesh]:
    """A hammered coin on a wire."""
    coin = sphere((0, 0, 0), 1, rings=16, **_metal(look))
    ahead, across = np.array([np.sin(turn), 0, np.cos(turn)]), np.array([np.cos(turn), 0, -np.sin(turn)])
    x, y, z = coin.vertices.T.astype(np.float64)
    dents = 0.02 * np.sin(9 * y + look.seed % 7) * np.sin(8 * z + look.seed % 5)
    flat = (0.07 * x + dents)[:, None] * across + radius * (y[:, None] * np.array([0, 1, 0]) + z[:, None] * ahead)
    coin.vertices = (hole + np.array([0.12, -length - radius, 0]) + flat).astype(np.float32)
    return [_hook(look, hole, length), coin]


@styled(length=(2.5, 5.5), bead=(0.12, 0.3))
def dangle(look: EarringLook, hole: np.ndarray, length: float, bead: float) -> list[Mesh]:
    """A chain of beads that grow downwards, with a leaf at its end."""
    places = np.linspace(0.15, 1, 7)
    beads = [
        sphere(
            hole + np.array([0.1, -length * place, 0]),
            bead * (0.55 + 0.45 * place),
            rings=7,
            **(_stone(look) if k % 2 else _metal(look)),
        )
        for k, place in enumerate(places)
    ]
    leaf = sphere(
        hole + np.array([0.1, -length - 3 * bead, 0]), (0.3 * bead, 2.4 * bead, 1.5 * bead), rings=10, **_metal(look)
    )
    return [_hook(look, hole, length), *beads, leaf]


THREADS = 36


@styled(length=(2.5, 6.0), spread=(0.25, 0.6), hook=(0.5, 1.2))
def tassel(look: EarringLook, hole: np.ndarray, length: float, spread: float, hook: float) -> list[Mesh]:
    """A bundle of threads under a cap of metal."""
    rng = look.rng()
    top = hole + np.array([0.1, -hook, 0])
    share = np.linspace(0, 1, 7)[:, None]
    threads = []
    for angle, reach, long in zip(
        rng.uniform(0, 2 * np.pi, THREADS), np.sqrt(rng.random(THREADS)), rng.uniform(0.92, 1.0, THREADS)
    ):
        out = reach * spread * np.array([np.sin(angle), 0, np.cos(angle)])
        path = top + out * (0.45 + 0.55 * share**0.6) - np.array([0, long * length, 0]) * share
        shade = 0.7 + 0.5 * rng.random()
        finish = _metal(look) | {"material": Material.CLOTH, "colour": tuple(np.asarray(look.stone) * shade)}
        threads.append(tube(path, 0.055, up=(0, 0, 1), sides=4, **finish))
    cap = tube(
        top + np.array([[0, 0.1, 0], [0, -0.12, 0], [0, -0.3, 0]]),
        np.array([0.12, 0.62, 0.62]) * spread,
        sides=10,
        **_metal(look),
    )
    return [_hook(look, hole, hook), cap, *threads]


@styled(length=(1.5, 4.0), breadth=(0.06, 0.16))
def bar(look: EarringLook, hole: np.ndarray, length: float, breadth: float) -> list[Mesh]:
    """A slim bar on a short wire."""
    top = hole + np.array([0.1, -0.4, 0])
    path = top - np.linspace(0, length, 8)[:, None] * np.array([0, 1, 0])
    return [_hook(look, hole, 0.4), tube(path, breadth, up=(0, 0, 1), sides=8, **_metal(look))]


STYLES: dict[str, Style] = {
    "stud": stud,
    "pearl": pearl,
    "hoop": hoop,
    "huggie": huggie,
    "drop": drop,
    "disc": disc,
    "dangle": dangle,
    "tassel": tassel,
    "bar": bar,
}

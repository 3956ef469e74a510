"""Fur: thousands of thin bent blades on a surface, which gather in tufts and are dark at the foot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from durian.synthetic.base.geometry import Label, Material, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import mesh
from durian.synthetic.base.wear import Colour, ripples
from durian.synthetic.head.skull import Skull

BREADTH = 0.11
"""Of a blade, cm: a lock of some dozen hairs, about a pixel of a portrait."""
EVENLY = np.array([0.7548776662, 0.5698402910])
"""Steps from one hair to the next, as shares of the surface, that leave no gaps (Roberts's R2 sequence)."""
TUFT = 11
"""Blades that gather to a tuft."""
GATHERED = 0.55
"""By which a tuft's tips are nearer to each other than its feet."""
SWIRL, SWIRLS = 0.85, 6.0
"""Spread (radians) of the direction in which fur lies, and how many cm off it lies differently."""
PATCH, PATCHES = 0.33, 4.5
"""Spread of the logarithm of fur's brightness from place to place, and their distance, cm."""
DEPTH = 1.45
"""Exponent of a colour deep in the fur, where light comes from hair to hair: dark fur gets much darker there, white
fur hardly."""
PALE = np.array([0.72, 0.62, 0.50])
"""Linear RGB of frosted tips."""
DARK_BAND = 0.45
"""Part of their brightness that hairs with the palest tips lose below them: wild animals' hairs are banded."""
WEIGHT = 0.25
"""Part of its length by which a hair's tip sinks."""
OFF_THE_SKIN = 0.15
"""How near to the skull fur may come, cm."""

BLADE = np.array([[0, 1, 3], [0, 3, 2], [2, 3, 4]])
"""Triangles of a blade through its two feet, two middles and tip."""


@dataclass
class Pelt:
    """One animal's fur.

    Attributes:
        colour: linear RGB of the hairs' middles.
        length: cm.
        stand: sine of the angle at which hairs stand off.
        frost: how pale tips are, from 0, the hairs' own colour, to 1.
        rng: where chance comes from.
    """

    colour: Colour
    length: float
    stand: float
    frost: float
    rng: np.random.Generator

    @classmethod
    def of(cls, look: HatLook, length: float, stand: float, frost: float) -> Pelt:
        """The fur of a look."""
        return cls(look.colour, length, stand, frost, look.rng())

    @property
    def ground(self) -> Colour:
        """Linear RGB of the skin between the hairs."""
        banded = (1 - DARK_BAND * self.frost) * np.asarray(self.colour)
        return tuple(float(channel) for channel in _deep(banded))

    def over(self, surface: np.ndarray, count: int, skull: Skull, polar: bool = False, nap: float = 1.0) -> Mesh:
        """Hairs on a surface.

        Args:
            surface: ``(R, C, 3)`` in cm; its columns close.
            count: of hairs.
            skull: what they must not enter.
            polar: the first row is a point.
            nap: how much fur lies along the rows, from -1, against them, to 1; what lies less stands more.
        """
        along, around = ((self.rng.uniform() + np.arange(count)[:, None] * EVENLY) % 1).T
        along = np.sqrt(along) if polar else along
        foot, down, out = _on(surface, along, around)
        tuft = self._tufts(along, around, polar)
        lead = self.rng.normal(size=(3, tuft.max() + 1))[:, tuft]
        own = self.rng.normal(size=(3, count))

        turn = SWIRL * (0.55 * ripples(foot, SWIRLS, self.rng) + 0.5 * lead[0] + 0.25 * own[0])[:, None]
        lies = nap * np.cos(turn) * down + np.sin(turn) * np.cross(out, down)
        stand = np.clip(self.stand + 0.12 * lead[1] + 0.10 * own[1], 0.08, 0.95)[:, None]
        length = self.length * np.exp(0.12 * lead[2] + 0.15 * own[2])[:, None]
        rising = np.sqrt(1 - stand**2) * lies + stand * out
        middle = foot + 0.5 * length * rising
        tip = middle + 0.5 * length * (rising + 0.3 * (lies - out)) - [0, 0.5 * WEIGHT, 0] * length
        middle = _gathered(middle, tuft, 0.4 * GATHERED)
        tip = _gathered(tip, tuft, GATHERED)

        across = np.cross(tip - foot, out + 0.35 * self.rng.normal(size=(count, 3)))
        across *= BREADTH / 2 / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
        places = np.stack([foot - across, foot + across, middle - across, middle + across, tip], axis=1)
        places = skull.push_out(places.reshape(-1, 3), OFF_THE_SKIN)
        triangles = (5 * np.arange(count)[:, None, None] + BLADE).reshape(-1, 3)
        colours = self._colours(foot, lead[1] + 0.7 * own[2])
        return mesh(places, triangles, material=Material.FELT, label=Label.HAT, colour=colours)

    def _tufts(self, along: np.ndarray, around: np.ndarray, polar: bool) -> np.ndarray:
        """Number of the tuft of each hair."""
        turn = 2 * np.pi * around
        ring = along if polar else 1.6 + along
        places = np.stack([ring * np.cos(turn), ring * np.sin(turn)], axis=1)
        return cKDTree(places[: len(places) // TUFT]).query(places)[1]

    def _colours(self, foot: np.ndarray, uneven: np.ndarray) -> np.ndarray:
        """Linear RGB ``(5 N, 3)`` of the blades' vertices."""
        patch = ripples(foot, PATCHES, self.rng)
        colour = np.asarray(self.colour) * np.exp(PATCH * patch + 0.16 * uneven)[:, None]
        frost = self.frost * np.clip(0.6 + 0.3 * (uneven + patch), 0, 1)[:, None]
        tip = colour + frost * (PALE - colour)
        middle = colour * (1 - DARK_BAND * self.frost) + 0.2 * (tip - colour)
        foot_colour = _deep(middle)
        colours = np.stack([foot_colour, foot_colour, middle, middle, tip], axis=1)
        return np.clip(colours, 0.002, 0.9).reshape(-1, 3)


def _on(surface: np.ndarray, along: np.ndarray, around: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places ``(N, 3)`` on a surface whose columns close, and there unit vectors along its rows and outwards."""
    closed = np.concatenate([surface, surface[:, :2]], axis=1)
    rows, columns = len(surface), surface.shape[1]
    down, right = np.gradient(closed, axis=0), np.gradient(closed, axis=1)
    right[:, 0] = right[:, columns]
    right[:, -1] = right[:, 1]
    fields = np.concatenate([closed, down, right], axis=2)
    where = np.stack([along * (rows - 1), around * columns])
    found = np.stack([map_coordinates(fields[..., axis], where, order=1) for axis in range(9)], axis=1)
    place, down, right = np.split(found, 3, axis=1)
    return place, _unit(down), _unit(np.cross(down, right))


def _deep(colour: np.ndarray) -> np.ndarray:
    return np.clip(colour, 0, 1) ** DEPTH


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _gathered(places: np.ndarray, group: np.ndarray, share: float) -> np.ndarray:
    """Places moved that far to the mean of their group."""
    sums = np.stack([np.bincount(group, places[:, axis]) for axis in range(3)], axis=1)
    mean = sums / np.bincount(group)[:, None]
    return places + share * (mean[group] - places)

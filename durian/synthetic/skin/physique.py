"""Shape of age, sex and eyes: smooth offsets of the neutral head, added to an identity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import smoothstep
from durian.synthetic.head.head import SCLERAS, HeadModel
from durian.synthetic.skin.atlas import chance

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Bulge:
    """Skin around ``middle`` that moves by ``move``, less with the distance relative to ``size`` (cm); both sides of
    the face do, x pointing outward."""

    middle: Vector
    size: Vector
    move: Vector


GROWN: dict[str, tuple[tuple[float, float], tuple[Bulge, ...]]] = {
    "lost baby fat": ((17, 34), (
        Bulge((4.6, -1.2, 8.4), (2.3, 2.2, 3.0), (-0.16, 0.0, -0.16)),
        Bulge((5.2, -4.3, 6.6), (2.2, 1.8, 3.0), (-0.12, 0.05, -0.05)),
    )),
    "hollow cheeks": ((37, 74), (
        Bulge((5.7, -1.9, 6.6), (1.7, 2.3, 2.6), (-0.40, 0.0, -0.22)),
        Bulge((6.9, 6.0, 4.6), (1.6, 2.2, 2.4), (-0.42, 0.0, -0.12)),
    )),
    "sagging cheeks": ((31, 76), (
        Bulge((3.9, -0.9, 9.6), (1.5, 1.6, 2.4), (0.05, -0.42, 0.12)),
        Bulge((4.1, -2.6, 9.0), (1.2, 1.5, 2.2), (0.12, -0.25, 0.24)),
        Bulge((1.9, -2.2, 10.8), (0.7, 1.2, 1.6), (0.0, -0.05, -0.12)),
    )),
    "jowls": ((35, 78), (
        Bulge((4.2, -5.9, 7.6), (1.5, 1.3, 2.2), (0.22, -0.50, 0.12)),
        Bulge((2.7, -6.3, 9.2), (0.7, 0.9, 1.5), (-0.12, 0.18, -0.20)),
        Bulge((6.2, -4.2, 4.8), (1.6, 1.6, 2.4), (0.12, -0.25, 0.05)),
    )),
    "brow and lids": ((32, 76), (
        Bulge((4.3, 5.6, 9.0), (1.7, 1.0, 2.0), (0.0, -0.30, 0.02)),
        Bulge((4.1, 4.55, 9.2), (1.1, 0.45, 1.2), (0.03, -0.20, 0.07)),
        Bulge((3.1, 2.25, 9.5), (1.2, 0.42, 1.4), (0.0, -0.06, 0.15)),
        Bulge((2.9, 1.3, 9.7), (1.5, 0.5, 1.6), (0.0, 0.0, -0.16)),
    )),
    "nose": ((27, 79), (
        Bulge((0.0, -0.2, 12.6), (1.6, 1.3, 1.8), (0.0, -0.34, 0.04)),
        Bulge((1.7, -0.5, 11.0), (0.9, 0.9, 1.3), (0.12, -0.12, 0.05)),
    )),
    "ears": ((27, 79), (
        Bulge((8.3, -2.2, 1.0), (1.6, 1.6, 2.0), (0.05, -0.45, 0.0)),
        Bulge((8.9, 3.4, 0.2), (1.6, 1.6, 2.2), (0.10, 0.20, 0.0)),
    )),
    "thin lips": ((29, 76), (
        Bulge((0.0, -2.72, 11.8), (2.3, 0.42, 1.6), (0.0, -0.20, -0.20)),
        Bulge((0.0, -4.02, 11.6), (2.2, 0.45, 1.6), (0.0, 0.17, -0.20)),
        Bulge((2.55, -3.55, 10.2), (0.7, 0.6, 1.2), (0.0, -0.12, -0.04)),
    )),
    "throat": ((39, 79), (
        Bulge((0.0, -9.0, 7.8), (1.8, 1.4, 2.4), (0.0, -0.40, 0.10)),
        Bulge((1.7, -11.5, 5.8), (0.55, 2.6, 2.2), (0.0, 0.0, 0.22)),
        Bulge((0.0, -12.0, 6.2), (0.8, 2.2, 2.2), (0.0, 0.0, -0.12)),
    )),
}  # fmt: skip
"""Changes of the head with age, and the ages at which it begins and has all happened; the neutral head is as old as the
beginning (after Mendelson and Wong, "Changes in the facial skeleton with aging", 2012, and photographs)."""
FEMININE: tuple[Bulge, ...] = (
    Bulge((6.6, -4.8, 4.0), (1.8, 2.4, 3.2), (-0.40, 0.12, 0.0)),  # corners of the jaw
    Bulge((1.9, -7.0, 9.6), (1.1, 1.2, 1.8), (-0.22, 0.0, 0.0)),  # chin
    Bulge((0.0, -7.2, 10.2), (2.0, 1.2, 2.0), (0.0, 0.28, -0.08)),
    Bulge((2.6, 5.3, 10.3), (2.2, 0.7, 1.6), (0.0, 0.10, -0.20)),  # ridge of the brows, and between them
    Bulge((0.0, 5.2, 11.0), (1.2, 0.9, 1.5), (0.0, 0.0, -0.14)),
    Bulge((0.0, 8.6, 10.0), (3.5, 1.6, 2.5), (0.0, 0.0, 0.14)),  # forehead
    Bulge((1.6, -0.5, 11.0), (0.9, 0.9, 1.4), (-0.17, 0.05, 0.0)),  # wings, ridge and tip of the nose
    Bulge((0.9, 1.6, 11.6), (0.6, 1.8, 1.4), (-0.08, 0.0, 0.0)),
    Bulge((0.0, -0.1, 12.8), (1.4, 1.1, 1.6), (0.0, 0.14, -0.16)),
    Bulge((0.0, -2.72, 11.8), (2.0, 0.42, 1.6), (0.0, 0.11, 0.12)),  # lips
    Bulge((0.0, -4.02, 11.6), (1.9, 0.45, 1.6), (0.0, -0.11, 0.12)),
    Bulge((4.6, 0.4, 9.2), (1.6, 1.2, 2.2), (0.06, 0.06, 0.14)),  # cheekbones
    Bulge((6.2, -11.0, 1.5), (3.0, 3.5, 4.5), (-0.45, 0.0, 0.0)),  # neck, and Adam's apple
    Bulge((0.0, -10.6, 7.0), (0.9, 1.2, 2.2), (0.0, 0.0, -0.25)),
)
"""How women's heads differ from the mean of women and men, on average; men's do by the opposite (after Samal et al.,
"Analysis of sexual dimorphism in human face", 2007, and photographs)."""
SPREAD = 0.35
"""How much people differ in how far each of these goes (logarithm)."""

EYE_REACH = (1.75, 3.9)
"""Distances (cm) from an eyeball's middle up to which everything grows with it, and from which nothing does: the
eyeball's radius is 1.5, lashes reach 2."""
EYE_SIZE = 1.08
"""Size of everybody's eyes relative to the model's, which are small for their heads (by eye)."""


@dataclass(frozen=True)
class Physique:
    """Offsets ``(V, 3) float32`` of the neutral head, and ``motion (V, 1) float32``, by which offsets of expressions
    are multiplied: around larger eyes things move further."""

    offsets: np.ndarray
    motion: np.ndarray


def physique(head: HeadModel, person: Person) -> Physique:
    """Shape that age, sex and the size of eyes give to a head, continuous in all of them."""
    rng = chance(person.seed, "physique")
    ageing, (apart, share) = _ageing(head), _around_eyes(head)
    spread = np.exp(SPREAD * np.clip(rng.normal(size=len(GROWN)), -1.6, 1.6))
    grown = [smoothstep(person.age, *ages) for ages, _ in GROWN.values()] * spread
    larger = np.float32(EYE_SIZE * person.eye_size - 1) * share
    feminine = (2 * person.feminine - 1) * np.exp(SPREAD * np.clip(rng.normal(), -1.6, 1.6))
    offsets = np.einsum("i,ivc->vc", grown.astype(np.float32), ageing) + larger * apart
    offsets += np.float32(feminine) * _feminine(head)
    return Physique(offsets, 1 + larger)


@lru_cache(maxsize=2)
def _ageing(head: HeadModel) -> np.ndarray:
    """``(len(GROWN), V, 3) float32`` offsets of each change at its full."""
    return np.stack([_moved(head, bulges) for _, bulges in GROWN.values()])


@lru_cache(maxsize=2)
def _feminine(head: HeadModel) -> np.ndarray:
    """``(V, 3) float32`` offsets of a woman's head."""
    return _moved(head, FEMININE)


def _moved(head: HeadModel, bulges: tuple[Bulge, ...]) -> np.ndarray:
    offsets = np.zeros_like(head.neutral)
    for bulge in bulges:
        for side in (1, -1) if bulge.middle[0] else (1,):
            mirror = np.array([side, 1, 1])
            apart = (head.neutral - mirror * bulge.middle) / bulge.size
            share = np.exp(-(apart**2).sum(axis=1, keepdims=True))
            offsets += (share * mirror * bulge.move).astype(np.float32)
    return offsets


@lru_cache(maxsize=2)
def _around_eyes(head: HeadModel) -> tuple[np.ndarray, np.ndarray]:
    """``(V, 3)`` from the middle of the nearer eyeball, and ``(V, 1)`` how much each vertex goes with it,
    ``float32``."""
    apart, share = np.zeros_like(head.neutral), np.zeros((len(head.neutral), 1), np.float32)
    for sclera in SCLERAS:
        ball = head.neutral[np.unique(head.triangles[head.in_region(sclera)])]
        middle = (ball.min(axis=0) + ball.max(axis=0)) / 2
        away = head.neutral - middle
        near = smoothstep(np.linalg.norm(away, axis=1), *EYE_REACH[::-1])[:, None].astype(np.float32)
        nearer = (near > share)[:, 0]
        apart[nearer], share[nearer] = away[nearer], near[nearer]
    return apart, share

"""Facial expressions: named mixtures of the head model's shapes, and limits that keep a mixture human.

Names without a side stand for both of ``_L`` and ``_R``. Where the lids are is said by ``eyeBlink`` alone, 1 being
shut whatever else the eyes do: :func:`settled` turns it into the shape's amount.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from durian.synthetic.acting.gaze import look
from durian.synthetic.base.curves import limited

SIDED = (
    "browDown", "browInnerUp", "browOuterUp", "cheekPuff", "cheekRaiser", "cheekSquint", "eyeBlink", "eyeLookDown",
    "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown",
    "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
)  # fmt: skip
"""Shapes of which the model has a left and a right one."""

FACES: dict[str, dict[str, float]] = {
    "smile": {"mouthSmile": 0.55, "mouthDimple": 0.12, "cheekSquint": 0.35, "eyeSquint": 0.2},
    "grin": {
        "mouthSmile": 0.66, "mouthUpperUp": 0.38, "mouthLowerDown": 0.16, "jawOpen": 0.05, "cheekSquint": 0.5,
        "eyeSquint": 0.35, "mouthStretch": 0.12,
    },
    "laugh": {
        "mouthSmile": 0.72, "mouthUpperUp": 0.42, "mouthLowerDown": 0.3, "jawOpen": 0.3, "cheekSquint": 0.6,
        "cheekRaiser": 0.3, "eyeSquint": 0.5, "browInnerUp": 0.15, "browOuterUp": 0.1,
    },
    "surprise": {"browInnerUp": 0.75, "browOuterUp": 0.62, "eyeWide": 0.65, "jawOpen": 0.34, "mouthFunnel": 0.14},
    "amazement": {
        "browInnerUp": 0.6, "browOuterUp": 0.55, "eyeWide": 0.5, "jawOpen": 0.26, "mouthSmile": 0.4,
        "mouthUpperUp": 0.22, "cheekSquint": 0.2,
    },
    "disgust": {
        "noseSneer": 0.55, "mouthUpperUp": 0.3, "mouthFrown": 0.35, "browDown": 0.5, "eyeSquint": 0.45,
        "cheekSquint": 0.35, "mouthShrugLower": 0.2,
    },
    "anger": {
        "browDown": 0.85, "eyeSquint": 0.35, "noseSneer": 0.22, "mouthPress": 0.55, "mouthFrown": 0.3,
        "mouthShrugLower": 0.2,
    },
    "rage": {
        "browDown": 0.8, "eyeSquint": 0.25, "noseSneer": 0.4, "mouthUpperUp": 0.3, "mouthLowerDown": 0.5,
        "jawOpen": 0.1, "mouthStretch": 0.3,
    },
    "sadness": {
        "browInnerUp": 0.75, "browDown": 0.2, "mouthFrown": 0.65, "mouthShrugLower": 0.3, "eyeSquint": 0.15,
        "eyeBlink": 0.14, "eyeLookDown": 0.15,
    },
    "fear": {
        "browInnerUp": 0.8, "browOuterUp": 0.3, "browDown": 0.25, "eyeWide": 0.55, "mouthStretch": 0.5, "jawOpen": 0.12,
        "mouthLowerDown": 0.22,
    },
    "pout": {"mouthPucker": 0.55, "mouthShrugLower": 0.65, "mouthFrown": 0.35, "browDown": 0.3, "browInnerUp": 0.25},
    "kiss": {"mouthPucker": 0.8, "eyeSquint": 0.1, "browOuterUp": 0.12},
    "puff": {"cheekPuff": 0.62, "mouthPucker": 0.12, "mouthPress": 0.25, "browInnerUp": 0.3, "browOuterUp": 0.25},
    "pressed": {"mouthPress": 0.6, "mouthRollLower": 0.2, "mouthRollUpper": 0.15, "mouthDimple": 0.3},
    "doubt": {"mouthShrugLower": 0.5, "mouthShrugUpper": 0.12, "mouthFrown": 0.4, "browInnerUp": 0.4},
    "weary": {"eyeBlink": 0.3, "browInnerUp": 0.15, "mouthFrown": 0.12},
    "wink": {"mouthSmile": 0.45, "mouthUpperUp": 0.1, "cheekSquint": 0.25},
    "smirk": {"mouthSmile": 0.62, "mouthDimple": 0.35, "cheekSquint": 0.2, "eyeSquint": 0.15},
    "raised brow": {"browOuterUp": 0.72, "browInnerUp": 0.42, "mouthDimple": 0.12, "mouthSmile": 0.1},
    "aside": {"mouthDimple": 0.2, "mouthPress": 0.2, "browInnerUp": 0.15},
}  # fmt: skip
"""Faces by name, with full but not grotesque amounts, after the action units of FACS."""

LOPSIDED: dict[str, float] = {"smirk": 0.12, "raised brow": 0.08, "wink": 0.6, "aside": 0.3}
"""Faces of one side: part of the amounts that is left on the other."""
WINKING: dict[str, float] = {"eyeBlink": 1.0, "cheekSquint": 0.4, "browDown": 0.3}
"""Shapes that a wink adds on its own side."""

CEILING: dict[str, float] = {
    "jawOpen": 0.55, "mouthLeft": 0.35, "mouthRight": 0.35, "jawLeft": 0.4, "jawRight": 0.4, "jawForward": 0.4,
    "mouthSmile": 0.85, "mouthUpperUp": 0.6, "noseSneer": 0.7, "mouthDimple": 0.6, "mouthRollLower": 0.55,
    "mouthRollUpper": 0.4, "mouthShrugUpper": 0.3, "mouthShrugLower": 0.8, "mouthFunnel": 0.8, "mouthPress": 0.8,
    "eyeWide": 0.8, "browOuterUp": 0.8, "eyeLookDown": 0.6, "cheekSquint": 0.8, "cheekRaiser": 0.6,
}  # fmt: skip
"""Largest amounts with which the mesh holds together and the face stays somebody's (by eye); 1 for others."""

BLINK_ROOM = {"eyeLookDown": 0.42, "eyeSquint": 0.27, "cheekSquint": 0.3, "cheekRaiser": 0.3}
"""Part of the way to shut lids that each of these takes: measured between landmarks of the lids."""

JITTER = 0.16
"""Standard deviation of the logarithm of each amount in a face that is drawn."""
UNEVENNESS = 0.08
"""Standard deviation of the difference between left and right."""

NEUTRAL_PART = 0.5
SHUT_PART = 0.03
GLANCE_PART = 0.3
APART_PART = 0.15
"""Shares of stills that are almost neutral, have the eyes shut or half shut, look elsewhere, have the lips apart."""
AT_REST = {"mouthSmile_L": 0.12, "mouthSmile_R": 0.12}
"""Shapes added to every face: the corners of the model's mouths hang, and with them those of most people."""
FREQUENT = {"smile": 4.0, "grin": 7.0, "laugh": 4.0}
"""How often faces are seen in stills, relative to the others: people smile at cameras."""


def sample_face(rng: np.random.Generator, name: str, strength: float = 1.0) -> dict[str, float]:
    """One of :data:`FACES` as somebody makes it: amounts of the model's shapes, not yet :func:`settled`.

    Raises:
        KeyError: there is no such face.
    """
    side = "LR"[int(rng.integers(2))]
    amounts: dict[str, float] = {}
    for shape, amount in FACES[name].items():
        amount = strength * amount * math.exp(JITTER * rng.normal())
        if shape not in SIDED:
            amounts[shape] = amount
            continue
        uneven = UNEVENNESS * rng.normal()
        for each, sign in (("L", 1), ("R", -1)):
            other = LOPSIDED.get(name, 1.0) if each != side else 1.0
            amounts[f"{shape}_{each}"] = amount * (1 + sign * uneven) * other
    if name == "wink":
        for shape, amount in WINKING.items():
            amounts[f"{shape}_{side}"] = amounts.get(f"{shape}_{side}", 0.0) + strength * amount
    if name == "aside":
        amounts[{"L": "mouthLeft", "R": "mouthRight"}[side]] = 0.25 * strength
    return amounts


def sample_expression(rng: np.random.Generator, strength: float = 1.0) -> dict[str, float]:
    """A face for a still: half of them almost neutral, others any face or two of them mixed; some glance aside, few
    have their eyes shut.

    Args:
        rng: where chance comes from.
        strength: multiplies the amounts; 1 is full.

    Returns:
        amounts of the head model's shapes, settled.
    """
    names = list(FACES)
    shares = np.cumsum([FREQUENT.get(name, 1.0) for name in names])
    first, second = (names[int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))] for _ in range(2))
    if rng.random() < NEUTRAL_PART:
        first, amount = rng.choice(["smile", "smile", "smile", "pressed", "doubt"]), rng.uniform(0, 0.3)
        other = 0.0
    else:
        amount = rng.uniform(0.5, 1.05)
        other = rng.uniform(0, 0.35) if rng.random() < 0.4 else 0.0
    face = sample_face(rng, str(first), strength * amount)
    for shape, value in sample_face(rng, second, strength * other).items():
        face[shape] = face.get(shape, 0.0) + value
    if rng.random() < APART_PART:
        face["jawOpen"] = face.get("jawOpen", 0.0) + strength * rng.uniform(0.02, 0.08)
    spread = (0.22, 0.1) if rng.random() < GLANCE_PART else (0.035, 0.025)
    aside, down = strength * rng.normal(size=2) * spread
    for shape, value in look(np.array([aside]), np.array([down])).items():
        face[shape] = face.get(shape, 0.0) + float(value[0])
    if rng.random() < SHUT_PART:
        face["eyeBlink_L"] = face["eyeBlink_R"] = rng.choice([1.0, 1.0, 0.6])
    frames = {shape: np.array([face.get(shape, 0.0) + AT_REST.get(shape, 0.0)]) for shape in AT_REST | face}
    return {shape: float(value[0]) for shape, value in settled(frames).items() if value[0]}


def settled(shapes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Amounts ``(F,)`` that a face can have at once: none negative, none beyond :data:`CEILING`, lips that do not
    cross, lids that shut on each other whatever else moves them, no muscle against its opponent.

    ``eyeBlink`` is the lids' closure, 0 to 1, in what is given, and the shape's amount in what is returned.
    """
    found = {name: _within(name.removesuffix("_L").removesuffix("_R"), values) for name, values in shapes.items()}
    zero = np.zeros(len(next(iter(found.values()))))

    def amount(name: str) -> np.ndarray:
        return found.get(name, zero)

    def weaken(name: str, factor: np.ndarray) -> None:
        if name in found:
            found[name] = found[name] * factor

    round_lips = np.minimum(amount("mouthPucker") + 0.6 * amount("mouthFunnel"), 1)
    jaw = amount("jawOpen")
    for side in "LR":
        closure = amount(f"eyeBlink_{side}")
        weaken(f"mouthSmile_{side}", 1 - 0.75 * round_lips)
        weaken(f"mouthStretch_{side}", 1 - 0.8 * round_lips)
        weaken(f"mouthFrown_{side}", 1 - 0.8 * amount(f"mouthSmile_{side}"))
        weaken(f"browOuterUp_{side}", 1 - 0.7 * amount(f"browDown_{side}"))
        weaken(f"cheekPuff_{side}", np.maximum(1 - 4 * jaw, 0) ** 2)
        weaken(f"mouthPress_{side}", np.maximum(1 - 4 * jaw, 0) ** 2)
        weaken(f"eyeWide_{side}", (1 - closure) * (1 - amount(f"eyeSquint_{side}")))
        # Lids that come down take away what had raised the upper one.
        weaken(f"eyeLookUp_{side}", 1 - closure)
        # The cornea stands out: behind shut lids it has room in the middle only.
        weaken(f"eyeLookIn_{side}", 1 - 0.85 * closure**2)
        weaken(f"eyeLookOut_{side}", 1 - 0.85 * closure**2)
        taken = sum((part * amount(f"{name}_{side}") for name, part in BLINK_ROOM.items()), zero)
        if f"eyeBlink_{side}" in found:
            found[f"eyeBlink_{side}"] = closure * np.maximum(1 - taken, 0)
    for name in ("mouthRollLower", "mouthRollUpper", "mouthShrugLower"):
        weaken(name, np.maximum(1 - 2 * jaw, 0))
    if "mouthClose" in found:
        found["mouthClose"] = np.minimum(found["mouthClose"], jaw)
    return found


def _within(name: str, values: np.ndarray) -> np.ndarray:
    if name == "eyeBlink":
        return np.clip(values, 0, 1)
    return np.maximum(limited(np.asarray(values, np.float64), CEILING.get(name, 1.0)), 0)

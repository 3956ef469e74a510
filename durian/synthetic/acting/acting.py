"""Acting: how a synthetic head moves and what faces it makes, from frame to frame.

Motion is made in continuous time and then looked at when there is a frame: other frame rates see the same motion.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from durian.errors import InvalidRequest
from durian.motion.timeline import bump
from durian.synthetic.acting.expressions import AT_REST, FACES, SIDED, sample_face, settled
from durian.synthetic.acting.gaze import blinks, fixations, look, saccade_seconds
from durian.synthetic.acting.head_motion import Carriage, HeadMotion, beaten, carry, within_reach
from durian.synthetic.acting.poses import Angles
from durian.synthetic.acting.speech import speak
from durian.synthetic.base.curves import intervals, steps, sway

FRONT: Angles = (0.0, 0.0, 0.0)

EYES_LEAD = 0.09
"""Seconds by which eyes move before the head follows."""
FACES_CAMERA = math.radians(28)
"""Mean yaw beyond which nobody looks at the camera any more."""
LEAN = 0.012
"""Root mean square of how much nearer or further a head comes, as a part of its size."""

LAUGH_HERTZ = 4.7
"""Bursts of a laugh in a second (Provine 1996)."""
LAUGH_DEPTH = 0.35
"""How much the mouth closes between them."""
LAUGH_BOB, LAUGH_TILT = math.radians(6), math.radians(3)
"""How far the head goes down between them for each part that the mouth closes, and how far back all the while."""
LATEST = 0.08
"""Seconds by which some shapes of a face come after others."""

CLOSING = 0.94
"""``mouthClose`` that shuts the lips for each ``jawOpen``: as much would push them through each other."""

PRESSING = 0.18
"""``mouthPress`` of lips that meet in speech."""
SPOKEN = {
    "jaw": "jawOpen", "funnel": "mouthFunnel", "pucker": "mouthPucker", "stretch": "mouthStretch",
    "lower": "mouthLowerDown", "upper": "mouthUpperUp", "tuck": "mouthRollLower",
}  # fmt: skip
"""The shape for each part of a mouth that speaks; ``meet`` has none."""

MILD = ("smile", "smile", "grin", "raised brow", "doubt", "surprise", "smirk", "sadness", "anger", "fear")
"""Faces that colour speech."""
CHEERFUL = ("grin", "grin", "laugh", "laugh", "surprise", "amazement")
"""Faces that lively people make more often than others."""
LIPS_APART = ("mouthUpperUp", "mouthLowerDown", "noseSneer", "mouthFunnel", "mouthShrugUpper")
"""Shapes that keep lips from meeting."""


@dataclass(frozen=True)
class Moment:
    """One frame of acting: what of a :class:`~durian.synthetic.base.person.View` it changes.

    Attributes:
        expression: amounts of the head model's shapes.
        yaw, pitch, roll: radians.
        cx, cy: shift in the picture, as a view's.
        scale: factor of a view's scale: below 1 the head is nearer.
    """

    expression: Mapping[str, float] = field(default_factory=dict)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    cx: float = 0.0
    cy: float = 0.0
    scale: float = 1.0


class _Act:
    """Curves that a manner composes: angles ``(F, 3)``, shapes ``(F,)`` that add up, closure of the lids."""

    def __init__(self, t: np.ndarray, seed: int, pose: Angles) -> None:
        self.t, self.pose = t, pose
        self.angles = np.zeros((len(t), 3))
        self.shapes = {shape: np.full(len(t), amount) for shape, amount in AT_REST.items()}
        self.shut = {side: np.zeros(len(t)) for side in "LR"}
        self.shift = 0.0
        self._seed = seed

    def chance(self, name: str) -> np.random.Generator:
        """Chance of its own for each thing, so that more of one changes no other."""
        return np.random.default_rng([self._seed, *name.encode()])

    def add(self, shape: str, amount: np.ndarray) -> None:
        """Add to a shape; without a side to both. Closures of the lids join: shut stays shut."""
        for name in (f"{shape}_L", f"{shape}_R") if shape in SIDED else (shape,):
            if name.startswith("eyeBlink"):
                self.shut[name[-1]] = 1 - (1 - self.shut[name[-1]]) * (1 - np.clip(amount, 0, 1))
            else:
                self.shapes[name] = self.shapes.get(name, 0.0) + amount

    def hold(self, carriage: Carriage) -> HeadMotion:
        """Let the head move."""
        motion = carry(self.t, self.chance("head"), carriage, self.pose)
        self.angles += motion.angles
        self.shift = carriage.shift
        return motion

    def watch(self, motion: HeadMotion, camera: float, glances: float) -> None:
        """Let the eyes look at the camera, with this share of the postures, or where the head goes."""
        around, rng = fixations(self.t, self.chance("eyes"), glances), self.chance("attention")
        camera *= max(0.0, 1 - (self.pose[0] / FACES_CAMERA) ** 2)
        targets = np.array([np.zeros(2) if rng.random() < camera else posture[:2] for posture in motion.postures])
        moved = np.linalg.norm(np.diff(targets, axis=0, prepend=targets[:1]), axis=1)
        starts = np.array(motion.starts) - EYES_LEAD
        target = steps(self.t, starts, [saccade_seconds(amplitude) for amplitude in moved], targets) + around
        aside, down = (target - self.turned[:, :2]).T
        for shape, amount in look(aside, down).items():
            self.add(shape, amount)

    @property
    def turned(self) -> np.ndarray:
        """Yaw, pitch and roll ``(F, 3)``, within reach."""
        return within_reach(self.angles, self.pose)

    def blink(self, per_minute: float) -> None:
        self.add("eyeBlink", blinks(self.t, self.chance("lids"), per_minute))

    def make_faces(
        self,
        names: tuple[str, ...],
        strength: tuple[float, float],
        seconds: tuple[float, float],
        resting: float,
        without: tuple[str, ...] = (),
    ) -> None:
        """One face after the other: each comes, stays and goes while the next one comes.

        Args:
            names: of :data:`FACES`.
            strength: least and most.
            seconds: shortest and longest.
            resting: share of the time without a face.
            without: shapes that something else moves.
        """
        rng, t, last = self.chance("faces"), self.t, ""
        tremble = 1 + 0.07 * sway(t, rng, 1.6)
        for start, length in intervals(t, rng, *seconds):
            choice = [name for name in names if name != last]
            name = choice[int(rng.integers(len(choice)))]
            onset, offset = rng.uniform(0.2, 0.45), rng.uniform(0.4, 0.75)
            amount, rests = rng.uniform(*strength), rng.random() < resting
            face = sample_face(rng, name, amount)
            # The sides of a shape move as one; the shapes of a face do not.
            delays = dict(zip(FACES[name], rng.uniform(0, LATEST, len(FACES[name]))))
            last = name
            # A wink is short, all else goes while the next face comes.
            hold = 0.12 if name == "wink" else max(0.1, length - onset - 0.35 * offset)
            if rests or not -onset - hold - offset - LATEST < start < t[-1]:
                continue
            whole = bump(t, start, onset, hold, offset)
            laugh = 1 - LAUGH_DEPTH * whole * (0.5 - 0.5 * np.cos(2 * np.pi * LAUGH_HERTZ * (t - start)))
            for shape, value in face.items():
                stem = shape.removesuffix("_L").removesuffix("_R")
                if stem in without:
                    continue
                curve = value * tremble * bump(t, start + delays.get(stem, 0.0), onset, hold, offset)
                self.add(shape, curve * laugh if name == "laugh" and stem in ("jawOpen", "mouthLowerDown") else curve)
            if name == "laugh":
                self.angles[:, 1] += amount * (LAUGH_BOB * (1 - laugh) - LAUGH_TILT * whole)

    def speak(self) -> None:
        """Let the mouth speak, brows and head with it."""
        rng = self.chance("speech")
        speech = speak(self.t, rng, effort=rng.uniform(0.8, 1.2))
        mouth, meet = speech.mouth, speech.mouth["meet"]
        for shape, amounts in self.shapes.items():
            if shape.removesuffix("_L").removesuffix("_R") in LIPS_APART:
                self.shapes[shape] = amounts * (1 - meet)
        for part, shape in SPOKEN.items():
            self.add(shape, mouth[part])
        self.add("mouthClose", CLOSING * self.shapes["jawOpen"] * meet)
        self.add("mouthPress", PRESSING * meet)
        nods, brows = beaten(self.t, self.chance("beats"), speech.beats)
        self.angles[:, 1] += nods
        self.add("browInnerUp", brows)
        self.add("browOuterUp", 0.8 * brows)

    def moments(self) -> tuple[Moment, ...]:
        rng, t = self.chance("place"), self.t
        cx, cy = (self.shift * sway(t, rng, 0.5) for _ in range(2))
        scale = 1 + LEAN * min(1.0, 2 * self.shift) * sway(t, rng, 0.4) / 0.7
        # The upper body turns a little with the head.
        cx = cx + 1.2 * self.shift * (self.turned[:, 0] - self.pose[0])
        shapes = settled(self.shapes | {f"eyeBlink_{side}": shut for side, shut in self.shut.items()})
        names, amounts = list(shapes), np.array(list(shapes.values())).T.tolist()
        rows = np.column_stack([self.turned, cx, cy, scale]).tolist()
        return tuple(
            Moment({name: amount for name, amount in zip(names, values) if amount}, *row)
            for values, row in zip(amounts, rows)
        )


def perform(
    rng: np.random.Generator | int, frames: int, fps: float = 24.0, manner: str = "talk", pose: Angles = FRONT
) -> tuple[Moment, ...]:
    """A clip of somebody who talks, is lively, looks around or sits still.

    Args:
        rng: where chance comes from, of which one number is taken, or a seed.
        frames: how many moments.
        fps: how many of them are in a second.
        manner: one of :data:`MANNERS`.
        pose: yaw, pitch and roll in radians around which the head moves; who turns does so from side to side whatever
            the yaw.

    Returns:
        the moments at times 0, 1 / fps, 2 / fps and so on.

    Raises:
        InvalidRequest: no such manner, no frame, or no time.
    """
    if manner not in MANNERS:
        raise InvalidRequest(f"There is no manner {manner!r}: use one of {', '.join(MANNERS)}.")
    if frames < 1 or not fps > 0:
        raise InvalidRequest(f"A clip needs a frame and a frame rate, not {frames} frames at {fps} per second.")
    seed = int(np.random.default_rng(rng).integers(2**62))
    act = _Act(np.arange(frames) / fps, seed, pose)
    MANNERS[manner](act)
    return act.moments()


def _degrees(yaw: float, pitch: float, roll: float) -> Angles:
    return math.radians(yaw), math.radians(pitch), math.radians(roll)


def _talk(act: _Act) -> None:
    motion = act.hold(Carriage(_degrees(5.5, 2.6, 2.4), (0.6, 1.8), _degrees(0.9, 0.7, 0.6), gestures=0.12, shift=0.25))
    act.make_faces(MILD, (0.15, 0.55), (1.2, 3.0), 0.3, ("jawOpen", "mouthFunnel", "mouthShrugLower", "mouthPress"))
    act.speak()
    act.watch(motion, camera=0.85, glances=0.16)
    act.blink(per_minute=22)


def _lively(act: _Act) -> None:
    motion = act.hold(Carriage(_degrees(17, 7, 5), (0.7, 1.8), _degrees(1.2, 0.9, 0.8), gestures=0.3, shift=0.4))
    act.make_faces((*FACES, *CHEERFUL), (0.65, 1.15), (0.9, 2.2), 0.08)
    act.watch(motion, camera=0.6, glances=0.15)
    act.blink(per_minute=18)


def _turn(act: _Act) -> None:
    motion = act.hold(Carriage(_degrees(0, 4, 3), (1.1, 1.9), _degrees(0.7, 0.6, 0.5), looks_around=True, shift=0.3))
    act.make_faces(("smile", "pressed", "raised brow", "smirk"), (0.1, 0.5), (1.5, 3.5), 0.3)
    act.watch(motion, camera=0.25, glances=0.12)
    act.blink(per_minute=24)


def _still(act: _Act) -> None:
    motion = act.hold(Carriage(_degrees(0.7, 0.5, 0.4), (1.5, 4.0), _degrees(0.4, 0.3, 0.25), shift=0.06))
    act.make_faces(("smile", "pressed", "doubt", "weary"), (0.05, 0.25), (2.0, 5.0), 0.4)
    act.watch(motion, camera=0.92, glances=0.1)
    act.blink(per_minute=16)


MANNERS: dict[str, Callable[[_Act], None]] = {"talk": _talk, "lively": _lively, "turn": _turn, "still": _still}
"""How somebody acts: speaks; makes one face after the other; turns the head from side to side; sits for a portrait."""

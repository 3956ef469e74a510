"""Motion presets from parameters: curves of head angles and facial actions, without footage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from durian.errors import InvalidRequest
from durian.motion.canonical import expression, gaze
from durian.motion.motion import Motion
from durian.motion.rotations import euler
from durian.motion.timeline import blink, blinks, bump, speech, sway, swell, times, window

PRESETS: dict[str, str] = {
    "nod": "A friendly yes.",
    "shake": "A gentle no, eyes on the camera.",
    "tilt": "The head leans to one side with a soft smile, then to the other.",
    "smile": "A smile grows, reaches the eyes, and goes.",
    "talk": "Speaks, with small movements of the head and blinks.",
    "blink": "Sits still, breathes and blinks.",
    "surprise": "Brows up, eyes wide, mouth open.",
    "look-around": "The eyes lead, the head follows: left, right, up.",
    "laugh": "Laughs with an open mouth.",
    "kiss": "Leans in and blows a kiss.",
    "wink": "One eye closes with half a smile.",
    "mix": "A little of everything: looks, speaks, smiles and nods.",
}
"""Name to a description for the page."""

MAX_YAW, MAX_PITCH, MAX_ROLL = 15.0, 10.0, 10.0
"""Degrees; larger turns show what a single photo does not."""

GAZE_HOLD = 0.6
"""Part of a turn that the eyes take back when they stay on the camera (full would stare)."""


@dataclass
class _Score:
    """Curves that a preset writes: angles in degrees, gaze in degrees, facial actions from 0 to 1, each ``(F,)``."""

    t: np.ndarray
    total: float
    random: np.random.Generator
    yaw: np.ndarray | float = 0.0
    pitch: np.ndarray | float = 0.0
    roll: np.ndarray | float = 0.0
    nearer: np.ndarray | float = 0.0
    """Growth of the face: 0.03 is leaning in by 3 %."""
    look_right: np.ndarray | float = 0.0
    look_down: np.ndarray | float = 0.0
    faces: dict[str, np.ndarray] = field(default_factory=dict)

    def act(self, **strengths: np.ndarray) -> None:
        """Add facial actions; ``smile`` and ``blink`` stand for both sides, a smile a little uneven."""
        for name, strength in strengths.items():
            if name == "smile":
                self.act(smile_left=strength, smile_right=0.9 * strength)
            elif name == "blink":
                self.act(blink_left=strength, blink_right=strength)
            else:
                self.faces[name] = self.faces.get(name, 0) + strength

    def alive(self, every: float = 2.5, amount: float = 1.0) -> None:
        """Breathing, a slight wander of the head, blinks."""
        self.yaw = self.yaw + 0.8 * amount * sway(self.t, self.total, self.random)
        self.pitch = self.pitch + 0.6 * amount * sway(self.t, self.total, self.random)
        self.roll = self.roll + 0.5 * amount * sway(self.t, self.total, self.random)
        if every:
            self.act(blink=blinks(self.t, self.total, self.random, every))

    def motion(self, name: str, fps: float) -> Motion:
        frames = len(self.t)
        for side in ("blink_left", "blink_right"):
            if side in self.faces:
                self.faces[side] = np.minimum(self.faces[side], 1)
        full = lambda values: np.broadcast_to(np.asarray(values, np.float64), frames)  # noqa: E731
        look_down = full(self.look_down)
        # The upper lids follow the eyes: 25 degrees is about as far as one looks without moving the head.
        lids = {"look_down": np.clip(look_down / 25, 0, 1) * 0.7, "look_up": np.clip(-look_down / 25, 0, 1)}
        faces = expression(**self.faces, **lids) + gaze(full(self.look_right), look_down)
        yaw = np.clip(full(self.yaw), -MAX_YAW, MAX_YAW)
        pitch = np.clip(full(self.pitch), -MAX_PITCH, MAX_PITCH)
        roll = np.clip(full(self.roll), -MAX_ROLL, MAX_ROLL)
        scales = 1 + full(self.nearer)
        rotations, translations = euler(yaw, pitch, roll), np.zeros((frames, 3))
        for values, neutral in ((rotations, np.eye(3)), (translations, 0), (scales, 1), (faces, 0)):
            values[[0, -1]] = neutral
        return Motion(name, fps, 0, rotations, translations, scales, faces)


def preset(name: str, frames: int = 48, fps: float = 24.0, seed: int = 0) -> Motion:
    """An authored motion that begins and ends at neutral, so that it loops.

    >>> nod = preset("nod", frames=24)
    >>> len(nod), nod.fps
    (24, 24.0)
    >>> nod.rotations.shape, nod.expressions.shape
    ((24, 3, 3), (24, 478, 3))

    Args:
        name: one of :data:`PRESETS`.
        frames: length; the movement is fitted to it, blinks and syllables keep their natural speed.
        fps: frames per second.
        seed: varies speech, blinks and small movements; the same seed gives the same motion.

    Raises:
        InvalidRequest: there is no such preset, or no frame.
    """
    if name not in PRESETS:
        raise InvalidRequest(f"Motion {name!r} is not known: use one of {', '.join(PRESETS)}.")
    if frames < 1:
        raise InvalidRequest(f"{frames} frames cannot be made: give at least 1.")
    t, total = times(frames, fps)
    score = _Score(t, total, np.random.default_rng([seed, *name.encode()]))
    _AUTHORS[name](score)
    return score.motion(name, fps)


def _nod(score: _Score) -> None:
    t, total = score.t, score.total
    count = max(1, round(total / 0.75))
    for index in range(count):
        length = total / count
        depth = 9.5 * 0.85**index
        score.pitch = score.pitch + depth * bump(t, index * length, 0.42 * length, 0, 0.58 * length)
    score.pitch = score.pitch - 1.5 * swell(t, total)
    score.look_down = -GAZE_HOLD * score.pitch
    score.act(smile=0.3 * swell(t, total), cheek_raise=0.2 * swell(t, total))
    score.alive(amount=0.6)


def _shake(score: _Score) -> None:
    t, total = score.t, score.total
    count = max(1, round(total / 1.0))
    score.yaw = 14 * np.sin(2 * np.pi * count * t / total) * window(t, total, 0.25)
    score.roll = 0.12 * score.yaw
    score.look_right = -GAZE_HOLD * score.yaw
    score.act(brow_inner_up=0.4 * swell(t, total), press=0.25 * swell(t, total))
    score.alive(amount=0.4)


def _tilt(score: _Score) -> None:
    t, total = score.t, score.total
    first = bump(t, 0, 0.22 * total, 0.1 * total, 0.25 * total)
    second = bump(t, 0.45 * total, 0.25 * total, 0.06 * total, 0.24 * total)
    score.roll = 9.5 * first - 8 * second
    score.yaw = -4 * first + 3 * second
    score.look_right = -GAZE_HOLD * score.yaw
    score.act(smile=0.45 * swell(t, total), cheek_raise=0.3 * swell(t, total), brow_outer_up=0.25 * first)
    score.alive(amount=0.5)


def _smile(score: _Score) -> None:
    t, total = score.t, score.total
    mouth = bump(t, 0, 0.35 * total, 0.3 * total, 0.35 * total)
    eyes = bump(t, 0.08 * total, 0.35 * total, 0.18 * total, 0.35 * total)
    # The lips stay closed: a photo with a closed mouth has no teeth to show.
    score.act(smile=1.1 * mouth, dimple=0.15 * mouth, cheek_raise=0.6 * eyes, squint=0.3 * eyes, press=0.1 * mouth)
    score.pitch, score.roll, score.nearer = -2.0 * eyes, 2.5 * eyes, 0.01 * mouth
    score.alive(amount=0.7)


def _talk(score: _Score) -> None:
    t, total, random = score.t, score.total, score.random
    mouth = speech(t, total, random)
    score.act(**mouth)
    # The head stresses what the jaw does, and wanders; brows rise with the stress.
    stress = np.convolve(mouth["jaw_open"], np.hanning(9) / np.hanning(9).sum(), mode="same")[: len(t)]
    score.pitch = 2.0 * sway(t, total, random, 1.2) + 5 * stress * window(t, total)
    score.yaw = 3.5 * sway(t, total, random)
    score.roll = 1.8 * sway(t, total, random)
    score.look_right, score.look_down = -GAZE_HOLD * score.yaw, -GAZE_HOLD * score.pitch
    brows = np.clip(sway(t, total, random, 0.9), 0, 1)
    score.act(brow_inner_up=0.35 * brows, brow_outer_up=0.4 * brows, smile=0.12 * window(t, total))
    score.alive(amount=0.3, every=2.0)


def _blink(score: _Score) -> None:
    score.act(brow_down=0.15 * blinks(score.t, score.total, np.random.default_rng(0), 1.2))
    score.alive(every=1.2, amount=1.2)


def _surprise(score: _Score) -> None:
    t, total = score.t, score.total
    start = 0.1 * total
    sudden = bump(t, start, min(0.3, 0.2 * total), 0.35 * total, 0.4 * total)
    score.act(brow_inner_up=0.9 * sudden, brow_outer_up=1.0 * sudden, eye_wide=1.0 * sudden)
    score.act(jaw_open=0.42 * sudden, funnel=0.25 * sudden, lower_lip_down=0.15 * sudden)
    score.pitch, score.nearer = -5 * sudden, -0.02 * sudden
    score.act(blink=blink(t, start - 0.2) * (start > 0.25) + blink(t, 0.78 * total) * (total > 1.2))
    score.alive(every=0, amount=0.4)


def _look_around(score: _Score) -> None:
    t, total = score.t, score.total
    places = ((-13.0, 2.0), (12.0, 1.0), (4.0, -7.0))[: max(1, min(3, round(total / 0.65)))]
    part = total / len(places)
    blinking = np.zeros_like(t)
    for index, (right, down) in enumerate(places):
        start = 0.93 * index * part
        head = bump(t, start + 0.18 * part, 0.42 * part, 0.06 * part, 0.4 * part)
        eyes = bump(t, start, 0.18 * part, 0.42 * part, 0.24 * part)
        score.yaw = score.yaw + right * head
        score.pitch = score.pitch + down * head
        score.look_right = score.look_right + 1.3 * right * eyes
        score.look_down = score.look_down + 1.3 * down * eyes
        if index:
            blinking = np.maximum(blinking, blink(t, start - 0.08))
    score.roll = 0.15 * score.yaw
    score.act(blink=blinking, brow_outer_up=0.5 * np.clip(-score.pitch / 7, 0, 1))
    score.alive(every=0, amount=0.3)


def _laugh(score: _Score) -> None:
    t, total = score.t, score.total
    joy = bump(t, 0, 0.25 * total, 0.4 * total, 0.35 * total)
    loud = bump(t, 0.12 * total, 0.2 * total, 0.25 * total, 0.33 * total)
    # Laughter comes in bursts of about four and a half a second.
    pulse = 0.5 - 0.5 * np.cos(2 * np.pi * 4.5 * t)
    score.act(smile=0.9 * joy, cheek_raise=0.7 * joy, squint=0.4 * joy, dimple=0.2 * joy)
    score.act(jaw_open=loud * (0.24 + 0.12 * pulse), upper_lip_up=0.35 * loud, lower_lip_down=0.35 * loud)
    score.act(blink=0.12 * loud, brow_outer_up=0.3 * loud)
    score.pitch = -6.5 * loud + 1.5 * loud * pulse
    score.roll, score.yaw = 3 * joy, -3 * loud
    score.alive(every=0, amount=0.3)


def _kiss(score: _Score) -> None:
    t, total = score.t, score.total
    lips = bump(t, 0.1 * total, 0.25 * total, 0.2 * total, 0.2 * total)
    after = bump(t, 0.6 * total, 0.15 * total, 0.05 * total, 0.2 * total)
    score.act(pucker=0.95 * lips, funnel=0.15 * lips, blink=0.8 * lips, cheek_raise=0.2 * lips)
    score.act(smile=0.55 * after, cheek_raise=0.3 * after)
    score.pitch, score.nearer, score.roll = 3 * lips - 3 * after, 0.04 * lips, 4 * lips
    score.alive(every=0, amount=0.3)


def _wink(score: _Score) -> None:
    t, total = score.t, score.total
    eye = bump(t, 0.35 * total, 0.14, 0.12, 0.22) if total > 1.0 else swell(t, total, 0.3, 0.4)
    mouth = bump(t, 0.15 * total, 0.25 * total, 0.2 * total, 0.35 * total)
    score.act(blink_left=eye, smile_left=0.9 * mouth, smile_right=0.45 * mouth, cheek_raise=0.5 * mouth)
    score.act(brow_outer_up=0.2 * mouth)
    score.roll, score.yaw, score.pitch = 5 * mouth, 4 * mouth, 2 * eye
    score.look_right = -GAZE_HOLD * score.yaw
    score.alive(every=0, amount=0.3)


def _mix(score: _Score) -> None:
    t, total = score.t, score.total
    parts = ((_look_left_and_back, 0.0, 0.3), (_talk, 0.22, 0.45), (_smile, 0.6, 0.4), (_nod, 0.68, 0.32))
    for author, start, length in parts:
        inner = t - start * total
        inside = (inner >= 0) & (inner <= length * total)
        part = _Score(np.clip(inner, 0, length * total), length * total, score.random)
        author(part)
        for name in ("yaw", "pitch", "roll", "nearer", "look_right", "look_down"):
            setattr(score, name, getattr(score, name) + getattr(part, name) * inside)
        score.act(**{n: s * inside for n, s in part.faces.items() if not n.startswith("blink")})
    score.alive(every=1.6, amount=0.4)


def _look_left_and_back(score: _Score) -> None:
    t, total = score.t, score.total
    far = min(1.0, total / 0.45)  # in a short clip there is only time for a small turn
    score.yaw = -11 * far * bump(t, 0.12 * total, 0.38 * total, 0.08 * total, 0.42 * total)
    score.look_right = -12 * far * bump(t, 0, 0.2 * total, 0.4 * total, 0.25 * total)


_AUTHORS: dict[str, Callable[[_Score], None]] = {
    "nod": _nod,
    "shake": _shake,
    "tilt": _tilt,
    "smile": _smile,
    "talk": _talk,
    "blink": _blink,
    "surprise": _surprise,
    "look-around": _look_around,
    "laugh": _laugh,
    "kiss": _kiss,
    "wink": _wink,
    "mix": _mix,
}

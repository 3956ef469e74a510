"""Mouth motion of meaningless speech: syllables of visemes that melt into each other, phrases and pauses.

Coarticulation after Cohen and Massaro, "Modeling coarticulation in synthetic visual speech" (1993): each viseme pulls
each part of the mouth towards its place with a dominance that rises and falls around it; the mouth is where the pulls
balance. Lips that must meet pull hard, those that do not matter give way to their neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from durian.motion.timeline import ease
from durian.synthetic.base.curves import LEAD

PARTS = ("jaw", "meet", "funnel", "pucker", "stretch", "lower", "upper", "tuck")
"""Parts of the mouth that visemes move: the jaw; lips that meet, funnel, pucker or stretch; the lower and the upper lip
drawn from the teeth; the lower lip tucked under the upper teeth."""

Places = dict[str, tuple[float, float]]

VISEMES: dict[str, Places] = {
    "a": {"jaw": (0.34, 1.2), "lower": (0.28, 0.6), "upper": (0.12, 0.5), "stretch": (0.06, 0.4)},
    "e": {"jaw": (0.2, 1.0), "stretch": (0.22, 0.7), "lower": (0.34, 0.7), "upper": (0.2, 0.6)},
    "i": {"jaw": (0.1, 1.0), "stretch": (0.34, 0.8), "lower": (0.36, 0.7), "upper": (0.22, 0.6)},
    "o": {"jaw": (0.24, 1.0), "funnel": (0.46, 1.2), "pucker": (0.22, 1.0)},
    "u": {"jaw": (0.11, 1.0), "funnel": (0.2, 1.2), "pucker": (0.58, 1.2)},
    "schwa": {"jaw": (0.15, 0.8), "lower": (0.2, 0.4), "upper": (0.06, 0.4)},
    "bilabial": {"jaw": (0.07, 2.0), "meet": (1.0, 8.0), "lower": (0.0, 2.0), "upper": (0.0, 2.0)},
    "labiodental": {"jaw": (0.07, 2.0), "tuck": (0.42, 6.0), "upper": (0.24, 2.5), "lower": (0.0, 2.5)},
    "dental": {"jaw": (0.12, 1.6), "lower": (0.22, 0.6), "upper": (0.1, 0.5)},
    "alveolar": {"jaw": (0.075, 2.0), "lower": (0.3, 0.6), "upper": (0.14, 0.5), "stretch": (0.1, 0.3)},
    "palatal": {"jaw": (0.08, 2.0), "funnel": (0.48, 2.2), "lower": (0.22, 0.6), "upper": (0.16, 0.6)},
    "velar": {"jaw": (0.14, 1.0), "lower": (0.16, 0.3)},
    "lateral": {"jaw": (0.17, 1.4), "lower": (0.24, 0.5)},
    "rounded": {"jaw": (0.09, 1.4), "pucker": (0.5, 2.2), "funnel": (0.22, 1.6)},
}
"""For the parts that a viseme needs: their place and the dominance with which it pulls them there (taste)."""

INDIFFERENT = 0.35
"""Dominance with which a viseme pulls the parts that it does not need to rest."""
SILENCE = 0.12
"""Dominance of the resting mouth, everywhere."""

VOWELS = {"a": 0.24, "e": 0.2, "i": 0.17, "o": 0.13, "u": 0.08, "schwa": 0.18}
CONSONANTS = {
    "alveolar": 0.4, "bilabial": 0.17, "velar": 0.1, "labiodental": 0.09, "dental": 0.06, "palatal": 0.05,
    "lateral": 0.06, "rounded": 0.07,
}  # fmt: skip
"""How often each is heard, roughly English (Hayden 1950)."""

SYLLABLES_PER_SECOND = (3.3, 5.6)
"""Of one phrase; single syllables are up to a fifth shorter or longer."""
SYLLABLES_PER_PHRASE = (4, 13)
PAUSE_SECONDS = (0.25, 1.0)
FINAL_LENGTHENING = 1.45
"""The last syllable of a phrase is longer."""
CODA_PART = 0.3
"""Share of syllables that end in a consonant."""
NO_ONSET_PART = 0.12
"""Share of syllables that begin with their vowel."""
STRESS_EVERY = (2, 4)
"""A stressed syllable follows after so many at least, fewer than so many."""

REACH_SECONDS = 0.075
"""How far a viseme's pull reaches beyond its own time: lips move that much before they are heard."""
MEETING = 0.7
"""Balance of pulls at which lips are closed."""


@dataclass(frozen=True)
class Speech:
    """The motion of a spoken passage.

    Attributes:
        mouth: ``(F,)`` each of :data:`PARTS`, amounts of 0 to about 0.6, ``meet`` up to 1.
        beats: seconds and strength, about 1, of the stressed syllables.
        phrases: seconds at which phrases begin.
    """

    mouth: dict[str, np.ndarray]
    beats: tuple[tuple[float, float], ...]
    phrases: tuple[float, ...]


@dataclass(frozen=True)
class _Phone:
    viseme: int
    middle: float
    length: float
    strength: float


_NAMES = tuple(VISEMES)
_PLACES = np.array([[VISEMES[name].get(part, (0.0, 0.0))[0] for part in PARTS] for name in _NAMES])
_PULLS = np.array([[VISEMES[name].get(part, (0.0, INDIFFERENT))[1] for part in PARTS] for name in _NAMES])
_MEET = PARTS.index("meet")


def speak(t: np.ndarray, rng: np.random.Generator, effort: float = 1.0) -> Speech:
    """Random speech at times ``t (F,)`` in seconds, 0 or later.

    ``effort`` is how much the mouth moves: 0.7 mumbles, 1.2 speaks to the back row.
    """
    phones, beats, phrases = _said(float(t[-1]) + LEAD, rng)
    visemes = np.array([phone.viseme for phone in phones])
    middles, lengths, strengths = np.array([(phone.middle, phone.length, phone.strength) for phone in phones]).T
    away = np.clip((t[:, None] - middles) / (lengths / 2 + REACH_SECONDS), -1, 1)
    dominance = (0.5 + 0.5 * np.cos(np.pi * away)) ** 2
    pulls = _PULLS[visemes]
    places = _PLACES[visemes] * np.where(np.arange(len(PARTS)) == _MEET, 1, effort * strengths[:, None])
    balance = (dominance @ (pulls * places)) / (dominance @ pulls + SILENCE)
    meet = ease(balance[:, _MEET] / MEETING)
    mouth = dict(zip(PARTS, balance.T))
    # Closed lips leave nothing to part; a pucker or a tucked lip can stay.
    for part in ("funnel", "lower", "upper"):
        mouth[part] = mouth[part] * (1 - meet)
    mouth["meet"] = meet
    return Speech(mouth, tuple(beats), tuple(phrases))


def _said(end: float, rng: np.random.Generator) -> tuple[list[_Phone], list[tuple[float, float]], list[float]]:
    """Phones from before the first frame until ``end``, stressed syllables, and beginnings of phrases."""
    draw_vowel, draw_consonant = _chooser(VOWELS, rng), _chooser(CONSONANTS, rng)
    phones, beats, phrases = [], [], []
    now = -LEAD - rng.uniform(0, 1)
    while now < end:
        phrases.append(now)
        rate = rng.uniform(*SYLLABLES_PER_SECOND)
        count = int(rng.integers(*SYLLABLES_PER_PHRASE))
        stressed = int(rng.integers(0, 2))
        for number in range(count):
            last, stress = number == count - 1, number == stressed
            length = rng.uniform(0.85, 1.2) / rate * (FINAL_LENGTHENING if last else 1) * (1.1 if stress else 0.97)
            strength = rng.uniform(1.0, 1.25) if stress else rng.uniform(0.6, 0.95)
            onset = rng.random() >= NO_ONSET_PART
            coda = rng.random() < CODA_PART
            sounds = [draw_consonant()] * onset + [draw_vowel()] + [draw_consonant()] * coda
            parts = np.array([0.36] * onset + [0.64 if onset else 0.9] + [0.3] * coda)
            lengths = length * parts / parts.sum()
            for sound, sound_length in zip(sounds, lengths):
                phones.append(_Phone(sound, now + sound_length / 2, sound_length, strength))
                now += sound_length
            if stress:
                beats.append((now - length / 2, strength))
                stressed = number + int(rng.integers(*STRESS_EVERY))
        now += rng.uniform(*PAUSE_SECONDS)
    return phones, beats, phrases


def _chooser(shares: dict[str, float], rng: np.random.Generator):
    numbers = [_NAMES.index(name) for name in shares]
    edges = np.cumsum(list(shares.values()))

    def draw() -> int:
        return numbers[min(int(np.searchsorted(edges, rng.random() * edges[-1], side="right")), len(numbers) - 1)]

    return draw

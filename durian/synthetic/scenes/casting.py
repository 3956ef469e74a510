"""Random people whose face, age, colours, hair and clothes go together."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from durian.synthetic.base.looks import BeardLook, BrowLook, EarringLook, GlassesLook, HairLook, HatLook
from durian.synthetic.base.person import Person
from durian.synthetic.base.wear import Colour, Look
from durian.synthetic.hair.beard import sample_beard_look
from durian.synthetic.hair.brows import sample_brow_look
from durian.synthetic.hair.styles import sample_hair_look
from durian.synthetic.scenes.colouring import Colouring, sample_colouring
from durian.synthetic.worn.cloth import sample_cloth_look
from durian.synthetic.worn.earrings import sample_earring_look
from durian.synthetic.worn.glasses import sample_glasses_look
from durian.synthetic.worn.hats import sample_hat_look

Worn = TypeVar("Worn", bound=Look)

IDENTITIES, FARTHEST = 100, 2.2
"""Numbers that make a face, and how many standard deviations from the mean they may be."""
INDIVIDUALITY = (0.7, 1.05)
"""How far faces are from the mean one, 1 being as people are."""
AGES = (18.0, 82.0)
ANDROGYNY = 0.1
"""Spread of ``feminine`` about 0 and 1."""
DARKER_BROWS, REDDER_BEARD = 0.7, (1.12, 0.98, 0.9)
"""Brows and beards against the hair of the head."""
FRECKLED = 0.3
"""Share of people with pale skin; darker skin shows them less."""
MADE_UP, WITH_LIPSTICK = 0.5, 0.7
"""Shares of women, and of those who are made up."""
EYE_SPREAD, LARGER_EYES = 0.04, 0.025
"""Of the size of eyes, and by how much women's are larger and men's smaller."""
WITH_GLASSES, WITH_HAT = 0.3, 0.2
WITH_EARRINGS = (0.06, 0.5)
"""Shares of people; of earrings that of men and that of women."""


def stream(seed: int, name: str) -> np.random.Generator:
    """Chance for one part of what a seed makes: drawing more of one part never changes another."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def cast(seed: int, feminine: float | None = None, age: float | None = None) -> Person:
    """A person, dressed: the same seed is always the same one.

    Args:
        seed: who.
        feminine: 0 to 1; drawn if left out.
        age: years; drawn between :data:`AGES` if left out.
    """
    body = stream(seed, "body")
    drawn_feminine = np.clip(abs(body.normal(0, ANDROGYNY)), 0, 0.4)
    drawn_feminine = float(1 - drawn_feminine if body.random() < 0.5 else drawn_feminine)
    drawn_age = float(AGES[0] + (AGES[1] - AGES[0]) * body.beta(1.2, 1.9))
    feminine = drawn_feminine if feminine is None else feminine
    age = drawn_age if age is None else age
    colours = sample_colouring(stream(seed, "colours"))
    skin = stream(seed, "skin")
    pale = float(np.clip((sum(colours.tone) - 0.9) / 0.6, 0, 1))
    has_freckles, freckles = skin.random() < FRECKLED * pale, float(skin.uniform(0.3, 1.0))
    is_made_up, makeup = skin.random() < MADE_UP * feminine, float(skin.uniform(0.2, 1.0))
    return Person(
        seed=seed,
        feminine=feminine,
        age=age,
        identity=cast_identity(stream(seed, "identity")),
        tone=colours.tone,
        iris=colours.iris,
        lips=colours.lipstick if is_made_up and skin.random() < WITH_LIPSTICK else colours.lips,
        eye_size=float(np.clip(1 + EYE_SPREAD * skin.normal() + LARGER_EYES * (2 * feminine - 1), 0.9, 1.12)),
        freckles=freckles if has_freckles else 0.0,
        makeup=makeup if is_made_up else 0.0,
        hair=cast_hair(seed, feminine, age, colours),
        beard=cast_beard(seed, feminine, age, colours),
        brows=cast_brows(seed, feminine, age, colours),
        glasses=_perhaps(stream(seed, "glasses"), WITH_GLASSES, sample_glasses_look, GlassesLook()),
        hat=_perhaps(stream(seed, "hat"), WITH_HAT, sample_hat_look, HatLook()),
        earrings=_perhaps(
            stream(seed, "earrings"), float(np.interp(feminine, (0, 1), WITH_EARRINGS)), sample_earring_look,
            EarringLook(),
        ),
        cloth=sample_cloth_look(stream(seed, "cloth")),
    )  # fmt: skip


def cast_identity(rng: np.random.Generator) -> np.ndarray:
    """``(100,) float32`` weights of a face."""
    weights = np.clip(rng.normal(size=IDENTITIES), -FARTHEST, FARTHEST)
    return (weights * rng.uniform(*INDIVIDUALITY)).astype(np.float32)


def cast_hair(seed: int, feminine: float, age: float, colours: Colouring) -> HairLook:
    """Hair for somebody, sometimes none."""
    rng = stream(seed, "hair")
    style, parameters = sample_hair_look(rng, feminine, age)
    return HairLook(style, parameters, int(rng.integers(2**31)), colours.hair)


def cast_beard(seed: int, feminine: float, age: float, colours: Colouring) -> BeardLook:
    """A beard for somebody, often none, of about the colour that their hair has by nature."""
    rng = stream(seed, "beard")
    style, parameters = sample_beard_look(rng, feminine, age)
    red = 1 + (np.array(REDDER_BEARD) - 1) * rng.random()
    return BeardLook(style, parameters, int(rng.integers(2**31)), _times(colours.natural_hair, red))


def cast_brows(seed: int, feminine: float, age: float, colours: Colouring) -> BrowLook:
    """Brows for somebody, darker than their hair by nature."""
    rng = stream(seed, "brows")
    style, parameters = sample_brow_look(rng, feminine, age)
    darker = DARKER_BROWS + (1 - DARKER_BROWS) * rng.random()
    return BrowLook(style, parameters, int(rng.integers(2**31)), _times(colours.natural_hair, darker))


def _times(colour: Colour, factor: np.ndarray | float) -> Colour:
    r, g, b = (float(value) for value in np.multiply(colour, factor))
    return r, g, b


def _perhaps(
    rng: np.random.Generator, share: float, sample: Callable[[np.random.Generator], Worn], nothing: Worn
) -> Worn:
    worn = sample(rng)
    return worn if rng.random() < share else nothing

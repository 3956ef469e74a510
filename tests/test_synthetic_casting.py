"""People drawn at random: always the same for a seed, and of colours that go together."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from durian.synthetic.scenes.casting import AGES, cast
from durian.synthetic.scenes.colouring import (
    HAIR_DYES,
    SKIN_AT,
    SKIN_TONES,
    hair_colour,
    sample_colouring,
    sample_hair_colour,
    sample_iris,
    skin_tone,
)

CROWD = range(400)


@pytest.fixture(scope="module")
def crowd():
    return [cast(seed) for seed in CROWD]


def same(first, second) -> list[str]:
    """Names of the fields in which two people agree."""
    return [
        field.name for field in fields(first) if np.array_equal(getattr(first, field.name), getattr(second, field.name))
    ]


def test_a_seed_is_always_the_same_person(crowd):
    assert len(same(cast(7), crowd[7])) == len(fields(crowd[7]))
    assert "identity" not in same(crowd[7], crowd[8])


def test_what_is_asked_for_leaves_the_rest_alone(crowd):
    older = cast(7, age=80)
    assert older.age == 80
    assert {"seed", "feminine", "identity", "tone", "iris", "lips", "glasses", "hat", "cloth"} <= set(
        same(older, crowd[7])
    )


def test_people_are_as_varied_as_they_should_be(crowd):
    ages = np.array([person.age for person in crowd])
    assert AGES[0] <= ages.min() < 22
    assert 70 < ages.max() <= AGES[1]
    women = [person for person in crowd if person.feminine > 0.5]
    assert 0.4 < len(women) / len(crowd) < 0.6
    assert not any(person.beard.is_worn for person in women)
    assert len({person.hair.style for person in crowd}) > 20
    for name, low, high in (("glasses", 0.2, 0.4), ("hat", 0.1, 0.3), ("earrings", 0.2, 0.4), ("cloth", 1.0, 1.0)):
        assert low <= np.mean([getattr(person, name).is_worn for person in crowd]) <= high, name


def test_brows_and_beards_are_not_dyed(crowd):
    dyed = [person for person in crowd if person.hair.colour in HAIR_DYES]
    assert 0.03 < len(dyed) / len(crowd) < 0.15
    for person in dyed:
        brow, hair = np.array(person.brows.colour), np.array(person.hair.colour)
        assert np.abs(brow / brow.sum() - hair / hair.sum()).max() > 0.005 or brow.sum() < hair.sum()
        assert brow[0] >= brow[1] >= brow[2]  # grown hair is never blue


def test_skin_passes_through_its_tones_and_darkens_with_melanin():
    for melanin, tone in zip(SKIN_AT, SKIN_TONES):
        np.testing.assert_allclose(skin_tone(melanin), tone, rtol=1e-6)
    reds = [skin_tone(melanin)[0] for melanin in np.linspace(0, 1, 21)]
    assert np.all(np.diff(reds) < 0)


def test_hair_follows_its_pigments():
    blond, brown, black, red = hair_colour(0.03), hair_colour(0.3), hair_colour(1.3), hair_colour(0.02, 0.3)
    assert sum(blond) > sum(brown) > sum(black)
    assert black[0] < 0.02
    as_bright = hair_colour(0.12)
    assert abs(red[0] - as_bright[0]) < 0.05
    assert red[0] / red[2] > 1.2 * as_bright[0] / as_bright[2]
    # Equation 9 by hand: exp(-6.1 sqrt(0.3 * 0.419)) = 0.115.
    assert brown[0] == pytest.approx(0.1151, abs=2e-4)


def test_dark_skin_goes_with_dark_hair_and_eyes():
    def mean(sample, melanin: float) -> float:
        return float(np.mean([sum(sample(np.random.default_rng(seed), melanin)) for seed in range(200)]))

    for sample in (sample_hair_colour, sample_iris):
        assert mean(sample, 0.05) > 2.5 * mean(sample, 0.9)
    tones = np.array([sample_colouring(np.random.default_rng(seed)).tone for seed in range(200)])
    assert np.all(tones[:, 0] > tones[:, 2])
    assert tones.max() <= 0.85

"""Ratings files that the gallery's page saves: read, checked, and matched with the gallery's key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from durian.errors import InvalidRequest, LimitExceeded, UnreadableMedia
from durian.evaluation.gallery.key import Key
from durian.evaluation.gallery.rubric import FAULTS, RATINGS
from durian.schema import Checked, Real, Text, checked

Format = Literal["durian-ratings-1"]
if TYPE_CHECKING:
    RatingName = str
    FaultName = str
else:
    RatingName, FaultName = Literal[tuple(RATINGS)], Literal[tuple(FAULTS)]
MOST_BYTES = 20_000_000
"""Of one rater's file; an answer takes some 300."""
MOST_ANSWERS = 50_000

Seconds = Annotated[Real, Field(ge=0)]
Name = Annotated[Text, Field(min_length=1)]


@dataclass(frozen=True)
class Rating(Checked):
    """One picture's rating. ``look`` is its name in the key; ``method`` is told where the page was not blind."""

    pair: Text
    look: Text
    rating: RatingName
    seconds: Seconds
    time: Text
    fault: FaultName | None = None
    method: Text | None = None


@dataclass(frozen=True)
class Preference(Checked):
    """Which of a pair's ``looks`` is better; ``None`` for neither."""

    pair: Text
    looks: Annotated[tuple[Text, ...], Field(min_length=2, max_length=8)]
    better: Text | None
    seconds: Seconds
    time: Text


@dataclass(frozen=True)
class RatingsFile(Checked):
    """One rater's file, as the page saves it."""

    format: Format
    gallery: Text
    rater: Name
    saved: Text
    ratings: Annotated[tuple[Rating, ...], Field(max_length=MOST_ANSWERS)]
    preferences: Annotated[tuple[Preference, ...], Field(max_length=MOST_ANSWERS)] = ()


@dataclass(frozen=True)
class Given:
    """All answers about one gallery: by rater and look, and by rater and looks; the later of two answers counts.

    ``left_out`` counts answers about pictures that the gallery no longer shows: most were rendered anew."""

    ratings: dict[tuple[str, str], Rating]
    preferences: dict[tuple[str, tuple[str, ...]], Preference]
    left_out: int

    @property
    def raters(self) -> list[str]:
        """Their names, each once."""
        return list(dict.fromkeys(rater for rater, _ in (*self.ratings, *self.preferences)))


def read_ratings(path: Path) -> RatingsFile:
    """Read one rater's file.

    Raises:
        UnreadableMedia, LimitExceeded, InvalidRequest: it cannot be read, is too large, or is something else.
    """
    try:
        if not path.is_file():
            raise UnreadableMedia(f"{path.name} does not exist: give files that the gallery's page saved.")
        if path.stat().st_size > MOST_BYTES:
            raise LimitExceeded(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB: give one rater's file.")
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UnreadableMedia(f"{path.name} holds no ratings: give files that the gallery's page saved.") from error
    try:
        return checked(RatingsFile, told, "the file")
    except InvalidRequest as error:
        raise InvalidRequest(f"{path.name} cannot be used: {error}") from error


def gather(paths: Sequence[Path], key: Key) -> Given:
    """All answers of some files.

    Args:
        paths: of any number of raters; of one rater's files the later answer counts.
        key: of the gallery they are about.

    Raises:
        InvalidRequest: a file is about another gallery, or none holds an answer; and as :func:`read_ratings`.
    """
    asked = {record.number for record in key.pairs}
    shown = [look for look in key.looks if look.method in key.methods and look.pair in asked]
    known = {look.name for look in shown if look.error is None}
    ratings: dict[tuple[str, str], Rating] = {}
    preferences: dict[tuple[str, tuple[str, ...]], Preference] = {}
    left_out = 0
    for path in paths:
        file = read_ratings(path)
        if file.gallery != key.gallery:
            raise InvalidRequest(f"{path.name} is about another gallery: give the folder of that one to --out.")
        rater = " ".join(file.rater.split())
        for rating in file.ratings:
            left_out += rating.look not in known
            if rating.look in known:
                _keep_later(ratings, (rater, rating.look), rating)
        for preference in file.preferences:
            looks = tuple(sorted(preference.looks))
            is_sound = known.issuperset(looks) and preference.better in (*looks, None)
            left_out += not is_sound
            if is_sound:
                _keep_later(preferences, (rater, looks), preference)
    if not ratings and not preferences:
        raise InvalidRequest("None of the files holds an answer about a picture of this gallery: check --out.")
    return Given(ratings, preferences, left_out)


def _keep_later(found: dict, place: tuple, answer: Rating | Preference) -> None:
    # ISO times of one form, so that text sorts as time does.
    if place not in found or answer.time >= found[place].time:
        found[place] = answer

"""Checks of synthetic people: whether a face detector finds them, and whether they are different people."""

from __future__ import annotations

from collections.abc import Callable
from math import radians

import numpy as np

from durian.synthetic.acting.expressions import sample_expression
from durian.synthetic.head.head import HeadModel
from durian.synthetic.head.identities import Separation, head_shapes, separation
from durian.synthetic.scenes.casting import cast, stream
from durian.synthetic.scenes.sheets import portrait
from durian.synthetic.studio.studio import Studio

WIDEST = radians(45)
"""Yaw up to which a face must be found."""
VIEWS = 4
"""Expressions of each person whose shapes are compared."""
MOST_SHAPES = 200
"""People whose shapes are compared: distances grow with the square."""


def check(
    people: int = 200, seed: int = 0, size: int = 256, on_face: Callable[[int, int], None] | None = None
) -> dict[str, object]:
    """Portraits of people whose yaw is spread evenly up to 45° to both sides.

    Args:
        people: how many.
        seed: of the first.
        size: pixels along a picture's side.
        on_face: called with (portraits done, in all).

    Returns:
        ``faces_found``: share of portraits in which MediaPipe finds one; ``missed``: seeds of the others;
        ``people_apart``: how often two people's steady landmarks lie farther apart than two expressions of one
        (:attr:`durian.synthetic.head.identities.Separation.order`); ``same_person`` and ``two_people``: their distances
        at 5, 50 and 95 %.

    Raises:
        WeightsMissing: there is no head model.
    """
    from durian.face import detect_faces

    head = HeadModel.load()
    studio, missed = Studio(head), []
    yaws = np.random.default_rng(seed).permutation(np.linspace(-WIDEST, WIDEST, people))
    for number, yaw in enumerate(yaws):
        picture = portrait(studio, seed + number, size, yaw=float(yaw))
        if not detect_faces(picture.rgb):
            missed.append(seed + number)
        if on_face is not None:
            on_face(number + 1, people)
    apart = people_apart(head, range(seed, seed + min(people, MOST_SHAPES)))
    return {
        "people": people,
        "faces_found": round(1 - len(missed) / people, 4),
        "missed": missed,
        "people_apart": round(apart.order, 4),
        "same_person": _spread(apart.within),
        "two_people": _spread(apart.between),
    }


def people_apart(head: HeadModel, seeds: range) -> Separation:
    """Distances of the steady landmarks' shapes of people in some expressions each."""
    identities = np.array([cast(seed).identity for seed in seeds])
    expressions = [[sample_expression(stream(seed, f"expression {view}")) for view in range(VIEWS)] for seed in seeds]
    return separation(head_shapes(head, identities, expressions)[:, :, head.rigid_landmarks])


def _spread(distances: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in np.percentile(distances, (5, 50, 95))]

"""Contact sheets of people or scenes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from durian.synthetic.acting.expressions import sample_expression
from durian.synthetic.acting.poses import sample_pose
from durian.synthetic.base.person import View
from durian.synthetic.render.sensor import sample_sensor
from durian.synthetic.scenes.casting import cast, stream
from durian.synthetic.scenes.filming import Film
from durian.synthetic.scenes.illuminants import sample_light
from durian.synthetic.scenes.scene_files import PALETTE, class_map, tiled
from durian.synthetic.scenes.scenes import PORTRAITS, REFERENCES, with_room
from durian.synthetic.studio.studio import Picture, Studio

COLUMNS = 6
TARGETS_SHOWN = 4


def portrait(studio: Studio, seed: int, size: int = 256, samples: int = 2, yaw: float | None = None) -> Picture:
    """Somebody of :func:`~durian.synthetic.scenes.casting.cast`, in their own view or turned by ``yaw`` radians."""
    rng, person = stream(seed, "portrait"), cast(seed)
    drawn_yaw, pitch, roll = sample_pose(rng)
    view = View(
        expression=sample_expression(rng),
        yaw=drawn_yaw if yaw is None else yaw,
        pitch=pitch,
        roll=roll,
        light=sample_light(rng),
        background=seed,
        sensor=sample_sensor(rng),
    )
    return studio.render(person, with_room(view, person), size, samples)


def people_sheet(studio: Studio, seeds: Sequence[int], size: int = 256) -> np.ndarray:
    """Portraits of people, ``(rows · size, 6 · size, 3) uint8``."""
    return tiled([portrait(studio, seed, size).rgb for seed in seeds], min(COLUMNS, len(seeds)))


def scene_sheet(films: Iterable[Film]) -> np.ndarray:
    """A row for each scene: portrait, reference, its item's soft mask, targets, classes of the last target."""
    rows = []
    for film in films:
        pictures, first = film.pictures, PORTRAITS + REFERENCES
        reference = pictures[PORTRAITS]
        masks = [reference.coverage[item.attribute] for item in film.scene.items[:1]]
        mask = masks[0] if masks else np.zeros_like(reference.lens)
        shown = np.linspace(first, len(pictures) - 1, TARGETS_SHOWN).astype(int)
        row = [pictures[0].rgb, reference.rgb, np.repeat(mask[..., None], 3, axis=2)]
        row += [pictures[number].rgb for number in shown]
        rows.append(np.concatenate([*row, PALETTE[class_map(pictures[shown[-1]])]], axis=1))
    return np.concatenate(rows)

"""A folder of scenes: rendered by several processes; a run that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from durian.errors import InvalidRequest
from durian.manifest import check_manifest
from durian.settings import get_settings
from durian.synthetic.scenes.filming import film, in_processes, process_studio
from durian.synthetic.scenes.scene_files import scene_path, write_scene
from durian.synthetic.scenes.scenes import Recipe, scene

ABOUT = "about.json"
"""File that says what a folder's scenes are; scenes of other settings do not mix."""
SIZES = (64, 1024)
MOST_SCENES = 100_000
LICENCE = (
    "Rendered by Durian. The heads rest on ICT-FaceKit (USC Institute for Creative Technologies, MIT licence): keep "
    "its notice beside them. Nobody in these pictures is real."
)


@dataclass(frozen=True)
class SceneSet:
    """The content of a folder: scenes ``first`` to ``first + count - 1`` of a recipe and a seed."""

    folder: Path
    count: int
    recipe: Recipe
    size: int = 256
    seed: int = 0
    first: int = 0
    bare: bool = False

    def __post_init__(self) -> None:
        if not SIZES[0] <= self.size <= SIZES[1]:
            raise InvalidRequest(
                f"A picture of {self.size} px is not possible: give a size from {SIZES[0]} to {SIZES[1]}."
            )
        if self.count < 1 or self.first < 0 or self.first + self.count > MOST_SCENES:
            raise InvalidRequest(
                f"Scenes {self.first} to {self.first + self.count - 1} cannot be numbered: "
                f"give at least one, with numbers from 0 to {MOST_SCENES - 1}."
            )

    def numbers(self) -> range:
        """Numbers of its scenes."""
        return range(self.first, self.first + self.count)

    def missing(self) -> list[int]:
        """Scenes that are not there yet."""
        return [number for number in self.numbers() if not scene_path(self.folder, number).is_file()]

    def about(self) -> dict[str, object]:
        """Settings that all scenes of a folder share."""
        shared = {"size": self.size, "seed": self.seed, "bare": self.bare, **asdict(self.recipe)}
        return json.loads(json.dumps({**shared, "licence": LICENCE}))


def render_set(wanted: SceneSet, workers: int = 1, on_scene: Callable[[int, int], None] | None = None) -> int:
    """Render what a folder lacks; a scene's files do not depend on who renders it, or when.

    Args:
        wanted: the scenes.
        workers: processes of one thread each; 0 renders here, with all threads.
        on_scene: called with (scenes done, scenes that were missing), first with 0.

    Returns:
        how many were rendered.

    Raises:
        InvalidRequest: the folder holds scenes of other settings.
        WeightsMissing: there is no head model.
    """
    check_manifest(wanted.folder / ABOUT, wanted.about(), "scenes")
    missing = wanted.missing()
    if on_scene is not None:
        on_scene(0, len(missing))
    make = partial(render_scene, wanted=wanted)
    for done, _ in enumerate(in_processes(make, missing, min(workers, len(missing))), start=1):
        if on_scene is not None:
            on_scene(done, len(missing))
    return len(missing)


def render_scene(number: int, wanted: SceneSet) -> int:
    """Render one scene of a set into its folder, here; returns its number."""
    plot = scene(number, wanted.recipe, wanted.seed)
    studio = process_studio(get_settings().head_model)
    write_scene(film(studio, plot, wanted.size, wanted.bare), wanted.folder)
    return number

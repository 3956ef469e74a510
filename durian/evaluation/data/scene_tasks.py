"""Tasks from synthetic scenes with known truth; shared by the protocols that use them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest, NoFaceFound
from durian.evaluation.data.cases import Source
from durian.evaluation.data.tasks import ITEM_SHARE, Task
from durian.face.landmarks import detect_upscaled, fill_gaps, track_upscaled
from durian.request import Attribute, ItemName
from durian.schema import checked, shown
from durian.synthetic.base.geometry import Label
from durian.synthetic.scenes.scene_reading import SceneFiles, read_scene, scene_files, scene_names

FIRST_TEST_SCENE = 400
"""Where a folder holds older and newer scenes, those from here on are for testing only."""
FACE_LABELS = (
    *(Label.FACE, Label.BROW, Label.SCLERA, Label.IRIS, Label.LIPS, Label.MOUTH, Label.TEETH, Label.NOSE),
    Label.LASH,
)
"""Labels of the parts of a picture that show who it is."""
CHANGE = 8
"""Difference, of 255, from which on a pixel counts as changed by the item: above the noise of the camera."""


def scene_sources(folder: Path, which: str, limit: int | None) -> list[Source]:
    """The scenes of a folder that are asked for.

    Args:
        folder: of scenes.
        which: ``test``, ``all`` or ``FIRST-LAST``. A folder without scenes 400 and above is a test set as a whole.
        limit: only the first so many.

    Raises:
        InvalidRequest: there are none, or ``which`` is not understood.
    """
    paths = choose_scenes(folder, which)[:limit]
    return [Source(path.stem, tuple(scene_files(path))) for path in paths]


def choose_scenes(folder: Path, which: str) -> list[Path]:
    """The scenes' JSON files, in order; as :func:`scene_sources`."""
    found = [folder / f"{name}.json" for name in scene_names(folder)]
    if not found:
        raise InvalidRequest(
            f"{folder.name} holds no scenes: give a folder of NNNNN.webp, .png and .json files, as durian synth "
            "render makes it."
        )
    first, last = 0, sys.maxsize
    if which == "test":
        first = FIRST_TEST_SCENE if any(int(path.stem) >= FIRST_TEST_SCENE for path in found) else 0
    elif which != "all":
        bounds = re.fullmatch(r"(\d{1,9})-(\d{1,9})", which, re.ASCII)
        if not bounds:
            raise InvalidRequest(f"Scenes {shown(which)} are not known: use test, all or FIRST-LAST.")
        first, last = int(bounds[1]), int(bounds[2])
    chosen = [path for path in found if first <= int(path.stem) <= last]
    if not chosen:
        raise InvalidRequest(f"{folder.name} holds no scenes of {which!r}: give others, or --scenes all.")
    return chosen


def description_of(source: Source) -> Path:
    """The JSON file among a scene's files."""
    return next(path for path in source.files if path.suffix == ".json")


def scene_task(source: Source, items: int = 1) -> Task:
    """The portrait puts on the scene's items and moves as its targets do.

    Args:
        source: a scene.
        items: how many there must be.

    Raises:
        UnreadableMedia, InvalidRequest: the scene is broken, or of another kind.
        NoFaceFound: the portrait or all of the targets show none.
    """
    scene = read_scene(description_of(source))
    if len(scene.items) != items:
        raise InvalidRequest(f"Scene {scene.name} is a {scene.kind} with {len(scene.items)} items, not {items}.")
    targets, portrait = scene.shots("target"), scene.tiles[scene.shots("portrait")[0]]
    landmarks, found = detect_upscaled(portrait), track_upscaled(scene.tiles[targets])
    if landmarks is None or all(frame is None for frame in found):
        where = "portrait" if landmarks is None else "targets"
        raise NoFaceFound(f"Scene {scene.name}: no face was found in its {where}.")
    driving, filled = fill_gaps(found)
    return Task(
        name=source.name,
        group=" and ".join(sorted(scene.items)),
        image=portrait,
        landmarks=landmarks,
        attributes=tuple(reference_of(scene, item) for item in scene.items),
        driving=driving,
        fps=scene.fps,
        truth=scene.tiles[targets],
        tracked=found,
        masks={name: scene.masks(name)[targets] for name in scene.items},
        regions=regions_apart(scene, targets),
        facts={"filled_frames": filled, **gaps_of(scene)},
    )


def reference_of(scene: SceneFiles, item: str) -> Attribute:
    """An item on its owner, with its true mask.

    Raises:
        InvalidRequest: it is not to be seen there.
    """
    tile = scene.items[item][0]
    mask, picture = scene.masks(item)[tile], scene.tiles[tile]
    if not mask.any():
        raise InvalidRequest(f"Scene {scene.name}: the {item} is not seen in the reference.")
    return Attribute(picture, mask, detect_upscaled(picture), checked(ItemName, item))


def regions_apart(scene: SceneFiles, targets: list[int]) -> dict[str, np.ndarray]:
    """Parts of the targets that are scored by themselves, ``(F, S, S) bool``.

    ``face``: skin and features that no item hides, which show who it is. ``lens`` and ``frame`` of glasses. ``hat``
    and so on where there are several items. ``changed``: whatever differs from the targets without the item, with
    its shadow and the hair it presses, where the scene has those.
    """
    labels = scene.labels[targets]
    covered = {name: scene.masks(name)[targets] >= ITEM_SHARE for name in scene.items}
    regions = {"face": np.isin(labels, FACE_LABELS)}
    for hidden in covered.values():
        regions["face"] &= ~hidden
    if "glasses" in covered:
        regions["lens"], regions["frame"] = labels == Label.LENS, labels == Label.FRAME
    if len(covered) > 1:
        regions |= covered
    if scene.bare is not None:
        difference = np.abs(scene.tiles[targets].astype(np.int16) - scene.bare).max(axis=-1)
        regions["changed"] = difference > CHANGE
    return regions


def gaps_of(scene: SceneFiles) -> dict[str, float]:
    """Degrees between the heads of portrait and reference, and how far their lights differ, where it is known."""
    about, gaps = scene.about, {}
    if "pose_gap" in about:
        gaps["pose_gap"] = round(float(np.degrees(about["pose_gap"])), 2)
    if "light_gap" in about:
        gaps["light_gap"] = round(float(about["light_gap"]["total"]), 3)
    return gaps

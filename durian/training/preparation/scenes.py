"""Clips from synthetic scenes: their true masks, and landmarks found as the app finds them.

Portraits and references are found one by one, as photos; targets are interpolated where no face is found, as a motion
is. In clips and where nothing changes hands, everything is one person's, and what is worn can be learnt from as of a
video.
"""

from __future__ import annotations

import numpy as np

from durian.clips import SUFFIX, ClipAbout, ClipFrame, write_clip
from durian.errors import UnreadableMedia
from durian.face import Crop
from durian.face.landmarks import detect_upscaled, fill_gaps
from durian.synthetic.scenes.scene_files import scene_path
from durian.synthetic.scenes.scene_reading import SceneFiles, read_scene
from durian.training.preparation.quality import Reason
from durian.training.preparation.record import LeftOut, Made, Record, unreadable
from durian.training.preparation.settings import Preparation
from durian.training.preparation.wearing import steady_items

MOST_FILLED = 0.34
"""Share of the targets whose landmarks may be interpolated: more would be guessed motion."""


def prepare_scene(source: str, wanted: Preparation) -> Record:
    """Make the clip of one scene. One that cannot be used is recorded as left out.

    Args:
        source: its name.
        wanted: the settings.
    """
    try:
        scene = read_scene(scene_path(wanted.sources, int(source)))
    except UnreadableMedia as error:
        return unreadable(source, str(error))
    found = [detect_upscaled(tile) for tile in scene.tiles]
    fault = _fault(scene, found)
    if fault is not None:
        return Record(source, left_out=(LeftOut(fault),))
    targets = scene.shots("target")
    filled, _ = fill_gaps([found[shot] for shot in targets])
    found = [filled[targets.index(shot)] if shot in targets else found[shot] for shot in range(len(found))]
    seen = {shot: landmarks for shot, landmarks in enumerate(found) if landmarks is not None}
    kept, frames = list(seen), _frames(scene, seen, wanted)
    items = _items(scene, frames, kept, wanted)
    if not items:
        return Record(source, left_out=(LeftOut(Reason.NOTHING_WORN),))
    about = ClipAbout(
        name=scene.name,
        size=wanted.size,
        fps=scene.fps,
        roles=tuple(scene.roles[shot] for shot in kept),
        items=items,
        people=tuple(scene.people[shot] for shot in kept),
        source=f"synthetic scene {scene.name} of {wanted.sources.name}",
        kind=scene.kind,
        item_frames={
            name: tuple(kept.index(shot) for shot in scene.items[name] if shot in kept)
            for name in items
            if name in scene.items
        },
    )
    write_clip(wanted.out / f"{scene.name}{SUFFIX}", about, frames)
    made = Made(f"{scene.name}{SUFFIX}", len(frames), round(len(targets) / scene.fps, 3), items)
    dropped = tuple(LeftOut(Reason.LOST, shot, 1) for shot in range(len(found)) if shot not in kept)
    return Record(source, (made,), dropped)


def _fault(scene: SceneFiles, found: list[np.ndarray | None]) -> Reason | None:
    """Why a scene cannot be used, or ``None``: every role, and every item's owner, must show a face."""
    if all(found[shot] is None for shot in scene.shots("portrait")):
        return Reason.PORTRAIT_LOST
    if any(all(found[shot] is None for shot in shots) for shots in scene.items.values()):
        return Reason.REFERENCE_LOST
    lost = [found[shot] is None for shot in scene.shots("target")]
    return Reason.TARGETS_LOST if not lost or all(lost) or np.mean(lost) > MOST_FILLED else None


def _frames(scene: SceneFiles, landmarks: dict[int, np.ndarray], wanted: Preparation) -> list[ClipFrame]:
    side = scene.tiles.shape[1]
    whole = Crop((side - 1) / 2, (side - 1) / 2, side)
    masks = {name: scene.masks(name) for name in wanted.categories}
    frames = []
    for shot, face in landmarks.items():
        seen = {name: mask[shot] for name, mask in masks.items() if mask[shot].any()}
        frames.append(
            ClipFrame(
                whole.apply(scene.tiles[shot], wanted.size),
                whole.points(face, wanted.size),
                {name: whole.apply(mask, wanted.size) for name, mask in seen.items()},
            )
        )
    return frames


def _items(scene: SceneFiles, frames: list[ClipFrame], kept: list[int], wanted: Preparation) -> tuple[str, ...]:
    """The items that change hands; where none do, what is seen in every target."""
    if scene.items:
        return tuple(name for name in scene.items if name in wanted.categories)
    targets = [frame for frame, shot in zip(frames, kept, strict=True) if scene.roles[shot] == "target"]
    empty = np.zeros((wanted.size, wanted.size), np.uint8)
    masks = {name: [frame.masks.get(name, empty) for frame in targets] for name in wanted.categories}
    return steady_items(masks, [frame.landmarks for frame in targets])

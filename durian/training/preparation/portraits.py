"""Clips from photos, animated by the preview renderer.

What moves is the renderer's idea of a head, but skin, hair and light are real ones: beside scenes, whose motion is
right and whose people are rendered.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from durian.clips import SUFFIX, ClipAbout, ClipFrame, write_clip
from durian.errors import DurianError
from durian.face import Face, default_crop
from durian.face.checks import require_face
from durian.media import read_image
from durian.motion import PRESETS, preset
from durian.preview.renderer import animate
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.scene import prepare_scene
from durian.training.data.expansion import whole
from durian.training.preparation.quality import Reason
from durian.training.preparation.record import LeftOut, Made, Record, unreadable
from durian.training.preparation.settings import Preparation
from durian.training.preparation.wearing import parsed_masks, parsed_side, steady_items

PORTRAIT_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
FRAMES, FRAMES_PER_SECOND = 16, 8.0
"""Two seconds of a motion: enough that poses and expressions differ."""
POSE_STRENGTH = 0.7
"""Of the motions' turns (taste): beyond, the renderer's own faults are what would be learnt."""


def prepare_portrait(source: str, wanted: Preparation) -> Record:
    """Make the clip of one photo, with a motion that follows from its name. One without a face is left out.

    Args:
        source: its path in the folder of photos.
        wanted: the settings.
    """
    try:
        image = read_image(wanted.sources / source)
        landmarks = require_face(image).landmarks
    except DurianError as error:
        return unreadable(source, str(error))
    crop = default_crop(Face(landmarks), image.shape)
    seed = zlib.crc32(source.encode())
    motion = preset(sorted(PRESETS)[seed % len(PRESETS)], FRAMES, FRAMES_PER_SECOND, seed)
    side = parsed_side(crop, wanted.size)
    options = RenderOptions(size=side, frames=FRAMES, fps=FRAMES_PER_SECOND, pose_strength=POSE_STRENGTH, label=False)
    scene = prepare_scene(AnimationRequest(Portrait(image, landmarks, crop), motion=motion, options=options))
    pictures = list(animate(scene))
    masks = parsed_masks(pictures, list(scene.driving), wanted.categories, wanted.size)
    small = whole(side)
    points = [small.points(face, wanted.size) for face in scene.driving]
    items = steady_items(masks, points)
    if not items:
        return Record(source, left_out=(LeftOut(Reason.NOTHING_WORN),))
    frames = [
        ClipFrame(small.apply(picture, wanted.size), face, {name: masks[name][place] for name in masks})
        for place, (picture, face) in enumerate(zip(pictures, points, strict=True))
    ]
    about = ClipAbout(
        name=source,
        size=wanted.size,
        fps=FRAMES_PER_SECOND,
        roles=("target",) * FRAMES,
        items=items,
        people=(0,) * FRAMES,
        source=f"{source}, animated by the preview renderer",
    )
    name = f"{source}{SUFFIX}"
    write_clip(wanted.out / name, about, frames)
    return Record(source, (Made(Path(name).name, FRAMES, FRAMES / FRAMES_PER_SECOND, items),))

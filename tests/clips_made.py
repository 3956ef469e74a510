"""Clips of people who move: example portraits moved by the preview, masks by the parser that ships, hair dyed anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from durian.clips import SUFFIX, Clip, ClipAbout, ClipFrame, write_clip
from durian.face import default_crop, detect_faces
from durian.media import read_image
from durian.motion import drive, preset
from durian.preview.renderer import PreviewRenderer
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.segmentation import worn

ASSETS = Path(__file__).resolve().parent.parent / "assets"
FRAMES_PER_SECOND = 8.0
ROOM = 1.15


def acted(picture: str, category: str, motion: str, size: int, frames: int) -> list[ClipFrame]:
    """Somebody of ``assets`` who moves, at ``size`` pixels."""
    image = read_image(ASSETS / f"{picture}.webp")
    face = detect_faces(image)[0]
    portrait = Portrait(image, face.landmarks, default_crop(face, image.shape, ROOM))
    moving = preset(motion, frames, FRAMES_PER_SECOND)
    options = RenderOptions(size=size, frames=frames, fps=FRAMES_PER_SECOND, label=False)
    request = AnimationRequest(portrait=portrait, motion=moving, options=options)
    landmarks = drive(moving, portrait.crop.points(portrait.landmarks, size).astype(np.float32))
    return [
        ClipFrame(frame, points.astype(np.float32), worn(frame, points, [category]))
        for frame, points in zip(PreviewRenderer().render(request), landmarks, strict=True)
    ]


def dyed(frames: Sequence[ClipFrame], category: str, colour: Sequence[float]) -> list[ClipFrame]:
    """The same with an item of another colour, ``(3,)`` in [0, 1], its shading kept."""
    made = []
    for frame in frames:
        part = frame.masks[category][..., None] / 255
        light = frame.image.mean(axis=2, keepdims=True)
        painted = np.clip((40 + 1.2 * light) * np.asarray(colour), 0, 255)
        image = frame.image + part * (painted - frame.image)
        made.append(ClipFrame(np.round(image).astype(np.uint8), frame.landmarks, frame.masks))
    return made


def write(folder: Path, name: str, category: str, frames: Sequence[ClipFrame]) -> Clip:
    """A clip of frames, all of them targets."""
    size, count = len(frames[0].image), len(frames)
    about = ClipAbout(name, size, FRAMES_PER_SECOND, ("target",) * count, (category,), (0,) * count, source=name)
    return Clip(write_clip(folder / f"{name}{SUFFIX}", about, frames))

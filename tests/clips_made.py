"""Clips made on the spot: the example portraits moved by the preview, masks by the parser that ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from durian.face import default_crop, detect_faces
from durian.media import read_image
from durian.motion import drive, preset
from durian.preview.renderer import PreviewRenderer
from durian.request import AnimationRequest, Portrait, RenderOptions
from durian.segmentation import worn
from durian.training.clips import SUFFIX, ClipAbout, ClipFrame, write_clip

ASSETS = Path(__file__).resolve().parent.parent / "assets"
ROOM = 1.15


def acted_clip(folder: Path, picture: str, category: str, motion: str, size: int, frames: int) -> Path:
    """Somebody of ``assets`` who wears an item, moving; a clip of ``size`` pixels."""
    image = read_image(ASSETS / f"{picture}.webp")
    face = detect_faces(image)[0]
    portrait = Portrait(image, face.landmarks, default_crop(face, image.shape, ROOM))
    moving = preset(motion, frames, fps=8.0)
    options = RenderOptions(size=size, frames=frames, fps=8.0, label=False)
    request = AnimationRequest(portrait=portrait, motion=moving, options=options)
    landmarks = drive(moving, portrait.crop.points(portrait.landmarks, size).astype(np.float32))
    made = []
    for frame, points in zip(PreviewRenderer().render(request), landmarks, strict=True):
        made.append(ClipFrame(frame, points.astype(np.float32), worn(frame, points, [category])))
    name = f"{picture}-{motion}"
    about = ClipAbout(name, size, 8.0, ("target",) * frames, (category,), (0,) * frames, source=picture)
    return write_clip(folder / f"{name}{SUFFIX}", about, made)


def painted_clips(folder: Path, image: np.ndarray, landmarks: np.ndarray, size: int, frames: int) -> list[Path]:
    """Two clips of a photo that drifts and turns, with a made-up beard; made in a moment."""
    raise NotImplementedError

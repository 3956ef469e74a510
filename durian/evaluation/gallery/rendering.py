"""One pair's pictures: the inputs, and by each method a still, four frames and the clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from durian.engine.postprocess import Finisher
from durian.evaluation.gallery.pairs import Pair
from durian.evaluation.run.sheets import COLUMNS, spread
from durian.prepare import AttributeSource, MotionSource, PortraitSource, build_request
from durian.renderer import Renderer
from durian.request import AnimationRequest, RenderOptions

INPUT = 384
"""Longest side in pixels of a reference in the page, and side of the portrait's crop."""
QUALITY = 90
"""Of WebP pictures of what was given: shown small, and not judged."""
STILL, CLIP = "{}-still.webp", "{}.mp4"
PORTRAIT, ITEM, FRAME = "{}-portrait.webp", "{}-item{}.webp", "{}-frame{}.webp"
"""Names of files, made from a name that says nothing."""


def request_of(pair: Pair, size: int, frames: int) -> AnimationRequest:
    """The request of a pair: named starts, and the defaults of everything but ``size`` and ``frames``.

    Raises:
        DurianError: a file cannot be read, no face or nothing of that name was found.
    """
    items = [AttributeSource(path, name) for path, name in pair.items]
    options = RenderOptions(size=size, frames=frames)
    return build_request(PortraitSource(pair.portrait), items, MotionSource(pair.motion), options).request


def write_inputs(folder: Path, name: str, request: AnimationRequest) -> None:
    """Write the portrait, cropped as the results are, and each reference."""
    _write_input(folder / PORTRAIT.format(name), request.portrait.crop.apply(request.portrait.image, INPUT))
    for index, attribute in enumerate(request.attributes):
        _write_input(folder / ITEM.format(name, index), _fitted(attribute.image))


def write_look(folder: Path, name: str, request: AnimationRequest, renderer: Renderer) -> None:
    """Write the still, the frames and the clip that a renderer makes, as the engine finishes them.

    Nothing in the files says which renderer it was.

    Raises:
        DurianError: it could not be rendered or written.
    """
    from durian.media import VideoWriter, write_image

    finish = Finisher(request)
    write_image(finish(renderer.still(replace(request, motion=None))), folder / STILL.format(name))
    count = request.options.frames
    wanted = dict(zip(spread(count), range(COLUMNS)))
    with VideoWriter(folder / CLIP.format(name), request.options.fps, finish.size) as writer:
        for number, frame in enumerate(islice(renderer.render(request), count)):
            picture = finish(frame)
            writer.write(picture)
            if number in wanted:
                write_image(picture, folder / FRAME.format(name, wanted[number]))


def frame_names(name: str, frames: int) -> list[str]:
    """The files of a look's frames, in order; a clip of fewer frames than are shown has all of its own."""
    return [FRAME.format(name, place) for _, place in sorted(dict(zip(spread(frames), range(COLUMNS))).items())]


def look_files(name: str, frames: int) -> list[str]:
    """All files of a look."""
    return [STILL.format(name), *frame_names(name, frames), CLIP.format(name)]


def is_whole(folder: Path, names: Sequence[str]) -> bool:
    """Whether all files are there."""
    return all((folder / name).is_file() for name in names)


def _fitted(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    scale = min(1.0, INPUT / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _write_input(path: Path, image: np.ndarray) -> None:
    """A photograph as it was given: unlike :func:`durian.media.write_image` this leaves out the mark of a made one."""
    from PIL import Image

    from durian.media import atomic_output

    with atomic_output(path) as temporary:
        Image.fromarray(image).save(temporary, "WEBP", quality=QUALITY)

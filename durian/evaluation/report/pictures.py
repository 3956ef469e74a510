"""Pictures and short videos of single cases, as data URIs: the page opens without a network and without its folder."""

from __future__ import annotations

import base64
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from durian.evaluation.data.tasks import scaled
from durian.evaluation.run.results import INPUTS, stored_clip
from durian.evaluation.run.running import Evaluation
from durian.evaluation.run.sheets import spread

TILE = 176
"""Side in pixels of a picture in the page: with four methods a case takes about 120 KB."""
INPUT = 128
FRAMES = 5
"""Of a clip, side by side."""
QUALITY = 82
"""Of WebP pictures, where nothing can be told from the original at this size (taste)."""
TRUTH = "true frames"
SHOWN_FPS = 8.0
"""Frames per second at most: twelve frames are gone in a blink at 24."""


@dataclass(frozen=True)
class CasePictures:
    """Data URIs of one case: its inputs, a strip of frames with a row for each of ``names``, and a video of the same
    clips side by side."""

    inputs: str
    strip: str
    video: str
    names: tuple[str, ...]


def case_pictures(evaluation: Evaluation, case: str) -> CasePictures | None:
    """Pictures of a case that the folder holds; ``None`` where its clips are gone."""
    clips = {TRUTH: stored_clip(evaluation.kept_in, None, case)}
    clips |= {method: stored_clip(evaluation.kept_in, method, case) for method in evaluation.methods}
    shown = {name: [scaled(frame, TILE) for frame in clip] for name, clip in clips.items() if clip}
    inputs = evaluation.kept_in / INPUTS / f"{case}.png"
    if not shown or not inputs.is_file():
        return None
    length = min(len(clip) for clip in shown.values())
    columns = list(dict.fromkeys(spread(length, FRAMES)))
    strip = np.vstack([np.hstack([clip[index] for index in columns]) for clip in shown.values()])
    side_by_side = [np.hstack([clip[index] for clip in shown.values()]) for index in range(length)]
    return CasePictures(_inputs(inputs), webp_uri(strip), _video_uri(side_by_side), tuple(shown))


def webp_uri(image: np.ndarray) -> str:
    """``(H, W, 3) uint8`` as a data URI."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=QUALITY, method=4)
    return _uri("image/webp", buffer.getvalue())


def _inputs(path: Path) -> str:
    from durian.media import read_image

    row = read_image(path)
    count = row.shape[1] // row.shape[0]
    return webp_uri(np.hstack([scaled(np.ascontiguousarray(tile), INPUT) for tile in np.hsplit(row, count)]))


def _video_uri(frames: list[np.ndarray]) -> str:
    from durian.media import write_video

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.mp4"
        write_video(frames, path, SHOWN_FPS)
        return _uri("video/mp4", path.read_bytes())


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"

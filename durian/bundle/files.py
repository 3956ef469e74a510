"""Bundles: one ZIP with a result and everything needed to restore its request.

Layout: ``settings.json``, ``result.mp4`` (or ``.png``), ``portrait/image.png``, ``portrait/crop.png`` (to look at),
``portrait/worn_<name>.png``, ``attributes/<n>/image.png`` and ``mask.png``, ``landmarks.npz``, ``motion.npz``.
Bundles may come from strangers: nothing is unpacked to disk under a name of theirs, nothing is unpickled, and sizes
are checked before anything is read.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from durian.bundle.reading import BundleReader
from durian.errors import OutputFailed
from durian.request import AnimationRequest

VERSION = 1
"""Raised when an older Durian could not read a newer bundle."""
CROP_PREVIEW = 512
"""Side in pixels of the crop's picture, which is there for people only."""
PNG_COMPRESSION = 3
"""zlib level: a fifth of the time of the highest level for 5 % more bytes (measured on a photo of 12 megapixels)."""


def settings_of(request: AnimationRequest) -> dict[str, Any]:
    """All settings of a request as JSON values, without its pictures, masks and landmarks."""
    motion = request.motion
    return {
        "renderer": request.renderer,
        "mode": request.mode,
        "blend_start": float(request.blend_start),
        "blend_end": float(request.blend_end),
        "erase": list(request.erase),
        "options": asdict(request.options),
        "diffusion": asdict(request.diffusion),
        "portrait": {"crop": asdict(request.portrait.crop), "worn": sorted(request.portrait.worn)},
        "attributes": [
            {
                "name": attribute.name,
                "strength": float(attribute.strength),
                "trim": float(attribute.trim),
                "layer": attribute.layer,
                "placement": asdict(attribute.placement),
            }
            for attribute in request.attributes
        ],
        "motion": None
        if motion is None
        else {
            "name": motion.name,
            "fps": float(motion.fps),
            "neutral": motion.neutral,
            "neutral_opening": float(motion.neutral_opening),
            "frames": len(motion),
        },
    }


def save_bundle(
    path: str | os.PathLike[str],
    request: AnimationRequest,
    result_path: str | os.PathLike[str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write a bundle.

    Args:
        path: ends in ``.zip``.
        request: what the result was made from.
        result_path: the MP4 or PNG to put in; ``None`` for a request that was not run yet.
        extra: JSON values that come back from :func:`load_bundle`, such as a page's clicks.

    Raises:
        OutputFailed: it cannot be written, or the result is gone.
    """
    from durian.media import atomic_output

    path = Path(path)
    # Members have no time of their own: the same request and result make the same file.
    settings = {"version": VERSION, **settings_of(request), "extra": dict(extra or {})}
    with atomic_output(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("settings.json"), json.dumps(settings, indent=1))
        if result_path is not None:
            result_path = Path(result_path)
            if not result_path.is_file():
                raise OutputFailed(f"{result_path.name} is not there any more: make the animation again.")
            archive.write(result_path, f"result{result_path.suffix.lower()}")
        _write_pictures(archive, request)
        archive.writestr(zipfile.ZipInfo("landmarks.npz"), _npz(_landmarks(request)))
        if request.motion is not None:
            motion = request.motion
            parts = ("rotations", "translations", "scales", "expressions")
            archive.writestr(zipfile.ZipInfo("motion.npz"), _npz({part: getattr(motion, part) for part in parts}))
    return path


def load_bundle(path: str | os.PathLike[str], of_working_size: bool = False) -> tuple[AnimationRequest, dict[str, Any]]:
    """Read a bundle back.

    Args:
        path: the ZIP.
        of_working_size: refuse pictures larger than uploads are worked on, as a server must for strangers' bundles.

    Returns:
        The request, equal to the one saved, and ``extra``.

    Raises:
        UnreadableMedia: not a bundle of ours, damaged, or with values that make no sense.
        LimitExceeded: something in it is larger than the limits.
    """
    with BundleReader(path, VERSION) as reader:
        if of_working_size:
            reader.check_working_size()
        return reader.request(), reader.extra()


def _write_pictures(archive: zipfile.ZipFile, request: AnimationRequest) -> None:
    portrait = request.portrait
    archive.writestr(zipfile.ZipInfo("portrait/image.png"), _png(portrait.image))
    archive.writestr(zipfile.ZipInfo("portrait/crop.png"), _png(portrait.crop.apply(portrait.image, CROP_PREVIEW)))
    for name, mask in portrait.worn.items():
        archive.writestr(zipfile.ZipInfo(f"portrait/worn_{name}.png"), _png(mask))
    for index, attribute in enumerate(request.attributes):
        archive.writestr(zipfile.ZipInfo(f"attributes/{index}/image.png"), _png(attribute.image))
        archive.writestr(zipfile.ZipInfo(f"attributes/{index}/mask.png"), _png(attribute.mask))


def _landmarks(request: AnimationRequest) -> dict[str, np.ndarray]:
    arrays = {"portrait": request.portrait.landmarks}
    for index, attribute in enumerate(request.attributes):
        if attribute.landmarks is not None:
            arrays[f"attribute_{index}"] = attribute.landmarks
    return arrays


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    members: dict[str, Any] = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    np.savez_compressed(buffer, **members)
    return buffer.getvalue()


def _png(image: np.ndarray) -> bytes:
    """An exact PNG of a picture or mask, without marks: these are what the visitor gave."""
    bgr = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION])[1].tobytes()

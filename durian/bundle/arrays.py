"""Arrays of a bundle, read without unpickling and checked to be finite and plausible for a person."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from durian.bundle.members import open_members, read_member
from durian.errors import InvalidRequest, LimitExceeded
from durian.face import LANDMARKS
from durian.face.geometry import eye_distance, face_height

MAX_ARRAYS = 64
MOST_DIMENSIONS = 3
MAX_ARRAY_BYTES = 64_000_000
"""Unpacked bytes of one ``.npz``; the longest motion has 3.5 MB."""

FARTHEST_LANDMARK = 3.0
"""Of a landmark from the picture's middle, in its longer sides: faces are cut off at the edge, not sides away."""
SMALLEST_EYE_DISTANCE = 1.0
"""Pixels between the outer eye corners; everything is measured in that distance."""
LARGEST_FACE = 2.0
"""Of a face that goes beyond its picture, in the picture's shorter sides."""
MOTION_RANGES: Mapping[str, tuple[float, float]] = {
    "rotations": (-1.001, 1.001),
    "translations": (-50.0, 50.0),
    "scales": (0.02, 50.0),
    "expressions": (-10.0, 10.0),
}
"""Lowest and highest values, distances in eye distances: ten times beyond what presets and videos reach."""
ROTATION_TOLERANCE = 0.01
"""Of the entries of R·Rᵀ from the identity; float32 leaves 1e-6."""


def read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` by name, float32. Sizes are compared with the headers before memory is taken.

    Raises:
        LimitExceeded: it would unpack to more than any bundle of ours.
        InvalidRequest: an array is not of the kind that is saved.
        zipfile.BadZipFile, zlib.error, OSError, and others: it is damaged.
    """
    with open_members(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > MAX_ARRAYS or sum(member.file_size for member in members) > MAX_ARRAY_BYTES:
            raise LimitExceeded("its arrays are too large.")
        return {member.filename.removesuffix(".npy"): _array(read_member(archive, member)) for member in members}


def _array(data: bytes) -> np.ndarray:
    stream = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("another version than Durian writes")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:
        # The header is a Python expression of a stranger's: its reader fails in many ways.
        raise InvalidRequest("an array in it is damaged.") from error
    content = data[stream.tell() :]
    whole = all(type(side) is int and side > 0 for side in shape)
    wrong = dtype != np.float32 or fortran or not whole or len(shape) > MOST_DIMENSIONS
    if wrong or math.prod(shape) * 4 != len(content):
        raise InvalidRequest("an array in it has numbers of the wrong kind.")
    return np.frombuffer(content, np.float32).reshape(shape).copy()


def landmarks_of(arrays: Mapping[str, np.ndarray], key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The landmarks ``key``, ``(478, 3) float32``, of a picture of ``shape``.

    Raises:
        InvalidRequest: they are missing, or no face in that picture can have them.
    """
    points = arrays.get(key)
    if points is None or points.shape != (LANDMARKS, 3):
        raise InvalidRequest("its landmarks are missing or incomplete.")
    height, width = shape[:2]
    middle, reach = np.array([width / 2, height / 2, 0.0]), FARTHEST_LANDMARK * max(height, width)
    # Not finite is not within reach either.
    if not (np.abs(points - middle) <= reach).all():
        raise InvalidRequest("its landmarks lie far outside their picture.")
    sizes = (eye_distance(points), face_height(points), np.ptp(points[:, 0]), np.ptp(points[:, 1]))
    if not (min(sizes) >= SMALLEST_EYE_DISTANCE and max(sizes) <= LARGEST_FACE * min(height, width)):
        raise InvalidRequest("its landmarks are not those of a face.")
    return points


def motion_arrays(arrays: Mapping[str, np.ndarray], longest: int) -> dict[str, Any]:
    """The four arrays of a :class:`~durian.motion.Motion`.

    Raises:
        LimitExceeded: more than ``longest`` frames.
        InvalidRequest: one is missing, of another shape, or holds values that no head and face reach.
    """
    rotations = arrays.get("rotations")
    frames = 0 if rotations is None or rotations.ndim == 0 else len(rotations)
    if frames > longest:
        raise LimitExceeded(f"its motion has {frames} frames, and at most {longest} are read.")
    shapes = {"rotations": (3, 3), "translations": (3,), "scales": (), "expressions": (LANDMARKS, 3)}
    for name, shape in shapes.items():
        values, (low, high) = arrays.get(name), MOTION_RANGES[name]
        if frames == 0 or values is None or values.shape != (frames, *shape):
            raise InvalidRequest(f"the {name} of its motion are missing or of another length.")
        if not ((values >= low) & (values <= high)).all():
            raise InvalidRequest(f"the {name} of its motion are beyond what a head does.")
    turned = arrays["rotations"].astype(np.float64)
    away = np.abs(turned @ turned.transpose(0, 2, 1) - np.eye(3)).max()
    if away > ROTATION_TOLERANCE or (np.linalg.det(turned) < 0).any():
        raise InvalidRequest("the rotations of its motion are none.")
    return {name: arrays[name] for name in shapes}

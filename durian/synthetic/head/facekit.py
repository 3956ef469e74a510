"""The compact head model, made from a clone of ICT-FaceKit (USC ICT, MIT).

FaceKit is a folder of Wavefront meshes of one topology: a neutral head, 100 identities, 57 expressions. The model
file keeps the neutral mesh, and of the others only the offsets from it: 16 MB instead of 530.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest
from durian.media import atomic_output

URL = "https://github.com/ICT-VGL/ICT-FaceKit"
MESHES = "FaceXModel/"
NEUTRAL = MESHES + "generic_neutral_mesh.obj"
VERTEX_SETS = MESHES + "vertex_indices.json"
README = "README.md"
LANDMARKS = 68

REGIONS = {
    "Narrow face area": "face_narrow",
    "Face": "face_wide",
    "Head and Neck": "head_neck",
    "Mouth socket": "mouth_socket",
    "Eye socket left": "eye_socket_l",
    "Eye socket right": "eye_socket_r",
    "Gums and tongue": "gums_tongue",
    "Teeth": "teeth",
    "Sclera left": "sclera_l",
    "Iris left": "iris_l",
    "Sclera right": "sclera_r",
    "Iris right": "iris_r",
    "Lacrimal fluid left": "lacrimal_l",
    "Lacrimal fluid right": "lacrimal_r",
    "Eye blend left": "eyeblend_l",
    "Eye blend right": "eyeblend_r",
    "Eye occlusion left": "eyeocc_l",
    "Eye occlusion right": "eyeocc_r",
    "Eyelashes left": "lashes_l",
    "Eyelashes right": "lashes_r",
}
"""Geometry names in FaceKit's tables and their names in the model, in the order of the polygons."""

SMALLEST_OFFSET = 5e-5
"""Expression offsets below this (cm) are left out: about the step of float16 at 0.1 cm."""


def build_model(clone: Path, out: Path, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """Write the model file :class:`durian.synthetic.head.head.HeadModel` reads.

    Args:
        clone: a clone of ICT-FaceKit (one without checked-out files will do) or a plain copy of its files.
        out: the ``.npz`` to write; an older one is replaced only when the new one is complete.
        on_progress: called with meshes done and meshes in all.

    Returns:
        ``out``.

    Raises:
        InvalidRequest: the folder is not FaceKit, or files in it are missing or damaged.
        OutputFailed: ``out`` cannot be written.
    """
    clone, out = Path(clone), Path(out)
    if out.suffix != ".npz":
        raise InvalidRequest(f"{out.name} cannot be written as a head model: end its name in .npz.")
    source = _open(clone)
    meshes = [name for name in source.names() if name.startswith(MESHES) and name.endswith(".obj")]
    identities = [name for name in meshes if name.startswith(MESHES + "identity")]
    expressions = [name for name in meshes if name not in (NEUTRAL, *identities)]
    if not identities or not expressions:
        raise InvalidRequest(f"{clone} has no identities or no expressions beside {NEUTRAL}: clone {URL} again.")

    text = source.read(NEUTRAL)
    neutral = read_vertices(text, NEUTRAL)
    model, polygon = _topology(text, len(neutral))
    guide = source.read(README).decode("utf-8", "replace")
    model |= _regions(guide, polygon)
    model["lm68"] = _landmarks(guide, len(neutral))
    model |= _vertex_sets(source.read(VERTEX_SETS))

    def offsets(names: list[str], done: int) -> np.ndarray:
        found = np.empty((len(names), *neutral.shape), np.float32)
        for index, name in enumerate(names):
            vertices = read_vertices(source.read(name), name)
            if vertices.shape != neutral.shape:
                raise InvalidRequest(
                    f"{name} has {len(vertices)} vertices and the neutral mesh {len(neutral)}: clone {URL} again."
                )
            found[index] = vertices - neutral
            if on_progress:
                on_progress(done + index + 1, len(identities) + len(expressions))
        return found

    model["neutral"] = neutral.astype(np.float32)
    model["id_delta"] = offsets(identities, 0).astype(np.float16)
    model["expr_names"] = np.array([Path(name).stem for name in expressions])
    model |= _sparse(offsets(expressions, len(identities)))
    with atomic_output(out) as temporary:
        np.savez_compressed(temporary, **model)
    return out


def read_vertices(obj: bytes, name: str) -> np.ndarray:
    """The ``v`` lines of a Wavefront mesh as ``(V, 3) float64``.

    Raises:
        InvalidRequest: there are none, or they do not hold three numbers each; ``name`` is what the sentence calls it.
    """
    return _rows(b"v", obj, name, accepted=(3,))


def _rows(keyword: bytes, obj: bytes, name: str, accepted: tuple[int, ...]) -> np.ndarray:
    """Numbers behind a keyword, one row a line, as many a line as in the first: one of ``accepted``."""
    lines = re.findall(rb"^%s[ \t]+([^\r\n]*)" % keyword, obj, re.MULTILINE)
    columns = len(lines[0].split()) if lines else 0
    try:
        numbers = np.array(list(map(float, b" ".join(lines).split())))
    except ValueError:
        numbers = np.empty(0)
    if columns not in accepted or len(numbers) != columns * len(lines) or not np.isfinite(numbers).all():
        raise InvalidRequest(f"{name} is not a whole Wavefront mesh: its '{keyword.decode()}' lines cannot be read.")
    return numbers.reshape(-1, columns)


def _topology(obj: bytes, vertices: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Polygons cut into fans of triangles, in the file's order.

    Returns:
        the model's arrays, of which ``tris`` and ``tri_uv`` are ``(T, 3)`` indices of vertices and of rows of ``uv``,
        and the number of the polygon each triangle is of, ``(T,)``.
    """
    uv = _rows(b"vt", obj, NEUTRAL, accepted=(2, 3))[:, :2]
    corners, sizes, materials, names, material = [], [], [], [], 0
    for keyword, rest in re.findall(rb"^(f|usemtl)[ \t]+([^\r\n]*)", obj, re.MULTILINE):
        if keyword == b"usemtl":
            name = rest.strip().decode("utf-8", "replace")
            if name not in names:
                names.append(name)
            material = names.index(name)
            continue
        polygon = [corner.split(b"/")[:2] for corner in rest.split()]
        corners += polygon
        sizes.append(len(polygon))
        materials.append(material)
    try:
        corners = np.array(corners, dtype=np.int64).reshape(-1, 2) - 1
    except ValueError:
        corners = np.empty((0, 2), np.int64)
    within = len(corners) and (corners >= 0).all() and (corners < (vertices, len(uv))).all()
    if not within or min(sizes) < 3:
        raise InvalidRequest(f"{NEUTRAL} is not a whole Wavefront mesh: its 'f' lines cannot be read.")

    sizes = np.array(sizes)
    fan = sizes - 2
    polygon = np.repeat(np.arange(len(sizes)), fan)
    first = (np.cumsum(sizes) - sizes)[polygon]
    step = np.arange(len(polygon)) - (np.cumsum(fan) - fan)[polygon]
    triangles = corners[np.stack([first, first + step + 1, first + step + 2], axis=1)]  # T x 3 x (vertex, uv)
    model = {
        "uv": uv.astype(np.float32),
        "tris": triangles[..., 0].astype(np.uint32),
        "tri_uv": triangles[..., 1].astype(np.uint32),
        "tri_mat": np.array(materials, np.uint8)[polygon],
        "mat_names": np.array(names or [""]),
    }
    return model, polygon


def _regions(guide: str, polygon: np.ndarray) -> dict[str, np.ndarray]:
    """Each triangle's region, from the polygon ranges in the tables of FaceKit's README."""
    table = re.findall(r"^\|[^|]*\|\s*([^|]+?)\s*\|[^|]*\|\s*\[(\d+):(\d+)\]\s*\|", guide, re.MULTILINE)
    last = {name: int(end) for name, _, end in table}
    missing = [name for name in REGIONS if name not in last]
    if missing:
        raise InvalidRequest(f"{README} of this FaceKit has no polygon range of {missing[0]!r}: clone {URL} again.")
    ends = np.array([last[name] for name in REGIONS])
    if (np.diff(ends) <= 0).any() or ends[-1] != polygon[-1]:
        raise InvalidRequest(f"The polygon ranges in {README} do not fit the {polygon[-1] + 1} polygons of {NEUTRAL}.")
    return {
        "tri_reg": np.searchsorted(ends, polygon).astype(np.uint8),
        "reg_names": np.array(list(REGIONS.values())),
    }


def _landmarks(guide: str, vertices: int) -> np.ndarray:
    found = re.search(r"68 point facial landmarks indices:\s*([\d,\s]+)", guide)
    numbers = [int(text) for text in re.findall(r"\d+", found[1])] if found else []
    if len(numbers) != LANDMARKS or max(numbers) >= vertices:
        raise InvalidRequest(f"{README} of this FaceKit does not list {LANDMARKS} landmarks: clone {URL} again.")
    return np.array(numbers, np.uint32)


def _vertex_sets(text: bytes) -> dict[str, np.ndarray]:
    """FaceKit's named lists of vertices (rigid, fitted, landmarks)."""
    try:
        found = json.loads(text)
        sets = {name: values for name, values in found.items() if values and isinstance(values[0], int)}
        return {f"vi_{name}": np.array(values, np.uint32) for name, values in sets.items()}
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise InvalidRequest(f"{VERTEX_SETS} cannot be read as lists of vertices: clone {URL} again.") from error


def _sparse(offsets: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of ``(E, V, 3)`` that move: those of expression ``e`` are ``ex_ptr[e]`` to ``ex_ptr[e + 1]``."""
    moves = np.abs(offsets).max(axis=2) > SMALLEST_OFFSET  # E x V
    narrow = np.uint16 if offsets.shape[1] <= 2**16 else np.uint32
    return {
        "ex_ptr": np.concatenate([[0], np.cumsum(moves.sum(axis=1))]).astype(np.uint32),
        "ex_idx": np.nonzero(moves)[1].astype(narrow),
        "ex_val": offsets[moves].astype(np.float16),
    }


class _Folder:
    """FaceKit's files as they lie in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in (self.root / MESHES).iterdir())

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise InvalidRequest(f"{self.root} has no readable {name}: clone {URL} again.") from error


class _Commit:
    """FaceKit's files in a clone's newest commit, checked out or not."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        return sorted(_git(self.root, "ls-tree", "-r", "--name-only", "HEAD", MESHES).decode().split("\n"))

    def read(self, name: str) -> bytes:
        try:
            return _git(self.root, "show", f"HEAD:{name}")
        except (OSError, subprocess.CalledProcessError) as error:
            raise InvalidRequest(f"{self.root} has no readable {name}: clone {URL} again.") from error


def _git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True).stdout


def _open(clone: Path) -> _Folder | _Commit:
    if not clone.is_dir():
        raise InvalidRequest(f"There is no folder {clone}: clone {URL} and give that folder.")
    if (clone / NEUTRAL).is_file():
        return _Folder(clone)
    try:
        _git(clone, "cat-file", "-e", f"HEAD:{NEUTRAL}")
    except (OSError, subprocess.CalledProcessError):
        raise InvalidRequest(
            f"{clone} is not ICT-FaceKit, {NEUTRAL} is missing: clone {URL} and give that folder."
        ) from None
    return _Commit(clone)

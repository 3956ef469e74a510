"""A folder laid out like ICT-FaceKit, with a head of twenty flat polygons: one for each region."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

REGION_ROWS = (
    *("Narrow face area", "Face", "Head and Neck", "Mouth socket", "Eye socket left", "Eye socket right"),
    *("Gums and tongue", "Teeth", "Sclera left", "Iris left", "Sclera right", "Iris right"),
    *("Lacrimal fluid left", "Lacrimal fluid right", "Eye blend left", "Eye blend right"),
    *("Eye occlusion left", "Eye occlusion right", "Eyelashes left", "Eyelashes right"),
)
CORNERS = [4] * len(REGION_ROWS)
CORNERS[3], CORNERS[4] = 5, 3
"""Corners of each region's polygon."""
FIRST = np.cumsum([0, *CORNERS])
"""Number of each polygon's first vertex; each vertex has the texture coordinate of the same number."""
VERTICES = int(FIRST[-1])


@dataclass
class FaceKit:
    """What was written: positions ``(V, 3)`` of each mesh, ``(V, 2)`` texture coordinates, 68 landmarks."""

    folder: Path
    neutral: np.ndarray
    identities: list[np.ndarray]
    expressions: dict[str, np.ndarray]
    uv: np.ndarray
    landmarks: list[int]


def write_facekit(folder: Path) -> FaceKit:
    """Make the folder: two identities, two expressions, README and vertex sets, in FaceKit's layout."""
    rng = np.random.default_rng(7)
    regions = np.repeat(np.arange(len(CORNERS)), CORNERS)
    corner = np.arange(VERTICES) - FIRST[regions]
    angle = 2 * np.pi * corner / np.array(CORNERS)[regions]
    neutral = np.stack([np.cos(angle), np.sin(angle), 0.5 * regions], axis=1).round(6)
    uv = np.stack([corner // 2, corner % 2], axis=1) / 4 + 0.01 * regions[:, None]
    identities = [neutral + rng.normal(size=neutral.shape) for _ in range(2)]
    smile = neutral.copy()
    smile[10:14] += rng.normal(size=(4, 3))
    blink = neutral.copy()
    blink[70:] -= (0, 0.5, 0)
    blink[3] += 2e-5  # too little to be kept
    made = FaceKit(
        folder,
        neutral,
        identities,
        {"mouthSmile_L": smile, "eyeBlink_L": blink},
        uv,
        rng.permutation(VERTICES)[:68].tolist(),
    )

    meshes = folder / "FaceXModel"
    meshes.mkdir(parents=True)
    (meshes / "generic_neutral_mesh.obj").write_text(_obj(neutral, uv))
    for number, vertices in enumerate(identities):
        (meshes / f"identity{number:03d}.obj").write_text(_obj(vertices, uv))
    for name, vertices in made.expressions.items():
        (meshes / f"{name}.obj").write_text(_obj(vertices, uv))
    (meshes / "ICTFaceModelMaterial.mtl").write_text("newmtl M_Face\n")
    sets = {"expressions": list(made.expressions), "incompatibilities": []}
    sets |= {"idx_to_rigid_verts": [1, 5, 8], "idx_to_rigid_landmark_idx": [0, 36, 45]}
    (meshes / "vertex_indices.json").write_text(json.dumps(sets))
    (folder / "README.md").write_text(_readme(made.landmarks))
    return made


def _obj(vertices: np.ndarray, uv: np.ndarray) -> str:
    lines = ["# a comment", "mtllib ICTFaceModelMaterial.mtl", "g head"]
    lines += ["v {:.15f} {:.15f} {:.15f}".format(*vertex) for vertex in vertices]
    lines += ["vt {:.15f} {:.15f}".format(*pair) for pair in uv]
    for region, (start, end) in enumerate(pairwise(FIRST)):
        if region in (0, 7, 18):
            lines.append(f"usemtl M_{REGION_ROWS[region].split()[0]}")
        lines.append("f " + " ".join(f"{number}/{number}" for number in range(start + 1, end + 1)))
    return "\n".join(lines) + "\n"


def _readme(landmarks: list[int]) -> str:
    def row(name: str, first: int, last: int) -> str:
        return f"| #0      | {name} | [{FIRST[first]}:{FIRST[last + 1] - 1}] | [{first}:{last}] | 4 | 1 |"

    rows = [row("All", 0, len(REGION_ROWS) - 1), row("Face", 0, 1), row("Eyeball left", 8, 9)]
    rows += [row(name, number, number) for number, name in enumerate(REGION_ROWS) if name != "Face"]
    return "\n".join(
        [
            "# ICT-FaceKit",
            "| Ordinal#| Geometry name | Vertex indices | Polygon indices | #Vertices | #Faces |",
            "|---------|---------------|----------------|-----------------|-----------|--------|",
            *rows,
            "",
            "Multi-PIE 68 point facial landmarks indices:",
            "",
            "    " + ", ".join(map(str, landmarks)),
            "",
            "Right jawline (substitutes 0-7 in Multi PIE):",
            "",
            "    1278, 1272, 12",
        ]
    )

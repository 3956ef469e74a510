"""The head model's file: its content from FaceKit's meshes, and refusal of other folders."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from facekit_made import CORNERS, FIRST, REGION_ROWS, VERTICES, FaceKit, write_facekit

from durian.cli.main import main
from durian.errors import InvalidRequest, OutputFailed
from durian.synthetic.head.facekit import REGIONS, build_model


@pytest.fixture
def facekit(no_leftovers: Path) -> FaceKit:
    return write_facekit(no_leftovers / "clone")


def build(facekit: FaceKit) -> dict[str, np.ndarray]:
    out = facekit.folder.parent / "model.npz"
    assert build_model(facekit.folder, out) == out
    with np.load(out) as data:
        return dict(data)


def test_positions_and_offsets_are_the_meshes(facekit):
    model = build(facekit)
    np.testing.assert_allclose(model["neutral"], facekit.neutral, atol=1e-6)
    assert model["neutral"].dtype == np.float32
    np.testing.assert_allclose(model["uv"], facekit.uv, atol=1e-6)
    expected = np.array(facekit.identities) - facekit.neutral
    assert model["id_delta"].dtype == np.float16
    np.testing.assert_allclose(model["id_delta"], expected, rtol=2**-11, atol=1e-7)


def test_expressions_keep_the_vertices_that_move(facekit):
    model = build(facekit)
    assert model["expr_names"].tolist() == ["eyeBlink_L", "mouthSmile_L"]
    assert model["ex_ptr"].tolist() == [0, VERTICES - 70, VERTICES - 66]
    assert model["ex_idx"].tolist() == [*range(70, VERTICES), 10, 11, 12, 13]
    np.testing.assert_array_equal(model["ex_val"][: VERTICES - 70], np.tile([0, -0.5, 0], (VERTICES - 70, 1)))
    smile = (facekit.expressions["mouthSmile_L"] - facekit.neutral)[10:14]
    np.testing.assert_allclose(model["ex_val"][VERTICES - 70 :], smile, rtol=2**-11, atol=1e-7)


def test_polygons_become_fans_of_their_region_and_material(facekit):
    model = build(facekit)
    triangles = [(start, start + k, start + k + 1) for start, n in zip(FIRST, CORNERS) for k in range(1, n - 1)]
    np.testing.assert_array_equal(model["tris"], triangles)
    np.testing.assert_array_equal(model["tri_uv"], triangles)
    region = np.repeat(np.arange(len(CORNERS)), np.array(CORNERS) - 2)
    np.testing.assert_array_equal(model["tri_reg"], region)
    assert [list(REGIONS).index(name) for name in REGION_ROWS] == list(range(20))
    assert model["reg_names"].tolist() == list(REGIONS.values())
    assert model["mat_names"].tolist() == ["M_Narrow", "M_Teeth", "M_Eyelashes"]
    np.testing.assert_array_equal(model["tri_mat"], np.digitize(region, [7, 18]))


def test_landmarks_and_vertex_sets_are_kept(facekit):
    model = build(facekit)
    assert model["lm68"].tolist() == facekit.landmarks
    assert model["vi_idx_to_rigid_verts"].tolist() == [1, 5, 8]
    assert model["vi_idx_to_rigid_landmark_idx"].tolist() == [0, 36, 45]


def test_the_layout_is_that_of_the_shared_file(facekit, project_root):
    shared = project_root.parent / "shared" / "synthetic" / "ict_facekit.npz"
    if not shared.is_file():
        pytest.skip("the shared model file is not beside this checkout")
    model = build(facekit)
    with np.load(shared) as data:
        known = dict(data)
    sets_left_out = {f"vi_idx_to_{name}" for name in ("fitting_verts", "lap_rigid_verts", "landmark_verts")}
    assert set(known) - set(model) == sets_left_out
    assert set(model) < set(known)
    for name, array in model.items():
        kind = "U" if known[name].dtype.kind == "U" else known[name].dtype
        assert array.dtype == kind or array.dtype.kind == kind, name
        assert array.ndim == known[name].ndim, name
    assert known["reg_names"].tolist() == list(REGIONS.values())


def test_windows_line_ends_and_corners_with_normals_are_read(facekit):
    plain = build(facekit)
    for path in facekit.folder.rglob("*.obj"):
        lines = path.read_text().splitlines()
        # A third number of a corner is its normal's, of a texture coordinate its depth.
        lines = [
            " ".join(f"{c}/1" for c in line.split()).replace("f/1", "f") if line[:2] == "f " else line for line in lines
        ]
        lines = [f"{line} 0.0" if line.startswith("vt ") else line for line in lines] + ["vn 0 0 1"]
        path.write_bytes("\r\n".join(lines).encode())
    again = build(facekit)
    for name, array in plain.items():
        np.testing.assert_array_equal(again[name], array)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("how", ["--no-checkout", "--bare"])
def test_a_clone_without_files_gives_the_same_bytes(facekit, how, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    folder, clone = facekit.folder, facekit.folder.parent / "without_files"
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "meshes")):
        subprocess.run(["git", "-C", folder, *command], check=True)
    subprocess.run(["git", "clone", "-q", how, folder, clone], check=True)
    assert not (clone / "FaceXModel").exists()
    out = folder.parent
    build_model(folder, out / "a.npz")
    build_model(clone, out / "b.npz")
    assert (out / "a.npz").read_bytes() == (out / "b.npz").read_bytes()


def test_progress_counts_every_mesh(facekit):
    seen: list[tuple[int, int]] = []
    build_model(facekit.folder, facekit.folder.parent / "m.npz", lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def change(path: str, old: str, new: str):
    def apply(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new, 1))

    return apply


def without(path: str):
    return lambda folder: (folder / path).unlink()


NEUTRAL = "FaceXModel/generic_neutral_mesh.obj"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: shutil.rmtree(folder), "There is no folder"),
        (without(NEUTRAL), "is not ICT-FaceKit"),
        (without("README.md"), "no readable README.md"),
        (without("FaceXModel/vertex_indices.json"), "no readable FaceXModel/vertex_indices.json"),
        (lambda folder: [path.unlink() for path in folder.rglob("identity*")], "no identities"),
        (change("FaceXModel/identity001.obj", "\nv ", "\n# "), f"has {VERTICES - 1} vertices"),
        (change("FaceXModel/identity001.obj", "\nv ", "\nv x"), "identity001.obj is not a whole Wavefront mesh"),
        (change("FaceXModel/eyeBlink_L.obj", "\nv ", "\nv 1 "), "eyeBlink_L.obj is not a whole Wavefront mesh"),
        (change("FaceXModel/eyeBlink_L.obj", "\nv ", "\nv nan 0 0\n#"), "eyeBlink_L.obj is not a whole"),
        (lambda folder: (folder / "FaceXModel/identity000.obj").write_text("version 1"), "identity000.obj is not"),
        (change(NEUTRAL, "f 1/1", "f 1000/1"), "its 'f' lines"),
        (change(NEUTRAL, "f 1/1", "f -1/1"), "its 'f' lines"),
        (change(NEUTRAL, "f 1/1", "f 1"), "its 'f' lines"),
        (change(NEUTRAL, "f 1/1 2/2 3/3 4/4", "f 1/1 2/2"), "its 'f' lines"),
        (change(NEUTRAL, "\nf 1/1", "\nf 1/1 2/2 3/3\nf 1/1"), "do not fit the 21 polygons"),
        (change("README.md", "Sclera left", "Sclera"), "no polygon range of 'Sclera left'"),
        (change("README.md", "68 point", "70 point"), "does not list 68 landmarks"),
        (change("FaceXModel/vertex_indices.json", "{", ""), "vertex_indices.json cannot be read"),
        (change("FaceXModel/vertex_indices.json", "[1, 5, 8]", "[1, -5, 8]"), "vertex_indices.json cannot be read"),
    ],
)  # fmt: skip
def test_wrong_folders_are_refused(facekit, damage, says):
    damage(facekit.folder)
    out = facekit.folder.parent / "model.npz"
    with pytest.raises(InvalidRequest, match=says) as refused:
        build_model(facekit.folder, out)
    assert "\n" not in str(refused.value)
    assert not out.exists()


def test_places_that_cannot_be_written_are_said(facekit):
    with pytest.raises(InvalidRequest, match=r"end its name in .npz"):
        build_model(facekit.folder, facekit.folder / "model.zip")
    with pytest.raises(OutputFailed, match="does not exist"):
        build_model(facekit.folder, facekit.folder / "nowhere" / "model.npz")


def test_the_command_builds_it_and_refuses_in_one_sentence(facekit, capsys):
    out = facekit.folder.parent / "model.npz"
    assert main(["synth", "build-model", "--facekit", str(facekit.folder), "-o", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == str(out)
    assert np.load(out)["neutral"].shape == (VERTICES, 3)
    assert main(["synth", "build-model", "--facekit", str(facekit.folder / "nowhere"), "-o", str(out)]) == 2
    assert "There is no folder" in capsys.readouterr().err

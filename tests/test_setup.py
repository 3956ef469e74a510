"""Set-up: versions agree wherever they are written, the README's commands exist, imports are light, code is clean."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

HEAVY = (
    "torch",
    "mediapipe",
    "gradio",
    "jax",
    "scipy.ndimage",
    "scipy.spatial",
    "skimage",
    "matplotlib",
    "diffusers",
    "transformers",
)
GRADIO_ROOMS = ("durian.ui",)
"""Rooms that are Gradio: they may import it, nothing else may."""

LIGHT_OF_DIFFUSION = (
    "durian.diffusion",
    "durian.diffusion.find_model",
    "durian.diffusion.inputs",
    "durian.diffusion.presets",
    "durian.diffusion.renderer",
)
"""What the page imports of it."""


HEAVY_ROOMS = (
    "durian.evaluation.",
    "durian.synthetic.",
    "durian.training.",
    "durian.segmentation.parser.click_network",
    "durian.segmentation.parser.encoder",
    "durian.segmentation.parser.layers",
    "durian.segmentation.parser.network",
    "durian.segmentation.parser.running",
)
"""What draws synthetic heads, what trains, what measures, and networks: imported when they are used."""


def is_heavy_room(module: str) -> bool:
    """The model itself, and rooms that are imported when they are used."""
    if module.startswith("durian.diffusion"):
        return module not in LIGHT_OF_DIFFUSION
    return module.startswith(HEAVY_ROOMS)


def pins(path: Path) -> dict[str, str]:
    """Package to version specifier of a requirements file."""
    found = {}
    for line in path.read_text().splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)(.*)", line.split("#")[0].strip())
        if match:
            found[match[1].lower().replace("_", "-")] = match[2].strip()
    return found


def test_both_opencv_packages_have_one_version(project_root):
    required = pins(project_root / "requirements.txt")
    assert required["opencv-python"].startswith("==")
    assert required["opencv-python"] == required["opencv-contrib-python"]


def test_installed_versions_are_the_pinned_ones(project_root):
    for package, specifier in pins(project_root / "requirements.txt").items():
        if specifier.startswith("=="):
            assert metadata.version(package) == specifier[2:], package


def test_the_space_uses_the_same_gradio_and_python(project_root):
    front = (project_root / "README.md").read_text().split("---")[1]
    assert f"sdk_version: {pins(project_root / 'requirements.txt')['gradio'][2:]}" in front
    python = re.search(r'python_version: "(.+)"', front)[1]
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.13"
    assert python in ("3.11", "3.12")
    app = re.search(r"app_file: (\S+)", front)[1]
    assert (project_root / app).is_file()
    for key in ("title", "emoji", "colorFrom", "colorTo", "sdk", "license", "suggested_hardware", "tags"):
        assert re.search(rf"^{key}:", front, re.MULTILINE), key


def test_what_is_not_on_every_machine_is_not_required(project_root):
    # Its usual build needs CUDA libraries and, beside a CPU torch, breaks transformers.
    assert "torchvision" not in pins(project_root / "requirements.txt")


def test_the_readme_names_commands_that_exist(project_root):
    readme = (project_root / "README.md").read_text()
    targets = set(re.findall(r"^([a-z]+):", (project_root / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make (\w+)", readme, re.MULTILINE))
    assert named == {"demo", "test"}
    assert named <= targets
    assert "make test" in (project_root / ".ci" / "run").read_text()
    for name in re.findall(r"-m durian (\w+)", readme):
        help_text = _python("-m", "durian", name, "--help", cwd=project_root)
        assert name in help_text
    for path in re.findall(r"`((?:durian|assets|weights|docs)/[\w./-]*|\w+\.txt|app\.py|LICENSE)`", readme):
        assert (project_root / path).exists(), path


def test_the_readme_s_options_are_accepted(project_root):
    readme = (project_root / "README.md").read_text()
    help_text = _python("-m", "durian", "animate", "--help", cwd=project_root)
    for option in set(re.findall(r"-m durian animate .*", readme)):
        for flag in re.findall(r"--[a-z-]+", option):
            assert flag in help_text, flag


def test_importing_durian_is_light(project_root):
    """Every module imports without the libraries that take seconds; they load where they are first used."""
    modules = sorted(
        ".".join(path.relative_to(project_root).with_suffix("").parts).removesuffix(".__init__")
        for path in (project_root / "durian").rglob("*.py")
        if path.name != "__main__.py"
    )
    light = [module for module in modules if not module.startswith(GRADIO_ROOMS) and not is_heavy_room(module)]
    assert {"durian.media", *LIGHT_OF_DIFFUSION} <= set(light)
    program = (
        "import importlib, sys\n"
        f"for module in {light!r}:\n"
        "    importlib.import_module(module)\n"
        f"    heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    if heavy: print(module, 'imports', *heavy); break\n"
    )
    assert _python("-c", program, cwd=project_root) == ""


def _python(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [("check",), ("format", "--check")])
def test_the_code_is_clean(project_root, command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=project_root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def bare_path(tmp_path, monkeypatch):
    """A PATH with the usual tools but without any Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("bash", "env", "grep", "head", "sed", "tr", "cat", "touch", "dirname"):
        (folder / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _set_up(root: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(root / "scripts" / "set_up.sh"), str(venv), "requirements.txt"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", ["", "Python 3.9.2", "Python 3.13.0"])
def test_a_wrong_python_is_one_sentence(project_root, bare_path, tmp_path, version):
    if version:
        for name in ("python3", "python"):
            fake = bare_path / name
            fake.write_text(f'#!/bin/bash\n[ "$1" = --version ] && echo "{version}" && exit 0\nexit 1\n')
            fake.chmod(0o755)
    done = _set_up(project_root, tmp_path / "venv")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Durian needs Python 3.11 or 3.12" in done.stderr
    assert (version or "no Python at all") in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_missing_system_library_is_one_sentence(project_root, bare_path, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        "#!/bin/bash\n"
        'if [ "$2" = "import cv2" ]; then\n'
        '    echo "ImportError: libGL.so.1: cannot open shared object file: No such file" >&2; exit 1\n'
        "fi\nexit 0\n"
    )
    python.chmod(0o755)
    done = _set_up(project_root, tmp_path / "venv")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "libGL.so.1 is missing" in done.stderr
    assert "apt-get install" in done.stderr
    assert "libgl1" in done.stderr


LAYERS = (
    {
        "errors",
        "settings",
        "content_hash",
        "processes",
        "side_by_side",
        "watch",
        "jit",
        "long_work",
        "memory_limit",
        "value_size",
    },
    {"schema", "folders", "content_cache", "download"},
    {"media"},
    {"masks", "face", "weights", "manifest"},
    {"motion"},
    {"keypoints", "request"},
    {"segmentation", "request_pictures"},
    {"geometry"},
    {"layers"},
    {"scene", "prepare"},
    {"preview", "synthetic", "assets", "clips"},
    {"diffusion"},
    {"renderer", "bundle"},
    {"engine"},
    {"bench", "evaluation", "soak", "ui"},
    {"training"},
    {"cli"},
    {"__main__"},
)
"""Rooms from the ground up; a room imports only from those below it."""


def test_imports_point_one_way(project_root):
    rank = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
    upwards = []
    for path in sorted((project_root / "durian").rglob("*.py")):
        room = path.relative_to(project_root / "durian").parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("durian."):
                used = node.module.split(".")[1]
                if used != room and rank[used] >= rank[room]:
                    upwards.append(f"{room} imports {used} in {path.name}")
    assert upwards == []


CALLED_FROM_OUTSIDE = {
    "register_renderer": "for renderers of others, docs/architecture.md",
    "read_log": "for plots of others; the training only writes its log",
    "initial_noise": "a seed's noise, for whoever gives the pipeline latents",
    "parameter_counts": "says what a preset costs before any weights are made",
    "render_outfit": "draws clothes of one's own making",
    "face_uv": "for textures of one's own making",
}
"""Functions that the project itself never calls, and why they are there."""
CALLED_BY_NAME = {"_hair", "_hat", "_glasses", "_beard", "_lips", "undo", "redo", "__getattr__"}
"""Methods that are looked up by the name of an item or of a button, or by Python."""


def test_every_function_is_called(project_root):
    """Tests do not count: what only they call is dead."""
    from vulture import Vulture

    from durian.evaluation.protocols.interface import PROTOCOLS

    finder = Vulture()
    finder.scavenge([str(project_root / name) for name in ("durian", "app.py", "scripts")])
    kinds = ("function", "class", "method", "property", "import")
    unused = {found.name for found in finder.get_unused_code(min_confidence=60) if found.typ in kinds}
    protocols = {path.rpartition(".")[2] for path in PROTOCOLS.values()}
    assert unused - CALLED_BY_NAME - protocols == set(CALLED_FROM_OUTSIDE)


FOLDERS = {
    "synthetic": (
        {"base"}, {"backdrops", "head"}, {"hair", "render", "worn"}, {"acting", "skin"}, {"studio"}, {"scenes"},
    ),
    "evaluation": ({"data"}, {"methods", "metrics"}, {"protocols"}, {"run"}, {"report"}, {"gallery"}),
    "training": ({"data", "face_relief", "stages", "tables"}, {"recipe"}, {"preparation", "run"}, {"parser"}),
}  # fmt: skip
"""Folders of the largest rooms from the ground up, likewise."""


@pytest.mark.parametrize("room", FOLDERS)
def test_folders_of_a_room_import_one_way(room, project_root):
    folder = project_root / "durian" / room
    rank = {name: level for level, names in enumerate(FOLDERS[room]) for name in names}
    parts = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert parts - {"__init__"} == set(rank)
    upwards = []
    for path in sorted(folder.rglob("*.py")):
        own = path.relative_to(folder).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"durian.{room}."):
                used = node.module.split(".")[2]
                if used != own and rank[used] >= rank[own]:
                    upwards.append(f"{own} imports {used} in {path.name}")
    assert upwards == []


def test_the_drawing_of_rooms_is_the_imports_and_goes_one_way(project_root):
    """Drawn anew with ``python scripts/draw_rooms.py``."""
    sys.path.insert(0, str(project_root / "scripts"))
    try:
        import draw_rooms
    finally:
        sys.path.pop(0)
    assert draw_rooms.drawing() in draw_rooms.PAGE.read_text()
    arrows = draw_rooms.imports()
    for room in arrows:
        assert room not in draw_rooms.reached(arrows, room)
    parts = {part for group in draw_rooms.ROOMS.values() for part in group}
    files = {path.stem for path in (project_root / "durian").iterdir() if not path.name.startswith("_")}
    assert parts <= files
    named = draw_rooms.PAGE.read_text()
    assert [file for file in files - parts if f"`{file}`" not in named] == []


def test_the_docs_name_files_that_exist(project_root: Path):
    """A file is named from the root, from ``durian/``, or by the end of its path."""
    files = [path.relative_to(project_root).as_posix() for path in project_root.glob("*/**/*.py")]
    files += [path.name for path in project_root.glob("*.py")]
    missing = [
        f"{page.name}: {name}"
        for page in (*project_root.glob("docs/*.md"), project_root / "README.md", project_root / "CONTRIBUTING.md")
        for name in re.findall(r"`([\w./-]+\.py)`", page.read_text(encoding="utf-8"))
        if not any(path == name or path.endswith(f"/{name}") for path in files if not path.startswith("."))
    ]
    assert missing == []

"""The wheel holds all that the package needs: it animates an example with nothing else of the project in reach."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PARTS = (
    "durian", "assets", "weights/parser", "weights/face-relief", "weights/durian-mini", "pyproject.toml", "setup.py",
    "MANIFEST.in", "README.md", "LICENSE", "packages.txt", "requirements.txt", "requirements-dev.txt",
    "requirements-evaluation.txt",
)  # fmt: skip


@pytest.fixture(scope="module")
def installed(project_root: Path, tmp_path_factory) -> Path:
    """The wheel's files, unpacked as pip would."""
    source, built = (tmp_path_factory.mktemp(name) for name in ("source", "built"))
    for part in PARTS:
        if (project_root / part).is_dir():
            shutil.copytree(project_root / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(project_root / part, source / part)
    # Of the source distribution, as an index would give it.
    packed = "from setuptools.build_meta import build_sdist; print(build_sdist('dist'))"
    subprocess.run([sys.executable, "-c", packed], cwd=source, check=True, capture_output=True)
    (archive,) = (source / "dist").glob("*.tar.gz")
    command = [sys.executable, "-m", "pip", "wheel", str(archive), "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(built)], check=True, capture_output=True)
    (wheel,) = built.glob("durian-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    _bring_compiled(project_root, built / "site")
    return built / "site"


def _bring_compiled(project_root: Path, site: Path) -> None:
    """What numba compiled here already, so that it need not do it again: it knows a source by its time and size."""
    for path in (project_root / "durian").rglob("*"):
        there = site / path.relative_to(project_root)
        if path.suffix == ".py":
            os.utime(there, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        elif path.suffix in (".nbi", ".nbc"):
            there.parent.mkdir(exist_ok=True)
            shutil.copy(path, there)


@pytest.mark.slow
def test_a_wheel_animates_an_example(installed: Path, tmp_path: Path):
    program = (
        "import sys, durian; from pathlib import Path; from durian.cli import main\n"
        f"assert Path(durian.__file__).is_relative_to({str(installed)!r}), durian.__file__\n"
        "sys.exit(main())"
    )
    arguments = ("animate", "--example", "hopper-cap", "--frames", "4", "--size", "128", "-o", "cap.mp4")
    environment = {
        "PYTHONPATH": str(installed),
        "PATH": "",
        "HOME": str(tmp_path),
        "DURIAN_WORK": str(tmp_path / "work"),
    }
    subprocess.run([sys.executable, "-c", program, *arguments], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "cap.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.slow
def test_a_wheel_gives_the_command_and_both_small_networks(installed: Path):
    (entry,) = installed.glob("durian-*.dist-info/entry_points.txt")
    assert "durian = durian.cli:main" in entry.read_text()
    shipped = installed / "durian" / "shipped"
    assert (shipped / "weights" / "parser" / "parser.safetensors").is_file()
    assert (shipped / "weights" / "durian-mini" / "model_index.json").is_file()


@pytest.mark.slow
def test_a_wheel_has_every_file_of_the_package(project_root: Path, installed: Path):
    """Templates, styles, scripts, recipes and arrays as well as code."""
    room = project_root / "durian"
    files = {path.relative_to(room) for path in room.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path.suffix for path in files} >= {".py", ".html", ".css", ".js", ".toml", ".npz"}
    missing = [str(path) for path in sorted(files) if not (installed / "durian" / path).is_file()]
    assert missing == []

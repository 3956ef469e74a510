"""Compiled loops: kept on disk, or where that cannot be, compiled all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOOP = "def add(a, b):\n    return a + b\n"
# A file in no folder, so that nothing can be kept beside it.
HOMELESS = f"""
from durian.jit import kept_jit
names = {{}}
exec(compile({LOOP!r}, "/dev/null/loops.py", "exec"), names)
add = kept_jit(nogil=True)(names["add"])
print(add(2, 3), len(add.signatures))
"""


def run(*arguments: str, root: Path, home: Path) -> list[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_loops_compile_where_nothing_can_be_kept(project_root: Path):
    assert run("-c", HOMELESS, root=project_root, home=Path("/dev/null")) == ["5", "1"]


def test_loops_are_kept_where_they_can_be(project_root: Path, tmp_path: Path):
    (tmp_path / "loops.py").write_text(f"from durian.jit import kept_jit\n@kept_jit()\n{LOOP}print(add(2, 3))\n")
    assert run(str(tmp_path / "loops.py"), root=project_root, home=tmp_path) == ["5"]
    assert len(list(tmp_path.rglob("*.nbi"))) == 1

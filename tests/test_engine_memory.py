"""What giving memory back costs a process that has little."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest


def test_giving_memory_back_loads_no_library_that_nobody_needed():
    """Torch alone would take more than is given back."""
    script = "import sys; from durian.engine import memory; memory.release(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such call")
def test_what_was_freed_goes_back_to_the_system():
    """Though what came last is still in use, above it all."""
    script = """
from durian.engine import memory
before = memory.resident_mb()
blocks = [b"1" * size for size in range(1000, 3000) for _ in range(50)]
last = blocks.pop()
del blocks
kept = memory.resident_mb()
memory.release()
print((kept - before) > 150, (memory.resident_mb() - before) < 50)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]

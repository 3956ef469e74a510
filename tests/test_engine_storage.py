"""Folders of visitors' results, and when they go."""

from __future__ import annotations

import time
from pathlib import Path

from durian.engine.storage import Storage
from durian.settings import Settings


def test_a_folder_that_is_used_again_is_not_old(tmp_path: Path):
    storage = Storage(Settings(work=tmp_path, keep_seconds=600))
    try:
        folder, other = storage.folder("visitor"), storage.folder("other")
        time.sleep(0.05)
        between = time.time()
        time.sleep(0.05)
        assert storage.folder("visitor") == folder
        storage.sweep(now=between + 600)
        assert folder.is_dir()
        assert not other.exists()
    finally:
        storage.close()

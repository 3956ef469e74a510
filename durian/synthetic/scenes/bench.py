"""Speed of synthetic scenes, from a number to files: frames per second by number of processes."""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from durian.synthetic.scenes.filming import AHEAD, in_processes
from durian.synthetic.scenes.scene_set import SceneSet, render_scene
from durian.synthetic.scenes.scenes import PORTRAITS, REFERENCES, TRIPLETS

FIRST = 1000
"""Number of the first scene."""


def bench_synthetic(scenes: int = 24, size: int = 256, workers: int = 2) -> dict[str, object]:
    """Measure scenes of sixteen frames (twelve of them targets), each with three dressed people who are new.

    Args:
        scenes: how many are timed; those that processes start with are not, for they compile and read the model.
        size: pixels along a picture's side.
        workers: most processes.

    Returns:
        ``frames_per_second`` by number of processes, and ``speed_up``, that of most over that of one.

    Raises:
        WeightsMissing: there is no head model.
    """
    rates = {}
    for count in sorted({1, workers}):
        rates[str(count)] = round(_rate(scenes, size, count), 2)
        print(f"{count} processes: {rates[str(count)]} frames/s", file=sys.stderr)
    return {
        "size": size,
        "scenes": scenes,
        "frames_per_second": rates,
        "speed_up": round(rates[str(workers)] / rates["1"], 2),
    }


def _rate(scenes: int, size: int, workers: int) -> float:
    started_with = AHEAD * workers
    with tempfile.TemporaryDirectory() as folder:
        count = scenes + started_with
        wanted = SceneSet(Path(folder), count, TRIPLETS, size, first=FIRST)
        finished = []
        for _ in in_processes(partial(render_scene, wanted=wanted), wanted.numbers(), workers):
            finished.append(time.perf_counter())
    seconds = finished[-1] - finished[started_with - 1]
    return scenes * (PORTRAITS + REFERENCES + TRIPLETS.frames) / seconds

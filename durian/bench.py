"""Speed and memory of the preview renderer, measured on Grace Hopper's cap and glasses on Eileen Collins.

Run it in a process of its own (``python -m durian bench preview``), since the peak of memory is the process's.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from durian.engine import Engine, get_engine
from durian.renderer import Renderer
from durian.request import AnimationRequest, RenderOptions

OWNER = "bench"
FRAMES = 48
WARM_UP_JOBS = 3
"""One fills the caches; after the third the allocator has settled, so that what grows later is a leak."""
REPEATS = 5
STILLS = 15
SIZES = (256, 512, 1024)
LENGTHS = (24, 48, 96)


@dataclass(frozen=True)
class Stages:
    """Seconds of one clip: until the first frame, for all frames, and for encoding MP4 and master afterwards."""

    prepare: float
    render: float
    encode: float
    frames: int

    @property
    def frames_per_second(self) -> float:
        """Of rendering alone, what is prepared once for the clip included."""
        return self.frames / self.render

    @property
    def milliseconds_per_frame(self) -> float:
        """Of the frames behind the first: the cost of one more."""
        return 1000 * (self.render - self.prepare) / max(1, self.frames - 1)


def bench_preview(jobs: int = 50) -> dict[str, object]:
    """Measure, and print a table of stages on stderr.

    Args:
        jobs: animations over which the growth of memory is measured.

    Returns:
        ``frames_per_second_512`` (rendering alone), ``still_ms`` (median), ``peak_rss_mb``, ``rss_growth_mb``, and
        ``seconds`` (median, from a ready 48-frame request of 512 px to the closed file), ``jobs``.
    """
    engine = get_engine()
    request = bench_request()
    try:
        for _ in range(WARM_UP_JOBS):
            _job(engine, request)
        before = engine.memory()["resident_mb"]
        seconds = [_job(engine, request) for _ in range(max(1, jobs))]
        growth = engine.memory()["resident_mb"] - before
        still_ms = _stills(engine, request)
        renderer = engine.load("preview")
        at_512 = [measure_stages(renderer, request) for _ in range(REPEATS)]
        _print_table(renderer, request)
    finally:
        engine.forget_owner(OWNER)
    return {
        "frames_per_second_512": round(statistics.median(stages.frames_per_second for stages in at_512), 1),
        "still_ms": round(still_ms, 1),
        "peak_rss_mb": round(engine.memory()["peak_mb"], 1),
        "rss_growth_mb": round(growth, 1),
        "seconds": round(statistics.median(seconds), 3),
        "jobs": len(seconds),
    }


def bench_request() -> AnimationRequest:
    """:data:`FRAMES` frames at 512 px, two attributes."""
    from durian.assets import hopper_cap
    from durian.prepare import MotionSource, build_request

    case = hopper_cap()
    options = RenderOptions(frames=FRAMES)
    return build_request(case.portrait, case.attributes, MotionSource("mix"), options).request


def measure_stages(renderer: Renderer, request: AnimationRequest) -> Stages:
    """Render a clip, then encode its frames, each timed by itself."""
    from durian.media import VideoWriter

    started = time.perf_counter()
    frames: list[np.ndarray] = []
    prepare = 0.0
    for frame in renderer.render(request):
        prepare = prepare or time.perf_counter() - started
        frames.append(frame)
    render = time.perf_counter() - started
    size = (frames[0].shape[1], frames[0].shape[0])
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        for name in ("result.mp4", "master.mkv"):
            with VideoWriter(Path(folder) / name, request.options.fps, size) as writer:
                for frame in frames:
                    writer.write(frame)
        encode = time.perf_counter() - started
    return Stages(prepare, render, encode, len(frames))


def _job(engine: Engine, request: AnimationRequest) -> float:
    """Seconds from a ready request to the closed file."""
    started = time.perf_counter()
    engine.animate(request, owner=OWNER)
    seconds = time.perf_counter() - started
    engine.forget_owner(OWNER)
    return seconds


def _stills(engine: Engine, request: AnimationRequest) -> float:
    """Median milliseconds of a still after a slider moved."""
    times = []
    for expansion in np.linspace(0, 0.3, STILLS):
        moved = replace(request, options=replace(request.options, expansion=float(expansion)))
        started = time.perf_counter()
        engine.still(moved, lane=OWNER)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def _print_table(renderer: Renderer, request: AnimationRequest) -> None:
    """Cost against size and length on stderr."""
    print("  size frames  prepare   render  ms/frame  frames/s   encode", file=sys.stderr)
    cases = [(size, FRAMES) for size in SIZES] + [(512, frames) for frames in LENGTHS]
    for size, frames in dict.fromkeys(cases):
        options = replace(request.options, size=size, frames=frames)
        stages = measure_stages(renderer, replace(request, options=options))
        print(
            f"{size:6} {frames:6} {stages.prepare:7.3f}s {stages.render:7.3f}s {stages.milliseconds_per_frame:9.1f} "
            f"{stages.frames_per_second:9.1f} {stages.encode:7.3f}s",
            file=sys.stderr,
        )

"""Cost of the paper's model, and of the same weights run the lineage's way, in one process.

Weights and pictures are random: this is about time, and nothing it makes is worth looking at.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from durian.diffusion.checks import AttributeReference
from durian.diffusion.lineage import lineage_pipeline
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.prediction import Prediction
from durian.diffusion.presets import build, get_preset

FRAMES = 24
GUIDANCE = 3.5
OUR_STEPS, LINEAGE_STEPS = 6, 25
"""Compared from end to end: six steps without guidance, against the lineage's usual 25 guided ones."""
REPEATS = 5
MATRIX_SIDE, MATRIX_REPEATS = 8192, 20
"""Of the product that measures the rate of a GPU's matrix units."""


def bench_diffusion(
    preset: str, device: str = "cpu", frames: int = FRAMES, repeats: int = REPEATS
) -> dict[str, object]:
    """Measure a preset both ways, taking turns so that whatever else the machine does hits both alike.

    Args:
        preset: name of a shape in :data:`~durian.diffusion.presets.PRESETS`.
        device: ``cpu`` (float32) or ``cuda`` (bfloat16).
        frames: of the clip, all in one window.
        repeats: of every measurement; medians are given.

    Returns:
        ``parameters``; ``step_seconds`` of one guided step over all frames, ``step_seconds_lineage``, ``speedup``;
        ``peak_mb`` of that step above what was there before it, ``peak_mb_lineage``; ``references_seconds``,
        ``guider_seconds`` and ``decode_seconds``, with ``_lineage`` where that differs; ``flops_per_frame_step``,
        without guidance; ``end_to_end_seconds`` of six unguided steps from pictures to frames,
        ``end_to_end_seconds_lineage`` of 25 guided ones (25 times a step; the rest measured), ``end_to_end_speedup``;
        what was measured on. On CUDA also ``matrix_flops`` per second as measured, the ``share`` of it that a guided
        step reaches, ``compiled_step_seconds`` and ``compiled_share``.

    Raises:
        InvalidRequest: an unknown preset.
    """
    pipeline = prepared(preset, device)
    lineage = lineage_pipeline(pipeline)
    report = {"preset": preset, "frames": frames, **_machine(pipeline), "parameters": _parameters(pipeline)}
    report |= measure_speed(pipeline, lineage, frames, repeats)
    if device == "cuda":
        for way, one in (("", pipeline), ("_lineage", lineage)):
            report[f"peak_mb{way}"] = _cuda_peak_mb(one, frames)
        report |= _against_the_chip(pipeline, frames, repeats, report)
    else:
        report["peak_mb"] = _peak_of_a_process(preset, False, frames)
        report["peak_mb_lineage"] = _peak_of_a_process(preset, True, frames)
    _print_table(report)
    return report


def prepared(preset: str, device: str) -> DurianPipeline:
    """A pipeline with fresh weights, on its device as the app would have it."""
    pipeline = build(get_preset(preset))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device, torch.bfloat16) if device == "cuda" else pipeline


def measure_speed(pipeline: DurianPipeline, lineage: DurianPipeline, frames: int, repeats: int) -> dict[str, float]:
    """The seconds among the keys of :func:`bench_diffusion`, and FLOPs."""
    both = {"": pipeline, "_lineage": lineage}
    times: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        _finish(pipeline)
        started = time.perf_counter()
        work()
        _finish(pipeline)
        times.setdefault(name, []).append(time.perf_counter() - started)

    keypoints = _pictures(pipeline, frames, seed=1)
    steps: dict[str, Callable[[], object]] = {}
    for suffix, one in both.items():
        set_random_references(one)
        steps[suffix] = guided_step(one, keypoints, GUIDANCE)
        steps[suffix]()
    plain = guided_step(pipeline, keypoints, 1.0)
    latents = torch.randn(frames, *pipeline.latent_shape, device=pipeline.device, dtype=pipeline.vae.dtype)
    with torch.no_grad():
        for _ in range(repeats):
            for suffix, one in both.items():
                timed(f"step_seconds{suffix}", steps[suffix])
                timed(f"references_seconds{suffix}", lambda one=one: set_random_references(one))
                timed(f"decode_seconds{suffix}", lambda one=one: list(one.decode(latents)))
            timed("guider_seconds", lambda: pipeline.guide(keypoints, frames))
            timed("end_to_end_seconds", lambda: _clip(pipeline, keypoints))
    found = {name: statistics.median(values) for name, values in times.items()}
    found["speedup"] = found["step_seconds_lineage"] / found["step_seconds"]
    found["flops_per_frame_step"] = _flops(plain) / frames
    # Its guider runs at every step, and is within the step's time.
    found["end_to_end_seconds_lineage"] = (
        found["references_seconds_lineage"]
        + LINEAGE_STEPS * found["step_seconds_lineage"]
        + found["decode_seconds_lineage"]
    )
    found["end_to_end_speedup"] = found["end_to_end_seconds_lineage"] / found["end_to_end_seconds"]
    return found


def set_random_references(pipeline: DurianPipeline) -> None:
    """A portrait and one attribute, noise both."""
    size = pipeline.config.size
    portrait, attribute, *keypoints = _pictures(pipeline, 4, seed=0)
    mask = np.zeros((size, size), np.uint8)
    mask[: size // 2] = 255
    reference = AttributeReference(attribute, mask, keypoints=keypoints[0])
    pipeline.set_references(portrait, mask, [reference], portrait_keypoints=keypoints[1])


def guided_step(pipeline: DurianPipeline, keypoints: np.ndarray, scale: float) -> Callable[[], torch.Tensor]:
    """What one denoising step calls, over all frames in one window."""
    frames = len(keypoints)
    with torch.no_grad():
        predict = Prediction(
            pipeline.denoiser,
            pipeline.conditioner,
            pipeline.encoded_references,
            pipeline.guide(keypoints, frames),
            None,
            scale,
            True,
        )
    latents = torch.randn(frames, *pipeline.latent_shape, device=pipeline.device, dtype=pipeline.denoiser.dtype)

    @torch.no_grad()
    def step() -> torch.Tensor:
        return predict(latents, torch.tensor(500), [np.arange(frames)])

    return step


def _clip(pipeline: DurianPipeline, keypoints: np.ndarray) -> None:
    set_random_references(pipeline)
    pipeline(keypoints, num_inference_steps=OUR_STEPS, guidance_scale=1.0, window=len(keypoints))


def _pictures(pipeline: DurianPipeline, count: int, seed: int) -> np.ndarray:
    shape = (count, pipeline.config.size, pipeline.config.size, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _finish(pipeline: DurianPipeline) -> None:
    if pipeline.device.type == "cuda":
        torch.cuda.synchronize()


# Operations and memory


def _flops(step: Callable[[], object]) -> int:
    """Two for each multiplication with its addition."""
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    with FlopCounterMode(display=False, custom_mapping={attention: _attention_flops}) as counter:
        step()
    return counter.get_total_flops()


def _attention_flops(query: tuple, key: tuple, value: tuple, *_: object, **__: object) -> int:
    """Of the CPU's attention, which torch's counter does not know: products with keys and with values."""
    rows, heads, queries, width = query
    return 2 * rows * heads * queries * key[2] * (width + value[3])


def _parameters(pipeline: DurianPipeline) -> int:
    parts = (part for part in pipeline.components.values() if isinstance(part, torch.nn.Module))
    return sum(parameter.numel() for part in parts for parameter in part.parameters())


def _cuda_peak_mb(pipeline: DurianPipeline, frames: int) -> float:
    set_random_references(pipeline)
    step = guided_step(pipeline, _pictures(pipeline, frames, seed=1), GUIDANCE)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def _peak_of_a_process(preset: str, lineage: bool, frames: int) -> float:
    """Megabytes by which one step's peak exceeds what a fresh process held before it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_mb, (preset, lineage, frames))


def _peak_mb(preset: str, lineage: bool, frames: int) -> float:
    pipeline = prepared(preset, "cpu")
    pipeline = lineage_pipeline(pipeline) if lineage else pipeline
    set_random_references(pipeline)
    step = guided_step(pipeline, _pictures(pipeline, frames, seed=1), GUIDANCE)
    # The references' own peak must not hide the step's: 5 makes Linux forget it.
    Path("/proc/self/clear_refs").write_text("5")
    before = _of_status("VmRSS")
    step()
    return _of_status("VmHWM") - before


def _of_status(name: str) -> float:
    """A line of Linux' account of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{name}:"))


# Against the chip


def _against_the_chip(
    pipeline: DurianPipeline, frames: int, repeats: int, report: dict[str, object]
) -> dict[str, float]:
    """Which share of the matrix units' measured rate a guided step reaches, before and after ``torch.compile``."""
    set_random_references(pipeline)
    step = guided_step(pipeline, _pictures(pipeline, frames, seed=1), GUIDANCE)
    rate, flops = _matrix_rate(), _flops(step)
    with _compiled(pipeline):
        compiled = guided_step(pipeline, _pictures(pipeline, frames, seed=1), GUIDANCE)
        compiled()
        seconds = statistics.median(_seconds(compiled) for _ in range(repeats))
    return {
        "matrix_flops": rate,
        "share": flops / report["step_seconds"] / rate,
        "compiled_step_seconds": seconds,
        "compiled_share": flops / seconds / rate,
    }


@contextmanager
def _compiled(pipeline: DurianPipeline) -> Iterator[None]:
    plain = pipeline.denoiser
    pipeline.denoiser = torch.compile(plain)
    try:
        yield
    finally:
        pipeline.denoiser = plain


def _matrix_rate() -> float:
    """FLOPs per second of a product of large matrices in bfloat16."""
    a, b = (torch.randn(MATRIX_SIDE, MATRIX_SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    a @ b
    seconds = _seconds(lambda: [a @ b for _ in range(MATRIX_REPEATS)])
    return 2 * MATRIX_SIDE**3 * MATRIX_REPEATS / seconds


def _seconds(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - started


# For people


def _machine(pipeline: DurianPipeline) -> dict[str, object]:
    on_gpu = pipeline.device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name() if on_gpu else platform.processor() or platform.machine(),
        "dtype": str(pipeline.denoiser.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
    }


def _print_table(report: dict[str, object]) -> None:
    rows = [
        ("one guided step, s", "step_seconds", 3),
        ("memory of that step, MB", "peak_mb", 0),
        ("references, s", "references_seconds", 3),
        ("decoding, s", "decode_seconds", 3),
        (f"{OUR_STEPS} plain / {LINEAGE_STEPS} guided steps, pictures to frames, s", "end_to_end_seconds", 1),
    ]
    print(f"{report['preset']}, {report['frames']} frames, {report['device']}, {report['dtype']}", file=sys.stderr)
    print(f"{'':58}{'ours':>10}{'lineage':>10}{'ratio':>8}", file=sys.stderr)
    for title, key, digits in rows:
        ours, theirs = report[key], report[f"{key}_lineage"]
        ratio = theirs / ours if ours else float("nan")
        print(f"{title:58}{ours:10.{digits}f}{theirs:10.{digits}f}{ratio:8.2f}", file=sys.stderr)
    print(f"{report['flops_per_frame_step'] / 1e9:.1f} GFLOP per frame and step", file=sys.stderr)

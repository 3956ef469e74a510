"""Cost of the paper's model, and of the same weights run as the code it builds on runs them, in one process.

Weights and pictures are random: this is about time, and nothing it makes is worth looking at.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from durian.diffusion.baseline import BaselinePipeline, baseline_pipeline
from durian.diffusion.checks import AttributeReference
from durian.diffusion.output import as_video
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.prediction import Prediction
from durian.diffusion.presets import Preset, assemble, components, get_preset
from durian.errors import InvalidRequest

FRAMES = 24
GUIDANCE = 3.5
STEPS, BASELINE_STEPS = 6, 25
"""Compared from end to end: six steps without guidance, against the baseline's usual 25 guided ones."""
REPEATS = 5
MATRIX_SIDE, MATRIX_REPEATS = 8192, 20
"""Of the product that measures the rate of a GPU's matrix units."""

Work = Callable[[], object]
Numbers = dict[str, float]
Measured = TypeVar("Measured")


def bench_diffusion(
    preset: str | Preset,
    device: str = "cpu",
    frames: int = FRAMES,
    steps: int = STEPS,
    baseline_steps: int = BASELINE_STEPS,
    repeats: int = REPEATS,
) -> dict[str, object]:
    """Measure a shape both ways, in turns, so that whatever else the machine does hits both alike.

    The baseline's way is :mod:`durian.diffusion.baseline`, in diffusers' default memory layout.

    Args:
        preset: a shape, or its name.
        device: ``cpu`` (float32) or ``cuda`` (bfloat16).
        frames: of the clip, all in one window.
        steps: of the whole clip, without guidance.
        baseline_steps: of the whole clip the baseline's way, guided.
        repeats: of every measurement; medians are given.

    Returns:
        Seconds, with and without ``_baseline``: ``step_seconds`` (one guided step over all frames; the baseline runs
        its guider in it), ``references_seconds`` (both nets and what follows), ``decode_seconds``,
        ``end_to_end_seconds`` (pictures to frames); of ours also ``unguided_step_seconds``, ``guider_seconds``,
        ``seconds_per_frame`` (end to end). ``speedup`` of a guided step, ``end_to_end_speedup``. ``peak_mb``: memory
        beyond the weights, at most, from pictures to the end of a guided step. ``weights_mb``, ``parameters``.
        ``flops_per_frame_step`` without guidance, ``flops_per_frame_guided_step`` both ways: two for each
        multiplication with its addition. What it was measured on, and ``baseline_end_to_end_is_extrapolated``: on a CPU
        ``end_to_end_seconds_baseline`` is the sum of its references, ``baseline_steps`` times its step and its
        decoding. On CUDA also ``matrix_flops`` per second, and the ``share`` of it that a guided step reaches, with
        ``step_seconds_compiled`` and ``share_compiled`` for ``torch.compile``.

    Raises:
        InvalidRequest: an unknown preset, no such device, more frames than a window can have, or no step or repeat.
    """
    preset = get_preset(preset) if isinstance(preset, str) else preset
    _check(preset, device, frames, min(steps, baseline_steps, repeats))
    pipeline = prepared(preset, device)
    baseline = baseline_pipeline(pipeline)
    report: dict[str, Any] = {"preset": preset.name, "frames": frames, **_machine(pipeline), **_sizes(pipeline)}
    if device == "cuda":
        report |= {f"peak_mb{way}": _cuda_peak_mb(one, frames) for way, one in _ways(pipeline, baseline)}
    else:
        report |= _peaks_of_processes(preset, frames)
    report |= measure(Bench(pipeline, frames), Bench(baseline, frames), steps, baseline_steps, repeats)
    if device == "cuda":
        report |= _against_the_chip(Bench(pipeline, frames), report, repeats)
    _print_table(report, steps, baseline_steps)
    return report


def _check(preset: Preset, device: str, frames: int, fewest: int) -> None:
    longest = preset.denoiser["motion_max_frames"]
    if not 1 <= frames <= longest:
        raise InvalidRequest(f"{frames} frames do not fit into a window: {preset.name} takes 1 to {longest}.")
    if fewest < 1:
        raise InvalidRequest(f"{fewest} steps or repeats measure nothing: choose 1 or more.")
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidRequest("No GPU was found: leave out --device cuda.")


def prepared(preset: Preset, device: str) -> DurianPipeline:
    """A pipeline with fresh weights on its device, in the number type that the app would use."""
    with torch.device(device):
        parts = components(preset)
    if device == "cuda":
        for part in parts.values():
            torch.nn.Module.to(part, torch.bfloat16)  # diffusers' own warns of parts that need float32, and has none
    pipeline = assemble(preset, parts)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _ways(ours: Measured, baseline: Measured) -> tuple[tuple[str, Measured], tuple[str, Measured]]:
    """Endings of the report's keys, and the pipeline that each is measured on."""
    return ("", ours), ("_baseline", baseline)


@dataclass
class Bench:
    """One way to run the model, on a portrait, one attribute and keypoints of noise."""

    pipeline: DurianPipeline
    frames: int

    def __post_init__(self) -> None:
        self.keypoints = self._pictures(self.frames)
        self.draft = self._pictures(self.frames) if self.pipeline.begins_with_drafts else None

    def _pictures(self, count: int) -> np.ndarray:
        size = self.pipeline.config.size
        return np.random.default_rng(count).integers(0, 256, (count, size, size, 3), dtype=np.uint8)

    def set_references(self) -> None:
        """The upper half is the attribute's, and the portrait's hole."""
        portrait, attribute, *keypoints = self._pictures(4)
        mask = np.zeros(portrait.shape[:2], np.uint8)
        mask[: len(mask) // 2] = 255
        worn = AttributeReference(attribute, mask, keypoints=keypoints[0])
        self.pipeline.set_references(portrait, mask, [worn], portrait_keypoints=keypoints[1])

    def guide(self) -> torch.Tensor:
        with torch.no_grad():
            return self.pipeline.guide(self.keypoints, self.frames)

    def step(self, scale: float = GUIDANCE, denoiser: torch.nn.Module | None = None) -> Work:
        """Run one step over all frames. References must be set."""
        pipeline = self.pipeline
        predict = Prediction(
            # A compiled module asked whether it is true asks for its length, which it has not.
            pipeline.denoiser if denoiser is None else denoiser,
            pipeline.conditioner,
            pipeline.encoded_references,
            self.guide(),
            None,
            in_one_batch=isinstance(pipeline, BaselinePipeline),
            draft=None if self.draft is None else torch.no_grad()(pipeline.encoded)(self.draft),
        )
        timestep, window = torch.tensor(500), [np.arange(self.frames)]
        latents = self.latents()
        return torch.no_grad()(lambda: predict(latents, timestep, window, scale))

    def decode(self) -> list[np.ndarray]:
        return list(self.pipeline.decode_latents(as_video(self.latents())))

    def clip(self, steps: int, scale: float) -> None:
        """From pictures to frames."""
        self.set_references()
        options = {"num_inference_steps": steps, "guidance_scale": scale, "window": self.frames}
        self.pipeline(self.keypoints, draft=self.draft, **options)

    def latents(self) -> torch.Tensor:
        shape = (self.frames, *self.pipeline.latent_shape)
        return torch.randn(shape, device=self.pipeline.device, dtype=self.pipeline.denoiser.dtype)


def measure(ours: Bench, baseline: Bench, steps: int, baseline_steps: int, repeats: int) -> Numbers:
    """All seconds among the keys of :func:`bench_diffusion`, and the FLOPs."""
    work: dict[str, Work] = {}
    for way, one in _ways(ours, baseline):
        one.set_references()
        work[f"step_seconds{way}"] = one.step()
    for way, one in _ways(ours, baseline):
        work |= {f"references_seconds{way}": one.set_references, f"decode_seconds{way}": one.decode}
    work["unguided_step_seconds"] = unguided = ours.step(scale=1.0)
    work["guider_seconds"] = ours.guide
    work["end_to_end_seconds"] = partial(ours.clip, steps, 1.0)
    extrapolated = ours.pipeline.device.type == "cpu"
    if not extrapolated:
        work["end_to_end_seconds_baseline"] = partial(baseline.clip, baseline_steps, GUIDANCE)
    # Each runs once to count or to warm up; a whole clip is made of what then is warm.
    flops = {
        "flops_per_frame_step": count_flops(unguided) / ours.frames,
        "flops_per_frame_guided_step": count_flops(work["step_seconds"]) / ours.frames,
        "flops_per_frame_guided_step_baseline": count_flops(work["step_seconds_baseline"]) / ours.frames,
    }
    ours.decode()
    baseline.decode()
    found = medians_in_turns(work, repeats)
    if extrapolated:
        parts = baseline_steps * found["step_seconds_baseline"]
        found["end_to_end_seconds_baseline"] = (
            found["references_seconds_baseline"] + parts + found["decode_seconds_baseline"]
        )
    return found | {
        "speedup": found["step_seconds_baseline"] / found["step_seconds"],
        "end_to_end_speedup": found["end_to_end_seconds_baseline"] / found["end_to_end_seconds"],
        "baseline_end_to_end_is_extrapolated": extrapolated,
        "seconds_per_frame": found["end_to_end_seconds"] / ours.frames,
        **flops,
    }


def medians_in_turns(work: dict[str, Work], repeats: int) -> Numbers:
    """Median seconds of each, all of them run in turns ``repeats`` times."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, one in work.items():
            times[name].append(_seconds(one))
    return {name: statistics.median(values) for name, values in times.items()}


def _seconds(work: Work) -> float:
    _wait_for_gpu()
    started = time.perf_counter()
    work()
    _wait_for_gpu()
    return time.perf_counter() - started


def _wait_for_gpu() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


# Operations


def count_flops(work: Work) -> int:
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    with FlopCounterMode(display=False, custom_mapping={attention: _attention_flops}) as counter:
        work()
    return counter.get_total_flops()


def _attention_flops(query: tuple, key: tuple, value: tuple, *_: object, **__: object) -> int:
    """Of the CPU's kernel, which torch's counter does not know: the products with keys and with values."""
    rows, heads, queries, width = query
    return 2 * rows * heads * queries * key[2] * (width + value[3])


def _against_the_chip(ours: Bench, report: dict[str, Any], repeats: int) -> Numbers:
    """The share of the matrix units' measured rate that a guided step reaches, before and after ``torch.compile``."""
    ours.set_references()
    compiled = ours.step(denoiser=torch.compile(ours.pipeline.denoiser))
    compiled()
    seconds = medians_in_turns({"step": compiled}, repeats)["step"]
    a, b = (torch.randn(MATRIX_SIDE, MATRIX_SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    product = medians_in_turns({"product": lambda: [a @ b for _ in range(MATRIX_REPEATS)]}, repeats)["product"]
    rate = 2 * MATRIX_SIDE**3 * MATRIX_REPEATS / product
    flops = report["flops_per_frame_guided_step"] * ours.frames
    return {
        "matrix_flops": rate,
        "share": flops / report["step_seconds"] / rate,
        "step_seconds_compiled": seconds,
        "share_compiled": flops / seconds / rate,
    }


# Memory


def _cuda_peak_mb(pipeline: DurianPipeline, frames: int) -> float:
    """Before any references are set, and before anything was cached."""
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    _guided_step(Bench(pipeline, frames))
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def _peaks_of_processes(preset: Preset, frames: int) -> Numbers:
    """Both ways in fresh processes, since a process has one peak only."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as processes:
        peaks = [
            (way, processes.submit(_process_peak_mb, preset, frames, baseline)) for way, baseline in _ways(False, True)
        ]
        return {f"peak_mb{way}": peak.result() for way, peak in peaks}


def _process_peak_mb(preset: Preset, frames: int, baseline: bool) -> float:
    """By how much the resident memory of this process grows at most."""
    pipeline = prepared(preset, "cpu")
    bench = Bench(baseline_pipeline(pipeline) if baseline else pipeline, frames)
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    _guided_step(bench)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / 1e6


def _guided_step(bench: Bench) -> None:
    bench.set_references()
    bench.step()()
    _wait_for_gpu()


# For people


def _sizes(pipeline: DurianPipeline) -> dict[str, object]:
    parts = (part for part in pipeline.components.values() if isinstance(part, torch.nn.Module))
    sizes = [(parameter.numel(), parameter.element_size()) for part in parts for parameter in part.parameters()]
    return {
        "parameters": sum(count for count, _ in sizes),
        "weights_mb": sum(count * size for count, size in sizes) / 1e6,
        "weights_are_random": True,
    }


def _machine(pipeline: DurianPipeline) -> dict[str, object]:
    on_gpu = pipeline.device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name() if on_gpu else _processor(),
        "dtype": str(pipeline.denoiser.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "torch": torch.__version__,
    }


def _processor() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _print_table(report: dict[str, Any], steps: int, baseline_steps: int) -> None:
    """Ours beside the baseline's on stderr, the time of one and the other as their ratio."""
    rows = [
        ("one guided step, s", "step_seconds", 3),
        ("GFLOP per frame of it", "flops_per_frame_guided_step", 1),
        ("memory beyond weights, MB", "peak_mb", 0),
        ("references, s", "references_seconds", 3),
        ("decoding, s", "decode_seconds", 3),
        (f"{steps} plain or {baseline_steps} guided steps, pictures to frames, s", "end_to_end_seconds", 1),
    ]
    lines = [
        f"{report['preset']}, {report['frames']} frames, {report['device']}, {report['dtype']}, "
        f"{report['threads']} threads, load {report['load']:.1f}. Weights are random: nothing was made to be seen.",
        f"{'':52}{'ours':>10}{'baseline':>10}{'ratio':>8}",
    ]
    for title, key, digits in rows:
        scale = 1e9 if key.startswith("flops") else 1
        ours, theirs = report[key] / scale, report[f"{key}_baseline"] / scale
        lines.append(f"{title:52}{ours:10.{digits}f}{theirs:10.{digits}f}{theirs / ours:8.2f}")
    for title, key in (
        ("one plain step, s", "unguided_step_seconds"),
        ("guider, s", "guider_seconds"),
        ("share of the chip's matrix rate", "share"),
        ("the same, compiled", "share_compiled"),
    ):
        if key in report:
            lines.append(f"{title:52}{report[key]:10.3f}")
    print("\n".join(lines), file=sys.stderr)

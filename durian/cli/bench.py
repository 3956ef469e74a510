"""``durian bench``: speed and memory."""

from __future__ import annotations

import argparse

from durian.cli.combinations import check_bench


def run(arguments: argparse.Namespace) -> dict[str, object]:
    check_bench(arguments)
    if arguments.what == "preview":
        from durian.bench import bench_preview

        return bench_preview(arguments.jobs)
    if arguments.what == "synth":
        from durian.synthetic.scenes.bench import bench_synthetic

        return bench_synthetic(arguments.scenes, arguments.size or 256, arguments.workers)
    if arguments.what == "soak":
        return _soak(arguments)
    from durian.diffusion.bench import bench_diffusion
    from durian.settings import get_settings

    device = arguments.device or get_settings().torch_device()
    return bench_diffusion(arguments.preset, device, arguments.frames or 24)


def _soak(arguments: argparse.Namespace) -> dict[str, object]:
    from durian.soak import SoakOptions, soak

    names = ("animations", "stills", "clients", "seed", "frames", "size", "keep_seconds", "limit")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return soak(SoakOptions(**given), arguments.strict)

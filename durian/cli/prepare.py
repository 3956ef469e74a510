"""``durian prepare``: training clips from videos, photos or synthetic scenes."""

from __future__ import annotations

import argparse

from durian.cli.progress import progress


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """``folder``, and what :func:`durian.training.preparation.folder.prepare` says."""
    from durian.training.preparation.folder import prepare
    from durian.training.preparation.settings import FRAME_RATE, Preparation

    kind = next(name for name in ("scenes", "portraits", "videos") if getattr(arguments, name))
    wanted = Preparation(
        sources=getattr(arguments, kind),
        out=arguments.out,
        kind=kind,
        size=arguments.size,
        fps=arguments.fps or FRAME_RATE,
        categories=tuple(arguments.categories),
        masks=arguments.masks,
        drafts=arguments.drafts,
    )
    with progress(kind.removesuffix("s")) as show:
        return {"folder": str(arguments.out), **prepare(wanted, arguments.shard, arguments.workers, show)}

"""``durian wear``: a portrait with items on, as a picture of the whole photo at its own resolution."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np

from durian.cli.animate import given_items, warnings, who
from durian.cli.combinations import check_together
from durian.engine import get_engine
from durian.engine.dressed_photo import fitting_size
from durian.layers.fit import fits
from durian.media import read_image, write_image
from durian.prepare import build_request
from durian.renderer import check_renderer
from durian.request import DiffusionOptions, RenderOptions
from durian.settings import get_settings


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """The report: ``out, width, height, renderer, seed, fit``.

    Raises:
        DurianError: one sentence about the argument or file.
    """
    check_together(arguments)
    check_renderer(get_settings().renderer if arguments.renderer is None else arguments.renderer)
    portrait, items, blend, _ = who(arguments)
    items += given_items(arguments)
    options = RenderOptions(
        uncrop=True,
        seed=arguments.seed,
        expansion=arguments.expand,
        light=arguments.light,
        label=not arguments.no_label,
    )
    diffusion = DiffusionOptions(arguments.steps, arguments.guidance, arguments.sampler)
    prepared = build_request(portrait, items, None, options, blend, arguments.erase, arguments.renderer, diffusion)
    request = prepared.request
    # Items are looked for on a smaller photo; what is written is as large as the file.
    photo = portrait.picture if isinstance(portrait.picture, np.ndarray) else read_image(portrait.picture)
    side = request.portrait.crop.side * photo.shape[1] / request.portrait.image.shape[1]
    size = fitting_size(side) if arguments.size is None else arguments.size
    request = replace(request, options=replace(options, size=size))
    for notice in (*prepared.notices, *warnings(items, fits(request))):
        print(f"durian: {notice}", file=sys.stderr)
    picture = get_engine().dressed_photo(request, photo)
    write_image(picture, arguments.out, {"seed": options.seed, "renderer": request.renderer})
    return {
        "out": str(arguments.out),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "renderer": request.renderer,
        "seed": options.seed,
        "fit": [fit.told() for fit in fits(request)],
    }

"""``durian wear``: a portrait with items on, as a picture of the whole photo at its own resolution."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np

from durian.cli.animate import given_items, warnings, who
from durian.cli.combinations import check_together
from durian.engine import get_engine
from durian.engine.dressed_photo import dressed_photo
from durian.engine.label import draw_label
from durian.face import Crop
from durian.layers.fit import fits
from durian.media import read_image, write_image
from durian.prepare import PortraitSource, build_request
from durian.renderer import check_renderer
from durian.request import DiffusionOptions, Portrait, RenderOptions
from durian.settings import get_settings

SMALLEST = 512
"""Pixels of a still's side at least: below it items are cut out more coarsely than they look."""


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
        uncrop=True, seed=arguments.seed, expansion=arguments.expand, light=arguments.light, label=False
    )
    diffusion = DiffusionOptions(arguments.steps, arguments.guidance, arguments.sampler)
    prepared = build_request(portrait, items, None, options, blend, arguments.erase, arguments.renderer, diffusion)
    request = prepared.request
    photo, crop = _whole_photo(portrait, request.portrait)
    # Room for a hat was looked for within the photo; what is drawn is the crop, as large as the photo has it.
    size = _fitting_size(crop) if arguments.size is None else arguments.size
    request = replace(request, options=replace(options, uncrop=False, size=size))
    for notice in (*prepared.notices, *warnings(items, fits(request))):
        print(f"durian: {notice}", file=sys.stderr)
    picture = dressed_photo(get_engine().still(request), photo, crop)
    if not arguments.no_label:
        picture = draw_label(picture)
    write_image(picture, arguments.out, {"seed": options.seed, "renderer": request.renderer})
    return {
        "out": str(arguments.out),
        "width": picture.shape[1],
        "height": picture.shape[0],
        "renderer": request.renderer,
        "seed": options.seed,
        "fit": [fit.told() for fit in fits(request)],
    }


def _fitting_size(crop: Crop) -> int:
    """As many pixels as the crop has in the photo, within what can be rendered; even."""
    return round(min(max(crop.side, SMALLEST), get_settings().max_size) / 2) * 2


def _whole_photo(source: PortraitSource, portrait: Portrait) -> tuple[np.ndarray, Crop]:
    """The photo as large as its file is, ``(H, W, 3) uint8``, and the crop in its pixels: what is looked at and taken
    apart may be smaller."""
    photo = source.picture if isinstance(source.picture, np.ndarray) else read_image(source.picture)
    scale = photo.shape[1] / portrait.image.shape[1]
    crop = portrait.crop
    # Pixel centres at integers: the photo's corner is at -0.5 at either size.
    return photo, Crop((crop.x + 0.5) * scale - 0.5, (crop.y + 0.5) * scale - 0.5, crop.side * scale)

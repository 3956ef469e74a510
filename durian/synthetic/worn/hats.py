"""Hats and other headwear: their styles, random looks, and meshes from a look.

Each style fits the head's own skull, is described by continuous numbers, and says how hair goes under it
(:class:`HatFit`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from durian.synthetic.base.geometry import HatFit, Mesh
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.shapes import merged
from durian.synthetic.base.wear import NONE, Style, near_colour, style_of
from durian.synthetic.head.head import HeadModel
from durian.synthetic.worn import (
    brimmed_hats,
    caps,
    fur_hats,
    head_wraps,
    headscarf,
    hood,
    soft_hats,
    towel,
    wound_cloth,
)
from durian.synthetic.worn.fabric import (
    BOLD_PRINTS,
    FELTS,
    FURS,
    LEATHERS,
    STRAWS,
    TOWELS,
    sample_accent,
    sample_dye,
    sample_print,
)
from durian.synthetic.worn.millinery import darker

STYLES: dict[str, Style] = {
    "beanie": soft_hats.beanie,
    "cuffed_beanie": soft_hats.cuffed_beanie,
    "pompom_beanie": soft_hats.pompom_beanie,
    "beret": soft_hats.beret,
    "flat_cap": soft_hats.flat_cap,
    "baseball_cap": caps.baseball_cap,
    "backwards_cap": caps.backwards_cap,
    "bucket_hat": brimmed_hats.bucket_hat,
    "fedora": brimmed_hats.fedora,
    "straw_hat": brimmed_hats.straw_hat,
    "cowboy_hat": brimmed_hats.cowboy_hat,
    "headband": head_wraps.headband,
    "knotted_headband": head_wraps.knotted_headband,
    "bandana": head_wraps.bandana,
    "headscarf": headscarf.headscarf,
    "turban": head_wraps.turban,
    "trapper_hat": fur_hats.trapper_hat,
    "ushanka": fur_hats.ushanka,
    "fur_hat": fur_hats.fur_hat,
    "head_wrap": wound_cloth.head_wrap,
    "towel": towel.towel,
    "hood": hood.hood,
}

DYES_OF = {
    "fedora": FELTS,
    "cowboy_hat": (*FELTS, *LEATHERS, *STRAWS[:2]),
    "straw_hat": STRAWS,
    "flat_cap": FELTS,
    "trapper_hat": FURS,
    "ushanka": FURS,
    "fur_hat": FURS,
    "towel": TOWELS,
}
"""Colours of the styles that are not made of dyed cloth."""
PATTERNS_OF = {
    "beanie": ("plain", "plain", "stripes"),
    "cuffed_beanie": ("plain", "plain", "stripes"),
    "pompom_beanie": ("plain", "stripes"),
    "flat_cap": ("plain", "checks"),
    "baseball_cap": ("plain", "plain", "contrast"),
    "backwards_cap": ("plain", "plain", "contrast"),
    "bucket_hat": ("plain", "plain", "plain", "plain", "checks", "dots", "ornament"),
    "bandana": ("plain", "dots", "dots", "checks", "stripes", "ornament"),
    "headscarf": ("plain", "plain", "plain", "plain", "stripes", "dots"),
    "knotted_headband": ("plain", "plain", "dots", "stripes", "zigzag"),
    "turban": ("plain", "plain", "plain", "ornament", "zigzag"),
    "head_wrap": ("plain", "plain", "ornament", "ornament", "ornament", "zigzag", "dots"),
    "trapper_hat": ("plain", "contrast"),
    "ushanka": ("plain", "contrast"),
}
"""Patterns of each style, as often as they are drawn; others are plain."""
SCARF_STRIPES = 0.55
"""Brightness of a headscarf's stripes and dots, which are tone in tone."""


def sample_hat_look(rng: np.random.Generator, styles: Sequence[str] | None = None) -> HatLook:
    """A hat drawn at random.

    Args:
        rng: where chance comes from.
        styles: the styles to choose from, each as likely as the others; all if left out.
    """
    names = list(styles or STYLES)
    style = names[rng.integers(len(names))]
    if style == NONE:
        return HatLook()
    dyes = DYES_OF.get(style)
    colour = near_colour(dyes[rng.integers(len(dyes))], rng) if dyes else sample_dye(rng)
    accent = darker(colour, SCARF_STRIPES) if style == "headscarf" else sample_accent(colour, rng)
    patterns = PATTERNS_OF.get(style, ("plain",))
    look = HatLook(
        style=style,
        parameters=STYLES[style].sample(rng),
        seed=int(rng.integers(2**31)),
        colour=colour,
        accent=accent,
        pattern=patterns[rng.integers(len(patterns))],
    )
    if look.pattern not in BOLD_PRINTS:
        return look
    ground, ink = sample_print(rng)
    return replace(look, colour=ground, accent=ink)


def make_hat(head: HeadModel, look: HatLook) -> tuple[list[Mesh], HatFit | None]:
    """Meshes of a hat on the neutral head, and how hair goes under it; nothing and None for style ``"none"``.

    Raises:
        InvalidRequest: there is no such style, or it has no such number.
    """
    if not look.is_worn:
        return [], None
    style = style_of(look, STYLES)
    parts = style.build(head, look, **style.complete(look.parameters))
    return [merged(parts.meshes)], parts.fit

"""Hair styles as data: each style's cut, and the ranges from which its shape is drawn.

A cut (:mod:`durian.synthetic.hair.cuts`) turns parameters into strands; a style is a name for a region of its
parameters. Every parameter is a number with a unit, so that looks can be blended, varied and recorded. Light to
import: no geometry is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from durian.errors import InvalidRequest
from durian.synthetic.base.looks import HairLook
from durian.synthetic.base.wear import NONE

Range = tuple[float, float]

PARAMETERS = {
    "length": "cm; of hanging, tied and braided hair the height of its ends instead (chin -7.6, shoulders -13)",
    "sides": "length at the sides relative to the top",
    "taper": "cm above the hairline within which sides get shorter towards it",
    "blend": "cm of height over which short sides become a long top",
    "volume": "cm by which hair stands off the head",
    "parting": "cm to the person's left of the middle",
    "away": "how much hair is combed away from the parting",
    "forward": "how much it is combed to the front, negative to the back",
    "quiff": "how much it rises above the forehead, in [0, 1]",
    "lift": "how much it starts out along the skin's normal, in [0, 1]",
    "mess": "how far neighbours go astray together; 0 is freshly combed",
    "spikes": "how much tips gather in points, in [0, 1]",
    "fringe": "height of the ends of hair on the forehead (brows are at 6, the hairline at 10.7)",
    "sweep": "where a fringe falls: -1 to the person's right, 0 straight, 1 to the left",
    "bangs": "width of a separate fringe as a part of the forehead; 0 is none",
    "layers": "cm by which ends differ in height",
    "angle": "how much longer the front is than the back, cm per cm",
    "turn_in": "how much the ends of hanging hair turn to the neck, negative away from it",
    "opening": "cm by which the hair leaves the face more free",
    "wave": "cm; radius of waves or curls",
    "turns": "waves or curls per cm",
    "flat": "1 waves along the head, 0 ringlets",
    "unity": "how much neighbouring curls swing together, in [0, 1]",
    "width": "cm; of lumps such as locs, braids and buns",
    "height": "of the knot on the head: 0 low at the nape, 1 on the crown",
    "tightness": "how close gathered hair lies to the head, in [0, 1]",
    "wisps": "number of locks that hang loose at each temple",
    "rows": "number of braids",
    "baldness": "0 none, 1 only a horseshoe of hair is left",
    "recede": "cm by which the forehead has grown; negative for a low hairline",
    "density": "number of strands, 1 is usual",
    "clumping": "how much strands stick together, in [0, 1]",
    "flyaways": "share of strands that stand off",
    "streaks": "share of strands that are lighter",
    "grey": "how much of its colour the hair has lost",
}

COMMON: dict[str, Range] = {
    "recede": (-0.4, 0.5),
    "density": (0.85, 1.15),
    "clumping": (0.3, 0.6),
    "flyaways": (0.005, 0.03),
    "streaks": (0.0, 0.25),
    "grey": (0.0, 0.0),
    "baldness": (0.0, 0.0),
}
"""Of all styles, unless they say otherwise."""


@dataclass(frozen=True)
class Style:
    """``cut``: a function of :mod:`durian.synthetic.hair.cuts`; ``men`` and ``women``: how common it is among them;
    ``ages``: whose."""

    cut: str
    ranges: Mapping[str, Range]
    men: float = 0.0
    women: float = 0.0
    ages: Range = (0, 120)


def _style(cut: str, men: float = 0.0, women: float = 0.0, ages: Range = (0, 120), **ranges: Range) -> Style:
    return Style(cut, ranges, men, women, ages)


STYLES: dict[str, Style] = {
    "buzz": _style(
        "cropped", men=1.2, women=0.1, length=(0.25, 0.7), sides=(0.5, 1.0), volume=(0.05, 0.1), forward=(0.2, 0.7),
        lift=(0.5, 0.65), mess=(0.1, 0.3), clumping=(0.0, 0.1), flyaways=(0.0, 0.0),
    ),
    "crop": _style(
        "cropped", men=1.6, women=0.2, length=(1.8, 3.4), sides=(0.3, 0.6), taper=(1.5, 4.0), volume=(0.5, 1.0),
        forward=(0.3, 0.8), away=(0.0, 0.15), parting=(-3.0, 3.0), lift=(0.3, 0.5), mess=(0.25, 0.5),
    ),
    "french_crop": _style(
        "cropped", men=0.9, women=0.1, ages=(16, 50), length=(3.5, 5.5), sides=(0.1, 0.25), taper=(2.0, 4.0),
        volume=(0.5, 0.9), forward=(0.9, 1.0), lift=(0.25, 0.4), mess=(0.1, 0.3), fringe=(8.2, 9.4),
        blend=(1.0, 2.5),
    ),
    "quiff": _style(
        "cropped", men=1.2, women=0.1, ages=(16, 60), length=(4.0, 6.5), sides=(0.15, 0.4), taper=(2.0, 4.0),
        volume=(0.8, 1.4), forward=(-0.9, -0.5), away=(0.0, 0.5), parting=(-4.0, 4.0), quiff=(0.6, 1.0),
        lift=(0.45, 0.6), mess=(0.1, 0.3),
    ),
    "spiky": _style(
        "cropped", men=0.6, women=0.1, ages=(16, 45), length=(2.5, 4.2), sides=(0.35, 0.6), taper=(1.5, 3.0),
        volume=(0.4, 0.8), forward=(0.0, 0.6), lift=(0.65, 0.8), mess=(0.6, 1.0), spikes=(0.75, 0.95),
        quiff=(0.2, 0.5),
    ),
    "side_part": _style(
        "cropped", men=1.4, women=0.1, length=(5.0, 8.0), sides=(0.25, 0.5), taper=(1.5, 3.0), volume=(0.8, 1.5),
        parting=(2.5, 4.5), away=(1.0, 1.0), forward=(-0.3, 0.1), lift=(0.35, 0.5), mess=(0.05, 0.2),
    ),
    "slick_back": _style(
        "cropped", men=0.8, women=0.2, length=(7.0, 10.0), sides=(0.35, 0.6), taper=(1.0, 2.5), volume=(0.5, 1.0),
        forward=(-1.0, -1.0), away=(0.0, 0.2), parting=(-3.0, 3.0), quiff=(0.1, 0.3), lift=(0.35, 0.5),
        mess=(0.02, 0.1), clumping=(0.4, 0.7),
    ),
    "undercut": _style(
        "cropped", men=0.8, women=0.2, ages=(16, 50), length=(6.5, 9.5), sides=(0.05, 0.1), taper=(0.5, 2.0),
        blend=(0.3, 0.8), volume=(0.8, 1.4), forward=(-0.8, -0.2), away=(0.3, 0.9), parting=(2.5, 4.0),
        quiff=(0.2, 0.5), lift=(0.4, 0.5), mess=(0.05, 0.2),
    ),
    "pixie": _style(
        "cropped", men=0.1, women=1.2, length=(5.0, 7.5), sides=(0.4, 0.6), taper=(0.8, 1.5), volume=(0.7, 1.2),
        forward=(0.3, 0.8), away=(0.4, 0.8), parting=(2.0, 4.5), fringe=(6.8, 8.0), lift=(0.3, 0.45),
        mess=(0.15, 0.4),
    ),
    "short_curls": _style(
        "cropped", men=0.9, women=0.5, length=(3.5, 6.0), sides=(0.35, 0.6), taper=(1.0, 2.5), volume=(1.0, 1.8),
        forward=(0.1, 0.5), lift=(0.5, 0.7), mess=(0.4, 0.7), wave=(0.3, 0.5), turns=(0.3, 0.5), flat=(0.0, 0.3),
        unity=(0.2, 0.5),
    ),
    "thinning": _style(
        "cropped", men=0.8, ages=(35, 120), length=(1.5, 3.5), sides=(0.5, 0.8), taper=(1.0, 2.0),
        volume=(0.3, 0.6), forward=(-0.4, 0.5), away=(0.2, 0.8), parting=(-4.0, 4.0), lift=(0.3, 0.45),
        mess=(0.05, 0.2), baldness=(0.3, 0.6), recede=(0.8, 1.8),
    ),
    "horseshoe": _style(
        "cropped", men=0.8, ages=(38, 120), length=(1.0, 2.5), sides=(1.0, 1.0), taper=(0.8, 1.5),
        volume=(0.2, 0.5), forward=(-0.5, 0.0), lift=(0.25, 0.4), mess=(0.15, 0.4), baldness=(0.85, 1.0),
        recede=(1.5, 2.5),
    ),
    "curtains": _style(
        "cropped", men=0.7, women=0.3, ages=(16, 45), length=(8.0, 11.5), sides=(0.2, 0.4), taper=(1.5, 3.0),
        volume=(0.9, 1.6), parting=(-1.2, 1.2), away=(1.0, 1.0), forward=(0.2, 0.6), lift=(0.4, 0.6),
        mess=(0.08, 0.25),
    ),
    "bob": _style(
        "hanging", women=1.3, length=(-7.5, -4.0), layers=(0.2, 1.0), volume=(1.0, 1.7), parting=(-4.0, 4.0),
        turn_in=(-0.2, 0.8), opening=(-0.6, 0.4), angle=(-0.05, 0.25), mess=(0.03, 0.12), wave=(0.0, 0.12),
        turns=(0.05, 0.09), flat=(0.9, 1.0), unity=(0.9, 1.0),
    ),
    "bob_fringe": _style(
        "hanging", women=0.9, length=(-7.5, -3.0), layers=(0.2, 0.8), volume=(1.0, 1.6), parting=(-1.0, 1.0),
        turn_in=(0.0, 0.8), opening=(-0.6, 0.2), angle=(-0.05, 0.15), mess=(0.03, 0.1), bangs=(0.85, 1.0),
        fringe=(5.6, 7.0), sweep=(-0.2, 0.2),
    ),
    "lob": _style(
        "hanging", women=1.2, length=(-12.0, -9.0), layers=(0.8, 2.5), volume=(1.1, 1.8), parting=(-4.0, 4.0),
        turn_in=(-0.4, 0.5), opening=(-0.6, 0.4), angle=(0.0, 0.2), mess=(0.08, 0.2), wave=(0.2, 0.45),
        turns=(0.07, 0.12), flat=(0.7, 1.0), unity=(0.8, 1.0),
    ),
    "long_straight": _style(
        "hanging", men=0.25, women=1.5, length=(-20.0, -14.0), layers=(1.0, 4.0), volume=(0.8, 1.4),
        parting=(-3.5, 3.5), turn_in=(-0.2, 0.4), opening=(-0.6, 0.4), angle=(-0.1, 0.1), mess=(0.03, 0.1),
        wave=(0.0, 0.15), turns=(0.04, 0.07), flat=(0.9, 1.0), unity=(0.9, 1.0),
    ),
    "long_fringe": _style(
        "hanging", women=0.9, length=(-20.0, -13.0), layers=(1.0, 4.0), volume=(0.9, 1.4), parting=(-1.0, 1.0),
        turn_in=(-0.2, 0.4), opening=(-0.6, 0.2), angle=(-0.1, 0.1), mess=(0.04, 0.12), bangs=(0.6, 1.0),
        fringe=(5.4, 6.8), sweep=(-0.7, 0.7), wave=(0.0, 0.15), turns=(0.04, 0.07), flat=(0.9, 1.0),
        unity=(0.9, 1.0),
    ),
    "long_wavy": _style(
        "hanging", men=0.15, women=1.5, length=(-19.0, -13.0), layers=(2.0, 5.0), volume=(1.3, 2.1),
        parting=(-4.0, 4.0), opening=(-0.5, 0.5), angle=(-0.1, 0.1), mess=(0.08, 0.2), wave=(0.4, 0.7),
        turns=(0.09, 0.15), flat=(0.4, 0.8), unity=(0.6, 0.9),
    ),
    "shag": _style(
        "hanging", men=0.2, women=0.6, length=(-12.0, -7.0), layers=(6.0, 9.0), volume=(1.4, 2.0),
        parting=(-2.0, 2.0), turn_in=(-0.6, 0.0), opening=(-0.8, 0.2), angle=(-0.2, 0.0), mess=(0.25, 0.45),
        bangs=(0.7, 1.0), fringe=(5.0, 6.5), sweep=(-0.4, 0.4), wave=(0.15, 0.35), turns=(0.1, 0.16),
        flat=(0.6, 1.0), unity=(0.4, 0.7), clumping=(0.5, 0.75),
    ),
    "long_curls": _style(
        "hanging", men=0.2, women=1.2, length=(-13.0, -6.0), layers=(3.0, 7.0), volume=(1.8, 3.0),
        parting=(-4.0, 4.0), opening=(-0.3, 0.7), mess=(0.2, 0.4), wave=(0.5, 0.85), turns=(0.18, 0.3),
        flat=(0.0, 0.25), unity=(0.0, 0.3), clumping=(0.4, 0.8),
    ),
    "afro": _style(
        "rounded", men=0.4, women=0.6, length=(3.0, 6.5), wave=(0.25, 0.4), turns=(0.5, 0.65), mess=(0.25, 0.45),
        clumping=(0.0, 0.15), flyaways=(0.0, 0.02),
    ),
    "tight_curls": _style(
        "rounded", men=0.7, women=0.4, length=(1.2, 2.8), wave=(0.14, 0.22), turns=(0.7, 0.95), mess=(0.3, 0.5),
        clumping=(0.15, 0.4), flyaways=(0.0, 0.02),
    ),
    "locs": _style(
        "locked", men=0.3, women=0.4, ages=(16, 60), length=(-14.0, -3.0), volume=(1.0, 1.8), parting=(-3.0, 3.0),
        opening=(-0.2, 0.6), width=(0.5, 0.8), mess=(0.2, 0.4),
    ),
    "cornrows": _style(
        "cornrowed", men=0.3, women=0.4, ages=(16, 55), rows=(14.0, 19.0), width=(0.8, 1.0), length=(-12.0, -6.0),
        recede=(-0.2, 0.3), flyaways=(0.0, 0.0),
    ),
    "bun": _style(
        "bunned", women=0.9, height=(0.0, 0.7), width=(2.4, 3.4), tightness=(0.5, 0.95), wisps=(0.0, 2.4),
        recede=(-0.4, 0.4),
    ),
    "top_knot": _style(
        "bunned", men=0.3, women=0.6, ages=(16, 60), height=(0.9, 1.0), width=(1.8, 3.0), tightness=(0.5, 0.9),
        wisps=(0.0, 2.4),
    ),
    "ponytail": _style(
        "tailed", men=0.2, women=1.1, height=(0.1, 0.9), length=(-18.0, -6.0), tightness=(0.5, 0.95),
        wisps=(0.0, 2.4), wave=(0.0, 0.6), turns=(0.06, 0.16), flat=(0.3, 1.0), unity=(0.7, 1.0), volume=(1.2, 2.4),
    ),
    "braids": _style(
        "plaited", women=0.6, ages=(16, 60), rows=(1.0, 2.0), length=(-19.0, -12.0), width=(1.2, 1.9),
        parting=(-0.5, 0.5), tightness=(0.5, 0.9), wisps=(0.0, 2.4),
    ),
}  # fmt: skip

BALD_SHARE = 0.06
"""Of men without any hair, at all ages."""
RECEDING = 1.4
"""Largest recession (cm) of men's foreheads by age, on top of the style's."""
DYED = 0.5
"""Share of women who do not show that they are grey."""
GREY_FROM, GREY_UNTIL = 30.0, 75.0
"""Ages: nobody is grey before, most are after."""


def ranges_of(style: str) -> dict[str, Range]:
    """Every parameter of a style and the range it is drawn from.

    Raises:
        InvalidRequest: there is no such style.
    """
    if style not in STYLES:
        raise InvalidRequest(f"There is no hair style {style!r}: use {NONE}, {', '.join(STYLES)}.")
    return {**COMMON, **STYLES[style].ranges}


def complete(given: Mapping[str, float], ranges: Mapping[str, Range]) -> dict[str, float]:
    """All parameters; those not given are the middle of their range.

    Raises:
        InvalidRequest: one that is given has no range.
    """
    unknown = [name for name in given if name not in ranges]
    if unknown:
        raise InvalidRequest(f"There is no parameter {unknown[0]!r} here: use {', '.join(ranges)}.")
    return {name: (low + high) / 2 for name, (low, high) in ranges.items()} | dict(given)


def complete_parameters(look: HairLook) -> dict[str, float]:
    """Every parameter of a look; those it does not give are the middle of the style's range.

    Raises:
        InvalidRequest: there is no such style, or it has no such parameter.
    """
    return complete(look.parameters, ranges_of(look.style))


def sample_hair_look(rng: np.random.Generator, feminine: float, age: float) -> tuple[str, dict[str, float]]:
    """A style and its parameters for somebody.

    Args:
        rng: where chance comes from.
        feminine: 0 to 1.
        age: years.
    """
    if rng.random() < BALD_SHARE * (1 - feminine):
        return NONE, {}
    names = [name for name, style in STYLES.items() if style.ages[0] <= age <= style.ages[1]]
    weights = np.array([STYLES[name].men * (1 - feminine) + STYLES[name].women * feminine for name in names])
    style = str(rng.choice(names, p=weights / weights.sum()))
    parameters = {name: float(rng.uniform(*limits)) for name, limits in ranges_of(style).items()}
    if "parting" in parameters and rng.random() < 0.5:
        parameters["parting"] *= -1
    older = float(np.clip((age - GREY_FROM) / (GREY_UNTIL - GREY_FROM), 0, 1))
    parameters["recede"] += RECEDING * older * (1 - feminine) * float(rng.random())
    grey = float(np.clip(rng.normal(older**1.5, 0.3 * older), 0, 1))
    parameters["grey"] = 0.0 if rng.random() < DYED * feminine else grey
    parameters["density"] *= 1 - 0.25 * older * float(rng.random())
    return style, parameters

"""Make ``assets/motions/*.webp`` anew: Ines, moved by the preview renderer. Run after a preset changes.

python -m scripts.make_motion_thumbnails
"""

from __future__ import annotations

import cv2
from PIL import Image

from durian.assets import synthetic_case
from durian.motion import PRESETS
from durian.prepare import MotionSource, build_request, load_portrait
from durian.preview.renderer import PreviewRenderer
from durian.request import RenderOptions
from durian.settings import get_settings

RENDERED, MARGIN, SIDE = 384, 40, 112
"""Pixels: the size rendered, the border cut off, and the thumbnail's side (cards are shown at 96 to 112)."""
FRAMES, FPS = 30, 12
QUALITY = 55
"""Taste: 10-30 kB each, so that a dozen can be sent with the page."""


def main() -> None:
    folder = get_settings().assets / "motions"
    folder.mkdir(exist_ok=True)
    renderer = PreviewRenderer()
    portrait = load_portrait(synthetic_case("portrait-ines").portrait)
    options = RenderOptions(size=RENDERED, frames=FRAMES, fps=FPS, label=False)
    inside = slice(MARGIN, RENDERED - MARGIN)
    for name in PRESETS:
        request = build_request(portrait, (), MotionSource(name), options).request
        first, *rest = (
            Image.fromarray(cv2.resize(frame[inside, inside], (SIDE, SIDE), interpolation=cv2.INTER_AREA))
            for frame in renderer.render(request)
        )
        first.save(
            folder / f"{name}.webp",
            save_all=True,
            append_images=rest,
            duration=round(1000 / FPS),
            loop=0,
            quality=QUALITY,
            method=6,
            minimize_size=True,
        )
    renderer.close()


if __name__ == "__main__":
    main()

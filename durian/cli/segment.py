"""``durian segment``: a mask by name or clicks."""

from __future__ import annotations

import argparse

from durian.errors import OutputFailed
from durian.face import detect_faces, require_face
from durian.masks import png_bytes, resized
from durian.media import atomic_output, read_picture
from durian.prepare import Click, find_mask
from durian.settings import get_settings


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """``out``, ``width``, ``height`` and ``covered``, the part of the picture inside the mask."""
    picture = read_picture(arguments.image, get_settings().reference_megapixels)
    image = picture.image
    faces = detect_faces(image)
    if arguments.face:
        faces = [require_face(image, arguments.face, arguments.image.name)]
    clicks = tuple(Click(*click) for click in arguments.clicks)
    landmarks = faces[0].landmarks if faces else None
    found = find_mask(
        image, landmarks, arguments.name, clicks, arguments.image.name, arguments.segmenter, picture.given
    )
    mask = resized(found, picture.given)
    if arguments.out.suffix.lower() != ".png":
        raise OutputFailed(f"{arguments.out.name} cannot hold an exact mask: end its name in .png.")
    with atomic_output(arguments.out) as temporary:
        temporary.write_bytes(png_bytes(mask))
    height, width = mask.shape
    return {
        "out": str(arguments.out),
        "width": width,
        "height": height,
        "covered": round(float((mask > 127).mean()), 4),
    }

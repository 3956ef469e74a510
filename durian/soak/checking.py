"""Checks that an answer's file is what was asked for, from the file's bytes."""

from __future__ import annotations

import io

from durian.soak.outcomes import WrongAnswer


def check_picture(data: bytes, size: tuple[int, int]) -> None:
    """
    Args:
        data: a PNG or JPEG.
        size: the width and height that it must have.

    Raises:
        WrongAnswer: it is no whole picture, or of another size.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            found = picture.size
    except (OSError, ValueError) as error:
        raise WrongAnswer(f"{len(data)} bytes that are no picture: {error}") from error
    if found != size:
        raise WrongAnswer(f"a picture of {found[0]}×{found[1]} instead of {size[0]}×{size[1]}")


def check_video(data: bytes, frames: int, side: int) -> None:
    """
    Args:
        data: an MP4.
        frames: how many it must have; all are decoded.
        side: of the square picture in pixels.

    Raises:
        WrongAnswer: it cannot be decoded to its end, or has another size or another number of frames.
    """
    import av

    try:
        with av.open(io.BytesIO(data), "r", format="mp4") as container:
            sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        raise WrongAnswer(f"{len(data)} bytes that are no video: {error}") from error
    if len(sizes) != frames or set(sizes) != {(side, side)}:
        raise WrongAnswer(f"{len(sizes)} frames of {sorted(set(sizes))} instead of {frames} of {side}×{side}")

"""Reading of uploaded files: portraits, references, driving videos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest, NoFaceFound
from durian.face import PORTRAIT_MAX_ROLL, Face, check_face, detect_faces, require_face
from durian.media import Picture, check_together, pixel_count, probe_video, read_picture
from durian.motion import Driving, driving_fps, read_driving
from durian.request import AttributeName, ErasableName
from durian.request_pictures import read_mask_of
from durian.settings import get_settings
from durian.ui.session import Item, MotionChoice, PortraitChoice, Session
from durian.ui.visitors import get_visitors

LOOKED_FOR: tuple[ErasableName, ...] = ("hat", "glasses", "hair", "beard")
"""Items that a reference is searched for, the most telling first."""
ERASABLE: tuple[ErasableName, ...] = ("hat", "glasses", "beard", "hair")
BYTES_A_PIXEL = 7
"""Of a picture on the table: three, and four masks of what is worn in it at most."""
FIRST_TRIM_SECONDS = 10.0
"""A long driving video starts trimmed to this, so that tracking takes a few seconds (taste)."""


def check_table(session: Session, source: str | Path | np.ndarray, instead_of: Item | PortraitChoice | None) -> None:
    """Refuse a picture that would make the table's pictures too large together, before it is unpacked.

    Raises:
        UnreadableMedia, LimitExceeded: it is not a picture we read, or there is no room for it, here or in the server's
            memory.
    """
    pixels = source.shape[0] * source.shape[1] if isinstance(source, np.ndarray) else pixel_count(source)
    settings = get_settings()
    megapixels = settings.reference_megapixels if isinstance(instead_of, Item) else settings.portrait_megapixels
    worked_on = min(pixels, megapixels * 1_000_000)
    for there in (session.portrait, *session.items):
        if there is not None and there is not instead_of and there.picture is not None:
            pixels += there.picture.given[0] * there.picture.given[1]
    check_together(pixels, "The portrait and the items", "remove an item or upload a smaller picture")
    get_visitors().weigh_table(session.owner, session.picture_bytes() + BYTES_A_PIXEL * round(worked_on))


def portrait_from(source: str | Path | np.ndarray) -> PortraitChoice:
    """Read a photo and find its faces; the largest usable one is chosen.

    Raises:
        UnreadableMedia, LimitExceeded: not a picture we read.
        NoFaceFound: no face, or none that can be used.
    """
    picture = _read(source, get_settings().portrait_megapixels)
    image = picture.image
    faces = detect_faces(image)
    usable = [face for face in faces if _usable(face, image)]
    if not usable:
        # Says which of the reasons it is.
        require_face(image, 0, max_roll=PORTRAIT_MAX_ROLL)
    return PortraitChoice(image, usable, given=picture.given)


def _read(source: str | Path | np.ndarray, megapixels: float) -> Picture:
    return Picture.whole(source) if isinstance(source, np.ndarray) else read_picture(source, megapixels)


def _usable(face: Face, image: np.ndarray) -> bool:
    try:
        check_face(face, image.shape, max_roll=PORTRAIT_MAX_ROLL)
    except NoFaceFound:
        return False
    return True


def find_worn(choice: PortraitChoice) -> dict[str, np.ndarray]:
    """Masks of what the portrait wears, looked for once."""
    if choice.worn is None:
        from durian.segmentation import worn

        found = worn(choice.image, choice.face.landmarks, ERASABLE)
        choice.worn = {name: mask for name, mask in found.items() if mask.any()}
    return choice.worn


def reference_into(item: Item, source: str | Path | np.ndarray, taken: tuple[str, ...] = ()) -> None:
    """Read a reference and start its mask with the most telling thing in it that is not in ``taken``.

    Raises:
        UnreadableMedia, LimitExceeded: not a picture we read.
    """
    from durian.segmentation import worn

    picture = _read(source, get_settings().reference_megapixels)
    image = picture.image
    faces = detect_faces(image)
    landmarks = faces[0].landmarks if faces else None
    history = item.put(image, landmarks, picture.given)
    found = {} if landmarks is None else worn(image, landmarks, LOOKED_FOR)
    item.found = tuple(name for name in LOOKED_FOR if name in found and found[name].any())
    for name in [*(n for n in item.found if n not in taken), *item.found][:1]:
        history.start(name, found[name])


def start_named(item: Item, name: AttributeName, kind: str = "auto") -> bool:
    """Start the mask anew with the ``name`` in the picture.

    Returns:
        Whether there was one; if not, a mask of another kind stays as it was, and one that is still to be made, or is
        of no kind, is called by this name.
    """
    from durian.segmentation import get_segmenter

    if item.history is None:
        raise InvalidRequest("There is no reference yet: upload a picture of the item first.")
    if name == "other":
        item.layer = None
        item.history.rename(name)
        return True
    segmenter = get_segmenter(kind)
    segmenter.set_image(item.history.image)
    mask = segmenter.named(name, item.landmarks)
    if not mask.any():
        if not item.ready or item.name == "other":
            item.layer = None
            item.history.rename(name)
        return False
    item.layer = None
    item.history.start(name, mask)
    return True


def click(item: Item, x: float, y: float, positive: bool, kind: str = "auto") -> None:
    """Refine the item's mask with one click, in pixels of the reference as it is worked on."""
    from durian.segmentation import get_segmenter

    item.masking().click(get_segmenter(kind), x, y, positive)


def import_mask(item: Item, path: str) -> Callable[[], None]:
    """Read a mask picture of the size that the reference was uploaded in.

    Returns:
        What gives it to the item; :class:`InvalidRequest` where that has another picture meanwhile.

    Raises:
        UnreadableMedia, InvalidRequest: not a picture, or of another size.
    """
    picture = item.picture
    if picture is None or item.history is None:
        raise InvalidRequest("There is no reference yet: upload the picture that the mask belongs to first.")
    mask, history = read_mask_of(Path(path), picture), item.history

    def take() -> None:
        if item.history is not history:
            raise InvalidRequest("The reference is another one by now: import the mask that belongs to it.")
        history.start(item.name, mask)

    return take


def driving_from(path: str) -> tuple[MotionChoice, Driving]:
    """Read a driving video and track its face, trimmed to the first seconds when it is long.

    Returns:
        The choice, and what was read for it.

    Raises:
        UnreadableMedia, LimitExceeded: not a video we read.
        NoFaceFound: with the frame and time at which there is no face.
        InvalidRequest: with the time at which another shot begins.
    """
    info = probe_video(path)
    end = min(info.duration, FIRST_TRIM_SECONDS)
    choice = MotionChoice(Path(path).stem, Path(path), None, info.duration, info.has_audio, 0.0, end)
    driving = track(choice)
    choice.tracked = driving.motion
    return choice, driving


def track(choice: MotionChoice) -> Driving:
    """Follow the face through the chosen part of the video, as the API and the command line do."""
    if choice.video is None:
        raise InvalidRequest("There is no driving video yet: upload one first.")
    neutral = None if choice.neutral is None else round(choice.neutral * driving_fps(choice.video))
    return read_driving(choice.video, choice.start, choice.end, neutral)


def taken_names(session: Session, besides: Item) -> tuple[str, ...]:
    """The kinds that other items on the table have already, unless two of a kind are wanted for a blend."""
    if session.mode == "blend":
        return ()
    return tuple(item.name for item in session.items if item is not besides and item.ready)


__all__ = [
    "check_table",
    "click",
    "driving_from",
    "find_worn",
    "import_mask",
    "portrait_from",
    "reference_into",
    "start_named",
    "taken_names",
    "track",
]

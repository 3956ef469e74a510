"""Example pictures that come with Durian, and the Hopper and Collins example from two packages' sample photographs.

Everything in ``assets/`` was rendered by this project (``assets/README.md``). Grace Hopper's cap and glasses on Eileen
Collins uses matplotlib's and scikit-image's sample photographs, both in the public domain.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from durian.errors import InvalidRequest, UnreadableMedia
from durian.settings import get_settings

if TYPE_CHECKING:
    from durian.prepare import AttributeSource, PortraitSource
    from durian.request import AnimationRequest

COLLINS_NAME = "Eileen Collins (NASA, public domain)"
HOPPER_NAME = "Grace Hopper (US Navy, public domain)"


@dataclass(frozen=True)
class ExamplePicture:
    """A picture of ours. ``kind`` is "portrait" or "attribute"; ``name`` and ``mask`` belong to attributes only."""

    path: Path
    kind: str
    title: str
    origin: str
    synthetic: bool = True
    name: str | None = None
    mask: Path | None = None

    @property
    def key(self) -> str:
        """Its short name, such as ``hat-fedora``."""
        return self.path.stem


@dataclass(frozen=True)
class Case:
    """Sources that :func:`durian.prepare.build_request` takes as they are."""

    portrait: PortraitSource
    attributes: tuple[AttributeSource, ...]


@dataclass(frozen=True)
class Example:
    """One card on the page: a person, what they put on, and a motion. ``blend`` mixes two items over the clip."""

    name: str
    title: str
    text: str
    motion: str
    case: Callable[[], Case]
    blend: tuple[float, float] | None = None

    def picture(self) -> np.ndarray:
        """The portrait, ``(H, W, 3) uint8``."""
        return _image(self.case().portrait.picture)

    def request(self) -> AnimationRequest:
        """Everything read, faces and masks found; takes about a second."""
        from durian.prepare import MotionSource, build_request

        case = self.case()
        return build_request(case.portrait, case.attributes, MotionSource(self.motion), blend=self.blend).request


@lru_cache(maxsize=1)
def _pictures() -> tuple[ExamplePicture, ...]:
    folder = get_settings().assets
    try:
        entries = json.loads((folder / "examples.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableMedia(
            f"The examples in {folder.name}/examples.json cannot be read: restore the folder from the repository."
        ) from error
    return tuple(
        ExamplePicture(
            path=folder / entry["file"],
            kind=entry["kind"],
            title=entry["title"],
            origin=entry["origin"],
            synthetic=entry["synthetic"],
            name=entry.get("name"),
            mask=folder / entry["mask"] if "mask" in entry else None,
        )
        for entry in entries
    )


def example_portraits() -> tuple[ExamplePicture, ...]:
    """Our portraits, without hat, glasses or beard."""
    return tuple(picture for picture in _pictures() if picture.kind == "portrait")


def example_attributes(name: str | None = None) -> tuple[ExamplePicture, ...]:
    """Our references, each with the exact mask of its item; ``name`` ("hat") selects one kind."""
    return tuple(p for p in _pictures() if p.kind == "attribute" and name in (None, p.name))


def example_picture(key: str) -> ExamplePicture:
    """One of our pictures by its short name, such as ``hat-fedora`` or ``portrait-ines``.

    Raises:
        InvalidRequest: there is none of that name.
    """
    for picture in _pictures():
        if picture.key == key:
            return picture
    known = ", ".join(picture.key for picture in _pictures())
    raise InvalidRequest(f"There is no example picture {key!r}: use one of {known}.")


def load_example(key: str) -> tuple[np.ndarray, np.ndarray | None]:
    """A picture of ours with its mask.

    Returns:
        ``(H, W, 3) uint8`` RGB, and ``(H, W) uint8`` (``None`` for a portrait).

    Raises:
        InvalidRequest: there is none of that name.
        UnreadableMedia: its file is missing or damaged.
    """
    picture = example_picture(key)
    image = _image(picture.path)
    return image, None if picture.mask is None else _image(picture.mask)[..., 0]


def _image(source: Path | np.ndarray) -> np.ndarray:
    if isinstance(source, np.ndarray):
        return source
    from durian.media import read_image

    return read_image(source)


def collins_path() -> Path:
    """The photograph of Eileen Collins that scikit-image installs.

    Raises:
        UnreadableMedia: it is not there.
    """
    return _package_file("skimage", "data/astronaut.png", COLLINS_NAME)


def hopper_path() -> Path:
    """The photograph of Grace Hopper that matplotlib installs.

    Raises:
        UnreadableMedia: it is not there.
    """
    return _package_file("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", HOPPER_NAME)


def _package_file(package: str, inside: str, what: str) -> Path:
    # Finding a package does not import it: scikit-image alone would take a second.
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / inside if found and found.origin else None
    if path is None or not path.is_file():
        raise UnreadableMedia(f"The photograph of {what} is missing: install requirements.txt, which brings {package}.")
    return path


def hopper_cap() -> Case:
    """Grace Hopper's cap and glasses for Eileen Collins: the built-in case on real photographs.

    Raises:
        UnreadableMedia: one of the photographs is not installed.
    """
    from durian.prepare import AttributeSource, PortraitSource

    hopper, folder = hopper_path(), get_settings().assets
    items = tuple(AttributeSource(hopper, name, folder / f"hopper-{name}-mask.png") for name in ("hat", "glasses"))
    return Case(PortraitSource(collins_path()), items)


def synthetic_case(portrait: str, *attributes: str) -> Case:
    """One of our portraits with items of our references, by their short names.

    Raises:
        InvalidRequest: an unknown name.
    """
    from durian.prepare import AttributeSource, PortraitSource

    items = (example_picture(key) for key in attributes)
    return Case(
        PortraitSource(example_picture(portrait).path),
        tuple(AttributeSource(item.path, item.name, item.mask) for item in items),
    )


_EXAMPLES = (
    Example(
        name="hopper-cap",
        title="Hopper's cap on Collins",
        text="Grace Hopper's cap and glasses on Eileen Collins. Real photographs, public domain.",
        motion="mix",
        case=hopper_cap,
    ),
    Example(
        name="straw-hat",
        title="A straw hat",
        text="A wide brim and round glasses on Ines. Synthetic people.",
        motion="smile",
        case=lambda: synthetic_case("portrait-ines", "hat-fedora", "glasses-round"),
    ),
    Example(
        name="long-hair",
        title="Long hair",
        text="Long wavy red hair on Finn. Synthetic people.",
        motion="shake",
        case=lambda: synthetic_case("portrait-finn", "hair-long-wavy"),
    ),
    Example(
        name="sunglasses",
        title="Cap and sunglasses",
        text="Two references at once on Amara. Synthetic people.",
        motion="nod",
        case=lambda: synthetic_case("portrait-amara", "hat-cap", "glasses-sun"),
    ),
    Example(
        name="beard",
        title="A full beard",
        text="A dark beard and brown glasses on Mateo. Synthetic people.",
        motion="talk",
        case=lambda: synthetic_case("portrait-mateo", "beard-full", "glasses-rect"),
    ),
    Example(
        name="bob-to-afro",
        title="From bob to afro",
        text="Two hairstyles blended over the clip on Finn. Synthetic people.",
        motion="look-around",
        case=lambda: synthetic_case("portrait-finn", "hair-bob", "hair-afro"),
        blend=(0.0, 1.0),
    ),
)


def examples() -> tuple[Example, ...]:
    """The page's examples, the one it opens with first. The real case is left out where its photographs are absent."""
    try:
        hopper_path(), collins_path()
    except UnreadableMedia:
        return _EXAMPLES[1:]
    return _EXAMPLES


def motion_thumbnail(name: str) -> Path | None:
    """The thumbnail of a motion preset, or ``None`` where there is none."""
    path = get_settings().assets / "motions" / f"{name}.webp"
    return path if path.is_file() else None

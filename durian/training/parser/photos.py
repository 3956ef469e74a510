"""Synthetic portraits to train the parser on, with the shares of its classes in every pixel, kept in shards.

A shard is a folder of arrays that are read without being loaded whole: ``rgb``, ``classes`` and ``share`` (the two
classes with most of each pixel and how much the first has), ``landmarks`` and ``person`` as the app finds them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from durian.segmentation.parser.classes import (
    BACKGROUND,
    BEARD,
    CLASSES,
    CLOTHES,
    EARRINGS,
    GLASSES,
    HAIR,
    HAT,
    LIPS,
    SKIN,
)
from durian.settings import get_settings
from durian.synthetic.acting.expressions import sample_expression
from durian.synthetic.acting.poses import sample_pose
from durian.synthetic.base.geometry import Label
from durian.synthetic.base.person import Person, View
from durian.synthetic.render.camera import SHIFT_UNIT
from durian.synthetic.render.sensor import sample_sensor
from durian.synthetic.scenes.casting import cast, cast_beard, stream
from durian.synthetic.scenes.colouring import sample_colouring
from durian.synthetic.scenes.filming import in_processes, process_studio
from durian.synthetic.scenes.illuminants import sample_light
from durian.synthetic.scenes.scenes import with_room
from durian.synthetic.studio.studio import Picture, Studio
from durian.synthetic.worn.earrings import sample_earring_look
from durian.synthetic.worn.glasses import sample_glasses_look
from durian.synthetic.worn.hats import sample_hat_look

SIZE = 320
"""Pixels along a photo's side."""
PEOPLE, VIEWS = 24, 3
"""People of a shard, and photos of each: dressing somebody costs as much as ten photos."""
COVERED = {"hair": HAIR, "beard": BEARD, "glasses": GLASSES, "hat": HAT, "earrings": EARRINGS, "cloth": CLOTHES}
"""Soft masks of a picture, and their classes."""
MORE_GLASSES, MORE_HATS, MORE_BEARDS, MORE_EARRINGS = 0.3, 0.45, 0.35, 0.15
"""Shares of people who get such a thing if they have none; of beards and earrings, of men and of women."""
SCALES = (25.0, 72.0)
"""cm that a photo shows, evenly in their logarithm."""
SHOULDERS = 27.0
"""cm from the middle of the picture down to where the model's shoulders end, which no photo may show."""
OFF_CENTRE = 2.2
"""Spread of the head's place (:data:`durian.synthetic.render.camera.SHIFT_UNIT`)."""
WIDEST = np.radians(60)
NO_FACE = np.nan
"""Landmarks where none were found."""
ARRAYS = ("rgb", "classes", "share", "landmarks", "person")


@dataclass(frozen=True)
class Photos:
    """N photos of SIZE x SIZE pixels.

    Attributes:
        rgb: ``(N, S, S, 3) uint8``.
        classes: ``(N, S, S) uint8``: 16 times the class with most of the pixel, plus the second.
        share: ``(N, S, S) uint8``: how much of the pixel the first has; the second has the rest of 255.
        landmarks: ``(N, 478, 2) float32`` pixels, NaN where no face was found.
        person: ``(N, S, S) uint8`` matte of MediaPipe's selfie segmentation.
    """

    rgb: np.ndarray
    classes: np.ndarray
    share: np.ndarray
    landmarks: np.ndarray
    person: np.ndarray

    def __len__(self) -> int:
        return len(self.rgb)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, a shard is its folder: processes that make examples open it instead of copying it."""
        if isinstance(self.rgb, np.memmap) and self.rgb.filename is not None:
            return Photos.open, (Path(self.rgb.filename).parent,)
        return Photos, tuple(getattr(self, name) for name in ARRAYS)

    @classmethod
    def open(cls, folder: Path) -> Photos:
        """Arrays of a shard, read from the disk as they are used."""
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS))


def prepare_photos(
    folder: Path, shards: int, seed: int, workers: int, on_shard: Callable[[int, int], None] | None = None
) -> list[Path]:
    """Render the shards that a folder lacks; returns all of them, in order.

    Args:
        folder: where they are kept.
        shards: how many, of :data:`PEOPLE` times :data:`VIEWS` photos.
        seed: another one gives other people.
        workers: processes; 0 renders here.
        on_shard: called with (done, in all) of those that were missing.

    Raises:
        WeightsMissing: there is no head model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{seed}-{number:04d}" for number in range(shards)]
    missing = [number for number, path in enumerate(paths) if not path.is_dir()]
    make = partial(_render_shard, folder=folder, seed=seed)
    for done, _ in enumerate(in_processes(make, missing, min(workers, len(missing))), start=1):
        if on_shard is not None:
            on_shard(done, len(missing))
    return paths


def _render_shard(number: int, folder: Path, seed: int) -> int:
    studio = process_studio(get_settings().head_model)
    photos = [photo for person in range(PEOPLE) for photo in _photos_of(studio, [seed, number, person])]
    path = folder / f"{seed}-{number:04d}"
    temporary = path.with_name(f".{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    for name, arrays in zip(ARRAYS, zip(*photos)):
        np.save(temporary / f"{name}.npy", np.stack(arrays))
    os.replace(temporary, path)
    return number


def _photos_of(studio: Studio, key: Sequence[int]) -> list[tuple[np.ndarray, ...]]:
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    rng = stream(seed, "photos")
    person = dressed_up(cast(seed), rng)
    return [_photo(studio.render(person, _view(person, rng), SIZE)) for _ in range(VIEWS)]


def _photo(picture: Picture) -> tuple[np.ndarray, ...]:
    from durian.face import detect_faces
    from durian.segmentation.person import person_mask

    faces = detect_faces(picture.rgb)
    landmarks = faces[0].landmarks[:, :2] if faces else np.full((478, 2), NO_FACE)
    classes, share = packed(class_shares(picture))
    return picture.rgb, classes, share, landmarks.astype(np.float32), person_mask(picture.rgb)


def dressed_up(person: Person, rng: np.random.Generator) -> Person:
    """The person, oftener with something that the parser must learn, and in as many kinds of it as there are."""
    chance, feminine = rng.random(4), person.feminine > 0.5
    glasses, hat, earrings = sample_glasses_look(rng), sample_hat_look(rng), sample_earring_look(rng)
    beard = cast_beard(int(rng.integers(2**31)), person.feminine, person.age, sample_colouring(rng))
    changes: dict[str, Any] = {}
    if not person.glasses.is_worn and chance[0] < MORE_GLASSES:
        changes["glasses"] = glasses
    if not person.hat.is_worn and chance[1] < MORE_HATS:
        changes["hat"] = hat
    if not person.beard.is_worn and not feminine and chance[2] < MORE_BEARDS:
        changes["beard"] = replace(beard, colour=person.brows.colour)
    if not person.earrings.is_worn and chance[3] < MORE_EARRINGS:
        changes["earrings"] = earrings
    return replace(person, **changes)


def _view(person: Person, rng: np.random.Generator) -> View:
    yaw, pitch, roll = sample_pose(rng, spread=1.2, widest=WIDEST)
    scale = float(np.exp(rng.uniform(*np.log(SCALES))))
    cx, cy = rng.normal(0, OFF_CENTRE, 2)
    view = View(
        expression=sample_expression(rng),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        scale=scale,
        cx=float(cx),
        cy=max(float(cy), (0.5 - SHOULDERS / scale) / SHIFT_UNIT),
        light=sample_light(rng),
        background=int(rng.integers(2**31)),
        sensor=sample_sensor(rng),
    )
    return with_room(view, person)


def class_shares(picture: Picture) -> np.ndarray:
    """How much of each pixel every class has, ``(S, S, 9) float32``, adding up to 1.

    Glass counts as glasses, whatever is seen through it; skin under the soft shadow of stubble is partly beard.
    """
    import cv2

    shares = np.zeros((*picture.classes.shape, len(CLASSES)), np.float32)
    for name, number in COVERED.items():
        shares[..., number] = picture.coverage[name].astype(np.float32) / 255
    others = [number for number in COVERED.values() if number != GLASSES]
    left = 1 - shares[..., GLASSES]
    taken = shares[..., others].sum(axis=-1)
    shares[..., others] *= np.minimum(1, left / np.maximum(taken, 1e-6))[..., None]
    rest = np.maximum(0, 1 - shares.sum(axis=-1))
    # Where an item has most of a pixel, the rest is taken to be what lies beside it.
    ground = (picture.classes == Label.BACKGROUND).astype(np.uint8)
    behind = cv2.dilate(ground, np.ones((3, 3), np.uint8)).astype(bool)
    is_item = np.isin(picture.classes, [Label.HAIR, Label.BEARD, Label.FRAME, Label.HAT, Label.EARRING, Label.CLOTH])
    base = np.where(ground.astype(bool) | (is_item & behind), BACKGROUND, SKIN)
    base = np.where(picture.classes == Label.LIPS, LIPS, base)
    np.put_along_axis(
        shares, base[..., None], np.take_along_axis(shares, base[..., None], axis=2) + rest[..., None], axis=2
    )
    return shares


def packed(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two classes with most of each pixel, and the first one's share of both; as in :class:`Photos`."""
    order = np.argsort(-shares, axis=-1, kind="stable")[..., :2]
    first, second = np.moveaxis(np.take_along_axis(shares, order, axis=-1), -1, 0)
    share = np.rint(255 * first / np.maximum(first + second, 1e-6)).astype(np.uint8)
    return (16 * order[..., 0] + order[..., 1]).astype(np.uint8), share


def unpacked(classes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The reverse: ``(..., 9) float32``."""
    shares = np.zeros((*classes.shape, len(CLASSES)), np.float32)
    first = share.astype(np.float32) / 255
    np.put_along_axis(shares, (classes // 16).astype(np.int64)[..., None], first[..., None], axis=-1)
    second = (classes % 16).astype(np.int64)[..., None]
    np.put_along_axis(shares, second, np.take_along_axis(shares, second, axis=-1) + (1 - first)[..., None], axis=-1)
    return shares

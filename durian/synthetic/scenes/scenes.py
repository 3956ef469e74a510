"""Scenes as plain data drawn from a number: people, what they wear, and their shots; no picture is made here.

A *triplet* is what no real data set has: person S; reference R wearing an item; S wearing exactly R's item, in motion.
A *pair* is the same with two items from two references, *none* one without any, and a *clip* shows one person
throughout, as the paper's self-reconstruction has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from durian.errors import InvalidRequest
from durian.synthetic.acting.acting import Moment, perform
from durian.synthetic.acting.expressions import sample_expression
from durian.synthetic.acting.poses import WIDEST, Angles, pose_at_gap, pose_gap, sample_pose
from durian.synthetic.base.geometry import Label
from durian.synthetic.base.looks import HatLook
from durian.synthetic.base.person import Light, Person, View
from durian.synthetic.base.wear import Look
from durian.synthetic.render.camera import SHIFT_UNIT
from durian.synthetic.render.sensor import sample_sensor
from durian.synthetic.scenes.casting import cast, cast_beard, cast_hair, stream
from durian.synthetic.scenes.colouring import sample_colouring
from durian.synthetic.scenes.illuminants import LightGap, light_at_gap, light_gap, sample_light
from durian.synthetic.worn.glasses import sample_glasses_look
from durian.synthetic.worn.hats import sample_hat_look

KINDS = ("triplet", "pair", "clip", "none")
ITEM_LABELS: dict[str, tuple[Label, ...]] = {
    "hair": (Label.HAIR,),
    "glasses": (Label.FRAME, Label.LENS),
    "hat": (Label.HAT,),
    "beard": (Label.BEARD,),
}
"""The attributes of the paper, and the classes that make them up."""
ITEM_SHARES = {"hair": 0.36, "glasses": 0.2, "hat": 0.24, "beard": 0.2}
PORTRAITS, REFERENCES = 2, 2
"""Shots before the target's: of the portrait and of the references."""
FRAMES, FRAME_RATE = 12, (6.0, 24.0)
"""Target frames of a scene, and the range of frames per second: twelve frames show half a second of talking or two."""
MANNERS = {"talk": 0.45, "lively": 0.4, "turn": 0.1, "still": 0.05}
ALREADY_WORN = 0.2
"""How often the portrait wears another pair of glasses or another beard already."""
FRAMING, CLOSE_FRAMING, WIDE_FRAMING = (31.0, 37.0), (25.0, 31.0), (37.0, 50.0)
"""cm that a picture shows: of most, of one in ten and of one in six."""
OFF_CENTRE = 0.7
"""Spread of the head's place in the picture (:data:`durian.synthetic.render.camera.SHIFT_UNIT`)."""
ROOM_FOR_HATS = 3.0
"""cm that a picture of somebody in a hat shows on top."""
TRIES = 200


@dataclass(frozen=True)
class Recipe:
    """A description of the wanted scenes.

    Attributes:
        kinds: shares of :data:`KINDS`.
        attributes: shares of items.
        frames: target frames.
        fps: of the target frames; drawn between :data:`FRAME_RATE` if ``None``.
        pose_gap: radians between the heads of portrait and reference (first shots), within a degree; ``None`` draws
            both independently.
        light_gap: the total :class:`~durian.synthetic.scenes.illuminants.LightGap` of their lights, nearly; likewise.
        wear: how worn pictures are, 0 clean, 1 as they come.
    """

    kinds: Mapping[str, float]
    attributes: Mapping[str, float]
    frames: int = FRAMES
    fps: float | None = None
    pose_gap: float | None = None
    light_gap: float | None = None
    wear: float = 1.0

    def __post_init__(self) -> None:
        for shares, known in ((self.kinds, KINDS), (self.attributes, tuple(ITEM_LABELS))):
            unknown = [name for name in shares if name not in known]
            if unknown or not sum(shares.values()) > 0:
                raise InvalidRequest(f"Shares {dict(shares)} name no scenes: use {', '.join(known)} with numbers.")
        if self.pose_gap is not None and not 0 <= self.pose_gap <= WIDEST:
            raise InvalidRequest(
                f"Heads cannot be {math.degrees(self.pose_gap):.0f}° apart here: give a pose gap from 0 to "
                f"{math.degrees(WIDEST):.0f}°."
            )
        if self.frames < 1:
            raise InvalidRequest(f"A scene has at least 1 frame, not {self.frames}.")


TRIPLETS = Recipe(kinds={"triplet": 1.0}, attributes=ITEM_SHARES)
MIXED = Recipe(kinds={"triplet": 0.55, "pair": 0.15, "clip": 0.25, "none": 0.05}, attributes=ITEM_SHARES)


@dataclass(frozen=True)
class Item:
    """Something that a reference wears and the target puts on: its attribute, how it looks, and the numbers of the
    shots that show it on its owner."""

    attribute: str
    look: Look
    shots: tuple[int, ...]


@dataclass(frozen=True)
class Shot:
    """One picture: its ``role`` ("portrait", "reference" or "target"), who, and how seen."""

    role: str
    person: Person
    view: View


@dataclass(frozen=True)
class Scene:
    """Portraits, references and targets, in this order; ``bare`` are the targets without the items.

    ``pose_gap`` (radians) and ``light_gap`` are those of the first portrait and the first reference.
    """

    number: int
    seed: int
    kind: str
    items: tuple[Item, ...]
    shots: tuple[Shot, ...]
    bare: tuple[Shot, ...]
    manner: str
    fps: float
    pose_gap: float
    light_gap: LightGap


def scene(number: int, recipe: Recipe = TRIPLETS, seed: int = 0) -> Scene:
    """The scene of a number: always the same one for a recipe and a seed."""
    key = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    rng = stream(key, "plot")
    kind = _chosen(rng, recipe.kinds)
    attributes = _attributes(rng, kind, recipe.attributes)
    portrait, owners, dressed = _people(key, attributes)
    manner = _chosen(rng, MANNERS)
    fps = recipe.fps or float(rng.uniform(*FRAME_RATE))

    view = _still(stream(key, "portrait"), portrait, recipe)
    first = _reference(stream(key, "reference"), owners[0], view, recipe)
    shots = [Shot("portrait", portrait, view), Shot("portrait", portrait, _again(stream(key, "again"), view))]
    if len(owners) == 1:
        shots += [Shot("reference", owners[0], first)]
        shots += [Shot("reference", owners[0], _again(stream(key, "once more"), first))]
    else:
        second = _reference(stream(key, "second"), owners[1], view, recipe)
        shots += [Shot("reference", owners[0], first), Shot("reference", owners[1], second)]

    pose = sample_pose(stream(key, "target pose"), 0.6)
    moments = perform(int(rng.integers(2**31)), recipe.frames, fps, manner, pose)
    views = [_moved(view, moment, frame) for frame, moment in enumerate(moments, start=2)]
    items = tuple(
        Item(name, getattr(owner, name), (2, 3) if len(owners) == 1 else (2 + place,))
        for place, (name, owner) in enumerate(zip(attributes, owners))
    )
    return Scene(
        number=number,
        seed=seed,
        kind=kind,
        items=items,
        shots=(*shots, *(Shot("target", dressed, moved) for moved in views)),
        bare=tuple(Shot("target", portrait, moved) for moved in views),
        manner=manner,
        fps=fps,
        pose_gap=pose_gap(_pose(view), _pose(first)),
        light_gap=light_gap(view.light, first.light),
    )


def _attributes(rng: np.random.Generator, kind: str, shares: Mapping[str, float]) -> list[str]:
    """Which items change hands: none, one or two different ones."""
    if kind in ("clip", "none"):
        return []
    first = _chosen(rng, shares)
    if kind == "triplet":
        return [first]
    others = {name: share for name, share in (shares if len(shares) > 1 else ITEM_SHARES).items() if name != first}
    return [first, _chosen(rng, others)]


def _people(key: int, attributes: list[str]) -> tuple[Person, list[Person], Person]:
    """S, the owners of the items (S itself where there is none), and S wearing them."""
    rng = stream(key, "people")
    seeds = [int(number) for number in rng.integers(2**31, size=1 + len(attributes))]
    masculine = float(rng.uniform(0, 0.2)) if "beard" in attributes else None
    portrait = cast(seeds[0], feminine=masculine)
    if not attributes:
        return portrait, [portrait], portrait
    if {"hair", "hat"} & set(attributes):
        portrait = replace(portrait, hat=HatLook())
    for name in ("glasses", "beard"):
        if name in attributes and rng.random() >= ALREADY_WORN:
            portrait = replace(portrait, **{name: type(getattr(portrait, name))()})
    owners = []
    for name, owner_seed in zip(attributes, seeds[1:]):
        owner = cast(owner_seed, feminine=float(rng.uniform(0, 0.2)) if name == "beard" else None)
        if name == "hair" or "hair" in attributes:
            owner = replace(owner, hat=HatLook())  # a hat would hide the hair, or have nobody's hair below it
        owners.append(_wearing(owner, name, stream(owner_seed, "item")))
    dressed = replace(portrait, **{name: getattr(owner, name) for name, owner in zip(attributes, owners)})
    return portrait, owners, dressed


def _wearing(owner: Person, attribute: str, rng: np.random.Generator) -> Person:
    """The owner with an item of this kind."""
    if attribute == "glasses":
        return replace(owner, glasses=sample_glasses_look(rng))
    if attribute == "hat":
        return replace(owner, hat=sample_hat_look(rng))
    look = getattr(owner, attribute)
    for _ in range(TRIES):
        if look.is_worn:
            break
        choose = cast_hair if attribute == "hair" else cast_beard
        chosen = choose(int(rng.integers(2**31)), owner.feminine, owner.age, sample_colouring(rng))
        look = replace(chosen, colour=look.colour) if chosen.is_worn else look
    return replace(owner, **{attribute: look})


def _still(
    rng: np.random.Generator, person: Person, recipe: Recipe, pose: Angles | None = None, light: Light | None = None
) -> View:
    """Somebody before a camera."""
    yaw, pitch, roll = sample_pose(rng) if pose is None else pose
    drawn = sample_light(rng)
    chance = rng.random()
    framing = CLOSE_FRAMING if chance < 0.1 else WIDE_FRAMING if chance > 5 / 6 else FRAMING
    cx, cy = rng.normal(0, OFF_CENTRE, 2)
    view = View(
        expression=sample_expression(rng),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        scale=float(rng.uniform(*framing)),
        cx=float(cx),
        cy=float(cy),
        light=drawn if light is None else light,
        background=int(rng.integers(2**31)),
        sensor=sample_sensor(rng, recipe.wear),
    )
    return with_room(view, person)


def with_room(view: View, person: Person) -> View:
    """The view with room above the head for a hat, if there is one."""
    if not person.hat.is_worn:
        return view
    down = ROOM_FOR_HATS / 2 / view.scale / SHIFT_UNIT
    return replace(view, scale=view.scale + ROOM_FOR_HATS, cy=view.cy + down)


def _reference(rng: np.random.Generator, owner: Person, portrait: View, recipe: Recipe) -> View:
    """The owner of an item, in a pose and a light of their own or at a wanted distance from the portrait's."""
    pose = None if recipe.pose_gap is None else pose_at_gap(rng, _pose(portrait), recipe.pose_gap)
    light = None if recipe.light_gap is None else light_at_gap(rng, portrait.light, recipe.light_gap)
    return _still(rng, owner, recipe, pose, light)


def _again(rng: np.random.Generator, view: View) -> View:
    """The same person in the same place at another moment."""
    yaw, pitch, roll = sample_pose(rng)
    return replace(view, expression=sample_expression(rng), yaw=yaw, pitch=pitch, roll=roll, frame=view.frame + 1)


def _moved(view: View, moment: Moment, frame: int) -> View:
    return replace(
        view,
        expression=moment.expression,
        yaw=moment.yaw,
        pitch=moment.pitch,
        roll=moment.roll,
        scale=view.scale * moment.scale,
        cx=view.cx + moment.cx,
        cy=view.cy + moment.cy,
        frame=frame,
    )


def _pose(view: View) -> Angles:
    return view.yaw, view.pitch, view.roll


def _chosen(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    weights = np.array(list(shares.values()), np.float64)
    return str(rng.choice(list(shares), p=weights / weights.sum()))

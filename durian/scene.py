"""Preparation of a request for both renderers: everything in the pixels of the portrait's crop."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from durian import masks
from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.errors import InvalidRequest
from durian.face import eye_distance
from durian.geometry.alignment import ItemMesh, aligned_mask, item_mesh
from durian.geometry.mirror import facing_like
from durian.keypoints import draw_keypoints, draw_landmarks
from durian.layers.beyond_frame import beyond_frame
from durian.layers.continued import continued
from durian.layers.covered_hair import uncovered
from durian.layers.hands import find_hands, hands_mask
from durian.layers.hem import hemmed
from durian.layers.loose_ends import with_loose_ends
from durian.layers.round_the_neck import goes_round_the_neck
from durian.layers.turned import Turn, turn_of
from durian.layers.turned_hair import hair_turn_of
from durian.layers.wearing import PressedHair, press_hair
from durian.motion import drive, driven_landmarks
from durian.request import AnimationRequest, Attribute, RenderOptions
from durian.segmentation import body_parts, worn
from durian.segmentation.person import person_mask
from durian.side_by_side import side_by_side

BESIDE_HANDS = frozenset({"hair", "hat", "beard"})
"""What a hand may be in front of, when it is put on or taken off."""
WORN_ON_HEADS = ("glasses", "hat", "beard")
"""What is no thing in a hand."""

_hands = ContentCache(entries=4)


@dataclass(frozen=True)
class AlignedAttribute:
    """An attribute (mirrored or turned where that fits better) on the portrait, its mask in the crop
    ``(S, S) uint8``, and how it was turned, if it was."""

    attribute: Attribute
    mesh: ItemMesh
    mask: np.ndarray
    turn: Turn | None = None

    @property
    def reference(self) -> Attribute:
        """The attribute in the picture that was taken of it, to be looked at closely."""
        return self.attribute if self.turn is None else self.turn.reference


@dataclass(frozen=True)
class Scene:
    """A request in the crop's pixels.

    ``image`` ``(S, S, 3) uint8``; ``landmarks`` ``(478, 3) float32``; ``driving`` ``(F, 478, 3) float32`` the
    retargeted motion; ``alphas`` ``(F,) float32``; ``worn`` maps names to ``(S, S) uint8`` masks of what the portrait
    wears where something replaces or erases it; ``hair`` is the portrait's whole hair, ``None`` where nobody asked,
    and ``pressed`` what a new hat does to it; ``items`` in drawing order.
    """

    request: AnimationRequest
    image: np.ndarray
    landmarks: np.ndarray
    driving: np.ndarray
    alphas: np.ndarray
    worn: dict[str, np.ndarray]
    hair: np.ndarray | None
    pressed: PressedHair | None
    items: tuple[AlignedAttribute, ...]

    @property
    def size(self) -> int:
        return self.image.shape[0]

    @cached_property
    def eye_distance(self) -> float:
        """Between the outer eye corners of the portrait, in crop pixels: the unit of the mask sliders."""
        return eye_distance(self.landmarks)

    @cached_property
    def body_parts(self) -> np.ndarray | None:
        """Shares of skin, hair, clothes and background, ``(S, S, 4) uint8``, as
        :func:`durian.segmentation.body_parts` says."""
        portrait = self.request.portrait
        parts = body_parts(portrait.image, portrait.landmarks)
        return None if parts is None else portrait.crop.apply(parts, self.size)

    @cached_property
    def kept_hair(self) -> np.ndarray | None:
        """The portrait's hair as far as it stays, pressed as it is by a new hat, ``(S, S) uint8``; ``None`` where none
        is known."""
        if self.hair is None:
            return None
        gone = max((a.strength for a in self.request.attributes if a.name == "hair"), default=0.0)
        if "hair" in self.request.erase or (self.pressed is not None and self.pressed.hides_all):
            gone = 1.0
        hair = self.hair * (1 - np.float32(gone))
        if self.pressed is not None:
            hair = self.pressed.press(hair * (1 - self.pressed.beyond))
        return np.rint(hair).astype(np.uint8)

    @cached_property
    def kept_glasses(self) -> np.ndarray:
        """The portrait's own glasses where nothing takes their place, ``(S, S) uint8``."""
        return self._kept("glasses")

    @cached_property
    def kept_hat(self) -> np.ndarray:
        """The portrait's own hat where its hair goes and nothing takes the hat's place, ``(S, S) uint8``."""
        return self._kept("hat") if "hair" in self._replaced else np.zeros(self.image.shape[:2], np.uint8)

    @cached_property
    def hands(self) -> np.ndarray:
        """The portrait's own hands and what they hold, where something on its head changes, ``(S, S) uint8``."""
        portrait, parts = self.request.portrait, self.body_parts if self._replaced & BESIDE_HANDS else None
        if parts is None:
            return np.zeros(self.image.shape[:2], np.uint8)
        key = content_hash([portrait.landmarks, portrait.crop, self.size])
        return _hands.get(portrait.image, lambda _: self._found_hands(parts), key=key)

    def _found_hands(self, parts: np.ndarray) -> np.ndarray:
        portrait = self.request.portrait
        hands = find_hands(portrait.image, portrait.crop, self.size)
        if not hands:
            return np.zeros(self.image.shape[:2], np.uint8)
        items = worn(portrait.image, portrait.landmarks, WORN_ON_HEADS)
        item = portrait.crop.apply(masks.union(list(items.values())), self.size)
        person = portrait.crop.apply(person_mask(portrait.image), self.size).astype(np.float32) / 255
        return hands_mask(self.image, hands, self.landmarks, parts, person, item)

    @property
    def _replaced(self) -> set[str]:
        """What the portrait may wear that goes."""
        return {a.name for a in self.request.attributes if a.strength > 0} | set(self.request.erase)

    def _kept(self, name: str) -> np.ndarray:
        """The portrait's own item of a name where nothing takes its place, ``(S, S) uint8``."""
        portrait = self.request.portrait
        if name in self._replaced:
            return np.zeros(self.image.shape[:2], np.uint8)
        found = portrait.worn if name in portrait.worn else worn(portrait.image, portrait.landmarks, [name])
        return portrait.crop.apply(found[name], self.size)

    @cached_property
    def base_hole(self) -> np.ndarray:
        """``M_init ∪ (∪ₖ M_attr,k aligned)`` before expansion, ``(S, S) uint8``. Strength 0 makes no hole."""
        parts = [*self.worn.values(), *(item.mask for item in self.items if item.attribute.strength > 0)]
        return masks.union(parts) if parts else np.zeros(self.image.shape[:2], np.uint8)

    @cached_property
    def hole(self) -> np.ndarray:
        """``M_port``: the base hole grown by the expansion slider, ``(S, S) uint8``."""
        return masks.expand(self.base_hole, self.request.options.expansion * self.eye_distance)


def prepare_scene(request: AnimationRequest, driving: np.ndarray | None = None, size: int | None = None) -> Scene:
    """Crop, align and retarget.

    Args:
        request: what the visitor asked for. A blend that stays at an end becomes that one attribute, worn.
        driving: ``(F, 478, 3)`` absolute landmarks in crop pixels, used as they are instead of ``request.motion``.
        size: side of the crop in pixels; by default the request's.
    """
    request = _single_at_an_end(request)
    options, portrait = request.options, request.portrait
    size = size or options.size
    landmarks = portrait.crop.points(portrait.landmarks, size).astype(np.float32)
    if driving is None:
        if request.motion is not None and options.normalise_lips:
            landmarks = driven_landmarks(request.motion, landmarks, options.expression_strength)
        driving = _retargeted(request, landmarks)
    image = portrait.crop.apply(portrait.image, size)
    items, worn_in_crop = side_by_side(lambda: _aligned(request, landmarks, size), lambda: _worn_in_crop(request, size))
    if _is_worn_over_a_scarf(request, worn_in_crop, items, landmarks):
        # A new hat goes over it, as over hair: nobody knows the neck under a scarf.
        scarf = worn_in_crop.pop("hat")
        worn_in_crop["hair"] = np.maximum(worn_in_crop.get("hair", scarf), scarf)
    hair = worn_in_crop.get("hair")
    replaced = {a.name for a in request.attributes if a.strength > 0} | set(request.erase)
    if replaced & {"glasses", "beard"} and not replaced & {"hat", "hair"}:
        worn_in_crop.pop("hair", None)  # what is new goes under it
    pressed = None
    if hair is not None and "hat" in replaced and "hair" not in replaced:
        pressed = _pressed(hair, items, landmarks, options.expansion)
        if not pressed.hides_all:
            worn_in_crop["hair"] = np.rint(hair * pressed.beyond).astype(np.uint8)
    return Scene(
        request=request,
        image=image,
        landmarks=landmarks,
        driving=driving,
        alphas=request.alphas(len(driving)),
        worn=worn_in_crop,
        hair=hair,
        pressed=pressed,
        items=items,
    )


def scene_overlays(scene: Scene) -> dict[str, np.ndarray]:
    """Pictures to check a scene by, ``(S, S, 3) uint8`` each.

    ``landmarks`` and ``keypoints`` at rest; ``hole`` with its outline before (white) and after expansion (amber);
    ``aligned``: where the items' masks came to lie.
    """
    hole = masks.outline(scene.image, scene.hole, (255, 176, 32))
    aligned = scene.image
    for item in scene.items:
        aligned = masks.overlay(aligned, item.mask)
    return {
        "landmarks": draw_landmarks(scene.image, scene.landmarks),
        "keypoints": draw_keypoints(scene.landmarks, scene.size),
        "hole": masks.outline(hole, scene.base_hole, (255, 255, 255)),
        "aligned": aligned,
    }


def _whole(attribute: Attribute) -> Attribute:
    """An attribute with what its picture's edges and things in front of it cut off."""
    return hemmed(continued(beyond_frame(with_loose_ends(uncovered(attribute)))))


def _aligned(request: AnimationRequest, landmarks: np.ndarray, size: int) -> tuple[AlignedAttribute, ...]:
    """What a request puts on, in drawing order."""
    items = []
    for attribute in sorted(request.attributes, key=lambda a: a.drawing_layer):
        turn = None
        with suppress(InvalidRequest):  # of a mask of next to nothing, or of all of its picture
            attribute = facing_like(_whole(attribute), landmarks)
            found = turn_of(attribute, landmarks) or hair_turn_of(attribute, landmarks)
            if found is not None:
                attribute, turn = found.attribute, found
        mesh = item_mesh(attribute, landmarks)
        items.append(AlignedAttribute(attribute, mesh, aligned_mask(attribute, mesh, landmarks, size), turn))
    return tuple(items)


def _single_at_an_end(request: AnimationRequest) -> AnimationRequest:
    if request.mode == "blend" and request.blend_start == request.blend_end and request.blend_start in (0, 1):
        return replace(request, mode="wear", attributes=(request.attributes[int(request.blend_start)],))
    return request


def _retargeted(request: AnimationRequest, landmarks: np.ndarray) -> np.ndarray:
    options = request.options
    if request.motion is None:
        return landmarks[None]
    motion = request.motion.resampled(options.frames, options.fps)
    if options.smoothing > 0:
        motion = motion.smoothed(options.smoothing)
    return drive(motion, landmarks, options.pose_strength, options.expression_strength, options.normalise_lips)


def _worn_in_crop(request: AnimationRequest, size: int) -> dict[str, np.ndarray]:
    """The portrait's own items of every kind that is replaced or erased; kinds not in the request are looked for."""
    portrait = request.portrait
    # Strength 0 leaves the portrait as it is.
    names: set[str] = {a.name for a in request.attributes if a.strength > 0 and a.name not in ("lips", "other")}
    names |= set(request.erase)
    # Pressed down under a new hat, seen where an old one comes off, and over the sides of glasses and beards.
    if names & {"hat", "glasses", "beard"}:
        names.add("hair")
    missing = sorted(names - set(portrait.worn))
    found = {**portrait.worn, **(worn(portrait.image, portrait.landmarks, missing) if missing else {})}
    in_crop = {}
    for name in sorted(names):
        if name in found and found[name].any():
            in_crop[name] = portrait.crop.apply(found[name], size)
    return in_crop


def _is_worn_over_a_scarf(
    request: AnimationRequest,
    worn_in_crop: dict[str, np.ndarray],
    items: Sequence[AlignedAttribute],
    face: np.ndarray,
) -> bool:
    """Whether a new hat, and no scarf, goes on a head in a scarf ``worn_in_crop`` that goes around the neck."""
    new = [item for item in items if item.attribute.name == "hat" and item.attribute.strength > 0]
    if not new or "hat" in request.erase or "hat" not in worn_in_crop:
        return False
    return goes_round_the_neck(worn_in_crop["hat"], face) and not any(
        item.attribute.landmarks is not None and goes_round_the_neck(item.attribute.mask, item.attribute.landmarks)
        for item in new
    )


def _pressed(
    hair: np.ndarray, items: Sequence[AlignedAttribute], landmarks: np.ndarray, expansion: float
) -> PressedHair:
    """The effect of hats on hair; a larger expansion swallows more of what is beside them."""
    hats = [item.mask for item in items if item.attribute.name == "hat" and item.attribute.strength > 0]
    hat, unit = masks.union(hats) if hats else np.zeros_like(hair), eye_distance(landmarks)
    if hats:
        hat = masks.expand(hat, (expansion - RenderOptions.expansion) * unit)
    return press_hair(hair.astype(np.float32) / 255, hat.astype(np.float32) / 255, landmarks, unit)

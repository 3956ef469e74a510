"""Masks of what a portrait loses: the items that new ones replace, and those that are erased."""

from __future__ import annotations

import cv2
import numpy as np

from durian import masks
from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL, INNER_LIPS, OUTER_LIPS, smoothstep
from durian.layers.beard import own_parts
from durian.layers.body import neck
from durian.layers.completion.detail import detail
from durian.layers.completion.mirrored import FaceSurface
from durian.layers.ears import ears
from durian.layers.fill import fill
from durian.layers.lenses import glasses_opacity
from durian.layers.locks_on_skin import forehead, locks_on_skin
from durian.layers.skin import colour_distance, face_and_skull, polygon, skin_pixels
from durian.layers.stray_hair import stray_hair
from durian.layers.worn_frame import worn_frame
from durian.preview.hidden_brows import lost_brows
from durian.scene import Scene

FRINGE = 0.12
"""How far around hair and hats what is not surely person is taken for theirs, in outer-eye distances. With 0.35 the
background of rendered triplets was 0.8 dB worse, and with 0.05 no better."""
SURELY_BACKGROUND, CLEAR = 0.01, 0.04
"""Share of a person up to which a pixel is background, and how far from the rest, in outer-eye distances: of a
background with a texture the photo stays there, for a strand does not show in it and a seam does."""
TEXTURED = 6.0
"""Mean detail of such a background, in levels."""
SURELY_PERSON = 0.9
"""Share of a pixel from which on it is the person and not background between strands."""
FADE = 0.12
"""Width on face and neck over which hair and hats that are taken off fade into the skin, in outer-eye distances: beside
them it lies in their shadow, and has their blur."""
BEARD_FADE, BEARD_FRINGE = 0.05, 0.07
"""The same for beards, and how far around them loose hair is looked for: they are shorter."""
SHADOW = {"hair": 0.3, "hat": 0.5}
"""How far their shadow on a face is looked for, in outer-eye distances."""
FRAME_MARGIN = 0.015
"""Growth of a frame that is taken off, in outer-eye distances: its edge and its shadow."""
FRAME_REACH, SOME_PERSON = 0.06, 0.3
"""How far beside the mask of glasses a frame may be anywhere, in outer-eye distances, and the share of a pixel that is
person from which on a temple may be there farther on."""
BEARD_SHARE = 0.4
"""Of the expansion, for beards: below them is a collar."""
DENSE = (14.0, 32.0)
"""Colour distances (CIE Lab) from the skin around it at which stubble ends and a beard begins."""
DENSE_SHARE, LEAST_SKIN = (0.15, 0.3), 30
"""Shares of a beard that are no stubble, between which it begins to be taken off; pixels of skin below which nobody can
tell."""
AROUND_MOUTH = np.array(
    [
        164,
        391,
        322,
        410,
        287,
        432,
        430,
        394,
        379,
        378,
        400,
        377,
        152,
        148,
        176,
        149,
        150,
        169,
        210,
        212,
        57,
        186,
        92,
        165,
    ]
)
"""Landmarks around upper lip and chin."""
STUBBLE, STUBBLE_GAP = 9.0, 0.2
"""Colour distance from the skin around it from which on stubble shows, and half the width of gaps in a beard in which
it goes with the beard, in outer-eye distances."""
GAP = 0.12
"""Half the width of gaps between locks that go with them, in outer-eye distances."""
BROW_MARGIN, BROW_CLEAR = 0.05, 0.03
"""Skin around a brow that stays with it, and how far from hair a brow begins to stay, in outer-eye distances."""
EYE_MARGIN, EYE_CLEAR = 0.07, (0.02, 0.06)
"""The same of what is seen between lids."""
LIDS_MARGIN = 0.16
"""The same of an eye beside hair, as far as hair is not near: its lids have folds that nobody can make up."""
OTHER_EYE = 0.8
"""Share of what is hidden of an eye that must be seen of the other one to take its place."""
DARK_SHARE = 0.7
"""Glasses that hide more than this of what is behind them are dark ones."""
REACHES = (0.12, 0.3, 0.6, 1.2, 2.0)
"""Growths of what is taken off, in outer-eye distances, for which what lies under it is made up: it stays the same
while the expansion slider moves between two of them, but for how the background meets what is seen."""
HIDDEN = 0.02
"""Share of a pixel that is taken off from which on its colour says nothing of what lies under it."""

_eyes, _glasses, _frames = ContentCache(entries=4), ContentCache(entries=4), ContentCache(entries=4)
_ears = ContentCache(entries=4)


def taken_off(scene: Scene, person: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of ``M_port`` where the portrait wore something, which is taken off.

    Around a new item only what it replaces goes, so that skin and background beside it stay the photo's own.

    Args:
        scene: the portrait, what it wears, and what it is to wear.
        person: ``(S, S) float32``, the person's matte.

    Returns:
        How much of each pixel is taken off, ``(S, S) float32``, as strong as what takes its place; and where the
        picture says nothing of what lies under it, ``(S, S) bool``: all of that at full strength and a little more.
        Hair that a hat presses is only in the first, for beyond a hat there is nothing but background.
    """
    expansion = max(scene.request.options.expansion, 0.0)
    reach = next((reach for reach in REACHES if reach >= expansion), expansion)
    strengths, shape = _strengths(scene), scene.image.shape[:2]
    removed, hidden = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    locks = _locks(scene)
    for name, mask in scene.worn.items():
        strength = strengths.get(name, 0.0)
        if name == "glasses":
            continue
        if name == "hair" and scene.hair is not None and scene.pressed is not None and not scene.pressed.hides_all:
            (hole,) = _holes(scene, person, name, scene.hair, (expansion,))
            removed = np.maximum(removed, strength * hole * scene.pressed.beyond)
            continue
        mask = np.maximum(mask, locks) if name == "hair" else mask
        hole, widest = _holes(scene, person, name, mask, (expansion, reach))
        removed, hidden = np.maximum(removed, strength * hole), np.maximum(hidden, widest)
    lost = lost_brows(scene)
    if lost.any():
        strength = max((strengths.get(name, 0.0) for name in scene.worn.keys() & {"hair", "hat"}), default=0.0)
        removed, hidden = np.maximum(removed, strength * lost), np.maximum(hidden, lost)
    kept = _kept(scene, locks)
    removed, hidden = removed * (1 - kept), hidden * (1 - kept)
    if "glasses" in scene.worn:  # a rim may run across the corner of an eye
        frame = _frames_worn(scene, scene.worn["glasses"], person)
        removed, hidden = np.maximum(removed, strengths.get("glasses", 0.0) * frame), np.maximum(hidden, frame)
    return removed, hidden > HIDDEN


def _locks(scene: Scene) -> np.ndarray:
    """Locks before the forehead that come off with hair and that its mask missed, ``(S, S) uint8``; on necks they can
    hardly be told from a chin's shadow."""
    hair = scene.worn.get("hair")
    if hair is None or scene.pressed is not None:
        return np.zeros(scene.image.shape[:2], np.uint8)
    skin = forehead(scene.landmarks, hair.shape) & (scene.kept_hat == 0)
    return np.uint8(255) * locks_on_skin(scene.image, hair, skin, scene.eye_distance)


def shadowed(scene: Scene) -> np.ndarray:
    """Face and forehead beside hair and hats that are taken off, as far as these may shade them, ``(S, S) float32``."""
    strengths, shape = _strengths(scene), scene.image.shape[:2]
    found: np.ndarray = np.zeros(shape, np.float32)
    for name in {"hair", "hat"} & scene.worn.keys():
        if name == "hat" or scene.pressed is None or scene.pressed.hides_all:
            away = masks.signed_distance(scene.worn[name]).astype(np.float32) / scene.eye_distance
            near = 1 - smoothstep(away, FADE, SHADOW[name])
            found = np.maximum(found, strengths.get(name, 0.0) * near)
    return (found * face_and_skull(scene.landmarks, shape) * (1 - _kept(scene))).astype(np.float32)


def _strengths(scene: Scene) -> dict[str, float]:
    """How much of each kind goes, by its name."""
    strengths: dict[str, float] = dict.fromkeys(scene.request.erase, 1.0)
    for item in scene.items:
        name, strength = item.attribute.name, item.attribute.strength
        for replaced in {"hair", name} if name == "hat" else {name}:
            strengths[replaced] = max(strengths.get(replaced, 0.0), strength)
    return strengths


def _holes(
    scene: Scene, person: np.ndarray, name: str, mask: np.ndarray, expansions: tuple[float, ...]
) -> list[np.ndarray]:
    """Masks of what is taken off with one worn item, ``(S, S) float32`` for each expansion in outer-eye distances."""
    if name in ("hair", "hat"):
        mask = _without_gaps(mask, scene)
        stray = stray_hair(scene.image, mask, person, scene.eye_distance)
        away = masks.signed_distance(mask)
        bare = np.maximum(face_and_skull(scene.landmarks, mask.shape), neck(scene.landmarks, mask.shape))
        head = bare * (person > SURELY_PERSON)
        clear = _clear_background(scene, person, away > (max(expansions) + FRINGE) * scene.eye_distance)
        fringe = (person < SURELY_PERSON) & ~clear
        return [np.maximum(_grown_hair(scene, fringe, mask, e, away, head), stray) for e in expansions]
    if name == "beard":
        return _beard_holes(scene, person, mask, expansions)
    away = masks.signed_distance(mask)
    grown = [masks.expand(mask, expansion * scene.eye_distance, away) for expansion in expansions]
    return [each.astype(np.float32) / 255 for each in grown]


def _beard_holes(
    scene: Scene, person: np.ndarray, beard: np.ndarray, expansions: tuple[float, ...]
) -> list[np.ndarray]:
    """As :func:`_holes`: a beard with its loose hair before the background, faded into the skin around it."""
    mask, there = _beard_worn(scene, beard)
    unit, away = scene.eye_distance, masks.signed_distance(mask)
    widest = (BEARD_SHARE * max(expansions) + BEARD_FRINGE) * unit
    fringe = (person < SURELY_PERSON) & ~_clear_background(scene, person, away > widest)
    skin = np.maximum(face_and_skull(scene.landmarks, mask.shape), neck(scene.landmarks, mask.shape))
    skin *= (person > SURELY_PERSON) * (1 - own_parts(scene.landmarks, mask.shape))
    if scene.hair is not None:
        skin *= 1 - scene.hair / np.float32(255)
    holes = []
    for expansion in expansions:
        grow = BEARD_SHARE * expansion * unit
        hole = masks.expand(mask, grow, away).astype(np.float32) / 255
        hole = np.maximum(hole, skin * (1 - smoothstep((away - grow) / unit, 0, BEARD_FADE)))
        loose = masks.expand(mask, grow + BEARD_FRINGE * unit, away).astype(np.float32) / 255
        holes.append((there * np.maximum(hole, loose * fringe)).astype(np.float32))
    return holes


def _grown_hair(
    scene: Scene, fringe: np.ndarray, mask: np.ndarray, expansion: float, away: np.ndarray, head: np.ndarray
) -> np.ndarray:
    """Hair or a hat with its loose strands and the blur of its edge, ``(S, S) float32``.

    ``fringe (S, S) bool`` is where such strands may be, ``away (S, S)`` the distance from its mask in pixels,
    ``head (S, S)`` face, skull and neck where the person is.
    """
    grow = expansion * scene.eye_distance
    hole = masks.expand(mask, grow, away).astype(np.float32) / 255
    hole = np.maximum(hole, head * (1 - smoothstep((away - grow) / scene.eye_distance, 0, FADE)))
    wider = masks.expand(mask, grow + FRINGE * scene.eye_distance, away).astype(np.float32) / 255
    return np.maximum(hole, wider * fringe)


def _clear_background(scene: Scene, person: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Where a background with a texture is seen past doubt, ``(S, S) bool``; what lies ``beyond (S, S) bool`` the hair
    and its strands says what it is like."""
    side = 2 * max(1, round(CLEAR * scene.eye_distance)) + 1
    nobody = cv2.dilate((person > SURELY_BACKGROUND).astype(np.uint8), np.ones((side, side))) == 0
    return nobody & (detail(scene.image, nobody & beyond, scene.size // 16 | 1) > TEXTURED)


def _beard_worn(scene: Scene, beard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A beard's mask with the stubble that it nearly surrounds, ``(S, S) uint8``, and how much of it is taken off,
    ``(S, S) float32``: lips stay, and so does what is stubble all over.

    What lies under stubble is the same skin, and a made-up one beside it shows more than the stubble does; but half a
    beard shows most, or a dark patch below the lip of a shaven face.
    """
    shape, unit = scene.image.shape[:2], scene.eye_distance
    image = scene.image.astype(np.float32)
    without_lips = 1 - polygon(scene.landmarks[OUTER_LIPS], shape)
    if not (beard > masks.HALF).any():
        return beard, without_lips
    gaps = (_closed(beard, STUBBLE_GAP * unit) > masks.HALF) | _around_mouth(scene, beard)
    gaps &= polygon(scene.landmarks[FACE_OVAL], shape) > 0
    skin = skin_pixels(scene.landmarks, shape) * (beard < 16) * ~gaps
    if skin.sum() < LEAST_SKIN:
        return beard, without_lips
    differs = colour_distance(image, fill(image, skin))
    dense = smoothstep(smoothstep(differs[beard > masks.HALF], *DENSE).mean(), *DENSE_SHARE)
    stubble = cv2.medianBlur(np.uint8(255) * (gaps & (differs > STUBBLE)), 5)
    return np.maximum(beard, stubble), (np.float32(dense) * without_lips).astype(np.float32)


def _around_mouth(scene: Scene, beard: np.ndarray) -> np.ndarray:
    """What a beard ``(S, S) uint8`` surrounds below the nose, ``(S, S) bool``: upper lip and chin, and no cheek."""
    hull = np.zeros_like(beard)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(np.uint8(beard > masks.HALF))), 1, cv2.LINE_8)
    return (hull > 0) & (polygon(scene.landmarks[AROUND_MOUTH], beard.shape) > 0)


def _without_gaps(mask: np.ndarray, scene: Scene) -> np.ndarray:
    """A mask of hair with what it nearly surrounds beside the face: single locks are rarely found."""
    closed = _closed(mask, GAP * scene.eye_distance)
    face = polygon(scene.landmarks[FACE_OVAL], mask.shape) > 0
    return np.where(face, mask, closed)


def _closed(mask: np.ndarray, radius: float) -> np.ndarray:
    """A mask ``(S, S) uint8`` without gaps of up to twice a ``radius`` in pixels."""
    reach = 2 * max(1, round(radius)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE)


def kept_glasses(scene: Scene) -> np.ndarray:
    """The portrait's own glasses where hair or a hat comes off and they stay: frames and dark lenses,
    ``(S, S) float32`` in [0, 1]."""
    if not scene.worn.keys() & {"hair", "hat"} or not scene.kept_glasses.any():
        return np.zeros(scene.image.shape[:2], np.float32)

    def opaque(mask: np.ndarray) -> np.ndarray:
        return mask.astype(np.float32) / 255 * glasses_opacity(scene.image, mask, scene.landmarks)

    return _glasses.get(scene.kept_glasses, opaque, key=content_hash([scene.image, scene.landmarks]))


def _kept(scene: Scene, locks: np.ndarray | None = None) -> np.ndarray:
    """The mouth, the portrait's own glasses, hat, ears and hands, and eyes and brows where neither hair nor single
    ``locks (S, S) uint8`` cover them, ``(S, S) float32``."""
    mouth = polygon(scene.landmarks[INNER_LIPS], scene.image.shape[:2])
    before = np.maximum(scene.kept_hat, scene.hands) / np.float32(255)
    mouth = np.maximum.reduce([mouth, kept_glasses(scene), before, seen_ears(scene)])
    regions = _eye_regions(scene, EYE_MARGIN)
    if "hair" not in scene.worn:
        return np.maximum(mouth, np.maximum(*regions))
    away = masks.signed_distance(scene.worn["hair"]).astype(np.float32) / scene.eye_distance
    lost = lost_brows(scene)
    brows = _brow_regions(scene) * smoothstep(away, BROW_CLEAR, FADE) * (lost <= 0)
    if locks is not None and locks.any():
        brows *= smoothstep(masks.signed_distance(locks).astype(np.float32) / scene.eye_distance, 0, BROW_CLEAR)
    kept = np.maximum(mouth, brows)
    opening = np.maximum(*(polygon(scene.landmarks[lids], away.shape) for lids in EYES))
    clear = smoothstep(away, BROW_CLEAR, FADE)
    clear = (clear + opening * (smoothstep(away, *EYE_CLEAR) - clear)).astype(np.float32)
    surface = FaceSurface.of(scene.landmarks, scene.size)
    other_clear = surface.mirrored(clear) * (surface.seen > 0.5)
    for lids, region, wider in zip(EYES, regions, _eye_regions(scene, LIDS_MARGIN), strict=True):
        hidden = (polygon(scene.landmarks[lids], clear.shape) > 0.5) & (clear < 1)
        # Of an eye whose other one does not show either nobody knows more than the photo does.
        is_known = not hidden.any() or other_clear[hidden].mean() > OTHER_EYE
        around = np.maximum(wider * (1 - lost), region * (lost > 0))
        kept = np.maximum(kept, around * clear if is_known else region)
    return kept


def seen_ears(scene: Scene) -> np.ndarray:
    """Ears beside hair or a hat that comes off, ``(S, S) float32``: what of one is taken off with the strands around it
    is gone, for nothing knows what an ear looks like. Not to be written into."""
    parts = scene.body_parts
    if not scene.worn.keys() & {"hair", "hat"} or parts is None:
        return np.zeros(scene.image.shape[:2], np.float32)
    key = content_hash([scene.landmarks, parts, scene.hair, scene.hands])
    return _ears.get(scene.image, lambda _: _found_ears(scene, parts), key=key)


def _found_ears(scene: Scene, parts: np.ndarray) -> np.ndarray:
    skin, hair = (parts[..., part].astype(np.float32) / 255 for part in (0, 1))
    if scene.hair is not None:
        hair = np.maximum(hair, scene.hair.astype(np.float32) / 255)
    return ears(scene.landmarks, skin * (1 - scene.hands / np.float32(255)), hair)


def _frames_worn(scene: Scene, worn_mask: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Of glasses only the frame, ``(S, S) float32``; dark ones stay, for nobody knows the eyes behind.

    Not to be written into.
    """
    key = content_hash([scene.image, scene.landmarks, person])
    return _frames.get(worn_mask, lambda mask: _found_frames(scene, mask, person), key=key)


def _found_frames(scene: Scene, worn_mask: np.ndarray, person: np.ndarray) -> np.ndarray:
    mask = worn_mask.astype(np.float32) / 255
    opacity = mask * glasses_opacity(scene.image, worn_mask, scene.landmarks)
    if not (mask > 0.5).any() or opacity[mask > 0.5].mean() > DARK_SHARE:
        return np.zeros_like(mask)
    near = masks.expand(worn_mask, FRAME_REACH * scene.eye_distance) > 0
    frame = worn_frame(scene.image, worn_mask, scene.landmarks) & (near | (person > SOME_PERSON))
    reach = max(1, round(FRAME_MARGIN * scene.eye_distance))
    widened = cv2.dilate(frame.astype(np.float32), np.ones((2 * reach + 1,) * 2))
    opening = np.maximum(*(polygon(scene.landmarks[lids], mask.shape) for lids in EYES))
    return cv2.GaussianBlur(widened, (0, 0), max(0.5 * reach, 0.7)) * (1 - opening)


def _brow_regions(scene: Scene) -> np.ndarray:
    reach = 2 * max(1, round(BROW_MARGIN * scene.eye_distance)) + 1
    brows = np.maximum(*(polygon(scene.landmarks[brow], scene.image.shape[:2]) for brow in BROWS))
    return cv2.GaussianBlur(cv2.dilate(brows, np.ones((reach, reach))), (0, 0), 0.015 * scene.eye_distance + 0.5)


def _eye_regions(scene: Scene, around: float) -> list[np.ndarray]:
    """Each eye with what lies ``around`` it, in outer-eye distances, ``(S, S) float32``; not to be written into."""
    key = content_hash([around, scene.size])
    return _eyes.get(scene.landmarks, lambda _: _found_eye_regions(scene, around), key=key)


def _found_eye_regions(scene: Scene, around: float) -> list[np.ndarray]:
    shape = scene.image.shape[:2]
    margin = 2 * max(1, int(around * scene.eye_distance)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    soft = 0.015 * scene.eye_distance + 0.5
    regions = (polygon(scene.landmarks[lids], shape) for lids in EYES)
    return [cv2.GaussianBlur(cv2.dilate(region, kernel), (0, 0), soft) for region in regions]

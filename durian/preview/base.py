"""The portrait without what is taken off, cut from its background.

Two pictures come out: a still *plate* (the background, continued behind the person) and a *foreground* (the person,
what was worn removed and filled) that the mesh will move.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian import masks
from durian.face import OUTER_EYES
from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, EYES, FACE_OVAL, INNER_LIPS, smoothstep
from durian.preview.fill import blurred, fill, grain
from durian.preview.lenses import glasses_opacity
from durian.preview.skin import polygon, skin_pixels
from durian.scene import Scene
from durian.segmentation.person import person_mask

# The body under removed hair, in face widths: a neck from the chin to its base. Taste.
NECK_HALF_WIDTH, NECK_BASE_HALF_WIDTH, NECK_LENGTH = 0.29, 0.36, 0.42
BEHIND = 0.08
"""How far behind a turned head's centre what is seen is the back of its jaw, in face widths; a face seen from the front
has nothing there, since that distance counts as much as the head is turned. Taste."""
HULL_STEP = 4
"""Pixels between those that the outline of a body is drawn around."""
SKULL_SHADE = 0.30
"""How much darker a filled scalp gets towards its outline."""
FRINGE = 0.12
"""How far around hair and hats what is not surely person is taken for theirs, in outer-eye distances. With 0.35 the
background of rendered triplets was 0.8 dB worse, and with 0.05 no better."""
FRAME_MARGIN = 0.025
"""Growth of a frame that is taken off, in outer-eye distances: its edge and its shadow."""
DARK_SHARE = 0.7
"""Glasses that hide more than this of what is behind them are dark ones."""
MISFIT = 1.5
"""Levels by which plate and foreground together may miss the photo."""
ISLAND = 0.003
"""Share of the picture below which a detached piece of the person is a speck."""
SCALP_SHADE = 0.8
"""Hair seen only as filling lies deeper than the rest."""
NOSE_BRIDGE = 168
POLAR = cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS


@dataclass(frozen=True)
class Base:
    """``plate`` ``(S, S, 3) uint8``; ``foreground`` ``(S, S, 4) uint8`` premultiplied; ``colour`` ``(S, S, 3) float32``
    the person's colours, unmultiplied; ``filled`` ``(S, S) float32`` how much of each pixel was made up."""

    plate: np.ndarray
    foreground: np.ndarray
    colour: np.ndarray
    filled: np.ndarray


def build_base(scene: Scene, new_hair: np.ndarray | None = None) -> Base:
    """Split a scene's portrait into plate and foreground; without anything to remove they add up to the photo.

    ``new_hair`` ``(S, S, 4) float32`` is a new hair item at rest (premultiplied, 0-255): where the head shows more of
    its top and back than the reference did, the scalp goes on in that hair's colour.
    """
    image = scene.image.astype(np.float32)
    shape = image.shape[:2]
    head = Head(scene.landmarks)
    face = polygon(scene.landmarks[FACE_OVAL], shape)
    person = _person(scene, face)
    removed = _removed(scene, person)
    scalp = (
        np.zeros(shape, np.float32)
        if new_hair is None
        else _scalp_under(new_hair, scene, head, np.maximum(removed, 1 - person))
    )
    removed = np.maximum(removed, scalp)

    background = (person < 0.04).astype(np.float32) * (removed < 0.04)
    background = cv2.erode(background, np.ones((3, 3)))
    if background.mean() < 0.01:  # the person fills the picture: nothing behind them is known, so all of it moves
        person = np.ones(shape, np.float32)
        plate = image.copy()
    else:
        noise = grain(image, background, scene.request.options.seed)
        plate = fill(image, background) + noise * (1 - background[..., None])
        plate = image + (1 - background[..., None]) * (plate - image)

    colour, alpha = image, person
    if removed.any():
        kept_alpha, under = _underneath(scene, image, head, face, person, removed)
        if scalp.any():
            straight = new_hair[..., :3] * (255 / np.maximum(new_hair[..., 3:], 1))
            hair = fill(straight, (new_hair[..., 3] > 200).astype(np.float32))
            under = under + scalp[..., None] * (hair * SCALP_SHADE - under)
        colour = image + removed[..., None] * (under - image)
        alpha = person + removed * (kept_alpha * person - person)
        alpha = _without_islands(np.maximum(alpha, scalp))
    # Fractional pixels already hold some background: take it out, so that plate and foreground add up to the photo.
    through = 1 - person[..., None]
    premultiplied = np.clip(image - through * plate, 0, 255 * person[..., None])
    # Where no colour of the person explains the photo, the guess was wrong: about what lies behind where that shows
    # most, about how much shows through elsewhere.
    misfit = np.abs(premultiplied + through * plate - image)
    wrong = (cv2.max(cv2.max(misfit[..., 0], misfit[..., 1]), misfit[..., 2]) > MISFIT) & (removed <= 0)
    behind = wrong & (person < 0.5)
    plate[behind] = np.clip((image - premultiplied) / np.maximum(through, 0.5), 0, 255)[behind]
    opaque = wrong & ~behind
    premultiplied[opaque] = image[opaque]
    alpha = np.where(opaque, 1.0, alpha).astype(np.float32)
    if removed.any():
        premultiplied += removed[..., None] * (colour * alpha[..., None] - premultiplied)
        premultiplied[alpha <= 0] = 0
    foreground = np.concatenate([premultiplied, alpha[..., None] * 255], -1)
    return Base(
        plate=np.clip(plate + 0.5, 0, 255).astype(np.uint8),
        foreground=np.clip(foreground + 0.5, 0, 255).astype(np.uint8),
        colour=colour,
        filled=removed,
    )


def _without_islands(alpha: np.ndarray) -> np.ndarray:
    """Leave out specks that hang in the air once what held them is gone, ``(S, S) float32``."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.1).astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < ISLAND * alpha.size
    return np.where(small[labels], 0.0, alpha).astype(np.float32)


def _person(scene: Scene, face: np.ndarray) -> np.ndarray:
    crop, size = scene.request.portrait.crop, scene.size
    person = crop.apply(person_mask(scene.request.portrait.image), size).astype(np.float32) / 255
    if (person * face).sum() < 0.5 * face.sum():  # the matte missed the person: move everything
        return np.ones_like(face)
    # The face is drawn once more over its surroundings, so it must be opaque right up to its edge.
    return np.maximum(person, cv2.dilate((face > 0).astype(np.float32), np.ones((3, 3))))


def _removed(scene: Scene, person: np.ndarray) -> np.ndarray:
    """What is taken off and filled, ``(S, S) float32``, as strong as what takes its place.

    That is the part of ``M_port`` where the portrait wore something: around a new item only what it replaces goes, so
    that skin and background beside it stay the photo's own.
    """
    shape = scene.image.shape[:2]
    grow = max(scene.request.options.expansion, 0.0) * scene.eye_distance
    strengths = dict.fromkeys(scene.request.erase, 1.0)
    for item in scene.items:
        name, strength = item.attribute.name, item.attribute.strength
        for replaced in {"hair", name} if name == "hat" else {name}:
            strengths[replaced] = max(strengths.get(replaced, 0.0), strength)
    removed = np.zeros(shape, np.float32)
    for name, worn_mask in scene.worn.items():
        hole = masks.expand(worn_mask, grow).astype(np.float32) / 255
        if name in ("hair", "hat"):  # loose strands and the blur of an edge go with what they belong to
            wider = masks.expand(worn_mask, grow + FRINGE * scene.eye_distance).astype(np.float32) / 255
            hole = np.maximum(hole, wider * (person < 0.9))
        elif name == "glasses":
            hole = _frames_worn(scene, worn_mask)
        removed = np.maximum(removed, strengths.get(name, 0.0) * hole)
    # Eyes and mouth are never part of what is taken off.
    keep = np.maximum(_eye_regions(scene), polygon(scene.landmarks[INNER_LIPS], shape))
    return removed * (1 - keep)


def _frames_worn(scene: Scene, worn_mask: np.ndarray) -> np.ndarray:
    """Of glasses only what hides the face, ``(S, S) float32``; dark ones stay, for nobody knows the eyes behind."""
    mask = worn_mask.astype(np.float32) / 255
    opacity = mask * glasses_opacity(scene.image, worn_mask, scene.landmarks)
    if opacity[mask > 0.5].mean() > DARK_SHARE:
        return np.zeros_like(mask)
    reach = max(1, round(FRAME_MARGIN * scene.eye_distance))
    widened = cv2.dilate((opacity > 0.25).astype(np.float32), np.ones((2 * reach + 1,) * 2))
    return cv2.GaussianBlur(widened, (0, 0), 0.5 * reach)


def _eye_regions(scene: Scene) -> np.ndarray:
    shape = scene.image.shape[:2]
    margin = 2 * max(1, int(0.07 * scene.eye_distance)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    regions = np.maximum(*(polygon(scene.landmarks[lids], shape) for lids in EYES))
    return cv2.GaussianBlur(cv2.dilate(regions, kernel), (0, 0), 0.015 * scene.eye_distance + 0.5)


def _underneath(scene, image, head, face, person, removed) -> tuple[np.ndarray, np.ndarray]:
    """What is under removed things: how much of it is person ``(S, S)``, and its colour ``(S, S, 3)``."""
    size = scene.size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    distance = head.skull_distance(np.stack([x, y], -1)).astype(np.float32)
    skull = 1 - smoothstep(distance, 0.97, 1.02)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    chin = scene.landmarks[CHIN, :2]
    below = ((x - chin[0]) * down[0] + (y - chin[1]) * down[1]) / head.width

    kept = (removed < 0.05).astype(np.float32)
    skin = fill(image, skin_pixels(scene.landmarks, image.shape[:2]) * kept)
    scalp = 1 - blurred(face, 0.12 * scene.eye_distance)  # a face is never shaded, nor is its edge
    skin *= (1 - SKULL_SHADE * smoothstep(distance, 0.6, 1.0) * scalp)[..., None]
    top = skin
    if "hat" in scene.worn:
        top = _hair_over_skull(scene, image, skin, distance, removed)
    visible = (person > 0.9) * kept * (face < 0.5)
    visible_body = visible * (below > -0.1)
    body = fill(image, visible_body.astype(np.float32)) if visible_body.sum() > 0.002 * size * size else skin * 0.8

    body_share = smoothstep(below, -0.12, 0.06)[..., None] * (1 - face[..., None])
    colour = top + body_share * (body - top)
    colour += grain(image, person * kept, scene.request.options.seed)
    outline = _body_outline(scene, head, visible_body, down)
    if "beard" in scene.worn:  # under a beard the jaw runs on to the neck
        outline = np.maximum(outline, _jaw_outline(scene, head, down, visible))
    return np.maximum(np.maximum(skull, face), outline), colour


def _scalp_under(new_hair: np.ndarray, scene: Scene, head: Head, free: np.ndarray) -> np.ndarray:
    """Where new hair goes on although its reference did not show it, ``(S, S) float32``.

    Seen from the face outwards, that is the skull beyond where the hair begins, and at the sides what lies between
    the face and the hair, as far as it is ``free`` ``(S, S)`` of the portrait's own ears, neck and clothes.
    """
    size = scene.size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    places = np.stack([x, y], -1)
    skull = 1 - smoothstep(head.skull_distance(places), 0.93, 1.0)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    level = (places - scene.landmarks[list(OUTER_EYES), :2].mean(0)) @ down / head.width
    centre = tuple(float(v) for v in scene.landmarks[NOSE_BRIDGE, :2])
    polar = cv2.warpPolar(new_hair[..., 3] / 255, (size, 720), centre, size, POLAR)

    def outwards(rays: np.ndarray) -> np.ndarray:
        back = cv2.warpPolar(rays, (size, size), centre, size, POLAR | cv2.WARP_INVERSE_MAP)
        return smoothstep(back, 0.5, 0.95)

    beyond = outwards(np.maximum.accumulate(polar, axis=1))
    within = outwards(np.ascontiguousarray(np.maximum.accumulate(polar[:, ::-1], axis=1)[:, ::-1]))
    face = cv2.GaussianBlur(polygon(scene.landmarks[FACE_OVAL], (size, size)), (0, 0), 0.02 * scene.eye_distance + 0.5)
    above = skull * beyond * (1 - smoothstep(level, -0.05, 0.10))
    beside = within * free * np.clip(1 - 2 * face, 0, 1) * smoothstep(level, -0.05, 0.10)
    return np.maximum(above, beside).astype(np.float32)


def _hair_over_skull(scene, image, skin, distance, removed) -> np.ndarray:
    """A hat that is taken off leaves hair where hair shows beside it, and skin where none does."""
    if scene.hair is None:
        return skin
    known = scene.hair.astype(np.float32) / 255 * (removed < 0.05)
    if known.sum() < 0.003 * known.size:
        return skin
    hairline = 1 - polygon(scene.landmarks[FACE_OVAL], known.shape)
    hairline = cv2.GaussianBlur(hairline, (0, 0), 0.04 * scene.eye_distance + 0.5)[..., None]
    shaded = fill(image, (known > 0.9).astype(np.float32)) * (1 - SKULL_SHADE * smoothstep(distance, 0.7, 1))[..., None]
    return skin + hairline * (shaded - skin)


def _neck(scene, head, down) -> tuple[np.ndarray, np.ndarray]:
    """Left and right end of the neck's top and of its base, ``(2, 2)`` each."""
    across = np.array([down[1], -down[0]])
    chin = scene.landmarks[CHIN, :2] - 0.12 * head.width * down
    base = scene.landmarks[CHIN, :2] + NECK_LENGTH * head.width * down
    sides = np.array([[-1.0], [1.0]])
    top = chin + sides * across * NECK_HALF_WIDTH * head.width
    bottom = base + sides * across * NECK_BASE_HALF_WIDTH * head.width
    return top, bottom


def _jaw_outline(scene, head, down, visible) -> np.ndarray:
    """Face, neck, and what of a turned head lies ``visible`` behind the jaw, with all between, ``(S, S) float32``."""
    behind = head.axes[0, 2]
    y, x = (HULL_STEP * found for found in np.nonzero(visible[::HULL_STEP, ::HULL_STEP]))
    low_y, high_y = scene.landmarks[[NOSE_BRIDGE, CHIN], 1]
    beside = (y > low_y) & (y < high_y) & ((x - head.centre[0]) * behind > BEHIND * head.width)
    points = np.concatenate([scene.landmarks[FACE_OVAL, :2], _neck(scene, head, down)[1], np.stack([x, y], 1)[beside]])
    outline = polygon(cv2.convexHull(points.astype(np.float32))[:, 0], scene.image.shape[:2])
    return cv2.GaussianBlur(outline, (0, 0), 0.02 * head.width)


def _body_outline(scene, head, visible_body, down) -> np.ndarray:
    """Neck and shoulders as they probably run under removed hair, ``(S, S) float32``."""
    top, bottom = _neck(scene, head, down)
    base = bottom.mean(0)
    outline = polygon(np.array([top[0], top[1], bottom[1], bottom[0]], np.float32), visible_body.shape)
    y, x = (HULL_STEP * found for found in np.nonzero(visible_body[::HULL_STEP, ::HULL_STEP]))
    low = (x - base[0]) * down[0] + (y - base[1]) * down[1] > 0
    points = np.concatenate([bottom, np.stack([x[low], y[low]], 1)]).astype(np.float32)
    if low.sum() > 3:
        hull = cv2.convexHull(points)[:, 0]
        outline = np.maximum(outline, polygon(hull, visible_body.shape))
    return cv2.GaussianBlur(outline, (0, 0), 0.02 * head.width)

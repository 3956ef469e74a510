"""The portrait without what is taken off, cut from its background.

Two pictures come out: a still *plate* (the background, continued behind the person) and a *foreground* (the person,
what was worn removed and filled) that the mesh will move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from durian import masks
from durian.content_cache import ContentCache
from durian.fingerprint import fingerprint
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL, INNER_LIPS, OUTER_LIPS
from durian.layers.completion import complete_background
from durian.layers.scalp import scalp_under
from durian.layers.underneath import underneath
from durian.preview.fill import fill
from durian.preview.lenses import glasses_opacity
from durian.preview.skin import polygon
from durian.scene import Scene
from durian.segmentation.person import person_mask

FRINGE = 0.12
"""How far around hair and hats what is not surely person is taken for theirs, in outer-eye distances. With 0.35 the
background of rendered triplets was 0.8 dB worse, and with 0.05 no better."""
FRAME_MARGIN = 0.025
"""Growth of a frame that is taken off, in outer-eye distances: its edge and its shadow."""
BROW_MARGIN = 0.05
"""Skin around a brow that stays with it, in outer-eye distances."""
DARK_SHARE = 0.85
"""Glasses opaque over more of their area than this are dark ones."""
MISFIT = 1.5
"""Levels by which plate and foreground together may miss the photo."""
ISLAND = 0.003
"""Share of the picture below which a detached piece of the person is a speck."""
SCALP_SHADE = 0.8
"""Hair seen only as filling lies deeper than the rest."""

_plates = ContentCache(entries=8)


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
    face = polygon(scene.landmarks[FACE_OVAL], shape)
    person = _person(scene, face)
    removed = _removed(scene, person)
    scalp = (
        np.zeros(shape, np.float32)
        if new_hair is None
        else scalp_under(new_hair[..., 3] / 255, scene.landmarks, np.maximum(removed, 1 - person))
    )
    removed = np.maximum(removed, scalp)
    vacated = _vacated(scene)

    background = (person < 0.04).astype(np.float32) * (removed < 0.04) * ~vacated
    background = cv2.erode(background, np.ones((3, 3)))
    if background.mean() < 0.01:  # the person fills the picture: nothing behind them is known, so all of it moves
        person = np.ones(shape, np.float32)
        plate = image.copy()
    else:
        plate = _plate(scene, background).copy()

    colour, alpha = image, person
    if removed.any():
        kept_alpha, under = underneath(scene, person, removed)
        if scalp.any():
            straight = new_hair[..., :3] * (255 / np.maximum(new_hair[..., 3:], 1))
            hair = fill(straight, (new_hair[..., 3] > 200).astype(np.float32))
            under = under + scalp[..., None] * (hair * SCALP_SHADE - under)
        colour = image + removed[..., None] * (under - image)
        if scene.pressed is not None:  # nothing sticks out beyond a hat
            kept_alpha = kept_alpha * (1 - scene.pressed.beyond)
        alpha = person + removed * (kept_alpha * person - person)
        alpha = _without_islands(np.maximum(alpha, scalp))
    # Fractional pixels already hold some background: take it out, so that plate and foreground add up to the photo.
    through = 1 - person[..., None]
    premultiplied = np.clip(image - through * plate, 0, 255 * person[..., None])
    # Where no colour of the person explains the photo, the guess was wrong: about what lies behind where that shows
    # most, about how much shows through elsewhere.
    misfit = np.abs(premultiplied + through * plate - image)
    wrong = (cv2.max(cv2.max(misfit[..., 0], misfit[..., 1]), misfit[..., 2]) > MISFIT) & (removed <= 0)
    behind = wrong & (person < 0.5) & ~vacated
    plate[behind] = np.clip((image - premultiplied) / np.maximum(through, 0.5), 0, 255)[behind]
    opaque = wrong & ~behind
    premultiplied[opaque] = image[opaque]
    alpha = np.where(opaque, 1.0, alpha).astype(np.float32)
    if removed.any():
        premultiplied += removed[..., None] * (colour * alpha[..., None] - premultiplied)
        premultiplied[alpha <= 0] = 0
    foreground = np.concatenate([premultiplied, alpha[..., None] * 255], -1)
    base = Base(
        plate=np.clip(plate + 0.5, 0, 255).astype(np.uint8),
        foreground=np.clip(foreground + 0.5, 0, 255).astype(np.uint8),
        colour=colour,
        filled=removed,
    )
    if scene.pressed is None:
        return base
    press = scene.pressed.press
    return replace(base, foreground=press(base.foreground), colour=press(colour), filled=press(removed))


def _plate(scene: Scene, background: np.ndarray) -> np.ndarray:
    """The background ``(S, S, 3) float32``, gone on with where ``background (S, S)`` says that it is not seen."""
    seed = scene.request.options.seed
    key = fingerprint([background, seed])
    return _plates.get(scene.image, lambda image: complete_background(image, background, seed), key=key)


def _vacated(scene: Scene) -> np.ndarray:
    """Where hair, or the fringe of it, was before a hat pressed it down, ``(S, S) bool``."""
    if scene.pressed is None or not scene.pressed.moved.any():
        return np.zeros(scene.image.shape[:2], bool)
    reach = masks.expand(scene.hair, FRINGE * scene.eye_distance) > 0
    return reach & (cv2.dilate(scene.pressed.moved.astype(np.uint8), np.ones((9, 9))) > 0)


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
            if name == "hair" and scene.pressed is not None:
                hole *= scene.pressed.beyond
        elif name == "glasses":
            hole = _frames_worn(scene, worn_mask)
        elif name == "beard":  # it ends at the lips, which stay
            hole = hole * (1 - polygon(scene.landmarks[OUTER_LIPS], shape))
        removed = np.maximum(removed, strengths.get(name, 0.0) * hole)
    # Eyes and mouth are never part of what is taken off, nor are brows that nothing covers.
    keep = np.maximum(_eye_regions(scene), polygon(scene.landmarks[INNER_LIPS], shape))
    if "hair" in scene.worn:
        keep = np.maximum(keep, _brow_regions(scene) * (scene.worn["hair"] < 128))
    return removed * (1 - keep)


def _frames_worn(scene: Scene, worn_mask: np.ndarray) -> np.ndarray:
    """Of glasses only what hides the face, ``(S, S) float32``; dark ones stay, for nobody knows the eyes behind."""
    image, mask = scene.image.astype(np.float32), worn_mask.astype(np.float32) / 255
    opacity = mask * glasses_opacity(image, mask, scene.landmarks)
    if opacity[mask > 0.5].mean() > DARK_SHARE:
        return np.zeros_like(mask)
    reach = max(1, round(FRAME_MARGIN * scene.eye_distance))
    widened = cv2.dilate((opacity > 0.25).astype(np.float32), np.ones((2 * reach + 1,) * 2))
    return cv2.GaussianBlur(widened, (0, 0), 0.5 * reach)


def _brow_regions(scene: Scene) -> np.ndarray:
    reach = 2 * max(1, round(BROW_MARGIN * scene.eye_distance)) + 1
    brows = np.maximum(*(polygon(scene.landmarks[brow], scene.image.shape[:2]) for brow in BROWS))
    return cv2.GaussianBlur(cv2.dilate(brows, np.ones((reach, reach))), (0, 0), 0.015 * scene.eye_distance + 0.5)


def _eye_regions(scene: Scene) -> np.ndarray:
    shape = scene.image.shape[:2]
    margin = 2 * max(1, int(0.07 * scene.eye_distance)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    regions = np.maximum(*(polygon(scene.landmarks[lids], shape) for lids in EYES))
    return cv2.GaussianBlur(cv2.dilate(regions, kernel), (0, 0), 0.015 * scene.eye_distance + 0.5)

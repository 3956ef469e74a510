"""Completion of skin that hair, a hat, frames or a beard hid."""

from __future__ import annotations

import cv2
import numpy as np

from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.head import Head
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL, OUTER_LIPS, smoothstep
from durian.layers.completion.exemplar import synthesise
from durian.layers.completion.face_relief import likely_relief
from durian.layers.completion.mirrored import FaceSurface
from durian.layers.completion.pores import pores
from durian.layers.completion.shadow import without_shadow
from durian.layers.completion.skin_light import SkinLight, colours, fit_light, logarithm
from durian.layers.fill import blurred_within, fill
from durian.layers.skin import face_and_skull, polygon

LEAST_SKIN = 50
"""Pixels of skin below which nobody can tell its light."""
SURE = 0.98
"""Share of a pixel that must be known for it to be taken as seen."""
SKIN = 0.8
"""Share of a pixel that must be skin for somebody who knows."""
EYE_MARGIN, BROW_MARGIN, LIP_MARGIN = 0.015, 0.03, 0.015
"""How far around its outline a part of the face is not skin, in face widths."""
SHADED = 0.06
"""How far beside what hides a face its skin lies in the shade of that, in face widths, and says nothing of the rest."""
REACH = 0.25
"""Distance from seen skin, in face widths, over which its own tint gives way to the light's."""
RIM = 0.1
"""Width, in face widths, over which the other half counts for less towards a face's outline."""
SEAM = 0.02
"""Width, in face widths, over which a mirrored half fades out."""
PORES = 0.01
"""Size of the coarsest structure that is made up, in face widths."""
ROUGHEST = 0.015
"""Logarithm of colour by which pores vary at most: rougher than that is stubble or the picture's compression."""
MEETING = 0.07
"""Distance from seen skin, in face widths, over which what is made up departs from the shade that it has there."""
MOST_SHADE = (-0.45, 0.2)
"""Logarithms by which seen skin beside the hole may be darker or brighter than what is made up; beyond the first there
are leftovers of hair."""
BROW_SEEN = 0.3
"""Share of a brow that must be seen for it to go on where it is hidden."""
BROW_REACH = 0.05
"""Distance, in face widths, over which it does."""
BROW_SEAM, EYE_REACH = 0.02, 0.03
"""How far around brows and eyes what has not skin's colour, as lashes, comes from the other half, in face widths."""
MIRRORED_SURE, NEAR_SURE, FAR_SURE = 0.8, 0.6, 0.2
"""Certainty of a mirrored pixel, of one synthesised beside seen skin, and of one far from all."""

_lights = ContentCache(entries=1)


def complete_skin(
    image: np.ndarray,
    landmarks: np.ndarray,
    known: np.ndarray,
    skin: np.ndarray | None = None,
    seed: int = 0,
    shadowed: np.ndarray | None = None,
    brows: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A bare face as it would look, hair, brows and background no part of it.

    What is hidden, eyes as well, comes from the face's other half where that shows, carried over by the mesh and
    corrected for the light; elsewhere it is a smooth light over face and skull with the pores of the skin that shows.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        landmarks: ``(478, 3)`` pixels.
        known: ``(S, S) float32`` in [0, 1], 1 where nothing that is taken off hides the picture.
        skin: ``(S, S) float32`` in [0, 1] what shows skin of face, ears and neck, from somebody who knows better than
            the landmarks do; it may err, and pixels of another colour are left out.
        seed: of the pores.
        shadowed: ``(S, S) float32`` in [0, 1] where the shadow of what is taken off goes as well
            (:func:`durian.layers.completion.shadow.without_shadow`).
        brows: ``(S, S, 3) float32`` logarithms by which brows of somebody else darken what is made up, where neither
            half shows its own; by default none.

    Returns:
        Colours ``(S, S, 3) float32``, equal to ``image`` where ``known`` is 1 and ``shadowed`` is 0, and how sure they
        are ``(S, S) float32`` in [0, 1].
    """
    image = image.astype(np.float32)
    surface, head = FaceSurface.of(landmarks, len(image)), Head(landmarks)
    seen = known > SURE
    if shadowed is not None and shadowed.any():
        # A forehead goes on above the mesh, and what is seen there is no hair: that goes.
        skin = np.maximum(0 if skin is None else skin, (shadowed > 0).astype(np.float32))
    light = _light(image, landmarks, known, skin, surface.normals)
    if light is None or light.skin.sum() < LEAST_SKIN:
        return fill(image, known), (known * 1.0).astype(np.float32)
    if shadowed is not None:
        image = without_shadow(image, light, shadowed, head.width)
    smooth, near = _smooth(image, light, _relief(image, light, landmarks, seen, head.width), head.width)
    made = smooth + pores(logarithm(image), light.skin, max(PORES * head.width, 1.0), seed, ROUGHEST)
    if brows is not None:
        made += brows
    made = _with_brows(made, image, landmarks, seen, head.width, seed)
    counterpart, share = _from_other_half(image, landmarks, surface, light, seen, head.width)
    made += share[..., None] * (counterpart - made)
    made = _shaded_as_met(made, image, landmarks, seen & light.coloured, seen, head.width)
    colour = np.clip(colours(made), 0, 255)
    weight = known[..., None]
    colour = np.where(weight >= 1, image, colour + weight * (image - colour)).astype(np.float32)
    sure = FAR_SURE + (NEAR_SURE - FAR_SURE) * near
    sure = sure + share * (MIRRORED_SURE - sure)
    return colour, (sure + known * (1 - sure)).astype(np.float32)


def skin_coloured(image: np.ndarray, landmarks: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Pixels with the tint of the face's seen skin, wherever they are and whatever they show, ``(S, S) bool``."""
    light = _light(image, landmarks, known, None, FaceSurface.of(landmarks, len(image)).normals)
    return np.zeros(known.shape, bool) if light is None else light.coloured


def _light(image, landmarks, known, skin, normals) -> SkinLight | None:
    parts = features(landmarks, Head(landmarks).width, known.shape)
    on_face = (cv2.erode(polygon(landmarks[FACE_OVAL], known.shape), np.ones((5, 5))) > SURE) & ~parts
    seen = known > SURE
    beside = None if skin is None else seen & ~parts & (skin > SKIN)
    # Skin and the body below it ask for the same light, one after the other.
    key = content_hash([landmarks, seen, beside])
    return _lights.get(image, lambda _: fit_light(image, seen & on_face, normals, beside), key=key)


def features(landmarks: np.ndarray, width: float, shape: tuple[int, int]) -> np.ndarray:
    """Eyes, brows and lips, ``(S, S) bool``."""
    found = np.zeros(shape, bool)
    for parts, margin in ((EYES, EYE_MARGIN), (BROWS, BROW_MARGIN), ((OUTER_LIPS,), LIP_MARGIN)):
        reach = np.ones((2 * max(1, round(margin * width)) + 1,) * 2)
        for part in parts:
            found |= cv2.dilate(polygon(landmarks[part], shape), reach) > 0
    return found


def _relief(image: np.ndarray, light: SkinLight, landmarks: np.ndarray, seen: np.ndarray, width: float) -> np.ndarray:
    """Logarithms by which a face is darker or brighter than an even light, ``(S, S) float32``, by what is ``seen
    (S, S) bool`` of it where nothing that hides the rest shades it."""
    reach = 2 * max(1, round(SHADED * width)) + 1
    clear = cv2.erode(seen.astype(np.uint8), np.ones((reach, reach))) > 0
    return likely_relief((logarithm(image) - light.smooth).mean(-1), light.on_face & clear, landmarks)


def _smooth(image: np.ndarray, light: SkinLight, relief: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of smooth skin with a face's ``relief (S, S)``, ``(S, S, 3)``, and how near seen skin is ``(S, S)``
    in [0, 1]."""
    around = light.shaded
    inner = cv2.erode(around.astype(np.uint8), np.ones((3, 3)))
    even = light.smooth + relief[..., None]
    softened = blurred_within(logarithm(image), around.astype(np.float32), max(0.01 * width, 0.7))
    off = fill(softened - even, inner.astype(np.float32))
    distance = cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5)
    near = np.exp(-0.5 * (distance / (REACH * width)) ** 2).astype(np.float32)
    return even + off * near[..., None], near


def _with_brows(made, image, landmarks, seen, width, seed) -> np.ndarray:
    """Brows that something crosses go on under it, hair by hair, as logarithms ``(S, S, 3)``."""
    margin = np.ones((2 * max(1, round(BROW_MARGIN * width)) + 1,) * 2)
    for brow in BROWS:
        place = polygon(landmarks[brow], seen.shape)
        if (place * seen).sum() < BROW_SEEN * place.sum() or (place * ~seen).sum() <= 0:
            continue
        around = cv2.dilate(place, margin)
        box = _box(around > 0, len(margin))
        known = (seen & (around > 0))[box]
        start = fill(np.ascontiguousarray(image[box]), known.astype(np.float32))
        went_on = logarithm(synthesise(start, ~known, known, seed))
        distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
        near = np.exp(-((distance / (BROW_REACH * width)) ** 2))
        edge = cv2.dilate(place[box], np.ones((2 * max(1, round(0.008 * width)) + 1,) * 2))
        near *= cv2.GaussianBlur(edge, (0, 0), max(0.008 * width, 0.5))
        made[box] += near[..., None].astype(np.float32) * (went_on - made[box])
    return made


def _shaded_as_met(made, image, landmarks, skin, seen, width) -> np.ndarray:
    """Logarithms ``(S, S, 3)`` of what is made up, in the shade of the skin that it meets, as under a lock's edge."""
    reach = 2 * max(1, round(SEAM * width)) + 1
    beside = cv2.dilate((~seen).astype(np.uint8), np.ones((reach, reach))) > 0
    rim = skin & beside & (face_and_skull(landmarks, seen.shape) > SURE) & ~features(landmarks, width, seen.shape)
    shade = logarithm(image) - made
    rim = (rim & (shade.mean(-1) > MOST_SHADE[0]) & (shade.mean(-1) < MOST_SHADE[1])).astype(np.float32)
    if rim.sum() < 20:
        return made
    shade = fill(blurred_within(shade, rim, max(0.01 * width, 0.7)), rim)
    near = np.exp(-((cv2.distanceTransform((rim < 1).astype(np.uint8), cv2.DIST_L2, 5) / (MEETING * width)) ** 2))
    return made + near[..., None].astype(np.float32) * shade


def _box(places: np.ndarray, margin: int) -> tuple[slice, slice]:
    """The rows and columns that hold ``places (S, S) bool``, and a ``margin`` of pixels around them."""
    rows, columns = np.nonzero(places)
    high, wide = (slice(max(0, int(k.min()) - margin), int(k.max()) + margin + 1) for k in (rows, columns))
    return high, wide


def _from_other_half(image, landmarks, surface, light, seen, width) -> tuple[np.ndarray, np.ndarray]:
    """The other half in this one's light, logarithms ``(S, S, 3)``, and how much of it to take, ``(S, S)``."""
    skin = light.shaded.astype(np.float32)
    usable = skin
    for parts, margin in ((BROWS, BROW_SEAM), (EYES, EYE_REACH)):
        region = np.maximum(*(polygon(landmarks[part], seen.shape) for part in parts))
        usable = np.maximum(usable, cv2.dilate(region, np.ones((2 * max(1, round(margin * width)) + 1,) * 2)) * seen)
    usable = cv2.erode(usable, np.ones((3, 3)))
    there = surface.mirrored(usable) * surface.seen
    share = np.clip(2 * cv2.GaussianBlur(there, (0, 0), max(SEAM * width / 2, 0.5)) - 1, 0, 1) * there
    # Along its outline a face is often hair or shadow on the other side, too.
    oval = (polygon(landmarks[FACE_OVAL], seen.shape) > 0.5).astype(np.uint8)
    share *= smoothstep(cv2.distanceTransform(oval, cv2.DIST_L2, 5), 0, RIM * width).astype(np.float32)
    other = surface.mirrored(logarithm(image))
    # Where both halves are seen the difference of their light is known; elsewhere the fitted light says it.
    both = cv2.erode(skin, np.ones((3, 3))) * (surface.mirrored(skin) > SURE) * (surface.seen > 0.5)
    expected = light.smooth - surface.mirrored(light.smooth)
    if both.sum() < 20:
        return other + expected, share
    soft = max(0.01 * width, 0.7)
    off = fill(blurred_within(logarithm(image) - other - expected, both, soft), both)
    distance = cv2.distanceTransform((both < SURE).astype(np.uint8), cv2.DIST_L2, 5)
    off *= np.exp(-0.5 * (distance / (REACH * width)) ** 2).astype(np.float32)[..., None]
    return other + expected + off, share

"""Completion of neck and clothes that hair or a beard hid."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.mesh import FACE_OVAL, smoothstep
from durian.layers.completion.collar import neck_above_collar
from durian.layers.completion.exemplar import synthesise
from durian.layers.completion.skin import complete_skin, skin_coloured
from durian.layers.fill import fill
from durian.layers.shoulders import NECK_HALF, BodyFrame
from durian.layers.skin import polygon

SURE = 0.98
"""Share of a pixel that must be known, and body, for it to be taken as an example."""
APART = 60.0
"""How much clothes in the place of skin count against a match, in levels."""
NECK_SHADE, JAW_SHADE, JAW_SHADOW = -0.08, -0.42, 0.13
"""Logarithm by which a neck is darker than the face above it, how much darker still it is right below the jaw, and the
distance in face widths over which that fades. Medians of 45 photographs of people without a beard (train)."""
EDGE_SHADE = 0.85
"""The edges of a neck, beside its middle: it is round. Taste."""
SHADE = np.array([0.84, 0.98, 1.18], np.float32)
"""Logarithms of red, green and blue by which a neck is darker than the face, beside their mean: light that comes
through skin is redder. Measured on the same photographs."""
SHADED_FOR = 0.3
"""Distance from what is seen of a neck, in face widths, over which its shade goes on."""
NECK_LIGHT, TINT = (-0.9, 0.3), 0.5
"""Logarithms by which a neck that is made up may be darker or brighter than the face, and how much of its tint it has
beside that of a shade (:data:`SHADE`): what is seen below a chin lies in its shadow, which is redder than the rest."""
LEAST_SEEN = 30
"""Pixels of a neck from which on it says how dark it is."""
NEITHER, SURELY_SKIN = 0.3, 0.8
"""Share of hair, or of a thing, from which on a pixel says nothing of clothes; share of skin from which on it is that
whatever its colour."""
TOLD, TOLD_BESIDE = 0.06, 0.2
"""Distance from what is seen, in face widths, over which it tells skin from clothes below the head, and beside a neck,
where some wear a collar and some bare shoulders."""
BESIDE = (0.36, 0.5)
"""Distance from a neck's middle over which a shoulder begins, in face widths."""
LEAST_PIECE = 0.05
"""Area of skin apart from the neck, in squared face widths, below which it may be cloth in the shade of a strand."""
THINNEST = 0.03
"""Half the width of skin that is seen beside a neck, in face widths: less is a strand, or the shade of one."""
COLLAR = 0.02
"""Distance from clothes, in face widths, from which on a neck is nothing but skin."""


def complete_body(
    image: np.ndarray,
    landmarks: np.ndarray,
    known: np.ndarray,
    body: np.ndarray,
    seed: int = 0,
    skin: np.ndarray | None = None,
    parts: np.ndarray | None = None,
    telling: np.ndarray | None = None,
) -> np.ndarray:
    """Go on with neck and clothes, each from its own kind, and with the edge between them.

    Args:
        image: ``(S, S, 3) float32`` 0-255.
        landmarks: ``(478, 3)`` pixels.
        known: ``(S, S) float32`` in [0, 1], 1 where nothing that is taken off hides the picture.
        body: ``(S, S) float32`` in [0, 1] where neck and clothes are, or are to be.
        seed: of the search.
        skin: ``(S, S, 3) float32``, what :func:`complete_skin` made of the same picture, if that is at hand.
        parts: ``(S, S, 4) float32`` in [0, 1] how much of each pixel is skin, hair, clothes and background, from
            somebody who knows better than colours do; all 0 where nobody looked.
        telling: ``(S, S) bool`` more of the picture that tells skin from clothes, though not what either looks like:
            the edge of what is taken off.

    Returns:
        ``(S, S, 3) float32``: what of the body is not known is made up, elsewhere ``image``.
    """
    image = image.astype(np.float32)
    source = (known > SURE) & (body > SURE)
    hole = (body > 0) & ~(known >= 1)
    if not hole.any():
        return image.copy()
    frame = BodyFrame.of(landmarks)
    usual = neck_above_collar(body, frame)
    told = source if telling is None else source | (telling & (body > SURE))
    told, bare = _told_apart(told, skin_coloured(image, landmarks, known), frame, parts)
    bare |= _shadows(told & ~bare, bare, usual)
    neck = _neck(neck_above_collar(body, frame, told, bare), frame, told, bare)
    source, bare = source & told, source & bare
    if skin is None:
        skin, _ = complete_skin(image, landmarks, known, seed=seed)
    skin = _shaded_as_seen(image, skin, bare, known, landmarks)
    clothes = source & ~cv2.dilate(bare.astype(np.uint8), np.ones((3, 3))).astype(bool)
    start = skin
    if clothes.any():
        cloth = fill(image, clothes.astype(np.float32))
        start = cloth + neck[..., None] * (skin - cloth)
    start = np.where(hole[..., None], start, image).astype(np.float32)
    made = synthesise(start, hole, source, seed, APART * neck[..., None])
    collar = cv2.distanceTransform((neck > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    inside = smoothstep(collar, 1.0, 1.0 + COLLAR * frame.width)[..., None].astype(np.float32)
    made += inside * (skin - made)
    weight = known[..., None] * hole[..., None]
    made = made + weight * (image - made)
    return np.where(hole[..., None], np.clip(made, 0, 255), image).astype(np.float32)


def _told_apart(
    source: np.ndarray, coloured: np.ndarray, frame: BodyFrame, parts: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """What is neck or clothes, and what of it is skin, ``(S, S) bool`` each: neither what is held in front of them nor
    what is left of hair."""
    beside = np.abs(frame.places(source.shape)[0]) > BESIDE[0]
    bare = source & coloured
    if parts is not None:
        skin, hair, clothes, background = np.moveaxis(parts, -1, 0)
        source = source & (np.maximum(hair, background) < NEITHER)
        # Cloth between strands looks like skin to a network, and a shadow on skin like cloth by its colour.
        bare = source & ((coloured & (skin >= clothes)) | ((skin > SURELY_SKIN) & ~beside))
    thick = cv2.morphologyEx(bare.astype(np.uint8), cv2.MORPH_OPEN, _disc(THINNEST * frame.width)) > 0
    bare &= thick | ~beside
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(bare.astype(np.uint8))
    doubtful = stats[:, cv2.CC_STAT_AREA] < LEAST_PIECE * frame.width**2
    doubtful[np.unique(pieces[~beside])] = False
    return source & ~(bare & doubtful[pieces]), bare & ~doubtful[pieces]


def _shaded_as_seen(
    image: np.ndarray, skin: np.ndarray, bare: np.ndarray, known: np.ndarray, landmarks: np.ndarray
) -> np.ndarray:
    """The skin ``(S, S, 3)`` of a neck as dark beside a face as what is seen of it, ``bare (S, S) bool``; far from that
    as necks are: in the head's shadow, and round."""
    frame = BodyFrame.of(landmarks)
    turned = np.minimum(np.abs(frame.places(bare.shape)[0]) / NECK_HALF, 1) ** 4
    beside_face = np.uint8(polygon(landmarks[FACE_OVAL], bare.shape) < 0.5)
    below_jaw = cv2.distanceTransform(beside_face, cv2.DIST_L2, 5) / (JAW_SHADOW * frame.width)
    shade = NECK_SHADE + JAW_SHADE * np.exp(-below_jaw) + np.log(EDGE_SHADE) * turned
    usual = shade[..., None] * SHADE
    inner = cv2.erode(bare.astype(np.uint8), np.ones((3, 3))).astype(np.float32)
    if inner.sum() < LEAST_SEEN:
        return np.exp(usual) * skin
    # Where the neck is seen the skin is the picture itself: what it would be by itself comes from beside it.
    expected = fill(skin, (known < SURE).astype(np.float32))
    ratio = fill(np.log(image + 8) - np.log(expected + 8), inner)
    seen_shade = ratio.mean(axis=-1, keepdims=True) * SHADE
    ratio = cv2.GaussianBlur(seen_shade + TINT * (ratio - seen_shade), (0, 0), 3.0)
    away = cv2.distanceTransform((inner < 1).astype(np.uint8), cv2.DIST_L2, 5) / (SHADED_FOR * frame.width)
    ratio = usual + np.exp(-0.5 * away**2)[..., None] * (ratio - usual)
    return np.clip(np.exp(np.clip(ratio, *NECK_LIGHT)) * (skin + 8) - 8, 0, 255)


def _shadows(dark: np.ndarray, bare: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Parts without the skin's colour, ``(S, S) bool``, that are skin nevertheless, as under a chin: smaller than the
    neck that is seen, and nowhere beyond where necks are."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8))
    beyond = np.bincount(parts[usual < 0.5], minlength=len(stats))
    is_shadow = (beyond == 0) & (stats[:, cv2.CC_STAT_AREA] < bare.sum())
    is_shadow[0] = False
    return is_shadow[parts]


def _neck(usual: np.ndarray, frame: BodyFrame, source: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Where the body is skin, ``(S, S) float32``: as seen, as what is near says, and far from it as necks are."""
    if not source.any():
        return usual
    label = np.repeat((bare & source).astype(np.float32)[..., None], 3, 2)
    told = fill(label, source.astype(np.float32))[..., 0]
    distance = cv2.distanceTransform(1 - source.astype(np.uint8), cv2.DIST_L2, 5)
    beside = smoothstep(np.abs(frame.places(source.shape)[0]), *BESIDE)
    reach = (TOLD + (TOLD_BESIDE - TOLD) * beside) * frame.width
    near = np.exp(-0.5 * (distance / reach) ** 2)
    neck = usual + near * (told - usual)
    # Cloth has an edge: halfway between both there is nothing.
    return cv2.GaussianBlur((neck > 0.5).astype(np.float32), (0, 0), max(COLLAR / 2 * frame.width, 0.7))


def _disc(radius: float) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(radius)) + 1,) * 2)

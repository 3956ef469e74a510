"""A beard's effect on skin: how much it darkens, and which strands of its own colour hide it.

Stubble is a ratio: it darkens whoever wears it as it darkened its owner, and brings none of the owner's skin along.
Where hair hides the skin, or is brighter than it, strands come with their own colour. Both are one texture for
:func:`durian.geometry.raster.blend_through`: on its owner's bare skin it gives back the photograph.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.mesh import FACE_OVAL, OUTER_LIPS, smoothstep
from durian.layers.bare_skin import bare_skin
from durian.layers.both_sides import on_both_sides
from durian.layers.colours import foreground_colours
from durian.layers.fill import blurred, fill
from durian.layers.skin import colour_distance, polygon

EXTENSION = 0.07
"""How far beyond its mask a beard may thin out over the face, in outer-eye distances."""
SOFT = 0.04
"""Softness of that end."""
NOISE = 0.04
"""Share by which skin differs from its smooth shading without any hair."""
DARK = (0.35, 0.62)
"""Shares of the skin's brightness that are gone between which hair begins to hide skin, and hides it wholly."""
STRANGE = (17.0, 34.0)
"""Colour distances (CIE Lab) from the skin between which the same is true of hair as bright as skin."""
OF_CORE = (0.1, 0.8)
"""How far a pixel's colour lies from the skin towards the hair's around it, where skin shows between hairs and where it
no longer does."""
CORE_BLUR = 0.15
"""Over which hair's own colour is that of the pixels least like skin, in outer-eye distances."""
GREYEST, LEAST_GREY = 75, 0.55
"""Percentile over a beard of how much of the skin's hue is gone, which is taken for hair without any skin, and the
least that is."""
OF_GREYEST = (0.3, 0.95)
"""Shares of that between which grey hair begins to hide skin, and hides it wholly."""
IS_GREY, MOST_GREY, NOT_DARK = (0.45, 0.6), 90, (0.4, 0.6)
"""How much more of the skin's hue than of its brightness is gone where most is, a percentile over a beard, between
which it comes to be grey; without grey hair that is a sheen on skin, 0.1 to 0.4 of it on photographs. Shares of the
brightness that are gone between which hair is dark and its hue noise."""
OTHER_HUE = (14.0, 28.0)
"""Distances of hue (CIE Lab, a and b) from the hair on the face between which what hangs below is something else."""
DYED = (0.5, 0.75)
"""Saturation between which a cold tint comes to be hair's own."""
HIDES_MOST = (0.5, 0.8)
"""Shares of the skin that are hidden between which it is hair that hides it, and no stubble's blue shade."""
BLUE_TELLS = (90.0, 150.0)
"""Levels of blue of bare skin between which it comes to tell how much of it hair hides."""
SHEEN = (0.85, 1.05)
"""Brightness as a share of the skin's, between which what has less hue is a sheen on it, if the beard is not grey."""
GLOSS = 1.6
"""How much brighter than its own colour around, hair that is not grey is at most."""
DENSITY_BLUR = 0.05
"""Over which hairs are one beard, in outer-eye distances."""
HANGING = (0.10, 0.28)
"""How far beyond the jaw, in outer-eye distances, hair is longer than stubble: what it hangs over is hidden."""
STUBBLE_BELOW = (0.02, 0.22)
"""Between which stubble fades over the neck: the jaw of another falls elsewhere."""
HUE = (8.0, 24.0)
"""Saturation of skin, levels, from which on it tells how much of the skin shows."""
HUE_BLUR = 0.012
OF_GREY = (0.4, 0.8)
"""Shares of the skin's hue that are gone between which hair begins to hide skin."""
TINT = 0.6
"""How much of the hue that thin hair gives to skin is kept: the rest is the guess's error."""
OWN_HUE = 0.7
"""How much thin strands take the hue of dense hair around them."""
LIGHTEST = 1.3
"""Most that a patch of skin brighter than its shading is taken for light."""
OVAL_SOFT = 0.035
RIM = 0.015
"""How far around lips and nose their own colours reach; there the beard beside it goes on, for on a wearer whose lips
are thinner that is skin."""
NOSE = np.array([195, 48, 64, 98, 97, 2, 326, 327, 294, 278])


def beard_layer(
    image: np.ndarray, matte: np.ndarray, landmarks: np.ndarray, change: np.ndarray | None = None
) -> np.ndarray:
    """Take a beard apart.

    Args:
        image: ``(h, w, 3) float32``, 0-255: its owner, with most of the face in view.
        matte: ``(h, w) float32`` in [0, 1], the beard.
        landmarks: ``(478, 3)`` pixels.
        change: ``(h, w, 3) float32``, factors on the strands' colours in a new wearer's light; by default 1.

    Returns:
        ``(h, w, 6) float32``, 0-255: the colour that is added, then how much of red, green and blue is hidden.
    """
    unit = eye_distance(landmarks)
    shape = matte.shape
    skin = bare_skin(image, matte, landmarks)
    oval = blurred(polygon(landmarks[FACE_OVAL], shape), OVAL_SOFT * unit)
    below = cv2.distanceTransform((oval < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / unit

    # Light scales all of a skin's colours.
    explained = np.minimum(skin * np.clip((image / skin).min(-1, keepdims=True), 1, LIGHTEST), 255)
    greyer = _greyer(image, explained, unit)
    grey = _is_grey(greyer, 1 - (image / explained).mean(-1), matte * oval)
    sheen = (1 - grey) * smoothstep(image.mean(-1) / skin.mean(-1), *SHEEN)
    greyer = greyer * (1 - sheen)
    density = _density(image, skin, greyer, matte * oval, unit)
    hanging = smoothstep(below, *HANGING)
    density = np.maximum(density, hanging * smoothstep(matte, 0.3, 0.9)).astype(np.float32)
    core = _core_colour(image, skin, matte * oval, density, unit)
    colours, own = _own_colours(image, matte, core)
    strands = density * _of_core(image, skin, core)
    strands = np.maximum(strands, grey * _of_greyest(greyer, matte * oval))

    # On the face: darkening and strands on bare skin, thinning out beyond the mask by themselves.
    left = np.minimum(image / explained, 1)
    mean = left.mean(-1, keepdims=True)
    hidden = np.clip(np.maximum(strands[..., None], 1 - mean - TINT * (left - mean)), 0, 1)
    hidden = _as_dark_in_blue(hidden, skin)
    added = np.clip(image - explained * (1 - hidden), 0, 255)
    # What is brighter than hair that is not grey is a sheen, which stays with its owner.
    brightest = hidden.mean(-1) * GLOSS * core.mean(-1)
    added *= 1 - (1 - grey) * (1 - np.minimum(brightest / np.maximum(added.mean(-1), 1), 1))[..., None]
    added += ((1 - density) * OWN_HUE)[..., None] * (_in_hue_of(added, core) - added)
    # A guess of bare skin misses the shade of a face that is lit from one side, which would come along as hair.
    both = on_both_sides(hidden.mean(-1), density, matte * oval, landmarks, unit)[..., None]
    hidden, added, density = both * hidden, both * added, both[..., 0] * density
    there = _thinning(matte, oval, unit)
    # Beyond it: nobody's skin is known there, so hair hides what is behind it as its matte says.
    over = (matte * density * own)[..., None]
    stubble = (1 - smoothstep(below, *STUBBLE_BELOW)) * (1 - density) * there
    hidden_below = over + stubble[..., None] * hidden * (1 - over)
    added_below = over * colours
    face = oval[..., None]
    hidden = face * there[..., None] * hidden + (1 - face) * hidden_below
    added = face * there[..., None] * added + (1 - face) * added_below
    added = _in_no_blue_light(_without_other_hues(added, hidden, core))
    if change is not None:
        added = np.minimum(added * change, 255)
    seen = 1 - _never(landmarks, shape, unit)
    parts = (fill(part.astype(np.float32), seen) for part in (added, 255 * hidden))
    return np.concatenate(list(parts), -1).clip(0, 255).astype(np.float32)


def _own_colours(image: np.ndarray, matte: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours that are the hair's and not those of what is behind it, ``(h, w, 3) float32``, and how sure it is that a
    pixel is hair at all, ``(h, w) float32``."""
    image = foreground_colours(image, matte)
    if not core.any():
        return image, np.ones_like(matte)
    lab, core_lab = (
        cv2.cvtColor(np.clip(picture, 0, 255).astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for picture in (image, core)
    )
    other = smoothstep(np.linalg.norm(lab[..., 1:] - core_lab[..., 1:], axis=-1), *OTHER_HUE)
    brightness = image.mean(-1, keepdims=True) / np.maximum(core.mean(-1, keepdims=True), 1)
    tinted = np.clip(core * np.minimum(brightness, 2), 0, 255)
    return image + other[..., None] * (tinted - image), (1 - other).astype(np.float32)


def _density(image, skin, greyer, known, unit) -> np.ndarray:
    """How much hair hides skin around each pixel, 0 for stubble and bare skin, ``(h, w) float32``."""
    darker = smoothstep(1 - image.mean(-1) / skin.mean(-1), *DARK)
    hides = np.maximum(darker, smoothstep(colour_distance(image, skin), *STRANGE))
    hides = np.maximum(hides, smoothstep(greyer, *OF_GREY)).astype(np.float32)
    if known.sum() < 20:
        return np.ones_like(known)
    sigma = DENSITY_BLUR * unit
    weight = blurred(known, sigma)
    around = blurred(hides * known, sigma) / np.maximum(weight, 1e-3)
    known = (weight > 0.05).astype(np.float32)
    return np.clip(fill(np.repeat(around[..., None], 3, 2), known)[..., 0], 0, 1)


def _core_colour(image, skin, matte, density, unit) -> np.ndarray:
    """The hair's own colour around each pixel, ``(h, w, 3) float32``; without any dense hair, black."""
    distance = colour_distance(image, skin)
    sure = (matte > 0.8) & (density > 0.6) & (distance > STRANGE[0] / 2)
    if sure.sum() < 20:
        return np.zeros_like(image)
    # Between hairs, and where they thin out, some of the skin is in every pixel.
    sigma = CORE_BLUR * unit
    mean = blurred(distance * sure, sigma) / np.maximum(blurred(sure.astype(np.float32), sigma), 1e-3)
    return fill(image, (sure & (distance >= mean)).astype(np.float32))


def _is_grey(greyer: np.ndarray, darker: np.ndarray, matte: np.ndarray) -> float:
    """Whether a beard has grey hair, 0 to 1: light that takes more of the skin's hue than of its brightness."""
    more = ((greyer - darker) * (1 - smoothstep(darker, *NOT_DARK)))[matte > 0.8]
    return float(smoothstep(np.percentile(more, MOST_GREY), *IS_GREY)) if more.size > 20 else 1.0


def _of_greyest(greyer: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """How much of the skin grey hair hides, by how much of its hue is gone where most of it is, ``(h, w) float32``."""
    there = greyer[matte > 0.8]
    most = max(float(np.percentile(there, GREYEST)), LEAST_GREY) if there.size > 20 else 1.0
    return np.maximum(greyer, smoothstep(greyer / most, *OF_GREYEST)).astype(np.float32)


def _of_core(image, skin, core) -> np.ndarray:
    """Certainty that a pixel is hair and not skin between hairs, ``(h, w) float32``."""
    share = colour_distance(image, skin) / np.maximum(colour_distance(core, skin), 1)
    return smoothstep(share, *OF_CORE).astype(np.float32)


def _in_hue_of(added: np.ndarray, core: np.ndarray) -> np.ndarray:
    """Thin strands as bright as they are, in the hair's own hue, grey where that is not known."""
    hue = core / np.maximum(core.mean(-1, keepdims=True), 1) if core.any() else np.ones_like(added)
    return added.mean(-1, keepdims=True) * hue


def _without_other_hues(added: np.ndarray, hidden: np.ndarray, core: np.ndarray) -> np.ndarray:
    """Hair in the light of a red shirt, or before a flag, keeps its brightness and gets its own hue back."""
    if not core.any():
        return added
    straight = np.clip(added / np.maximum(hidden.mean(-1, keepdims=True), 0.05), 0, 255)
    lab, core_lab = (
        cv2.cvtColor(np.ascontiguousarray(picture, np.float32) / 255, cv2.COLOR_RGB2LAB) for picture in (straight, core)
    )
    other = smoothstep(np.linalg.norm(lab[..., 1:] - core_lab[..., 1:], axis=-1), *OTHER_HUE)[..., None]
    return added + other * (_in_hue_of(added, core) - added)


def _in_no_blue_light(added: np.ndarray) -> np.ndarray:
    """Strands without the sky's colour: what hair is coloured by takes more of blue than of green, and more of green
    than of red. Dyes are more than a tint, and stay."""
    high, low = added.max(-1, keepdims=True), added.min(-1, keepdims=True)
    tint = 1 - smoothstep((high - low) / np.maximum(high, 1), *DYED)
    green = np.minimum(added[..., 1], added[..., 0])
    natural = np.stack([added[..., 0], green, np.minimum(added[..., 2], green)], -1)
    natural *= added.mean(-1, keepdims=True) / np.maximum(natural.mean(-1, keepdims=True), 1e-3)
    return added + tint * (natural - added)


def _as_dark_in_blue(hidden: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Shares of colours that are hidden, so that what hides most of the skin, or lies on dark skin, lets no more blue
    than red through: of such a skin's little blue the share is mostly noise and sheen."""
    tells = smoothstep(skin[..., 2:], *BLUE_TELLS)
    most = np.maximum(smoothstep(hidden.mean(-1, keepdims=True), *HIDES_MOST), 1 - tells)
    return hidden + most * (np.maximum.accumulate(hidden, -1) - hidden)


def _greyer(image: np.ndarray, explained: np.ndarray, unit: float) -> np.ndarray:
    """How much of the skin's colour hair takes away, ``(h, w) float32``.

    What darkens skin leaves its hue: then this is the darkening, and no colour is added. Grey and white hair leave less
    of the hue than of the brightness: then they are strands.
    """
    # Files keep hues at half the size: smooth, or their blocks show.
    own, seen = (blurred(picture - picture.mean(-1, keepdims=True), HUE_BLUR * unit) for picture in (explained, image))
    strength = (own**2).sum(-1)
    left = (own * seen).sum(-1) / np.maximum(strength, 1)
    told = smoothstep(np.sqrt(strength), *HUE)
    return (told * np.clip((1 - left - NOISE) / (1 - NOISE), 0, 1)).astype(np.float32)


def _thinning(matte, oval, unit) -> np.ndarray:
    """Where the beard and its last thin hairs are, ``(h, w) float32``: its mask, softly grown within the face."""
    reach = max(1, round(EXTENSION * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    grown = blurred(cv2.dilate(matte, kernel), SOFT * unit)
    within = blurred(cv2.erode((oval > 0.5).astype(np.float32), kernel), SOFT * unit)
    return np.clip(np.maximum(matte, grown * within), 0, 1).astype(np.float32)


def own_parts(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Lips, mouth and nose, on which nothing of a beard is drawn: they are their wearer's, ``(h, w) float32``."""
    nose = cv2.convexHull(landmarks[NOSE, :2].astype(np.float32))[:, 0]
    return np.maximum(polygon(landmarks[OUTER_LIPS], shape), polygon(nose, shape))


def _never(landmarks, shape, unit) -> np.ndarray:
    """Where the owner's lips and nose, and the light on their rims, are no beard, ``(h, w) float32`` of 0 and 1."""
    reach = max(1, round(RIM * unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return cv2.dilate((own_parts(landmarks, shape) > 0).astype(np.float32), kernel)

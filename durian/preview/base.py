"""The portrait without what is taken off, cut from its background.

Two pictures come out: a still *plate* (the background, continued behind the person) and a *foreground* (the person,
what was worn removed and filled) that the mesh will move.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian import masks
from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.mesh import FACE_OVAL, smoothstep
from durian.layers.colours import foreground_colours
from durian.layers.completion import complete_background, join
from durian.layers.fill import fill
from durian.layers.lining import SHADE, lining
from durian.layers.picture_frame import find_frame
from durian.layers.scalp import scalp_under
from durian.layers.skin import beyond_face, polygon
from durian.layers.stray_hair import stray_hair
from durian.layers.wearing import beyond_hat
from durian.preview.taken_off import FRINGE, kept_glasses, seen_ears, shadowed, taken_off
from durian.preview.underneath import underneath
from durian.scene import Scene
from durian.segmentation.person import person_mask
from durian.side_by_side import side_by_side

SURELY_NOT = 0.02
"""Share of a hat's inside below which a pixel shows none of it."""
SURELY_BACKGROUND = 0.04
"""Share of a person below which a pixel is taken for nothing but background."""
SURELY_PERSON = 0.99
"""Share from which on a pixel's colour has nothing of the background."""
LEAST_BACKGROUND = 0.003
"""Share of the picture that is seen of the background below which nothing can be said of it."""
BLURRED_EDGE = 2
"""Pixels beside a person's matte that their outline may still colour, since photographs are blurred."""
EDGE_LINE = 2
"""Pixels at a photo's upper edge that are left out where the background goes on above it."""
MISFIT = 1.5
"""Levels by which plate and foreground together may miss the photo."""
ISLAND = 0.003
"""Share of the picture below which a detached piece of the person is a speck."""
LEFTOVER, SURROUNDED = 0.03, 0.8
"""Share of the picture below which a detached piece is left over from what is taken off, if that share of its edge lies
beside it."""
BESIDE_PERSON, LIKE_PLATE = (0.5, 0.8), (40.0, 20.0)
"""The parser's share of background, and distance from the colour of the plate, levels, between which a
pixel counts as background."""
SCALP_SHADE = 0.8
"""Hair seen only as filling lies deeper than the rest."""

_bases = ContentCache(entries=6)
_parts = ContentCache(entries=2)
"""Some 12 MB each at 512²."""
_own_colours = ContentCache(entries=2)
_plates, _frames = ContentCache(entries=8), ContentCache(entries=8)


@dataclass(frozen=True)
class Base:
    """``plate`` ``(S, S, 3) uint8``; ``foreground`` ``(S, S, 4) uint8`` premultiplied; ``colour`` ``(S, S, 3) float32``
    the person's colours, unmultiplied; ``filled`` ``(S, S) float32`` how much of each pixel was made up."""

    plate: np.ndarray
    foreground: np.ndarray
    colour: np.ndarray
    filled: np.ndarray


@dataclass(frozen=True)
class NewHat:
    """A new hat at rest, ``item (S, S, 4) float32`` (premultiplied, 0-255) at full strength, ``filled (S, S) float32``
    in [0, 1] what the head and the hair in it filled in its reference, and its ``strength``."""

    item: np.ndarray
    filled: np.ndarray
    strength: float = 1.0


@dataclass(frozen=True)
class Apart:
    """A portrait taken apart, in which nothing new has a say; all ``(S, S) float32`` if not said otherwise.

    ``person`` the matte; ``inside`` the picture's frame, and ``ground (3,)`` the colour around it; ``removed`` how much
    goes, and ``shadow`` how much of the skin beside it loses its shadow; ``vacated bool`` where hair was pressed;
    ``above bool`` what lies above the photo; ``background`` where it is seen, and ``plate (S, S, 3)`` the same gone on
    with; ``under`` how much is person, its colour, and how much of it is neck or clothes that were made up, once all of
    what goes is gone.
    """

    person: np.ndarray
    inside: np.ndarray
    ground: np.ndarray
    removed: np.ndarray
    shadow: np.ndarray
    vacated: np.ndarray
    above: np.ndarray
    background: np.ndarray
    plate: np.ndarray
    under: tuple[np.ndarray, np.ndarray, np.ndarray]


def take_apart(scene: Scene) -> Apart:
    """What of a portrait :func:`base_of` needs, kept by what it goes by. Not to be written into.

    It needs no layers of new items, so that both can be made at the same time.
    """
    return _parts.get(scene.image, lambda _: _taken_apart(scene), key=_key(scene))


def _key(scene: Scene) -> str:
    request = scene.request
    parts = [request.portrait.content_hash, [attribute.content_hash for attribute in request.attributes]]
    return content_hash([parts, request.options.expansion, request.options.seed, request.erase, scene.landmarks])


def _taken_apart(scene: Scene) -> Apart:
    face = polygon(scene.landmarks[FACE_OVAL], scene.image.shape[:2])
    inside, ground = _frame(scene)
    above = _above(scene)
    person = np.maximum(_person(scene, face) * inside * ~above, face)
    removed, hidden = taken_off(scene, person)
    vacated = _vacated(scene, person)
    background = _background(scene, person, hidden | vacated | above, inside * ~above)
    shadow = shadowed(scene)
    in_front = np.maximum(scene.kept_hat, scene.hands) > 0
    plate, under = side_by_side(
        lambda: _plate(scene, background), lambda: underneath(scene, person, hidden | in_front, shadow)
    )
    return Apart(person, inside, ground, removed, shadow, vacated, above, background, plate, under)


def base_of(scene: Scene, new_hair: np.ndarray | None = None, new_hat: NewHat | None = None) -> Base:
    """As :func:`build_base`, which is asked again only where something changes that it goes by: what is worn and how
    much of it, the expansion, and the look of new hair and of a new hat. Not to be written into."""
    key = content_hash([_key(scene), new_hair, new_hat])
    return _bases.get(scene.image, lambda _: build_base(scene, new_hair, new_hat), key=key)


def build_base(scene: Scene, new_hair: np.ndarray | None = None, new_hat: NewHat | None = None) -> Base:
    """Split a scene's portrait into plate and foreground; without anything to remove they add up to the photo.

    ``new_hair`` ``(S, S, 4) float32`` is a new hair item at rest (premultiplied, 0-255): where the head shows more of
    its top and back than the reference did, the scalp goes on in that hair's colour. Into ``new_hat`` one looks where
    the head does not fill it.
    """
    image = scene.image.astype(np.float32)
    apart = take_apart(scene)
    inside, (kept_alpha, under, _) = apart.inside, apart.under
    scalp: np.ndarray = np.zeros(image.shape[:2], np.float32)
    hair: np.ndarray = scalp
    behind_all: np.ndarray = scalp
    lined: np.ndarray = scalp
    past = scalp
    if new_hair is not None or "beard" in scene.worn:
        past = _background_in_matte(scene, image, apart.plate)
    if new_hair is not None:
        scalp, hair, behind_all = _scalp(scene, apart, past, new_hair)
    if new_hat is not None:
        lined = new_hat.strength * lining(new_hat.item[..., 3] / 255, new_hat.filled, scene.landmarks)
    removed = np.maximum.reduce([apart.removed, scalp, apart.shadow])
    person, plate = _person_and_plate(image, apart, removed)
    colour, alpha = image, person
    if removed.any():
        kept_alpha = kept_alpha * inside
        if "beard" in scene.worn:  # beside a jaw skin is drawn where the matte took in background
            kept_alpha = kept_alpha * (1 - past * beyond_face(scene.landmarks, image.shape[:2]))
        if new_hair is not None and scalp.any():
            filling = _gone_on_with(new_hair) * SCALP_SHADE
            under = under + hair[..., None] * (filling - under)
        colour = image + removed[..., None] * (under - image)
        if scene.pressed is not None:  # nothing sticks out beyond a hat
            kept_alpha = kept_alpha * (1 - scene.pressed.beyond)
        kept_alpha = np.maximum(kept_alpha * person, scalp / np.maximum(removed, 1e-6))
        alpha = _without_islands(person + removed * (kept_alpha - person), removed)
    doubtful = (removed <= 0) & (lined < SURELY_NOT) & ~apart.above
    premultiplied, alpha = _adding_up(image, plate, person, alpha, doubtful, apart.vacated)
    if removed.any():
        premultiplied += removed[..., None] * (under * kept_alpha[..., None] - premultiplied)
        premultiplied[alpha <= 0] = 0
    if new_hair is not None and scalp.any():
        shown = behind_all * inside
        # Ears are hardly more than their edge.
        kept = np.maximum(removed, seen_ears(scene))
        own = 1 - past * shown * (1 - kept)
        premultiplied, alpha = premultiplied * own[..., None], alpha * own
        premultiplied, alpha = _before_new_hair(image, person * own, premultiplied, alpha, kept, shown, filling)
    foreground = np.concatenate([premultiplied, alpha[..., None] * 255], -1)
    parts = [foreground, colour, removed]
    if lined.any():
        own = _own_colours.get(scene.image, lambda _: foreground_colours(image, person), key=content_hash(person))
        parts.append(np.dstack([own * alpha[..., None], alpha * 255]))
    if scene.pressed is not None:
        parts = [scene.pressed.press(part) for part in parts]
    foreground, colour, removed = parts[:3]
    if new_hat is not None and lined.any():
        # A scarf lies close to the face.
        shown = float(scene.pressed is None or not scene.pressed.hides_all)
        foreground = _lined(foreground, parts[3], lined, removed, new_hat.item, shown)
    return Base(
        plate=np.clip(plate + 0.5, 0, 255).astype(np.uint8),
        foreground=np.clip(foreground + 0.5, 0, 255).astype(np.uint8),
        colour=colour,
        filled=removed,
    )


def _scalp(
    scene: Scene, apart: Apart, past: np.ndarray, new_hair: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What of the head ``new_hair (S, S, 4)`` covers beyond what its reference showed, as :func:`scalp_under` says;
    ``past (S, S)`` is background that the person's matte took in."""
    # Hair may go on behind hands and glasses that stay, not before them, and behind shoulders and most of a neck that
    # are made up.
    free = np.maximum(apart.removed, 1 - apart.person * (1 - past))
    free *= 1 - np.maximum(kept_glasses(scene), scene.hands / np.float32(255))
    made_up = free * apart.under[2]
    found = scalp_under(new_hair[..., 3] / 255, scene.landmarks, free - made_up, made_up)
    if not scene.kept_hat.any():
        return found
    hat = scene.kept_hat / np.float32(255)
    bare = 1 - np.maximum(hat, beyond_hat(hat, scene.landmarks, scene.eye_distance))
    scalp, hair, behind_all = found
    return scalp * bare, hair * bare, behind_all * bare


def _person_and_plate(image: np.ndarray, apart: Apart, removed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matte of what moves, ``(S, S) float32``, and the plate ``(S, S, 3) float32``, with the photo's own background
    where nothing is ``removed (S, S)`` from before it."""
    if apart.background.mean() < LEAST_BACKGROUND:
        # The person fills the picture: nothing behind them is known, so all of it moves.
        return np.ones_like(apart.person), image.copy()
    # The background is made up as far as the expansion slider may reach; what it does not take off now is seen.
    shown = (apart.person < SURELY_BACKGROUND) & (removed <= 0) & ~apart.vacated & ~apart.above & (apart.inside >= 1)
    seen = (cv2.erode(shown.astype(np.uint8), np.ones((3, 3))) > 0) | (apart.background > 0)
    beyond = (seen & (apart.background <= 0)).any()
    plate = join(image, apart.plate, seen) if beyond else apart.plate
    return apart.person, apart.ground + apart.inside[..., None] * (plate - apart.ground)


def _background_in_matte(scene: Scene, image: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """Where a person's matte took in background beside the face, ``(S, S) float32`` in [0, 1]: what the parser and the
    colours of the ``plate (S, S, 3)`` both say is none of the person. Before what lies behind nobody sees it; before
    new hair it would be a bright line along the jaw."""
    parts = scene.body_parts
    if parts is None:
        return np.zeros(image.shape[:2], np.float32)
    background = smoothstep(parts[..., 3].astype(np.float32) / 255, *BESIDE_PERSON)
    alike = smoothstep(np.abs(image - plate).max(-1), *LIKE_PLATE)
    return (background * alike * (1 - polygon(scene.landmarks[FACE_OVAL], parts.shape[:2]))).astype(np.float32)


def _before_new_hair(
    image: np.ndarray,
    person: np.ndarray,
    premultiplied: np.ndarray,
    alpha: np.ndarray,
    kept: np.ndarray,
    behind: np.ndarray,
    hair: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """A foreground, ``premultiplied (S, S, 3)`` and ``alpha (S, S)``, where new ``hair (S, S, 3)`` lies ``behind``
    ``(S, S)`` it: seen through the soft edges of cheeks, ears and clothes that stay, on which nothing is left of the
    background that was there before but where colours are ``kept (S, S)``."""
    within = cv2.erode(person, np.ones((5, 5))) > SURELY_PERSON
    own = alpha[..., None] * fill(image, within.astype(np.float32))
    rim = behind * (1 - kept) * ~within
    through = (1 - alpha) * behind
    premultiplied = premultiplied + rim[..., None] * (own - premultiplied) + through[..., None] * hair
    return premultiplied.astype(np.float32), (alpha + through).astype(np.float32)


def _lined(
    foreground: np.ndarray,
    own: np.ndarray,
    lined: np.ndarray,
    removed: np.ndarray,
    hat: np.ndarray,
    shown: float,
) -> np.ndarray:
    """A foreground ``(S, S, 4)`` and behind it a hat's inside, where it is ``lined (S, S)``.

    Of the foreground the share ``shown`` stays there. Nothing of the old background may show between its hairs:
    ``own (S, S, 4)`` is without.
    """
    foreground = foreground + ((removed <= 0) * lined)[..., None] * (own - foreground)
    foreground *= (1 - lined * (1 - shown))[..., None]
    behind = np.dstack([_gone_on_with(hat) * SHADE, np.full(lined.shape, 255, np.float32)])
    return foreground + ((1 - foreground[..., 3] / 255) * lined)[..., None] * behind


def _adding_up(
    image: np.ndarray, plate: np.ndarray, person: np.ndarray, alpha: np.ndarray, where: np.ndarray, vacated: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The person's premultiplied colours ``(S, S, 3)`` and ``alpha (S, S)``, such that they and the ``plate`` add up to
    the photo; ``where (S, S) bool`` no colour does, the plate is changed in place, or alpha."""
    # Fractional pixels already hold some background: take it out.
    through = 1 - person[..., None]
    premultiplied = np.clip(image - through * plate, 0, 255 * person[..., None])
    # Where no colour of the person explains the photo, the guess was wrong: about what lies behind far from the person,
    # about how much shows through elsewhere.
    misfit = np.abs(premultiplied + through * plate - image)
    wrong = (misfit.max(-1) > MISFIT) & where
    near = cv2.dilate((person >= SURELY_BACKGROUND).astype(np.uint8), np.ones((2 * BLURRED_EDGE + 1,) * 2)) > 0
    behind = wrong & ~near & ~vacated
    plate[behind] = image[behind]
    premultiplied[behind] = (image * person[..., None])[behind]
    denser = wrong & ~behind
    least = np.maximum(_least_alpha(image[denser], plate[denser]), person[denser])
    premultiplied[denser] = image[denser] - (1 - least[:, None]) * plate[denser]
    alpha = alpha.copy()
    alpha[denser] = least
    return premultiplied, alpha


def _least_alpha(image: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """How much of each pixel ``(N, 3)``, 0-255, lies before a ``plate (N, 3)`` at least, whatever its colour is,
    ``(N,) float32``."""
    darker = 1 - image / np.maximum(plate, 1)
    brighter = (image - plate) / np.maximum(255 - plate, 1)
    return np.clip(np.maximum(darker, brighter).max(1), 0, 1).astype(np.float32)


def _gone_on_with(item: np.ndarray) -> np.ndarray:
    """A premultiplied item's ``(S, S, 4)`` straight colours, smoothly on over everything, ``(S, S, 3) float32``."""
    straight = item[..., :3] * (255 / np.maximum(item[..., 3:], 1))
    return fill(straight, (item[..., 3] > 0.8 * max(float(item[..., 3].max()), 1.0)).astype(np.float32))


def _background(scene: Scene, person: np.ndarray, gone: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Where the background is seen, ``(S, S) float32`` in {0, 1}: not around what is ``gone (S, S) bool``, unless next
    to nothing is seen elsewhere."""
    free = (person < SURELY_BACKGROUND) & (inside >= 1)
    seen = cv2.erode((free & ~gone).astype(np.float32), np.ones((3, 3)))
    if seen.mean() >= LEAST_BACKGROUND:
        return seen
    worn = np.maximum.reduce([*scene.worn.values(), np.zeros(person.shape, np.uint8)])
    return cv2.erode((free & (worn == 0)).astype(np.float32), np.ones((3, 3)))


def _plate(scene: Scene, background: np.ndarray) -> np.ndarray:
    """The background ``(S, S, 3) float32``, gone on with where ``background (S, S)`` says that it is not seen."""
    seed = scene.request.options.seed
    key = content_hash([background, seed])
    return _plates.get(scene.image, lambda image: complete_background(image, background, seed), key=key)


def _frame(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel lies within the picture's frame, ``(S, S) float32``, and the colour around it ``(3,)``:
    what surrounds an avatar is not what is behind the person in it."""
    portrait = scene.request.portrait
    frame = _frames.get(portrait.image, find_frame)
    if frame is None:
        return np.ones(scene.image.shape[:2], np.float32), np.zeros(3, np.float32)
    return portrait.crop.apply(frame.inside, scene.size).astype(np.float32) / 255, frame.ground


def _above(scene: Scene) -> np.ndarray:
    """What of the crop lies above its photo's upper edge, ``(S, S) bool``, with the line that many have there."""
    edge = scene.request.portrait.crop.points(np.array([0.0, -0.5]), scene.size)[1]
    edge += EDGE_LINE * (edge > 0)
    return np.repeat(np.arange(scene.size)[:, None] < edge + 0.49, scene.size, 1)


def _vacated(scene: Scene, person: np.ndarray) -> np.ndarray:
    """Where hair that a hat presses down was, with its fringe and its stray locks, ``(S, S) bool``."""
    if scene.pressed is None or scene.hair is None:
        return np.zeros(scene.image.shape[:2], bool)
    fringe = masks.expand(scene.hair, FRINGE * scene.eye_distance) > 0
    return fringe | stray_hair(scene.image, scene.hair, person, scene.eye_distance)


def _without_islands(alpha: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Leave out what hangs in the air once what held it is gone, ``(S, S) float32``: specks, and more that has nothing
    around it but what is ``removed (S, S)``."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.1).astype(np.uint8))
    left, top, width, height, area = stats.T
    cut = (left == 0) | (top == 0) | (left + width == alpha.shape[1]) | (top + height == alpha.shape[0])
    rim = parts * (cv2.erode((parts > 0).astype(np.uint8), np.ones((3, 3))) == 0)
    gone = cv2.dilate((removed > 0.5).astype(np.uint8), np.ones((3, 3)))
    edge, open_edge = (np.bincount(rim.ravel(), weights, len(area)) for weights in (None, gone.ravel()))
    surrounded = ~cut & (open_edge > SURROUNDED * edge)
    loose = (area < ISLAND * alpha.size) | ((area < LEFTOVER * alpha.size) & surrounded)
    return np.where(loose[parts], 0.0, alpha).astype(np.float32)


def _person(scene: Scene, face: np.ndarray) -> np.ndarray:
    crop, size = scene.request.portrait.crop, scene.size
    person = crop.apply(person_mask(scene.request.portrait.image), size).astype(np.float32) / 255
    if (person * face).sum() < 0.5 * face.sum():  # the matte missed the person: move everything
        return np.ones_like(face)
    # The face is drawn once more over its surroundings, so it must be opaque right up to its edge.
    return np.maximum(person, cv2.dilate((face > 0).astype(np.float32), np.ones((3, 3))))

"""Completes a portrait where an item is taken off: face, skull, neck and clothes that the item hid."""

from __future__ import annotations

import cv2
import numpy as np

from durian import masks
from durian.content_cache import ContentCache
from durian.content_hash import content_hash
from durian.geometry.head import Head
from durian.geometry.mesh import BROWS, CHIN, EYES, FACE_OVAL, smoothstep
from durian.layers.body import body_under
from durian.layers.completion import complete_body, complete_hair, complete_skin
from durian.layers.completion.exemplar import synthesise
from durian.layers.ears import beside_ears
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.preview.hidden_brows import new_brows
from durian.preview.taken_off import seen_ears
from durian.scene import Scene

BEHIND = 0.08
"""How far behind a turned head's centre what is seen is the back of its jaw, in face widths; a face seen from the front
has nothing there, since that distance counts as much as the head is turned. Taste."""
JAW_FLESH, JAW_HEIGHTS, JAW_EDGE = (0.012, 0.035), (0.25, 0.65), 0.012
"""How far beside the landmarks' outline a bearded jaw goes on, at the chin and before the ears, and how far above the
chin the first becomes the second; half the width of its soft edge; in face widths."""
EAR_GAP = 0.08
"""Half the width of gaps between a bearded cheek and what is seen beside it that are cheek, in face widths."""
SURELY_NO_BEARD = 8
"""Level of a beard's mask below which a pixel at its edge says whether neck or clothes are there."""
HULL_STEP = 4
"""Pixels between those that the outline of a body is drawn around."""
NECK_FROM, NECK_TO = -0.12, 0.06
"""Distance below the chin over which a head becomes a neck, in face widths."""
NOTCH, NOTCHES_FROM = 0.1, 0.12
"""Half the width of gaps in a body's outline that are filled, and how far below the chin, in face widths: necks run
into shoulders in one curve."""
LEAST_HAIR = 0.003
"""Share of the picture below which somebody has no hair that could go on."""
BESIDE_FRAME = 0.1
"""How far around its mask a frame hides anything, in outer-eye distances."""
AROUND = (0.4, 0.7)
"""Shares of what is around a frame of glasses that are person, or hair, between which that comes to go on behind it."""
FEATURE_MARGIN = 0.09
"""How far around eyes and brows their lashes, lids and hairs go on, in outer-eye distances."""
HAIR_CLEAR = 0.03
"""How far from hair skin has no shade of single hairs, in outer-eye distances."""
AROUND_FRAME = 0.2
"""How far around a temple what is seen goes on under it, in outer-eye distances."""
NOSE_BRIDGE = 168

_cache = ContentCache(entries=8)


def underneath(
    scene: Scene, person: np.ndarray, hidden: np.ndarray, shadowed: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Complete what is under items that are taken off.

    Args:
        scene: the portrait, and what it wears.
        person: ``(S, S) float32``, the person's matte.
        hidden: ``(S, S) bool``, what is taken off, whose colours say nothing of what lies under it.
        shadowed: ``(S, S) float32`` in [0, 1], the skin beside it that loses its shadow.

    Returns:
        How much of each pixel is person then, ``(S, S) float32``; its colour, ``(S, S, 3) float32``; and how much of it
        is neck or clothes that were made up, ``(S, S) float32``.
    """
    if not hidden.any():
        return person, scene.image.astype(np.float32), np.zeros_like(person)
    # Of what is worn the beard's and the hair's own masks matter beside what is hidden; what else is skin or clothes is
    # found on the whole photo.
    of_worn = ["hat" in scene.worn, scene.worn.get("beard"), scene.hair, scene.request.portrait.content_hash]
    brows = new_brows(scene)
    key = content_hash([scene.landmarks, person, hidden, shadowed, brows, of_worn, scene.request.options.seed])
    return _cache.get(scene.image, lambda _: _underneath(scene, person, hidden, shadowed, brows), key=key)


def _underneath(
    scene: Scene, person: np.ndarray, hidden: np.ndarray, shadowed: np.ndarray | None, brows: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image, landmarks, size = scene.image.astype(np.float32), scene.landmarks, scene.size
    head, seed = Head(landmarks), scene.request.options.seed
    known = (~hidden).astype(np.float32)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    skull = 1 - smoothstep(head.skull_distance(np.stack([x, y], -1)).astype(np.float32), 0.97, 1.02)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    below = ((x - landmarks[CHIN, 0]) * down[0] + (y - landmarks[CHIN, 1]) * down[1]) / head.width
    face = polygon(landmarks[FACE_OVAL], image.shape[:2])

    outline = body_under(person, hidden.astype(np.float32), landmarks)
    outline = np.maximum(
        outline, (below > NOTCHES_FROM) * _notches(np.maximum(outline, face), person, hidden, head.width)
    )
    visible = (person > 0.9) & ~hidden & (face < 0.5)
    jaw: np.ndarray = np.zeros(image.shape[:2], np.float32)
    if "beard" in scene.worn:
        bearded = (scene.worn["beard"] > masks.HALF) & (person > 0.9)
        jaw = _jaw_outline(landmarks, head, below, hidden, visible | bearded, person)
        outline = np.maximum(outline, jaw)
    skin, _ = complete_skin(image, landmarks, known, seed=seed, shadowed=shadowed, brows=brows)
    colour = skin
    if "hat" in scene.worn:
        colour = _hair_over_skull(scene, image, colour, skull, hidden)
    # Below the skull and behind the jaw there is neck, and beside it a shoulder, however high; but a beard's own jaw.
    beside = (1 - skull) * (outline > 0) * (1 - jaw)
    low = np.maximum(smoothstep(below, NECK_FROM, NECK_TO), beside) * (1 - face)
    made_up = low * outline * hidden
    if made_up.any():
        place = ((visible & (below > -0.3)) | (made_up > 0)).astype(np.float32)
        parts = None if scene.body_parts is None else scene.body_parts.astype(np.float32) / 255
        edge = (scene.worn["beard"] < SURELY_NO_BEARD) & (person > 0.9) if "beard" in scene.worn else None
        body = complete_body(image, landmarks, known, place, seed, skin, parts, telling=edge)
        colour = colour + low[..., None] * (body - colour)
    if "glasses" in scene.worn and not scene.worn.keys() & {"hair", "hat"}:
        frames, behind, colour = _behind_frames(scene, image, person, hidden, colour)
        # A frame hides next to nothing of a head's outline: a usual skull would bulge out beside it.
        skull, outline = (np.where(frames, part, other) for part, other in ((0.0, skull), (behind, outline)))
    of_head = np.maximum(skull, face)
    of_head = np.maximum(of_head, hidden * beside_ears(of_head, seen_ears(scene), head.width))
    return np.maximum(of_head, outline), colour.astype(np.float32), made_up.astype(np.float32)


def _notches(body: np.ndarray, person: np.ndarray, hidden: np.ndarray, width: float) -> np.ndarray:
    """Gaps between the shoulders that are seen and what is made up beside them, ``(S, S) float32``."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(NOTCH * width)) + 1,) * 2)
    whole = np.where(hidden, body, person)
    return hidden * cv2.morphologyEx(whole, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE)


def _behind_frames(
    scene: Scene, image: np.ndarray, person: np.ndarray, hidden: np.ndarray, under: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a frame hides: on the face skin that fits to what is on both sides of the frame, and hair that hangs there;
    beside it hair, a hat or clothes go on where they are around it.

    Returns:
        Where that is, ``(S, S) bool``; how much of it is person, ``(S, S) float32``; and ``under (S, S, 3)`` with its
        colours.
    """
    known = (~hidden).astype(np.float32)
    frames = hidden
    if "beard" in scene.worn:
        frames = hidden & (masks.expand(scene.worn["glasses"], BESIDE_FRAME * scene.eye_distance) > 0)
    around = frames * smoothstep(fill(person[..., None], known)[..., 0], *AROUND)
    face = polygon(scene.landmarks[FACE_OVAL], hidden.shape)
    beside = around * (1 - face)
    # What is made up for a whole face hardly fits on both sides of a frame: a nose's shade begins there.
    smooth = fill(image, known * (person > 0.9))
    edge = frames & (cv2.erode(frames.astype(np.uint8), np.ones((3, 3))) == 0) & (face > 0.5) & ~_features(scene)
    if scene.hair is not None:  # nor is hair
        edge &= masks.expand(scene.hair, HAIR_CLEAR * scene.eye_distance) == 0
    fitted = under + fill(smooth - under, edge.astype(np.float32)) * frames[..., None]
    colour = fitted + beside[..., None] * (_beside_face(scene, smooth, beside > 0, known * person > 0.9) - fitted)
    if scene.hair is not None:
        seen = (scene.hair > 230) & ~hidden
        hairy = frames * smoothstep(fill(scene.hair[..., None] / np.float32(255), known)[..., 0], *AROUND)
        hair = complete_hair(image, seen.astype(np.float32), (hairy > 0).astype(np.float32), scene.request.options.seed)
        colour += hairy[..., None] * (hair - colour)
    return frames, around.astype(np.float32), colour


def _beside_face(scene: Scene, smooth: np.ndarray, wanted: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """A ``smooth`` guess ``(S, S, 3)`` with the texture of what is ``seen (S, S) bool`` around, where it is
    ``wanted (S, S) bool``."""
    rows, columns = np.nonzero(wanted)
    if not len(rows):
        return smooth
    room = round(AROUND_FRAME * scene.eye_distance)
    part = tuple(slice(max(0, int(place.min()) - room), int(place.max()) + room + 1) for place in (rows, columns))
    source = (seen & ~_features(scene))[part]
    made = smooth.copy()
    made[part] = synthesise(smooth[part], wanted[part], source, scene.request.options.seed)
    return made


def _features(scene: Scene) -> np.ndarray:
    """Eyes and brows, ``(S, S) bool``: what is dark there is no shade."""
    reach = 2 * max(1, round(FEATURE_MARGIN * scene.eye_distance)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    parts = [polygon(scene.landmarks[part], scene.image.shape[:2]) for part in (*EYES, *BROWS)]
    return cv2.dilate(np.maximum.reduce(parts), disc) > 0


def _hair_over_skull(
    scene: Scene, image: np.ndarray, skin: np.ndarray, skull: np.ndarray, hidden: np.ndarray
) -> np.ndarray:
    """A hat that is taken off leaves hair where hair shows beside it, and skin where none does, ``(S, S, 3)``."""
    if scene.hair is None:
        return skin
    seen = (scene.hair > 230) & ~hidden
    if seen.mean() < LEAST_HAIR:
        return skin
    hairy = 1 - polygon(scene.landmarks[FACE_OVAL], hidden.shape)
    hairy = cv2.GaussianBlur(hairy, (0, 0), 0.04 * scene.eye_distance + 0.5)
    wanted = (hairy * skull * hidden > 0).astype(np.float32)
    hair = complete_hair(image, seen.astype(np.float32), wanted, scene.request.options.seed)
    return skin + (hairy * wanted)[..., None] * (hair - skin)


def _jaw_outline(
    landmarks: np.ndarray,
    head: Head,
    below: np.ndarray,
    hidden: np.ndarray,
    visible: np.ndarray,
    person: np.ndarray,
) -> np.ndarray:
    """A face without its beard, up to what is seen beside its cheeks, ``(S, S) float32``.

    Args:
        landmarks: ``(478, 3)`` pixels.
        head: of them.
        below: ``(S, S) float32``, how far below the chin a pixel is, in face widths.
        hidden: ``(S, S) bool``, what is taken off.
        visible: ``(S, S) bool``, what is seen of the person, and the beard: of a turned head the back of the jaw.
        person: ``(S, S) float32``, the person's matte.
    """
    behind = head.axes[0, 2]
    y, x = (HULL_STEP * found for found in np.nonzero(visible[::HULL_STEP, ::HULL_STEP]))
    low_y, high_y = landmarks[[NOSE_BRIDGE, CHIN], 1]
    beside = (y > low_y) & (y < high_y) & ((x - head.centre[0]) * behind > BEHIND * head.width)
    points = np.concatenate([landmarks[FACE_OVAL, :2], np.stack([x, y], 1)[beside]])
    face = polygon(cv2.convexHull(points.astype(np.float32))[:, 0], visible.shape)
    low, high = JAW_FLESH
    flesh = low + (high - low) * smoothstep(-below, *JAW_HEIGHTS)
    away = masks.signed_distance(np.uint8(255) * (face > 0.5)).astype(np.float32) / head.width
    away = cv2.GaussianBlur(away, (0, 0), JAW_EDGE * head.width)
    jaw = np.clip(0.5 - (away - flesh) / (2 * JAW_EDGE), 0, 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(EAR_GAP * head.width)) + 1,) * 2)
    seen = np.where(hidden, jaw, np.maximum(jaw, person)).astype(np.float32)
    closed = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE)
    return np.maximum(jaw, closed * hidden * smoothstep(-below, *JAW_HEIGHTS)).astype(np.float32)

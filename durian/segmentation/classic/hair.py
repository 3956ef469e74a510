"""The named start for hair: person minus face, neck and clothes, by place, colour and connection."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face.geometry import LEFT_BROW, RIGHT_BROW
from durian.segmentation.classic.colour import ColourModel
from durian.segmentation.classic.graphcut import SEED_ODDS, cut
from durian.segmentation.classic.head import LEFT_EYE, RIGHT_EYE, HeadCrop, grow_region


def hair_region(head: HeadCrop, hat: np.ndarray | None = None) -> np.ndarray:
    """Hair as ``(h, w) bool`` in the head's window; empty on a bald head.

    Args:
        head: the analysed face.
        hat: ``(h, w) bool`` that is a hat and so cannot be hair.
    """
    u, v = head.coordinates
    covered = np.zeros(u.shape, bool) if hat is None else hat
    seeds = hair_seeds(head, hair_shell(head) & ~covered)
    if not seeds.any():
        return np.zeros(u.shape, bool)
    odds = spatial_odds(head)
    likely = np.zeros(u.shape, np.float32)
    likely[seeds] = 1.0
    for _ in range(2):
        colour = colour_odds(head, likely, covered)
        likely = confident(colour + odds) * head.person
        likely[covered] = 0
    total = colour + odds + person_odds(head)
    total[covered] = -SEED_ODDS
    total[interior(head)] = -SEED_ODDS
    region = cut(total, head.lab)
    region = connected_to(region, seeds & region, smallest=0.01)
    # Gleams on the crown are hair too; there is nothing else up there.
    side = 2 * max(1, round(GLEAM * head.working_unit)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, kernel) == 1
    return region | (closed & (head.person > 0.9) & ~head.oval & (v < -0.3) & ~covered)


GLABELLA = (9, 107, 108, 151, 337, 336)
"""Between and above the brows."""

GLEAM = 0.25
"""Half the width of a gleam on the crown, in outer-eye distances."""

SKIN_LIMIT = 3.0
"""Standard deviations from the face's skin beyond which a pixel is something else."""


BALD_SHARE = 0.12
"""Below this share of unlike-skin pixels round the skull a head is bald, or its hair has the skin's colour."""

TEXTURED = 1.4
"""Hair's fine contrast is at least this many times the cheeks'."""


def hair_seeds(head: HeadCrop, shell: np.ndarray) -> np.ndarray:
    """Pixels of the shell that surely are hair, ``(h, w) bool``; none on a bald head."""
    none = np.zeros(shell.shape, bool)
    seeds = shell & (head.skin_distance > SKIN_LIMIT)
    if shell.sum() < 10:
        return none
    cheeks = max(1.0, float(np.median(head.texture[head.cheeks]))) if head.cheeks.any() else 2.0
    if seeds.sum() >= BALD_SHARE * shell.sum():
        # A shining or shaded scalp leaves the cheeks' colour, yet stays smooth and keeps the skin's tone.
        tone = head.lab[..., 1:].astype(np.float32) - 128
        tone /= np.maximum(head.lab[..., :1], 40)
        skin = (head.skin_model.centre[1:] - 128) / max(40.0, float(head.skin_model.centre[0]))
        off_tone = np.linalg.norm(np.median(tone[seeds], axis=0) - skin)
        brightness = float(np.median(head.lab[..., 0][seeds])) / max(1.0, float(head.skin_model.centre[0]))
        smooth = np.median(head.texture[seeds]) < 1.2 * cheeks
        return none if smooth and off_tone < 0.035 and brightness > 0.6 else seeds
    return shell if np.median(head.texture[shell]) > TEXTURED * cheeks else none


def hair_shell(head: HeadCrop) -> np.ndarray:
    """Where hair starts on most heads: a band over the forehead and the temples, outside the face, in the person."""
    _u, v = head.coordinates
    band = grow_region(head.oval, 0.5 * head.working_unit) & ~grow_region(head.oval, 0.06 * head.working_unit)
    return band & (v < -0.1) & (head.person > 0.8)


def interior(head: HeadCrop) -> np.ndarray:
    """The part of the face no hair style covers: below the brows, away from the outline."""
    _u, v = head.coordinates
    inner = grow_region(head.oval, -0.22 * head.working_unit) & (v > -0.15)
    for polygon in (LEFT_EYE, RIGHT_EYE):
        inner |= head.polygon(polygon, 0.02)
    return inner


def spatial_odds(head: HeadCrop) -> np.ndarray:
    """Log-odds of hair by place alone."""
    u, v = head.coordinates
    odds = np.full(u.shape, 0.5, np.float32)
    odds[v < -0.2] = 1.5
    odds[v < -1.0] = 2.5
    # Below the ears hair is one of several things, ever less likely down the body.
    odds -= np.clip((v - 0.7) * 0.6, 0, 1.8)
    odds -= np.clip((np.abs(u) - 1.2) * 1.0, 0, 2) * np.clip((v - 0.7) * 2, 0, 1)
    neck = (np.abs(u) < 0.6) & (v > 0.9)
    odds[neck] -= 2.5
    # A beard, not hair, hangs on the jaw.
    jaw = grow_region(head.oval, 0.12 * head.working_unit) & (v > 0.6)
    odds[jaw & ~neck] -= 3.0
    forehead = head.oval & (v < -0.25)
    odds[forehead] = -0.6
    rim = head.oval & ~forehead
    odds[rim] = -2.0 - np.clip((v[rim] - 0.2) * 2.0, 0, 2.5)
    for polygon in (LEFT_BROW, RIGHT_BROW):
        odds[head.polygon(polygon, 0.03)] = -2.0
    return odds


def colour_odds(head: HeadCrop, likely: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Log-odds of hair by colour against skin, clothes and background, each where it can be."""
    u, v = head.coordinates
    hair = ColourModel(head.bins, likely * (head.person > 0.5)).log_density(head.bins)
    face = head.oval & (head.skin_distance < SKIN_LIMIT) & (v > -0.3)
    skin = ColourModel(head.bins, face.astype(np.float32)).log_density(head.bins)
    # Foreheads shine; where the spot between the brows is no fringe, it tells how.
    glabella = head.polygon(GLABELLA)
    if glabella.any() and np.median(head.skin_distance[glabella]) < 2 * SKIN_LIMIT:
        brow_skin = ColourModel(head.bins, glabella.astype(np.float32)).log_density(head.bins)
        skin = np.maximum(skin, brow_skin - 0.5)
    # Shaded skin of neck and ears is not in the sample of the face.
    below = head.shadow_distance * 1.15
    distance = np.where(v > 0.0, np.minimum(below, head.skin_distance), head.skin_distance)
    skin = np.maximum(skin, -5.0 - 0.125 * np.minimum(distance, 20.0) ** 2)
    # Locks on the chest must not teach the clothes their colour; the middle and the shoulders are seldom hair.
    garment = (v > 1.6) & (head.person > 0.8) & (head.skin_distance > SKIN_LIMIT)
    surely = (v > 2.0) & ((np.abs(u) < 0.4) | (np.abs(u) > 1.7))
    unlike_hair = np.clip((-7.0 - hair) / 2.0, 0, 1)
    cloth_weight = garment * np.where(surely, 1.0, unlike_hair) * (1 - likely)
    cloth = ColourModel(head.bins, cloth_weight.astype(np.float32)).log_density(head.bins)
    cloth = cloth + np.clip((v - 1.6) * 4, -6, 0)
    background = ColourModel(head.bins, (1 - head.person) ** 4).log_density(head.bins)
    background = background + 2 * np.log(np.clip(1 - head.person, 0.01, 1))
    rival = np.maximum(np.maximum(skin, cloth), background)
    return np.clip(hair - rival, -4, 4)


def person_odds(head: HeadCrop) -> np.ndarray:
    """Log-odds of belonging to the person at all."""
    inside = np.clip(head.person, 0.002, 0.998)
    return np.minimum(np.log(inside / (1 - inside)), 0.0) * 2


def confident(odds: np.ndarray) -> np.ndarray:
    """Log-odds as weights in [0, 1] for learning colours; what is no better than even teaches nothing.

    Otherwise a large region of an unknown colour, each pixel unlikely, would outweigh the sure ones.
    """
    return np.clip(np.tanh(odds / 2), 0, 1).astype(np.float32)


def connected_to(region: np.ndarray, seeds: np.ndarray, smallest: float) -> np.ndarray:
    """The pieces of a region that touch the seeds, or come close and are not small.

    Args:
        region: ``(h, w) bool``.
        seeds: ``(h, w) bool``.
        smallest: pieces below this share of the largest kept piece go.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    if count <= 1:
        return region
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    touching = np.bincount(labels[seeds], minlength=count) > 0
    touching[0] = False
    if not touching.any():
        return np.zeros_like(region)
    kept = touching & (areas >= smallest * areas[touching].max())
    return kept[labels]

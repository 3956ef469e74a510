"""Mends a hat as it is seen closely by how it is seen from afar.

Closely the network sees edges, but of a large hat little at a time: a cap's side in the sun is taken for skin, the
shade under a brim for hair, a dress below a scarf for more of it. From afar it sees what hangs together. Where both
see the same hat, each corrects what the other rarely gets wrong.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import FACE_OVAL
from durian.face.geometry import OUTER_LIPS
from durian.segmentation.parser.classes import CLOTHES, HAIR, HAT, SKIN
from durian.segmentation.parser.own_colours import colour_bins, colour_likelihoods

SURE, SAME = 0.84, 0.4
"""Mean share of a hat's pixels from afar, and how much of the hat seen closely must lie in them, from which on both
are the same hat. On train and validation the views from afar that miss the hat or half of it have at most 0.7 of the
first."""
ABOVE_LIPS = 0.2
"""Height over which what comes from afar fades out around the lips, in distances of the outer eye corners: below them
a dark coat looks like a dark hat's end."""
AROUND_FACE = 0.2
"""How far around the face's outline skin stays skin, in distances of the outer eye corners: from afar it is blurred."""
SURELY, LEAST_HAIR, SMOOTH = 0.6, 0.1, 0.03
"""Share from which on hair is seen for sure, the area, in squares of the same unit, below which its colours are not
known, and the standard deviation over which colours are judged."""
SLIVER = 0.08
"""Half the width up to which what a hat would gain is the blur of its edge from afar, in the same unit."""


def mended_from_afar(
    picture: np.ndarray,
    close: np.ndarray,
    far: np.ndarray,
    hats: tuple[np.ndarray, np.ndarray],
    points: np.ndarray,
    unit: float,
) -> np.ndarray:
    """Shares of the classes of a head with a hat, ``(S, S, 9) float32``, as ``close`` where ``far`` misses the hat.

    Hair, and skin beside the face, that are a hat from afar, become one, but not hair of the colour that it has beside
    the hat; a hat that is clothes from afar becomes those.

    Args:
        picture: ``(S, S, 3) uint8`` RGB, the window.
        close: ``(S, S, 9) float32``, the network's shares.
        far: the same in the same window, seen from afar.
        hats: ``(S, S) float32``, the shares of the hat in ``close`` and ``far`` that hang together with the head.
        points: ``(478, 2)`` landmarks, pixels of the window.
        unit: distance of the outer eye corners, pixels.
    """
    there, there_far = (hat > 0.5 for hat in hats)
    if not there_far.any() or hats[1][there_far].mean() < SURE or (there & there_far).sum() < SAME * there.sum():
        return close
    lips = points[list(OUTER_LIPS), 1].mean()
    rows = np.arange(len(close), dtype=np.float32)[:, None]
    hat = hats[1] * np.clip((lips - rows) / (ABOVE_LIPS * unit) + 0.5, 0, 1)
    face = np.zeros(hat.shape, np.uint8)
    cv2.fillPoly(face, [np.rint(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    face = cv2.dilate(face, _disc(AROUND_FACE * unit))
    unlike_hair = 1 - _like_hair(picture, np.minimum(close, far)[..., HAIR], there & there_far, unit)
    gained = [(HAIR, close[..., HAIR] * hat * unlike_hair), (SKIN, close[..., SKIN] * hat * (1 - face))]
    amount = sum(share for _, share in gained)
    thick = cv2.morphologyEx((amount > 0.5).astype(np.uint8), cv2.MORPH_OPEN, _disc(SLIVER * unit))
    thick = cv2.dilate(thick, _disc(SLIVER * unit))
    # What lies between parts of a hat is no edge of it.
    kept = thick | cv2.morphologyEx(thick | there.astype(np.uint8), cv2.MORPH_CLOSE, _disc(4 * SLIVER * unit))
    mended = close.copy()
    for number, share in gained:
        _move(mended, number, HAT, share * kept)
    _move(mended, HAT, CLOTHES, close[..., HAT] * far[..., CLOTHES])
    return mended


def _like_hair(picture: np.ndarray, hair: np.ndarray, surely_hat: np.ndarray, unit: float) -> np.ndarray:
    """Where colours are those of ``hair (S, S)`` that is seen both ways rather than those of the hat,
    ``(S, S) bool``."""
    hair = np.where(hair > SURELY, np.float32(1), np.float32(0))
    if hair.sum() < LEAST_HAIR * unit**2:
        return hair > 1
    bins = colour_bins(picture)
    likely = [colour_likelihoods(bins, weight)[bins] for weight in (hair, surely_hat.astype(np.float32))]
    return cv2.GaussianBlur(likely[0] - likely[1], (0, 0), max(SMOOTH * unit, 0.5)) > 0


def _disc(radius: float) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(radius)) + 1,) * 2)


def _move(shares: np.ndarray, giver: int, taker: int, amount: np.ndarray) -> None:
    shares[..., giver] -= amount
    shares[..., taker] += amount

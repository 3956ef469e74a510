"""Learns the relief of faces (:mod:`durian.layers.completion.face_relief`) from photographs with drawn masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from durian.errors import InvalidRequest
from durian.face import default_crop
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL
from durian.geometry.raster import NOWHERE
from durian.layers.completion.face_relief import SIDE, FaceRelief, front_view, pixels_of
from durian.layers.completion.mirrored import FaceSurface
from durian.layers.completion.skin import features
from durian.layers.completion.skin_light import fit_light, logarithm
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.segmentation.drawn import LABELS, DrawnMask

MODES, ROUNDS = 16, 30
"""Modes of the model, and rounds of expectation and maximisation."""
LEAST = 3.0
"""Photographs that count for modes of 0: where few faces show skin the model knows little."""
ALIKE = 100.0
"""Neighbouring pixels of which each says hardly more than the others. Of 40, 100 and 200 the best on validation."""
LEAST_SPREAD = 1e-5
"""Variance of a pixel that no model explains better."""
CROP = 384
"""Side of the crop in which a photograph is looked at, pixels."""
MOST_TURNED = 35.0
"""Degrees to the side beyond which a face is left out."""
LEAST_SKIN = 2000
"""Pixels of bare skin in the crop from which on a photograph is learned from."""
LEAST_PHOTOGRAPHS = 10
EDGE = 7
"""Pixels by which drawn skin is made smaller: nobody draws more exactly."""
BEARDED = 0.25
"""Share of bearded faces that have hair at a place, from which on the light is not measured there."""


def learn_relief(
    drawn: Sequence[DrawnMask],
    modes: int = MODES,
    seed: int = 0,
    on_photograph: Callable[[int, int], None] | None = None,
) -> FaceRelief:
    """The relief of bare skin, of each photograph and its mirror image.

    The even light is fitted without the places where beards grow, as it is when one is taken off.

    Args:
        drawn: masks, and the photographs they were drawn on.
        modes: how many, at most one for each photograph.
        seed: of the modes' beginning.
        on_photograph: called with (photographs looked at, of how many).

    Raises:
        InvalidRequest: next to none of the photographs shows a face with bare skin.
    """
    crops = []
    for number, mask in enumerate(drawn, 1):
        crop = _crop(mask)
        if crop is not None:
            crops.append(crop)
        if on_photograph is not None:
            on_photograph(number, len(drawn))
    hairy = _where_beards_grow(crops)
    seen = [found for found in (_relief(*crop, hairy) for crop in crops) if found is not None]
    if len(seen) < LEAST_PHOTOGRAPHS:
        raise InvalidRequest(
            f"{len(seen)} of these photographs show a face with bare skin: give {LEAST_PHOTOGRAPHS} or more."
        )
    relief, known = (np.stack(part) for part in zip(*seen, strict=True))
    relief, known = (np.concatenate([part, part[:, :, ::-1]]).reshape(2 * len(part), -1) for part in (relief, known))
    return principal_relief(relief, known, modes, seed)


def principal_relief(relief: np.ndarray, known: np.ndarray, modes: int, seed: int = 0) -> FaceRelief:
    """Probabilistic principal components, about 0, of vectors of which parts are missing, by expectation and
    maximisation (Tipping and Bishop 1999; of what is missing nothing is imputed, Ilin and Raiko 2010).

    Args:
        relief: ``(N, SIDE²) float32``.
        known: ``(N, SIDE²) bool``.
        modes: how many.
        seed: of their beginning.
    """
    relief, share = relief.astype(np.float64), known.astype(np.float64)
    identity = np.eye(modes)
    basis = np.random.default_rng(seed).normal(0, 0.01, (relief.shape[1], modes))
    spread = 0.01
    for _ in range(ROUNDS):
        places, squares = np.zeros((len(relief), modes)), np.zeros((len(relief), modes, modes))
        for number, mask in enumerate(known):
            part = basis[mask]
            inverse = np.linalg.inv(identity + part.T @ part / spread)
            places[number] = inverse @ (part.T @ relief[number, mask]) / spread
            squares[number] = inverse + np.outer(places[number], places[number])
        left = np.einsum("nd,nij->dij", share, squares, optimize=True) + LEAST * identity
        right = np.einsum("nd,nk->dk", share * relief, places, optimize=True)
        basis = np.linalg.solve(left, right[..., None])[..., 0]
        spread = max(float((share * (relief - places @ basis.T) ** 2).sum() / share.sum()), LEAST_SPREAD)
    supported = (share.sum(0) > LEAST).reshape(SIDE, SIDE).astype(np.float32)
    parts = basis.T.reshape(-1, SIDE, SIDE).astype(np.float32)
    # Under lips, lids and brows nobody has bare skin: what is around them goes on there.
    filled = np.stack([fill(np.repeat(part[..., None], 3, 2), supported)[..., 0] for part in parts])
    return FaceRelief(filled, ALIKE * spread)


def _crop(mask: DrawnMask) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A photograph's crop ``(CROP, CROP, 3) uint8``, its labels ``(CROP, CROP) uint8`` and landmarks ``(478, 3)``;
    ``None`` where no face is found, or one that is turned far."""
    from durian.face import detect_faces
    from durian.media import read_image

    image = read_image(mask.picture)
    faces = detect_faces(image)
    if not faces:
        return None
    axes = Head(faces[0].landmarks).axes
    if abs(np.degrees(np.arctan2(axes[0, 2], axes[0, 0]))) > MOST_TURNED:
        return None
    crop = default_crop(faces[0], image.shape)
    labels = cv2.resize(mask.labels, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    shares = [crop.apply((labels == number).astype(np.uint8) * 255, CROP) for number in range(len(LABELS))]
    return crop.apply(image, CROP), np.argmax(shares, 0).astype(np.uint8), crop.points(faces[0].landmarks, CROP)


def _where_beards_grow(crops: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
    """Places of the front view where beards usually are, ``(SIDE, SIDE) bool``, alike on both sides."""
    total = np.zeros((SIDE, SIDE), np.float32)
    count = 0
    for _, labels, landmarks in crops:
        beard = labels == LABELS.index("beard")
        if beard.any():
            total += front_view(beard.astype(np.float32), np.ones_like(beard), landmarks)[0]
            count += 1
    often = total > BEARDED * max(count, 1)
    return often | often[:, ::-1]


def _relief(
    image: np.ndarray, labels: np.ndarray, landmarks: np.ndarray, hairy: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Of one crop as of :func:`_crop`, in the front view, ``(SIDE, SIDE) float32`` and where it is known, ``bool``."""
    oval = polygon(landmarks[FACE_OVAL], labels.shape)
    skin = cv2.erode((labels == LABELS.index("skin")).astype(np.uint8), np.ones((EDGE, EDGE))) > 0
    skin &= (cv2.erode(oval, np.ones((5, 5))) > 0.98) & ~features(landmarks, Head(landmarks).width, labels.shape)
    x, y = pixels_of(landmarks, labels.shape)
    grows = (cv2.remap(hairy.astype(np.float32), x, y, cv2.INTER_LINEAR) > 0.5) & (x != NOWHERE)
    measured = skin & ~grows
    if measured.sum() < LEAST_SKIN:
        return None
    colours = image.astype(np.float32)
    light = fit_light(colours, measured, FaceSurface.of(landmarks, CROP).normals)
    if light is None:
        return None
    return front_view((logarithm(colours) - light.smooth).mean(-1), skin, landmarks)

"""Completion protocol: holes in the shape of other people's items, filled and compared with the photograph.

The hole is another person's item, found by its name, where the project's own alignment puts it on this face, grown as
a renderer grows it. The photograph wears no such item, so its own pixels are the truth; they are wiped out before any
completer sees the picture.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from durian import masks
from durian.errors import InvalidRequest, WeightsMissing
from durian.evaluation.data.cases import Source
from durian.evaluation.data.photographs import case_name, first_of, items_worn, read_head_photo, read_photo
from durian.evaluation.data.tasks import Task
from durian.evaluation.methods.completers import COMPLETERS
from durian.evaluation.protocols.interface import Options, Protocol
from durian.face import default_crop, eye_distance, require_face
from durian.geometry.alignment import aligned_mask, item_mesh
from durian.geometry.mesh import EYES, INNER_LIPS
from durian.geometry.mirror import facing_like
from durian.layers.skin import polygon
from durian.prepare import find_mask
from durian.request import Attribute, ItemName, RenderOptions
from durian.schema import checked

WIPED = 127
"""Grey level of all of a hole."""
KEPT = 0.05
"""Eyes and mouth stay with so much around them, in outer-eye distances: a renderer never takes them off."""
LEAST_PART = 0.02
"""Share of a hole below which a part of it is not scored: a few pixels at its edge say nothing of a completer."""
SURE = 0.5
"""Share of a class from which on a pixel of the truth counts as it."""


class Completion(Protocol):
    """Photographs, one case for each and every item it does not wear; ``--limit`` counts cases of a kind."""

    name = "completion"
    title = "Holes completed"
    purpose = (
        "A hole in the shape of another person's item, aligned to this face, is cut into a real photograph that shows "
        "what lies there, and completed."
    )
    unit = "photo"
    ranked_by = "psnr/hole"

    def __init__(self, options: Options):
        super().__init__(replace(options, metrics=options.metrics or ("psnr", "ssim", "gradients")))

    def usual_methods(self, renderer: str) -> tuple[str, ...]:
        return tuple(COMPLETERS)

    def sources(self) -> list[Source]:
        """Who wears an item lends its shape to those who wear none, in turn."""
        options, photographs = self.options, self.options.photographs
        found, sources = items_worn(options.data, photographs), []
        for kind in photographs.kinds:
            bare = [path for path, items in found.items() if items is not None and kind not in items]
            lenders = [path for path, items in found.items() if items is not None and kind in items]
            chosen = first_of(bare, options.data, options.limit, options.seed) if lenders else []
            for number, path in enumerate(chosen):
                lender = lenders[number % len(lenders)]
                sources.append(Source(case_name(options.data, path, kind), (path, lender), kind))
        if not sources:
            kinds = " or ".join(photographs.kinds)
            raise InvalidRequest(f"{options.data.name} needs people with and people without {kinds}: name other items.")
        return sources

    def load(self, source: Source) -> Task:
        path, kind = source.files[0], source.detail
        photo = read_photo(path)
        face = require_face(photo, what=path.name)
        crop, size = default_crop(face, photo.shape), self.options.size
        truth, landmarks = crop.apply(photo, size), crop.points(face.landmarks, size)
        hole = lent_hole(lent_item(source), landmarks, size)
        if not hole.any():
            raise InvalidRequest(f"The {kind} of {source.files[1].name} lies outside {path.name}: leave it out.")
        return completion_task(source.name, kind, truth, landmarks, hole)


def completion_task(name: str, kind: str, truth: np.ndarray, landmarks: np.ndarray, hole: np.ndarray) -> Task:
    """A picture ``(S, S, 3) uint8`` with a ``hole`` ``(S, S) bool``, whose pixels are nowhere but in the truth."""
    image = truth.copy()
    image[hole] = WIPED
    return Task(
        name=name,
        group=kind,
        image=image,
        landmarks=landmarks,
        attributes=(),
        driving=landmarks[None],
        fps=1.0,
        truth=truth[None],
        regions={name: region[None] for name, region in regions_in(hole, truth, landmarks).items()},
        hole=hole,
    )


def lent_item(source: Source) -> Attribute:
    """The item of a case's second photograph, found by its name."""
    lender = read_head_photo(source.files[1])
    mask = find_mask(lender.image, lender.landmarks, source.detail, called=source.files[1].name)
    return Attribute(lender.image, mask, lender.landmarks, checked(ItemName, source.detail))


def lent_hole(item: Attribute, landmarks: np.ndarray, size: int) -> np.ndarray:
    """Where an item lies on a face ``(478, 3)`` in a picture of ``size`` pixels a side, grown by a renderer's default,
    without eyes and mouth: ``(size, size) bool``."""
    item, unit = facing_like(item, landmarks), eye_distance(landmarks)
    covered = aligned_mask(item, item_mesh(item, landmarks), landmarks, size)
    hole = masks.expand(covered, RenderOptions.expansion * unit) > masks.HALF
    reach = np.ones((2 * max(1, round(KEPT * unit)) + 1,) * 2)
    for part in (*EYES, INNER_LIPS):
        hole &= cv2.dilate(polygon(landmarks[part], hole.shape), reach) <= 0
    return hole


def regions_in(hole: np.ndarray, truth: np.ndarray, landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """The ``hole`` and what of it shows ``skin``, ``hair`` and ``background`` in the truth, ``(S, S) bool`` each.

    Of a part that is next to nothing none is left.

    Raises:
        WeightsMissing: the parser's, which tells them apart.
    """
    from durian.segmentation.find_worn import named_masks
    from durian.segmentation.parser.classes import BACKGROUND, HAIR, HAT, SKIN
    from durian.segmentation.parser.heads import ParsedHead
    from durian.segmentation.parser.weights import FILE

    head = named_masks(truth, landmarks)
    if not isinstance(head, ParsedHead):
        raise WeightsMissing(f"The face parser's weights are not on this machine: put {FILE} into weights/parser/.")
    window, shares = head.head
    left, top, right, bottom = box = window.bounds(truth.shape)
    regions = {"hole": hole}
    # Hair that shines or is put up looks like a hat to the parser, and a bare head has none.
    for name, numbers in (("skin", [SKIN]), ("background", [BACKGROUND]), ("hair", [HAIR, HAT])):
        seen = np.zeros(hole.shape, bool)
        seen[top:bottom, left:right] = window.put(shares[..., numbers].sum(-1), box) > SURE
        part = hole & seen
        regions[name] = part if part.sum() >= LEAST_PART * hole.sum() else np.zeros_like(hole)
    return regions

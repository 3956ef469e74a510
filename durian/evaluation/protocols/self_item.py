"""Self-item protocol: a photograph wears its own item again, taken from a turned copy of itself.

The portrait is the photograph with the item in another colour, the reference a copy that was turned, shrunk and
encoded once more; both are read as a visitor's files are, the item found by its name. The truth is the photograph.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from durian.errors import DurianError, InvalidRequest
from durian.evaluation.data.cases import CaseResult, Source
from durian.evaluation.data.copies import recoloured, turned_copy
from durian.evaluation.data.photographs import HeadPhoto, case_name, first_of, head_box, items_worn, read_head_photo
from durian.evaluation.data.tasks import ITEM_SHARE, Task
from durian.evaluation.methods.methods import Method, OracleWarp, Still
from durian.evaluation.metrics.figures import Figure
from durian.evaluation.metrics.scoring import Scorer
from durian.evaluation.protocols.interface import Options, Protocol
from durian.face import eye_distance
from durian.layers.lenses import glasses_opacity
from durian.prepare import AttributeSource, PortraitSource, find_mask, load_attribute, load_portrait

log = logging.getLogger(__name__)

RING = 0.25
"""Width of the ring around the item, in outer-eye distances."""
FAILED = "failed/all"
NEED_NOTHING = (Still, OracleWarp)
"""Methods that cannot fail on what was not found."""


class SelfItem(Protocol):
    """Photographs of people, one case for each and every item it wears; ``--limit`` counts cases of a kind."""

    name = "self-item"
    title = "An item back on its own wearer"
    purpose = (
        "A real photograph's item is recoloured and then worn again, found by its name in a turned, smaller copy of "
        "the same photograph. The photograph is the truth. Where nothing is found the recoloured portrait is scored."
    )
    unit = "photo"
    ranked_by = "psnr/inside"
    figures = (
        Figure("failed", "Failed", "", False, "Share of photographs where the method made nothing: no face, no item."),
    )

    def __init__(self, options: Options):
        super().__init__(replace(options, metrics=options.metrics or ("psnr", "ssim")))

    def usual_methods(self, renderer: str) -> tuple[str, ...]:
        return ("still", renderer, "oracle-warp")

    def settings(self) -> dict[str, object]:
        return super().settings() | {"relit": self.options.relit}

    def sources(self) -> list[Source]:
        options, photographs = self.options, self.options.photographs
        found, sources = items_worn(options.data, photographs), []
        for kind in photographs.kinds:
            paths = [path for path, items in found.items() if items is not None and kind in items]
            chosen = first_of(paths, options.data, options.limit, options.seed)
            sources += [Source(case_name(options.data, path, kind), (path,), kind) for path in chosen]
        if not sources:
            kinds = " or ".join(photographs.kinds)
            raise InvalidRequest(f"Nobody in {options.data.name} wears {kinds}: name other items.")
        return sources

    def load(self, source: Source) -> Task:
        photo, kind = read_head_photo(source.files[0]), source.detail
        unit = eye_distance(photo.landmarks)
        mask = find_mask(photo.image, photo.landmarks, kind, called=source.name)
        if kind == "glasses":
            mask = without_clear_lenses(photo, mask)
        image, changed = recoloured(photo.image, mask, unit)
        copy = turned_copy(photo.image, self.options.relit)
        task = Task(
            name=source.name,
            group=kind,
            image=image,
            landmarks=photo.landmarks,
            attributes=(),
            driving=photo.landmarks[None],
            fps=1.0,
            truth=photo.image[None],
            masks={kind: mask[None]},
            regions={name: region[None] for name, region in regions_around(mask, photo.landmarks).items()},
            undone=np.where(changed[..., None], copy.undone(), image)[None],
        )
        try:
            portrait = load_portrait(PortraitSource(image, _same_face(image, photo.landmarks)))
            turned = photo.landmarks[:, :2] @ copy.matrix[:, :2].T + copy.matrix[:, 2]
            attribute = load_attribute(AttributeSource(copy.image, kind, face=_same_face(copy.image, turned)))
        except DurianError:
            log.info("Nothing to wear was found in %s.", source.name, exc_info=True)
            return task
        landmarks = portrait.landmarks.astype(np.float32)
        return replace(task, landmarks=landmarks, driving=landmarks[None], attributes=(attribute,), crop=portrait.crop)

    def score(self, method: Method, scorer: Scorer) -> tuple[np.ndarray, dict[str, float]]:
        """As of every protocol; what fails is scored as the portrait itself, so that refusing gains nothing."""
        task = scorer.task
        frames: np.ndarray | None = None
        if task.attributes or isinstance(method, NEED_NOTHING):
            try:
                frames = method.frames(task)
            except DurianError:
                log.info("A method made nothing of %s.", task.name, exc_info=True)
        failed = frames is None
        if frames is None:
            frames = Still().frames(task)
        return frames, scorer.score(frames) | {FAILED: float(failed)}

    def summary(self, results: Mapping[str, Sequence[CaseResult]]) -> dict[str, Any]:
        """``made_nothing``: by method the cases that failed."""
        failed = {name: [case.case for case in own if case.figures[FAILED]] for name, own in results.items()}
        return {"made_nothing": failed}


def without_clear_lenses(photo: HeadPhoto, mask: np.ndarray) -> np.ndarray:
    """Of the mask of glasses, ``(S, S) uint8``, what hides the face: eyes seen through a lens are their wearer's, and
    in another colour nobody could put them right.

    Raises:
        InvalidRequest: nothing is left.
    """
    hidden = np.rint(mask * glasses_opacity(photo.image, mask, photo.landmarks)).astype(np.uint8)
    if not (hidden >= ITEM_SHARE).any():
        raise InvalidRequest("The glasses hide nothing of the face: leave the photograph out.")
    return hidden


def regions_around(mask: np.ndarray, landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Of the head's box, grown so that it holds the item and its ring: ``head`` all of it, ``ring`` the band of
    :data:`RING` around the item, ``outside`` the rest; ``(S, S) bool`` each.

    Args:
        mask: ``(S, S) uint8`` the item; from :data:`~durian.evaluation.data.tasks.ITEM_SHARE` on a pixel is inside.
        landmarks: ``(478, 3)`` pixels.
    """
    inside, width = mask >= ITEM_SHARE, RING * eye_distance(landmarks)
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = inside | (distance <= width) if inside.any() else inside
    left, top, right, bottom = head_box(landmarks)
    rows, columns = np.nonzero(near)
    if len(rows):
        left, right = min(left, columns.min()), max(right, columns.max())
        top, bottom = min(top, rows.min()), max(bottom, rows.max())
    head = np.zeros(mask.shape, bool)
    head[max(0, int(top)) : int(np.ceil(bottom)) + 1, max(0, int(left)) : int(np.ceil(right)) + 1] = True
    return {"ring": near & ~inside, "outside": head & ~near, "head": head}


def _same_face(image: np.ndarray, landmarks: np.ndarray) -> int:
    """Number of the face of ``image`` that lies where ``landmarks`` ``(478, 2 or 3)`` say; 0 where none is found."""
    from durian.face import detect_faces

    middle = landmarks[:, :2].mean(0)
    gaps = [float(np.linalg.norm(face.landmarks[:, :2].mean(0) - middle)) for face in detect_faces(image)]
    return int(np.argmin(gaps)) if gaps else 0

"""The paper's self-attribute protocol: portrait and reference are other frames of the clip that is the target.

The paper itself shows that these scores do not rank models by transfer (unmasked references score best and fail
across people); ``triplets`` does.
"""

from __future__ import annotations

import numpy as np

from durian.content_hash import content_hash
from durian.errors import InvalidRequest
from durian.evaluation.data.cases import Source
from durian.evaluation.data.footage import Footage, item_mask, item_sources, read_footage
from durian.evaluation.data.tasks import Task
from durian.evaluation.protocols.interface import Protocol
from durian.request import Attribute, ItemName
from durian.schema import checked

FRAMES = 24
"""Target frames of a clip, as long as the paper's lineage trains on."""
REFERENCES = 2


class SelfAttribute(Protocol):
    """Real clips, one case for each clip and item."""

    name = "self"
    title = "Self-attribute: references from the same clip"
    purpose = (
        "A frame of a real clip puts on the item of another frame of it and moves as the rest of it does. Good scores "
        "say that pictures are faithful, not that items can be transferred."
    )
    unit = "clip"

    def sources(self) -> list[Source]:
        return item_sources(self.options.data, self.options.limit)

    def load(self, source: Source) -> Task:
        footage = read_footage(source.files[0], most=FRAMES + REFERENCES)
        portrait, reference = reference_frames(footage, self.options.seed, source.name)
        targets = [number for number in range(len(footage.frames)) if number not in (portrait, reference)]
        masks = {source.detail: footage.masks[source.detail][targets]} if source.detail in footage.masks else {}
        return Task(
            name=source.name,
            group=source.detail,
            image=footage.frames[portrait],
            landmarks=footage.landmarks[portrait],
            attributes=(reference_of(footage, reference, source.detail),),
            driving=footage.landmarks[targets],
            fps=footage.fps,
            truth=footage.frames[targets],
            masks=masks,
        )


def reference_frames(footage: Footage, seed: int, name: str) -> list[int]:
    """Numbers of two frames with a face, drawn by the seed and the case's name.

    Raises:
        InvalidRequest: there are too few frames to draw from and to make.
    """
    seen = np.flatnonzero(footage.known)
    if len(seen) < REFERENCES or len(footage.frames) <= REFERENCES:
        raise InvalidRequest(f"{name} has too few frames with a face: give at least {REFERENCES + 1}.")
    rng = np.random.default_rng(int(content_hash([seed, name])[:12], 16))
    return [int(number) for number in rng.choice(seen, REFERENCES, replace=False)]


def reference_of(footage: Footage, frame: int, category: str) -> Attribute:
    """The item as a frame shows it."""
    mask = item_mask(footage, frame, category)
    return Attribute(footage.frames[frame], mask, footage.landmarks[frame], checked(ItemName, category))

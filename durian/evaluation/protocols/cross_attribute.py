"""The paper's cross-attribute protocol: the item of one clip on the person of another, without ground truth."""

from __future__ import annotations

from durian.errors import InvalidRequest
from durian.evaluation.data.cases import Source
from durian.evaluation.data.footage import item_sources, read_footage
from durian.evaluation.data.tasks import Task
from durian.evaluation.protocols.interface import Protocol
from durian.evaluation.protocols.self_attribute import FRAMES, reference_frames, reference_of


class CrossAttribute(Protocol):
    """Each clip's item on the portrait of the clip half a folder farther, since neighbours may show one person."""

    name = "cross"
    title = "Cross-attribute: the item of somebody else"
    purpose = (
        "A portrait puts on the item of another real person and moves as its own clip does. There is no true answer: "
        "what is scored is whether the item and the person stay themselves and the motion is followed."
    )
    unit = "clip"
    ranked_by = "landmarks/all"

    def sources(self) -> list[Source]:
        """
        Raises:
            InvalidRequest: fewer than two clips.
        """
        own = item_sources(self.options.data, None)
        files = list(dict.fromkeys(source.files[0] for source in own))
        if len(files) < 2:
            raise InvalidRequest(f"{self.options.data.name} holds one clip: give at least two people's.")
        crossed = []
        for source in own:
            reference = source.files[0]
            portrait = files[(files.index(reference) + len(files) // 2) % len(files)]
            name = f"{portrait.stem}-{source.detail}-of-{reference.stem}"
            crossed.append(Source(name, (portrait, reference), source.detail))
        return crossed[: self.options.limit]

    def load(self, source: Source) -> Task:
        own, other = (read_footage(path, most=FRAMES + 1) for path in source.files)
        # Only the reference of the other clip is used, and only the first frame of its own as portrait.
        _, reference = reference_frames(other, self.options.seed, source.name)
        portrait = int(own.known.argmax())
        return Task(
            name=source.name,
            group=source.detail,
            image=own.frames[portrait],
            landmarks=own.landmarks[portrait],
            attributes=(reference_of(other, reference, source.detail),),
            driving=own.landmarks[portrait + 1 :],
            fps=own.fps,
            clip=own.frames[portrait + 1 :],
        )

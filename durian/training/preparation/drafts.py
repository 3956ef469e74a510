"""Drafts of a clip's targets, rendered by the preview from pairs of its frames, for models that begin with drafts."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from durian.clips import Clip, DraftPair, write_drafts
from durian.errors import InvalidRequest
from durian.preview.renderer import animate
from durian.request import AnimationRequest, Attribute, ItemName, Portrait, RenderOptions
from durian.scene import prepare_scene
from durian.schema import checked
from durian.training.data.expansion import is_seen, whole, whole_item
from durian.training.data.pairs import Pairs, PairSettings

DRAWS = 4
"""Pairs drawn for each that is wanted: some come twice, and of some the item is not seen."""


def add_drafts(path: Path, count: int) -> None:
    """Give a clip drafts of all its targets, from ``count`` pairs of its frames or as many as it has.

    Pairs are drawn as training draws them, which follows from the clip's name alone. What the portrait wears is found
    as the application finds it.

    Args:
        path: of a whole clip.
        count: pairs, true and pseudo ones together.

    Raises:
        UnreadableMedia: the clip cannot be read.
    """
    clip = Clip(path)
    write_drafts(path, [(pair, drafts_from(clip, pair)) for pair in draw_pairs(clip, count)])


def draw_pairs(clip: Clip, count: int) -> list[DraftPair]:
    """Up to ``count`` different pairs of frames; none for a clip that is too short for any."""
    try:
        pairs = Pairs([clip], frames=1, settings=PairSettings())
    except InvalidRequest:
        return []
    rng = np.random.default_rng(zlib.crc32(clip.about.name.encode()))
    found: dict[DraftPair, None] = {}
    for _ in range(DRAWS * count):
        drawn = pairs.draw(rng)
        if is_seen(clip.mask(drawn.attribute, drawn.category)):
            found[DraftPair(drawn.category, drawn.attribute, drawn.portrait, drawn.has_truth)] = None
        if len(found) == count:
            break
    return list(found)


def drafts_from(clip: Clip, pair: DraftPair) -> Mapping[int, np.ndarray]:
    """The preview's version of every target, ``(S, S, 3) uint8`` by frame number."""
    size = clip.about.size
    attribute, portrait = clip.frame(pair.attribute, (pair.category,)), clip.frame(pair.portrait, ())
    mask = whole_item(clip, attribute.masks[pair.category])
    targets = clip.about.frames_of("target")
    request = AnimationRequest(
        portrait=Portrait(portrait.image, portrait.landmarks, whole(size)),
        attributes=(Attribute(attribute.image, mask, attribute.landmarks, checked(ItemName, pair.category)),),
        options=RenderOptions(size=size, label=False),
    )
    scene = prepare_scene(request, driving=clip.landmarks[targets])
    return dict(zip(targets, animate(scene), strict=True))

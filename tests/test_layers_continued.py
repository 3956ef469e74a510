"""Continuation of hair and hats beyond the picture's edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from durian.face import require_face
from durian.geometry.head import Head
from durian.layers.continued import continued
from durian.request import Attribute


@pytest.fixture(scope="module")
def whole(collins) -> Attribute:
    """A picture with room above, and a cap of hair on the skull, a little larger than it."""
    landmarks = require_face(collins).landmarks
    head = Head(landmarks)
    y, x = np.mgrid[: collins.shape[0], : collins.shape[1]].astype(np.float32)
    distance = head.skull_distance(np.stack([x, y], -1))
    hair = (distance < 1.15) & (distance > 0.75) & (y < head.centre[1] + 0.2 * head.width)
    rng = np.random.default_rng(3)
    strands = np.repeat(rng.integers(60, 110, (1, collins.shape[1], 1)), collins.shape[0], 0).astype(np.uint8)
    image = np.where(hair[..., None], strands, collins)
    return Attribute(image.astype(np.uint8), np.where(hair, np.uint8(255), np.uint8(0)), landmarks, "hair")


def cut(whole: Attribute) -> tuple[Attribute, int]:
    head = Head(whole.landmarks)
    row = int(head.centre[1] - 0.8 * head.radii[1])
    landmarks = whole.landmarks - np.array([0, row, 0], np.float32)
    return replace(whole, image=whole.image[row:], mask=whole.mask[row:], landmarks=landmarks), row


def test_what_has_room_is_left_as_it_is(whole):
    assert continued(whole) is whole


def test_the_outline_goes_on_as_round_as_it_began(whole):
    attribute, row = cut(whole)
    made = continued(attribute)
    room = len(made.mask) - len(attribute.mask)
    assert np.allclose(made.landmarks - attribute.landmarks, [0, room, 0], atol=1e-3)
    expected = np.zeros_like(made.mask)
    shift = room - row
    source = whole.mask[max(0, -shift) :]
    expected[max(0, shift) : max(0, shift) + len(source)] = source[: len(expected) - max(0, shift)]
    above = slice(0, room)
    both = (made.mask[above] > 127) & (expected[above] > 127)
    either = (made.mask[above] > 127) | (expected[above] > 127)
    assert both.sum() / either.sum() > 0.8


def test_what_the_picture_shows_stays_and_the_rest_has_the_hairs_colours(whole):
    attribute, _ = cut(whole)
    made = continued(attribute)
    room = len(made.mask) - len(attribute.mask)
    assert (made.image[room + 3 :] == attribute.image[3:]).all()
    assert (made.mask[room:] >= attribute.mask).all()
    new = made.image[: room - 2][made.mask[: room - 2] > 250].astype(float)
    assert np.percentile(new, 2) > 45
    assert np.percentile(new, 98) < 125


def test_a_hat_that_only_touches_the_edge_gets_a_round_top(whole):
    """Its mask shuns the upper rows here and there, as a parser's does."""
    head = Head(whole.landmarks)
    top = int(np.nonzero(whole.mask)[0].min())
    row = top + round(0.01 * head.width)
    landmarks = whole.landmarks - np.array([0, row, 0], np.float32)
    mask = whole.mask[row:].copy()
    middle = int(np.nonzero(mask[0])[0].mean())
    notch = slice(0, round(0.04 * head.width)), slice(middle - round(0.1 * head.width), middle + 4)
    mask[notch] = 0
    hat = replace(whole, image=whole.image[row:], mask=mask, landmarks=landmarks, name="hat")
    assert 0.08 < (mask[:3] > 127).any(0).sum() / head.width < 0.25
    made = continued(hat)
    room = len(made.mask) - len(mask)
    highest = (made.mask > 127).argmax(0)[middle - round(0.15 * head.width) : middle + round(0.15 * head.width)]
    assert np.abs(np.diff(highest)).max() <= 2
    assert abs(int(highest.min()) - (room - row + top)) < 0.03 * head.width
    assert continued(replace(hat, name="hair")).mask.shape == mask.shape


@pytest.mark.parametrize("name", ["beard", "glasses"])
def test_other_things_are_left_as_they_are(whole, name):
    attribute = replace(cut(whole)[0], name=name)
    assert continued(attribute) is attribute


def test_without_a_face_nobody_knows_how_round_a_head_is(whole):
    attribute = replace(cut(whole)[0], landmarks=None)
    assert continued(attribute) is attribute

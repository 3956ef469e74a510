"""Scenes as plain data: what each person wears, and that nothing else differs."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from durian.errors import InvalidRequest
from durian.synthetic.base.person import Person
from durian.synthetic.scenes.scenes import ITEM_SHARES, MIXED, PORTRAITS, REFERENCES, TRIPLETS, Recipe, Scene, scene

FIRST_TARGET = PORTRAITS + REFERENCES


def differing(first: Person, second: Person) -> set[str]:
    return {
        field.name
        for field in fields(Person)
        if not np.array_equal(getattr(first, field.name), getattr(second, field.name))
    }


def of_kind(kind: str, **changes) -> Recipe:
    return replace(TRIPLETS, kinds={kind: 1.0}, **changes)


def people(plot: Scene, role: str) -> list[Person]:
    return [shot.person for shot in plot.shots if shot.role == role]


@pytest.mark.parametrize("attribute", ITEM_SHARES)
def test_the_target_is_the_portrait_with_exactly_the_reference_s_item(attribute):
    for number in range(12):
        plot = scene(number, replace(TRIPLETS, attributes={attribute: 1.0}))
        (item,) = plot.items
        portrait, owner, target = (people(plot, role)[0] for role in ("portrait", "reference", "target"))
        assert item.attribute == attribute
        assert item.look.is_worn
        assert getattr(owner, attribute) == item.look == getattr(target, attribute)
        assert differing(portrait, target) == {attribute}
        assert not np.array_equal(portrait.identity, owner.identity)
        if attribute in ("hair", "hat"):
            assert not portrait.hat.is_worn
        if attribute == "hair":
            assert not owner.hat.is_worn


def test_shots_come_in_the_order_of_the_tiles():
    plot = scene(3, replace(TRIPLETS, frames=5))
    assert [shot.role for shot in plot.shots] == ["portrait"] * 2 + ["reference"] * 2 + ["target"] * 5
    assert plot.items[0].shots == (2, 3)
    assert len(plot.bare) == 5


def test_targets_are_seen_as_the_portrait_is_and_references_are_not():
    plot = scene(5)
    portrait, reference = plot.shots[0].view, plot.shots[2].view
    for shot in plot.shots[FIRST_TARGET:]:
        assert (shot.view.light, shot.view.background, shot.view.sensor) == (
            portrait.light,
            portrait.background,
            portrait.sensor,
        )
    assert reference.light != portrait.light
    assert reference.background != portrait.background
    assert len({(shot.view.yaw, shot.view.frame) for shot in plot.shots}) == len(plot.shots)


def test_bare_targets_differ_from_targets_by_who_wears_the_item_only():
    plot = scene(5)
    for bare, target in zip(plot.bare, plot.shots[FIRST_TARGET:], strict=True):
        assert bare.view == target.view
        assert differing(bare.person, plot.shots[0].person) == set()


def test_a_pair_takes_two_items_from_two_people():
    for number in range(12):
        plot = scene(number, of_kind("pair"))
        first, second = plot.items
        assert first.attribute != second.attribute
        owners = [plot.shots[item.shots[0]].person for item in plot.items]
        assert owners[0].seed != owners[1].seed
        portrait, target = people(plot, "portrait")[0], people(plot, "target")[0]
        assert differing(portrait, target) == {first.attribute, second.attribute}
        for item, owner in zip(plot.items, owners):
            assert getattr(owner, item.attribute) == getattr(target, item.attribute) == item.look


@pytest.mark.parametrize("kind", ["clip", "none"])
def test_a_clip_shows_one_person_throughout(kind):
    plot = scene(2, of_kind(kind))
    assert plot.items == ()
    assert all(differing(shot.person, plot.shots[0].person) == set() for shot in plot.shots)


def test_a_number_is_always_the_same_scene():
    first, again, other_seed = scene(9, MIXED), scene(9, MIXED), scene(9, MIXED, seed=1)
    assert [shot.view for shot in first.shots] == [shot.view for shot in again.shots]
    assert differing(first.shots[0].person, again.shots[0].person) == set()
    assert "identity" in differing(first.shots[0].person, other_seed.shots[0].person)


def test_kinds_come_in_their_shares():
    kinds = [scene(number, MIXED).kind for number in range(300)]
    for kind, share in MIXED.kinds.items():
        assert abs(kinds.count(kind) / 300 - share) < 0.09, kind


@pytest.mark.parametrize("degrees", [0.0, 15.0, 45.0])
def test_pose_gaps_can_be_asked_for(degrees):
    for number in range(6):
        plot = scene(number, replace(TRIPLETS, pose_gap=math.radians(degrees)))
        assert math.degrees(plot.pose_gap) == pytest.approx(degrees, abs=1.0)


def test_light_gaps_can_be_asked_for():
    small, large = (
        np.array([scene(number, replace(TRIPLETS, light_gap=gap)).light_gap.total for number in range(6)])
        for gap in (0.0, 2.5)
    )
    assert np.all(small == 0)
    assert np.all(abs(large - 2.5) < 0.25)


@pytest.mark.parametrize("shares", [{}, {"triple": 1.0}, {"triplet": 0.0}])
def test_shares_that_name_nothing_are_refused(shares):
    with pytest.raises(InvalidRequest, match="use triplet, pair, clip, none"):
        replace(TRIPLETS, kinds=shares)


@pytest.mark.parametrize("degrees", [-1, 46])
def test_heads_cannot_be_turned_further_apart_than_heads_turn(degrees):
    with pytest.raises(InvalidRequest, match="give a pose gap from 0 to 45"):
        replace(TRIPLETS, pose_gap=math.radians(degrees))


def test_a_scene_needs_a_frame():
    with pytest.raises(InvalidRequest, match="at least 1 frame"):
        replace(TRIPLETS, frames=0)

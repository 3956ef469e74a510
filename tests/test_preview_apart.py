"""A portrait is taken apart once while nothing about that changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from durian.prepare import PortraitSource, load_portrait
from durian.preview.base import Apart, take_apart
from durian.request import AnimationRequest, RenderOptions
from durian.scene import prepare_scene


@pytest.fixture(scope="module")
def request_without_hair(collins) -> AnimationRequest:
    portrait = load_portrait(PortraitSource(collins))
    return AnimationRequest(portrait, options=RenderOptions(size=192), erase=("hair",))


def test_light_and_motion_leave_it_as_it_is_and_the_expansion_does_not(request_without_hair):
    def apart(**changes) -> Apart:
        options = replace(request_without_hair.options, **changes)
        return take_apart(prepare_scene(replace(request_without_hair, options=options)))

    first = apart()
    assert apart(light=1.0, pose_strength=0.4) is first
    wider = apart(expansion=0.4)
    assert wider.removed.sum() > 1.1 * first.removed.sum()
    assert wider.background.sum() < first.background.sum(), "what is hidden says nothing of the background"


def test_the_plate_is_the_picture_where_the_background_is_seen(request_without_hair):
    scene = prepare_scene(request_without_hair)
    apart = take_apart(scene)
    seen = apart.background > 0
    assert seen.mean() > 0.02
    assert np.array_equal(apart.plate[seen], scene.image[seen].astype(np.float32))

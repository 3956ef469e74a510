"""The typed request: refusals, comparison, and derived values."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
from requests_made import SIDE, attribute, disc, landmarks, picture, portrait, request

from durian.content_hash import content_hash
from durian.errors import DurianError, InvalidRequest, LimitExceeded
from durian.face import Crop
from durian.request import ATTRIBUTE_NAMES, DEFAULT_LAYERS, SAMPLERS, DiffusionOptions, Placement, RenderOptions


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: attribute(name="scarf"), "'scarf' is not known"),
        (lambda: attribute(mask=np.zeros((SIDE, SIDE), np.uint8)), "mask is empty"),
        (lambda: attribute(mask=np.full((SIDE, SIDE), 255, np.uint8)), "covers the whole picture"),
        (lambda: attribute(mask=disc(SIDE - 2)), "94×94 pixels but its picture is 96×96"),
        (lambda: attribute(mask=picture()), "3 dimensions"),
        (lambda: attribute(mask=disc().astype(bool)), "mask"),
        (lambda: attribute(image=picture().astype(np.float32)), "float32"),
        (lambda: attribute(image=picture()[..., 0]), "RGB picture"),
        (lambda: attribute(strength=1.1), "1.1 cannot be the strength"),
        (lambda: attribute(strength=float("nan")), "NaN cannot be the strength"),
        (lambda: attribute(trim=3), "3 cannot be the trim: give a number from -1 to 1"),
        (lambda: attribute(landmarks=landmarks()[:468]), "(468, 3)"),
        (lambda: attribute(landmarks=np.full((478, 3), np.nan, np.float32)), "finite"),
        (lambda: portrait(worn={"hat": disc(SIDE + 4)}), "mask of the portrait's hat"),
        (lambda: portrait(landmarks=landmarks()[:, :2]), "portrait's landmarks"),
        (lambda: Placement(scale=0), "0 cannot be the item size"),
        (lambda: Placement(angle=float("inf")), "item angle"),
        (lambda: RenderOptions(size=511), "even number"),
        (lambda: RenderOptions(size=2048), "even number from 64 to 1024"),
        (lambda: RenderOptions(frames=0), "0 cannot be the number of frames: give a whole number from 1 to 600"),
        (lambda: RenderOptions(fps=0), "0 cannot be the fps: give a number from 1 to 120"),
        (lambda: RenderOptions(fps=float("nan")), "NaN cannot be the fps"),
        (lambda: RenderOptions(expansion=5), "5 cannot be the expansion"),
        (lambda: RenderOptions(light=-0.1), "light"),
        (lambda: RenderOptions(pose_strength=2.5), "pose strength"),
        (lambda: RenderOptions(smoothing=-1), "smoothing"),
        (lambda: RenderOptions(seed=-1), "seed"),
        (lambda: RenderOptions(frames="a"), "'a' cannot be the number of frames: give a whole number"),
        (lambda: RenderOptions(size=None), "Nothing cannot be the size: give an even number from 64 to 1024."),
        (lambda: RenderOptions(size=512.5), "512.5 cannot be the size"),
        (lambda: RenderOptions(size=10**400), "20 digits cannot be the size"),
        (lambda: RenderOptions(seed=True), "cannot be the seed"),
        (lambda: RenderOptions(light="0.5"), "'0.5' cannot be the light"),
        (lambda: RenderOptions(label=1), "1 cannot be the label: give true or false"),
        (lambda: attribute(layer=101), "101 cannot be the layer: give a whole number from -100 to 100"),
        (lambda: attribute(layer=1.5), "1.5 cannot be the layer"),
        (lambda: attribute(placement={"dx": 1}), "cannot be the placement"),
        (lambda: attribute(image=[1, 2]), "cannot be the hat reference: give a NumPy array"),
        (lambda: attribute(mask=None), "nothing cannot be the hat mask"),
        (
            lambda: portrait(crop=Crop(45, 45, 1e-4)),
            "The crop 45,45,0.0001 does not hold the face: give a square with the point",
        ),
        (lambda: portrait(crop=Crop(-1e6, 45, 80)), "does not hold the face"),
        (lambda: portrait(crop=(1, 2, 3)), "give a Crop"),
        (lambda: request(portrait="me"), "'me' cannot be the portrait"),
        (lambda: request(attributes=5), "5 cannot be the attributes"),
        (lambda: request(attributes=[5]), "5 cannot be the attribute"),
        (lambda: request(motion="nod", frames=4), "'nod' cannot be the motion"),
        (lambda: request(blend_start=float("nan")), "NaN cannot be the blend start"),
        (lambda: request(renderer=7), "7 cannot be the renderer"),
        (lambda: request(mode="swap"), "'swap'"),
        (lambda: request(erase=("other",)), "'other' is not known: use one of hair, glasses, hat, beard, lips."),
        (lambda: request(erase=("nose",)), "Entry 1 of the list of what is taken off 'nose' is not known"),
        (lambda: request(mode="blend"), "exactly two attributes, not 1"),
        (lambda: request(mode="blend", attributes=(attribute(), attribute(2, name="hair"))), "hat and hair"),
        (
            lambda: request(mode="blend", attributes=(attribute(), attribute(2)), blend_end=1.2),
            "1.2 cannot be the blend end",
        ),
    ],
)
def test_what_makes_no_sense_is_one_sentence(make, words: str):
    with pytest.raises(InvalidRequest) as caught:
        make()
    sentence = str(caught.value)
    assert words in sentence
    assert isinstance(caught.value, DurianError)
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_limits_come_from_the_settings(settings_environment):
    settings_environment(max_frames=10, max_attributes=2)
    with pytest.raises(LimitExceeded, match="11 frames are too many: at most 10"):
        RenderOptions(frames=11)
    with pytest.raises(LimitExceeded, match="3 attributes are too many"):
        request(frames=4, attributes=[attribute(seed) for seed in range(3)])


def test_requests_compare_by_content():
    assert request() == request()
    assert hash(request()) == hash(request())
    assert request() == copy.deepcopy(request())
    changed = picture()
    changed[3, 4, 1] ^= 1
    assert request() != request(portrait=portrait(image=changed))
    assert request() != request(options={"seed": 1})
    assert request() != replace(request(), motion=None)
    assert request() != "a request"
    assert attribute() == attribute()
    assert attribute() != attribute(placement=Placement(dx=0.1))


def test_fingerprints_keep_neighbours_apart():
    assert content_hash(("ab", "c")) != content_hash(("a", "bc"))
    assert content_hash([1, [2]]) != content_hash([[1], 2])
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    assert content_hash(24) == content_hash(24.0) != content_hash("24")
    assert content_hash(True) != content_hash(1)
    zeros = np.zeros((2, 3), np.uint8)
    assert content_hash(zeros) != content_hash(zeros.T)
    assert content_hash(zeros) != content_hash(zeros.astype(np.int8))
    every_second = np.arange(12).reshape(3, 4)[:, ::2]
    assert content_hash(every_second) == content_hash(every_second.copy())
    with pytest.raises(TypeError, match="set"):
        content_hash({1, 2})


def test_whole_floats_are_whole_numbers():
    options = RenderOptions(frames=48.0, seed=np.int64(7), fps=24, label=np.False_)
    assert [type(v) for v in (options.frames, options.seed, options.fps, options.label)] == [int, int, float, bool]
    assert (options.frames, options.seed, options.fps, options.label) == (48, 7, 24.0, False)
    assert attribute(layer=3.0).layer == 3


def test_lists_become_tuples():
    made = request(attributes=[attribute()], erase=["hair"])
    assert isinstance(made.attributes, tuple)
    assert made.erase == ("hair",)


def test_layers_put_hats_over_hair_and_glasses_over_both():
    assert set(DEFAULT_LAYERS) == set(ATTRIBUTE_NAMES)
    assert DEFAULT_LAYERS["hair"] < DEFAULT_LAYERS["hat"] < DEFAULT_LAYERS["glasses"]
    assert attribute(name="hat").drawing_layer == DEFAULT_LAYERS["hat"]
    assert attribute(name="hat", layer=0).drawing_layer == 0


def test_alpha_runs_from_start_to_end():
    blending = request(mode="blend", attributes=(attribute(1), attribute(2)), blend_start=0.2, blend_end=1.0)
    assert blending.alphas(5) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    still = blending.at_alpha(0.3)
    assert still.motion is None
    assert still.alphas(1) == pytest.approx([0.3])


def test_sampling_options_are_checked():
    assert DiffusionOptions().steps is None
    for wrong, words in (
        ({"steps": 0}, "from 1 to 100"),
        ({"steps": 2.5}, "whole number"),
        ({"guidance_scale": 0.5}, "from 1 to 20"),
        ({"guidance_scale": float("nan")}, "from 1 to 20"),
        ({"sampler": "magic"}, "ddim"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            DiffusionOptions(**wrong)
    assert request(diffusion=DiffusionOptions(steps=4)) != request()


def test_the_samplers_are_those_that_there_are():
    from durian.cli import parser
    from durian.diffusion.sampling import SCHEDULERS

    assert SAMPLERS == SCHEDULERS == parser.SAMPLERS


def test_the_parser_knows_the_same_items():
    from durian.cli.parser import ITEM_NAMES

    assert ITEM_NAMES == ATTRIBUTE_NAMES


def test_what_diffusion_renders_at_once_is_bounded():
    """Its memory grows with all frames together; the preview's does not."""
    with pytest.raises(LimitExceeded, match="64 frames of 1024 pixels are 67 megapixels: by diffusion at most 64"):
        request(size=1024, frames=64, renderer="diffusion")
    assert request(size=1024, frames=61, renderer="diffusion").options.frames == 61
    assert request(size=1024, frames=64, renderer="preview").options.frames == 64

"""The pipeline called with photographs: what it prepares by itself is what the app prepares."""

from __future__ import annotations

import re

import numpy as np
import pytest
from diffusion_made import SIZE, frames_of, pictures, tiny_pipeline
from PIL import Image
from requests_made import attribute, disc, picture, portrait, request

from durian.diffusion.inputs import ClipInputs, prepare_inputs
from durian.diffusion.photographs import _rgb, clip_inputs
from durian.diffusion.pipeline import AttributeReference, DurianPipeline
from durian.errors import DurianError, InvalidRequest, NoFaceFound
from durian.motion import preset
from durian.request import AnimationRequest

KNOWN = {"hat": disc(radius=9), "hair": disc(radius=12)}


def same(one: ClipInputs, other: ClipInputs) -> bool:
    names = ("portrait", "hole", "portrait_keypoints", "keypoints", "draft")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    pairs += [(a.mask, b.mask) for a, b in zip(one.references, other.references, strict=True)]
    return all((a is None and b is None) or np.array_equal(a, b) for a, b in pairs)


@pytest.fixture(scope="module")
def pipeline() -> DurianPipeline:
    made = tiny_pipeline()
    made.set_progress_bar_config(disable=True)
    return made


def asked(**changes: object) -> AnimationRequest:
    return request(**{"frames": 3, "portrait": portrait(worn=KNOWN), **changes})


def through_references(pipeline: DurianPipeline, inputs: ClipInputs, **options: object) -> np.ndarray:
    worn = [AttributeReference(r.image, r.mask, r.strength, r.keypoints) for r in inputs.references]
    pipeline.set_references(
        inputs.portrait,
        inputs.hole,
        worn,
        blend=inputs.alphas is not None,
        portrait_keypoints=inputs.portrait_keypoints,
    )
    return frames_of(pipeline, inputs.keypoints, draft=inputs.draft, **options)


def test_pil_images_become_a_clip(pipeline, project_root):
    """Faces are found, and what the portrait wears; a mask in a painting program's colours is as good as an array."""
    folder = project_root / "assets"
    person, hat, mask = (
        Image.open(folder / name) for name in ("portrait-amara.webp", "hat-beanie.webp", "hat-beanie-mask.png")
    )
    frames = pipeline("nod", person, hat, mask, "hat", num_frames=2).frames[0]
    assert [(type(frame), frame.size) for frame in frames] == [(Image.Image, (SIZE, SIZE))] * 2
    arrays = [np.asarray(person.convert("RGB")), np.asarray(hat.convert("RGB"))]
    levels = np.asarray(mask.convert("L"))
    again = frames_of(
        pipeline, "nod", portrait=arrays[0], references=[arrays[1]], masks=[levels], names=["hat"], num_frames=2
    )
    assert np.array_equal(np.stack(frames), again)
    found = clip_inputs(SIZE, None, person, hat, names="hat")
    given = clip_inputs(SIZE, None, person, hat, mask, "hat")
    inside, known = (one.references[0].mask > 127 for one in (found, given))
    assert (inside & known).sum() / (inside | known).sum() > 0.8


def test_the_script_in_the_docs_makes_its_gif(project_root, monkeypatch, tmp_path):
    page = (project_root / "docs" / "diffusion.md").read_text()
    script = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    out = tmp_path / "out.gif"
    for written, taken in (("num_frames=24", "num_frames=2"), ('"out.gif"', repr(str(out)))):
        assert written in script
        script = script.replace(written, taken)
    monkeypatch.chdir(project_root)
    exec(script, {})
    with Image.open(out) as gif:
        assert (gif.n_frames, gif.size) == (2, (256, 256))


def test_a_picture_without_a_face_is_one_sentence(pipeline):
    with pytest.raises(NoFaceFound):
        pipeline("nod", Image.new("RGB", (200, 200)))


@pytest.mark.parametrize("motion", ["nod", preset("nod", 3, 24.0)], ids=["by name", "a motion"])
def test_a_clip_is_the_app_s(pipeline, motion):
    expected = through_references(pipeline, prepare_inputs(asked(), SIZE))
    found = frames_of(pipeline, motion, portrait=portrait(worn=KNOWN), references=attribute(), num_frames=3)
    assert np.array_equal(found, expected)


def test_a_motion_is_as_long_as_it_is_where_nobody_says():
    wanted = {None: 5, 2: 2}
    for num_frames, frames in wanted.items():
        inputs = clip_inputs(SIZE, preset("nod", 5, 24.0), portrait(), num_frames=num_frames)
        assert len(inputs.keypoints) == frames
    assert len(clip_inputs(SIZE, "smile", portrait()).keypoints) == 48


def test_drafts_are_the_preview_s(pipeline):
    drafting = tiny_pipeline(drafts=True)
    drafting.set_progress_bar_config(disable=True)
    inputs = prepare_inputs(asked(), SIZE, with_draft=True)
    given = {"portrait": portrait(worn=KNOWN), "references": [attribute()], "num_frames": 3}
    assert same(clip_inputs(SIZE, "nod", **given, with_draft=True), inputs)
    expected = through_references(drafting, inputs)
    assert np.array_equal(frames_of(drafting, "nod", **given), expected)
    other = 255 - inputs.draft
    assert np.array_equal(
        frames_of(drafting, "nod", **given, draft=other), frames_of(drafting, inputs.keypoints, draft=other)
    )


def test_two_references_blend_frame_by_frame(pipeline):
    both, alphas = (attribute(1), attribute(2)), np.linspace(0.2, 0.7, 3, dtype=np.float32)
    inputs = prepare_inputs(asked(attributes=both, mode="blend", blend_start=0.2, blend_end=0.7), SIZE)
    expected = through_references(pipeline, inputs, blend=inputs.alphas)
    given = {"portrait": portrait(worn=KNOWN), "num_frames": 3}
    assert np.array_equal(frames_of(pipeline, "nod", references=both, blend=alphas, **given), expected)
    alone = frames_of(pipeline, "nod", references=both[1], **given)
    assert np.array_equal(frames_of(pipeline, "nod", references=both, blend=np.ones(3), **given), alone)
    there_and_back = np.array([0.0, 1.0, 0.0], np.float32)
    expected = through_references(pipeline, inputs, blend=there_and_back)
    assert np.array_equal(frames_of(pipeline, "nod", references=both, blend=there_and_back, **given), expected)


@pytest.mark.parametrize("blend", [0.5, [], "half", np.zeros((2, 3))])
def test_what_is_no_alpha_of_frames_is_refused(blend):
    with pytest.raises(InvalidRequest, match="is no α of frames: give as many numbers"):
        clip_inputs(SIZE, "nod", portrait(worn=KNOWN), [attribute(1), attribute(2)], num_frames=3, blend=blend)


def test_drafts_follow_a_straight_line_or_are_given():
    given = {"num_frames": 3, "with_draft": True}
    with pytest.raises(InvalidRequest, match="give an α that runs straight, or draft"):
        clip_inputs(SIZE, "nod", portrait(worn=KNOWN), [attribute(1), attribute(2)], blend=[0, 1, 0], **given)


def test_photographs_have_the_colours_that_the_app_gives_them():
    picture = Image.new("RGBA", (8, 8), (200, 30, 60, 0))
    assert (_rgb(picture, "portrait") == 255).all(), "what is transparent is white"
    assert (_rgb(Image.new("P", (8, 8)), "portrait") == 0).all()


def test_keypoint_images_may_be_pil_and_may_come_with_a_portrait(pipeline):
    keypoints = pictures(4, 2)
    images = [Image.fromarray(one) for one in keypoints]
    given = {"portrait": portrait(worn=KNOWN), "references": [attribute()]}
    found = frames_of(pipeline, images, **given)
    assert np.array_equal(found, frames_of(pipeline, keypoints, **given))
    # The references stay for the calls after it.
    assert np.array_equal(frames_of(pipeline, images), found)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"motion": "nod", "num_frames": None}, "'nod' needs a portrait to move: give one, or keypoint images"),
        ({"motion": pictures(4, 2), "references": picture(), "num_frames": None}, "without a portrait: give both"),
        ({"motion": pictures(4, 2), "masks": disc(), "num_frames": None}, "without a portrait: give both"),
        ({"motion": pictures(4, 3), "portrait": portrait()}, "2 frames of 3 keypoint images were asked for"),
        (
            {"portrait": portrait(), "references": [picture(1)], "masks": [disc(), disc()]},
            "2 masks were given for 1 ref",
        ),
        ({"portrait": portrait(), "references": [picture(1)], "names": ["hat", "hat"]}, "2 names were given for 1 ref"),
        ({"portrait": portrait(), "references": [picture(1)]}, "Nothing says where the item is in the reference"),
        ({"portrait": portrait(), "references": "hat.png"}, "'hat.png' cannot be the reference 1: give a PIL image"),
        ({"portrait": picture() / 255}, "float64 (96, 96, 3) cannot be the portrait: give a PIL image, or uint8"),
        ({"portrait": portrait(), "references": [picture(1)], "masks": disc() > 0}, "bool (96, 96) cannot be mask 1"),
        ({"portrait": portrait(), "motion": "swim"}, "swim"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_photographs_that_do_not_fit_are_refused_in_one_sentence(pipeline, arguments, sentence):
    with pytest.raises(DurianError, match=re.escape(sentence)):
        pipeline(**{"num_frames": 2, **arguments})

"""Bad input on the page: one sentence, and everything that was there before stays."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def shared_visitor(chromium, server):
    """One visitor for all refusals: that everything survives all of them is the point."""
    from visitor import Visitor

    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    visitor = Visitor(context.new_page())
    visitor.page.goto(server)
    visitor.wait_for_still()
    visitor.until_changed(visitor.mask, lambda: visitor.click_reference(0.5, 0.85))
    yield visitor
    context.close()


def table(visitor) -> tuple:
    return visitor.portrait(), visitor.items(), visitor.mask(), visitor.dots()


UNREADABLE = [
    ("text.png", "text.png"),
    ("empty.jpg", "empty.jpg is empty"),
    ("truncated.png", "truncated.png"),
    ("huge", "huge.png"),
    ("notes.txt", "notes.txt"),
]
# A product shot without a face is a good reference, so these are refused as portraits only.
FACELESS = [("wall", "No face"), ("tiny-face", "too small")]


@pytest.mark.parametrize(
    ("button", "file", "words"),
    [("portrait-upload", *case) for case in (*FACELESS, *UNREADABLE)]
    + [("reference-upload", *case) for case in UNREADABLE],
)
def test_a_bad_picture(shared_visitor, photos, button, file, words):
    visitor = shared_visitor
    before = table(visitor)
    visitor.dismiss()
    visitor.upload(button, photos[file])
    said = visitor.hears(words)
    assert said.strip().endswith(".")
    assert "our side" not in said
    assert table(visitor) == before


def test_a_mask_of_another_size(shared_visitor, photos):
    visitor = shared_visitor
    before = table(visitor)
    visitor.dismiss()
    visitor.unfold("Mask files")
    visitor.upload("mask-import", photos["small-mask"])
    visitor.hears("64×48")
    assert table(visitor) == before


def test_a_bundle_that_is_none(shared_visitor, photos):
    visitor = shared_visitor
    before = table(visitor)
    visitor.dismiss()
    visitor.tab("Save")
    visitor.upload("restore", photos["bundle.zip"])
    visitor.hears("bundle.zip")
    assert table(visitor) == before


def test_a_video_that_is_none(shared_visitor, photos):
    visitor = shared_visitor
    before = table(visitor)
    visitor.dismiss()
    visitor.unfold("Move like a video")
    visitor.page.set_input_files("#driving-video input[type=file]", str(photos["broken.mp4"]))
    visitor.hears("broken.mp4")
    assert table(visitor) == before


def test_a_video_whose_face_leaves(shared_visitor, photos):
    visitor = shared_visitor
    before = table(visitor)
    visitor.dismiss()
    visitor.page.set_input_files("#driving-video input[type=file]", str(photos["leaving.mp4"]))
    said = visitor.hears("frame")
    assert " s" in said
    assert table(visitor) == before


def test_an_empty_mask_is_left_out_of_the_still_and_refused_by_animate(shared_visitor):
    visitor = shared_visitor
    visitor.dismiss()
    visitor.until_changed(visitor.mask, lambda: visitor.step("clear"))
    visitor.wait_for_note("no mask")
    visitor.consent()
    visitor.animate()
    visitor.hears("has no mask yet")
    visitor.until_changed(visitor.mask, lambda: visitor.step("undo"))


def test_blending_two_kinds_is_refused(shared_visitor):
    visitor = shared_visitor
    visitor.page.get_by_label("Wear all").check(force=True)
    visitor.page.wait_for_timeout(1000)  # what the test before set going has come back
    before = table(visitor)
    visitor.dismiss()
    visitor.page.get_by_label("Blend two by α").check(force=True)
    visitor.page.wait_for_function(
        "() => /one kind/.test(document.querySelector('#still-stage .stage-note')?.innerText)"
    )
    visitor.animate()
    visitor.hears("one kind")
    visitor.page.get_by_label("Wear all").check(force=True)
    assert table(visitor) == before


def test_portrait_and_reference_of_one_file(shared_visitor, photos):
    visitor = shared_visitor
    visitor.dismiss()
    visitor.until_changed(visitor.mask, lambda: visitor.upload("reference-upload", photos["collins"]))
    visitor.until_changed(visitor.mask, lambda: visitor.start("lips"))
    assert visitor.page.locator(".toast-body").count() == 0


def test_after_all_that_it_still_animates(shared_visitor):
    visitor = shared_visitor
    visitor.dismiss()
    visitor.page.get_by_label("Wear all").check(force=True)
    visitor.frames(10)
    visitor.animate()
    visitor.wait_for_video()

"""From upload to a video that plays, in a real browser with the real renderer."""

from __future__ import annotations

import io
import zipfile

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_page_opens_with_an_example_and_moves_at_one_press(visitor):
    assert visitor.items() == ["1 hat", "2 glasses"]
    assert visitor.still().startswith("data:image/jpeg")
    visitor.consent()
    visitor.animate()
    visitor.wait_for_video()
    earlier = visitor.page.evaluate("document.querySelector('#result-video video').currentTime")
    visitor.page.wait_for_function(
        "(t) => document.querySelector('#result-video video')?.currentTime != t", arg=earlier
    )
    assert "48 frames of 512×512" in visitor.progress()
    # Another example brings its own still to the front; a video of before would hide it.
    visitor.pick_example("bob-to-afro")
    visitor.page.wait_for_function("() => !document.querySelector('#result-video video')?.checkVisibility()")
    assert visitor.page.locator("#still-stage").is_visible()
    assert not visitor.problems


def test_nothing_runs_before_the_tick(visitor):
    visitor.animate()
    visitor.hears("tick the line above")
    assert visitor.page.locator("#result-video video").count() == 0


def test_from_upload_to_a_video(visitor, photos):
    visitor.until_changed(visitor.portrait, lambda: visitor.upload("portrait-upload", photos["hopper"]))
    # Hopper's own glasses can be taken off.
    visitor.page.wait_for_selector("#control-erase input[type=checkbox]")
    for _ in range(2):
        count = len(visitor.items())
        visitor.page.locator("#items .card-remove").first.click()
        visitor.page.wait_for_function("(n) => document.querySelectorAll('#items .card').length < n", arg=count)
    visitor.until_changed(visitor.items, lambda: visitor.upload("reference-upload", photos["collins"]))
    visitor.until_changed(visitor.mask, lambda: visitor.start("lips"))
    visitor.until_changed(visitor.mask, lambda: visitor.start("hair"))
    visitor.pick_motion("smile")
    visitor.frames(16)
    visitor.consent()
    visitor.animate()
    visitor.wait_for_video()
    assert "16 frames" in visitor.progress()


def test_clicks_strokes_and_steps_change_the_mask(visitor):
    start = visitor.mask()
    clicked = visitor.until_changed(visitor.mask, lambda: visitor.click_reference(0.5, 0.85))
    assert visitor.dots() == 1
    visitor.tool("remove")
    visitor.until_changed(visitor.dots, lambda: visitor.click_reference(0.3, 0.9))
    visitor.until_changed(visitor.dots, lambda: visitor.step("undo"))
    assert visitor.mask() == clicked
    visitor.until_changed(visitor.dots, lambda: visitor.step("undo"))
    assert visitor.mask() == start
    visitor.until_changed(visitor.dots, lambda: visitor.step("redo"))
    assert visitor.mask() == clicked
    visitor.tool("rub")
    canvas = visitor.page.locator("#mask-stage svg").bounding_box()

    def stroke():
        mouse = visitor.page.mouse
        mouse.move(canvas["x"] + canvas["width"] * 0.4, canvas["y"] + canvas["height"] * 0.15)
        mouse.down()
        mouse.move(canvas["x"] + canvas["width"] * 0.6, canvas["y"] + canvas["height"] * 0.15, steps=6)
        mouse.up()

    visitor.until_changed(visitor.mask, stroke)
    visitor.until_changed(visitor.mask, lambda: visitor.step("clear"))
    assert visitor.mask() == ""
    assert not visitor.problems


def test_quick_clicks_are_all_kept_in_order(visitor):
    for share in (0.42, 0.5, 0.58):
        visitor.click_reference(share, 0.9)
    visitor.page.wait_for_function("() => document.querySelectorAll('#mask-stage .dot').length === 3")
    visitor.page.wait_for_timeout(500)
    visitor.page.wait_for_function(
        "() => [...document.querySelectorAll('#mask-stage .dot text')].map(t => t.textContent).join() === '1,2,3'"
    )
    places = visitor.page.evaluate(
        "() => [...document.querySelectorAll('#mask-stage .dot circle')].map(c => Number(c.getAttribute('cx')))"
    )
    assert places == sorted(places)


def test_sliders_and_motion_change_the_still(visitor):
    visitor.until_changed(visitor.still, lambda: visitor.slide("strength", 0.3))
    visitor.until_changed(visitor.still, lambda: visitor.slide("expansion", 0.6))
    visitor.pick_motion("tilt")
    visitor.until_changed(visitor.still, lambda: visitor.slide("frame", 12))


def test_handles_move_the_item(visitor):
    visitor.page.hover("#still-stage svg")
    box = visitor.page.locator("#still-stage .item-move").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag():
        visitor.page.mouse.move(x, y)
        visitor.page.mouse.down()
        visitor.page.mouse.move(x + 40, y + 25, steps=5)
        visitor.page.mouse.up()

    visitor.until_changed(visitor.still, drag)
    visitor.unfold("Place by hand")
    visitor.page.wait_for_function(
        "() => Number(document.querySelector('#control-dx input[type=number]')?.value) > 0.1"
    )


def test_several_faces_are_numbered_and_one_is_chosen(visitor, photos):
    visitor.until_changed(visitor.portrait, lambda: visitor.upload("portrait-upload", photos["both"]))
    visitor.page.wait_for_selector("#portrait-stage .face-number >> nth=1")
    assert "2 faces" in visitor.page.locator("#portrait-stage .stage-note").inner_text()
    visitor.page.wait_for_timeout(300)

    def choose_other():
        visitor.page.locator("#portrait-stage .face:not(.is-chosen)").focus()
        visitor.page.keyboard.press("Enter")

    visitor.until_changed(visitor.still, choose_other)


def test_cancel_then_a_second_run(visitor):
    visitor.frames(300)
    visitor.consent()
    visitor.animate()
    visitor.page.wait_for_function("() => /Frame [1-9]/.test(document.querySelector('#progress')?.innerText)")
    assert "left" in visitor.progress() or "Frame" in visitor.progress()
    visitor.page.click("#cancel")
    visitor.wait_for_idle()
    assert "Cancelled" in visitor.progress()
    assert visitor.items() == ["1 hat", "2 glasses"]
    visitor.frames(12)
    visitor.animate()
    visitor.wait_for_video()
    assert "12 frames" in visitor.progress()


def test_two_visitors_do_not_meet(open_page, photos):
    first, second = open_page(), open_page()
    untouched = (second.still(), second.portrait(), second.mask())
    first.until_changed(first.mask, lambda: first.click_reference(0.5, 0.85))
    first.until_changed(first.portrait, lambda: first.upload("portrait-upload", photos["hopper"]))
    second.page.wait_for_timeout(500)
    assert (second.still(), second.portrait(), second.mask()) == untouched
    assert second.dots() == 0


def test_closing_the_browser_mid_run_leaves_the_queue_working(open_page):
    gone = open_page()
    gone.frames(500)
    gone.consent()
    gone.animate()
    gone.page.wait_for_function("() => /Frame [1-9]/.test(document.querySelector('#progress')?.innerText)")
    gone.page.context.close()
    stays = open_page()
    stays.frames(12)
    stays.consent()
    stays.animate()
    stays.wait_for_video()


def test_examples_blend_and_strip(visitor):
    visitor.until_changed(visitor.items, lambda: visitor.pick_example("bob-to-afro"))
    visitor.page.wait_for_selector("#control-blend_start")
    visitor.until_changed(visitor.still, lambda: visitor.slide("blend_start", 0.9))
    visitor.tab("strip")
    visitor.page.click("#strip-make")
    visitor.page.wait_for_function("() => document.querySelectorAll('#strip img').length >= 5")


def test_check_and_compare(visitor):
    visitor.page.wait_for_selector("#compare img")
    visitor.tab("Check")
    source = lambda: visitor.page.locator("#overlay img").first.get_attribute("src")  # noqa: E731
    visitor.page.wait_for_selector("#overlay img")
    for kind in ("Landmarks", "Keypoints", "Difference"):
        visitor.until_changed(source, lambda kind=kind: visitor.page.get_by_label(kind, exact=True).check(force=True))


def test_look_book(visitor, photos):
    visitor.tab("Look-book")
    visitor.page.set_input_files("#look-book-files input[type=file]", [str(photos["hopper"]), str(photos["wall"])])
    visitor.page.wait_for_selector("#look-book img")
    visitor.hears("No hat found")


def test_downloads_history_and_restoring_a_bundle(visitor, tmp_path):
    visitor.frames(10)
    visitor.until_changed(visitor.mask, lambda: visitor.click_reference(0.5, 0.85))
    mask = visitor.mask()
    visitor.consent()
    visitor.animate()
    visitor.wait_for_video()
    visitor.tab("Save")
    kept = {}
    for button, suffix in (("mp4", ".mp4"), ("gif", ".gif"), ("frames", ".zip"), ("bundle", ".zip")):
        with visitor.page.expect_download() as download:
            visitor.page.click(f"#save-{button}")
        kept[button] = tmp_path / f"{button}{suffix}"
        download.value.save_as(kept[button])
        assert download.value.suggested_filename.endswith(suffix)
    assert kept["gif"].read_bytes()[:4] == b"GIF8"
    frames = zipfile.ZipFile(io.BytesIO(kept["frames"].read_bytes()))
    assert len([name for name in frames.namelist() if name.endswith(".png")]) == 10

    visitor.until_changed(visitor.items, lambda: visitor.pick_example("long-hair"))
    visitor.until_changed(visitor.items, lambda: visitor.upload("restore", kept["bundle"]))
    assert visitor.items() == ["1 hat", "2 glasses"]
    visitor.page.wait_for_function(
        "(d) => document.querySelector('#mask-stage .mask-fill')?.getAttribute('d') === d", arg=mask
    )
    assert visitor.dots() == 1

    visitor.tab("History")
    assert visitor.page.locator("#history .thumbnail-item, #history .grid-wrap img").count() >= 1


@pytest.mark.parametrize("dark", [False, True])
def test_phone_width_has_no_sideways_scroll(open_page, dark):
    visitor = open_page(width=390, height=844, dark=dark)
    visitor.page.wait_for_timeout(500)
    for tab in ("strip", "Look-book", "Check", "Save", "History", "Compare"):
        visitor.tab(tab)
        visitor.page.wait_for_timeout(150)
        # Clipped overflow would hide in the document's width, so the panel is looked at too.
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert visitor.page.locator("#panel-tools").bounding_box()["width"] <= 390
    still = visitor.page.locator("#still-stage").bounding_box()
    first_step = visitor.page.locator("#portrait-stage").bounding_box()
    assert still["y"] < first_step["y"]
    assert still["x"] >= 0
    assert still["x"] + still["width"] <= 390
    assert visitor.page.evaluate("document.body.classList.contains('dark')") is dark


def test_a_zoomed_click_lands_where_it_was_aimed(visitor, hopper):
    zoom_in = visitor.page.locator("#mask-stage [data-zoom='in']")
    zoom_in.scroll_into_view_if_needed()
    zoom_in.click()
    zoom_in.click()
    view = visitor.page.locator("#mask-stage .stage-view").bounding_box()
    x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2
    visitor.until_changed(visitor.mask, lambda: visitor.page.mouse.click(x, y))
    dot = visitor.page.locator("#mask-stage .dot circle").last
    height, width = hopper.shape[:2]
    assert abs(float(dot.get_attribute("cx")) - (width - 1) / 2) < 2
    assert abs(float(dot.get_attribute("cy")) - (height - 1) / 2) < 2


def test_a_driving_video_moves_the_portrait(visitor, photos):
    visitor.unfold("Move like a video")
    visitor.page.set_input_files("#driving-video input[type=file]", str(photos["moving.mp4"]))
    visitor.page.wait_for_selector("#video-apply")
    assert visitor.page.locator("#motions button[aria-pressed=true]").count() == 0
    visitor.until_changed(visitor.still, lambda: visitor.slide("frame", 12))
    visitor.consent()
    visitor.animate()
    visitor.wait_for_video()
    assert "48 frames" in visitor.progress()
    visitor.page.click("#video-clear")
    visitor.page.wait_for_selector("#motions button[aria-pressed=true]")


def test_who_waits_sees_the_place_in_the_line_and_can_leave_it(open_page):
    first, second = open_page(), open_page()
    first.frames(400)
    for each in (first, second):
        each.consent()
    first.animate()
    first.page.wait_for_function("() => /Frame [1-9]/.test(document.querySelector('#progress')?.innerText)")
    second.animate()
    second.page.locator("#progress").filter(has_text="Place 1 in the line").wait_for()
    second.page.click("#cancel")
    second.wait_for_idle()
    assert "Cancelled" in second.progress()
    assert "Frame" in first.progress()
    first.page.click("#cancel")
    first.wait_for_idle()

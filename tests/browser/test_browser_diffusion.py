"""The choice of renderer in a real browser: absent without a trained model, and what it does with one."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTE = "#still-stage .stage-note"
UNFINISHED = "not finished yet"
KEEP_ALL = """() => {
  const note = document.querySelector('#still-stage .stage-note');
  const keep = () => window.seen.push(note.textContent);
  window.seen = [];
  new MutationObserver(keep).observe(note, {childList: true, characterData: true, subtree: true});
}"""
"""Remembers every note under the still: the estimates of a tiny model are gone before one could look."""


@pytest.fixture(scope="module")
def with_model(serve, tmp_path_factory: pytest.TempPathFactory):
    from diffusion_made import tiny_pipeline

    folder = tmp_path_factory.mktemp("weights")
    tiny_pipeline(trained_steps=1, steps=4).save_pretrained(folder / "tiny")
    with serve(weights=folder) as address:
        yield address


@pytest.fixture(scope="module")
def without_model(serve, tmp_path_factory: pytest.TempPathFactory):
    """Only a model that was never trained is there."""
    from diffusion_made import tiny_pipeline

    folder = tmp_path_factory.mktemp("weights")
    tiny_pipeline(trained_steps=0).save_pretrained(folder / "fresh")
    with serve(weights=folder) as address:
        yield address


def test_without_a_trained_model_a_line_says_why(open_page, without_model):
    visitor = open_page(address=without_model)
    assert visitor.page.locator("#renderer").count() == 0
    visitor.unfold("Settings")
    line = visitor.page.locator("#no-diffusion")
    line.wait_for()
    assert "fresh/ was never trained" in line.inner_text()
    assert visitor.page.locator("#control-steps").count() == 0
    visitor.frames(8)
    visitor.consent()
    visitor.animate()
    visitor.wait_for_video()
    assert not visitor.problems


def test_with_one_the_preview_sharpens_into_its_frames(open_page, with_model):
    visitor = open_page(address=with_model)
    page = visitor.page
    page.locator("#renderer").get_by_label("Diffusion (tiny)").check(force=True)
    visitor.unfold("Settings")
    page.locator("#control-steps").wait_for()
    visitor.slide("steps", 5)
    visitor.frames(8)
    visitor.consent()
    preview = visitor.still()
    page.evaluate(KEEP_ALL)
    visitor.animate()
    visitor.wait_for_video()
    assert "8 frames" in visitor.progress()
    notes = page.evaluate("window.seen")
    assert "as the preview has it" in notes[0]
    assert any(UNFINISHED in note for note in notes[1:-1])
    assert "finished animation" in notes[-1]
    assert visitor.still() != preview
    # A slider shows the preview again, at once.
    visitor.until_changed(visitor.still, lambda: visitor.slide("expansion", 0.5))
    assert page.locator(NOTE).text_content() == ""
    assert not visitor.problems


def test_the_model_that_ships_is_offered_at_once(open_page):
    visitor = open_page()
    choice = visitor.page.locator("#renderer")
    assert "small research model" in choice.inner_text()
    choice.get_by_label("Diffusion (durian-mini)").check(force=True)
    visitor.frames(8)
    visitor.consent()
    preview = visitor.still()
    visitor.animate()
    visitor.wait_for_video()
    assert "8 frames" in visitor.progress()
    assert visitor.still() != preview
    assert not visitor.problems


def test_cancelling_brings_the_preview_back(open_page, with_model):
    visitor = open_page(address=with_model)
    preview = visitor.still()
    visitor.page.locator("#renderer").get_by_label("Diffusion (tiny)").check(force=True)
    visitor.unfold("Settings")
    visitor.page.locator("#control-steps").wait_for()
    visitor.slide("steps", 50)
    visitor.frames(24)
    visitor.consent()
    visitor.animate()
    visitor.page.locator(NOTE).filter(has_text=UNFINISHED).wait_for()
    visitor.page.click("#cancel")
    visitor.wait_for_idle()
    assert "Cancelled" in visitor.progress()
    visitor.page.wait_for_function(
        "(src) => document.querySelector('#still-stage img').getAttribute('src') === src", arg=preview
    )


def test_the_api_takes_a_renderer(with_model, without_model, photos):
    from gradio_client import Client, handle_file
    from gradio_client.exceptions import AppError

    portrait = handle_file(photos["collins"])
    client = Client(with_model, verbose=False)
    chosen = {"renderer": "diffusion", "steps": 2, "guidance": 1, "sampler": "euler", "frames": 4, "size": 128}
    _, told = client.predict(portrait, None, "nod", **chosen, api_name="/animate")
    assert (told["renderer"], told["frames"], told["width"]) == ("diffusion", 4, 128)
    with pytest.raises(AppError, match="1 to 100"):
        client.predict(portrait, None, "nod", renderer="diffusion", steps=0, api_name="/animate")
    with pytest.raises(AppError, match="never trained"):
        Client(without_model, verbose=False).predict(portrait, None, "nod", renderer="diffusion", api_name="/animate")

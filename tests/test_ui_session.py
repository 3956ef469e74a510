"""Sessions: the requests made from them, and that nothing is shared between them."""

from __future__ import annotations

import copy

import gradio as gr
import numpy as np
import pytest
from faces_made import made_face, made_landmarks
from requests_made import attribute, portrait, request

from durian.errors import Cancelled, InvalidRequest, LimitExceeded, NoFaceFound
from durian.face import Face, check_crop, require_face
from durian.request import Placement, RenderOptions
from durian.settings import get_settings
from durian.ui import controls, reading, texts, views
from durian.ui.handlers import portrait as portrait_handlers
from durian.ui.handlers import wear
from durian.ui.handlers.common import guarded, sentence, when_open
from durian.ui.handlers.save import take
from durian.ui.handlers.still import _follow
from durian.ui.session import Item, PortraitChoice, Session


def table(*names: str) -> Session:
    """A session with a portrait and one ready item a name."""
    session, person = Session(owner="somebody"), portrait()
    session.portrait = PortraitChoice(person.image, [Face(person.landmarks)], worn={})
    for name in names:
        made = attribute(name=name)
        item = session.add_item()
        item.put(made.image, made.landmarks)
        item.history.start(name, made.mask)
    return session


def values_of(session: Session) -> dict:
    return views.control_values(session)


def test_the_request_is_what_is_on_the_table():
    session = table("hat", "glasses")
    session.options = RenderOptions(frames=12, expansion=0.3)
    session.items[1].strength = 0.4
    made = session.request()
    assert [a.name for a in made.attributes] == ["hat", "glasses"]
    assert made.attributes[1].strength == 0.4
    assert made.options.expansion == 0.3
    assert len(made.motion) == 12


def test_a_still_leaves_out_what_is_not_ready_and_an_animation_refuses_it():
    session = table("hat")
    session.add_item().put(np.zeros((40, 40, 3), np.uint8), None)
    assert len(session.request(only_ready=True).attributes) == 1
    with pytest.raises(InvalidRequest, match="empty"):
        session.request()
    assert "Item 2 has no mask" in views.still_note(session)


def test_without_a_portrait_one_sentence_says_so():
    with pytest.raises(InvalidRequest, match="no portrait yet"):
        Session().request()


def test_blending_needs_two_of_a_kind():
    session = table("hat", "glasses")
    session.mode = "blend"
    with pytest.raises(InvalidRequest, match="one kind"):
        session.request()
    session.remove_item(session.items[0].id)
    with pytest.raises(InvalidRequest, match="exactly two"):
        session.request()


def test_pictures_keep_their_identity_between_requests():
    session = table("hat")
    first, second = session.request(), session.request()
    assert first.portrait is second.portrait
    assert first.attributes[0].mask is second.attributes[0].mask


def test_a_copy_shares_nothing():
    session = table("hat")
    other = copy.deepcopy(session)
    other.item.history.clear()
    other.portrait.image[:] = 0
    other.options = RenderOptions(frames=9)
    other.remove_item(other.items[0].id)
    assert session.item.ready
    assert session.portrait.image.any()
    assert session.options.frames == 48
    assert other.lock is not session.lock


def test_items_are_added_removed_and_selected():
    session = table("hat", "glasses", "beard")
    assert session.item.name == "beard"
    session.select(session.items[0].id)
    session.remove_item(session.items[1].id)
    assert [item.name for item in session.items] == ["hat", "beard"]
    assert session.item.name == "hat"
    session.remove_item(session.item.id)
    assert session.item.name == "beard"
    session.remove_item(session.item.id)
    assert session.item is None
    assert views.items_view(session)["add"]


def test_there_is_room_for_so_many_items():
    session = Session()
    for _ in range(get_settings().max_attributes):
        session.add_item()
    with pytest.raises(LimitExceeded, match="remove one"):
        session.add_item()
    assert views.items_view(session)["add"] is None


def test_controls_reach_the_session_and_come_back():
    session = table("hat")
    values = values_of(session) | {
        "expansion": 0.25,
        "strength": 0.5,
        "dx": 0.3,
        "angle": -20,
        "room": 1.4,
        "frames": 20,
    }
    controls.apply(session, session.item.id, values)
    again = values_of(session)
    assert {key: again[key] for key in ("expansion", "strength", "dx", "angle", "room", "frames")} == {
        "expansion": 0.25,
        "strength": 0.5,
        "dx": 0.3,
        "angle": -20,
        "room": 1.4,
        "frames": 20,
    }
    assert session.item.placement == Placement(0.3, 0.0, 1.0, -20.0)


def test_a_value_out_of_range_leaves_the_session_as_it_was():
    session = table("hat")
    before = values_of(session)
    with pytest.raises(InvalidRequest, match="cannot be the size"):
        controls.apply(session, session.item.id, before | {"size": 3})
    assert values_of(session) == before


def test_the_layer_follows_the_kind_until_it_is_chosen():
    session = table("hat")
    controls.apply(session, session.item.id, values_of(session))
    assert session.item.layer is None
    controls.apply(session, session.item.id, values_of(session) | {"layer": 1})
    assert session.item.layer == 1


def test_every_control_has_its_own_line():
    without = [key for key, control in controls.CONTROLS.items() if not control.info and key != "mode"]
    assert not without
    assert set(controls.TUNED) <= set(controls.CONTROLS)


def test_the_crop_drawn_by_hand_is_the_crop():
    choice = table().portrait
    crop = choice.crop
    choice.frame(crop.x + 6, crop.y - 4, crop.side * 0.9)
    np.testing.assert_allclose([choice.crop.x, choice.crop.y], [crop.x + 6, crop.y - 4], atol=0.5)
    assert choice.crop.side == pytest.approx(crop.side * 0.9, rel=0.01)


@pytest.mark.parametrize(("x", "y", "side"), [(-300, -300, 1), (5000, 47, 4000), (0, 0, 95)])
def test_no_crop_on_the_page_loses_the_face(x, y, side):
    choice = table().portrait
    choice.frame(x, y, side)
    check_crop(choice.crop, choice.face.landmarks, choice.image.shape)
    choice.room, choice.shift_x, choice.shift_y = 0.5, 0.5, -0.5
    check_crop(choice.crop, choice.face.landmarks, choice.image.shape)


def test_another_face_starts_afresh():
    person = portrait()
    choice = PortraitChoice(person.image, [Face(person.landmarks), Face(person.landmarks + 3)], room=1.5, worn={})
    choice.choose(1)
    assert (choice.chosen, choice.room, choice.worn) == (1, 1.0, None)
    with pytest.raises(InvalidRequest, match="Face 3"):
        choice.choose(2)


def test_a_bundle_lays_the_same_table():
    session, original = Session(), request()
    take(session, original, {"clicks": [[[4.0, 5.0, True]], "odd", [[1, 2]]], "motion": "nod"})
    again = session.request()
    assert again.options == original.options
    assert again.mode == original.mode
    assert [a.name for a in again.attributes] == [a.name for a in original.attributes]
    for first, second in zip(again.attributes, original.attributes, strict=True):
        np.testing.assert_array_equal(first.mask, second.mask)
        assert first.placement == second.placement
    assert session.items[0].history.step.clicks == ((4.0, 5.0, True),)
    np.testing.assert_allclose(again.motion.rotations, original.motion.rotations, atol=1e-5)


def test_the_still_shows_the_end_of_the_blend_that_is_set():
    session = Session(blend_start=0.2, blend_end=0.9)
    _follow(session, {"blend_end"})
    assert session.alpha_shown == 0.9
    _follow(session, {"blend_start"})
    assert session.alpha_shown == 0.2
    _follow(session, {"frame"})
    assert session.alpha_shown is None


def fitted_table() -> Session:
    """A made face, on it a hat that is whole and glasses that their picture cuts at the left."""
    landmarks = made_landmarks()
    image = made_face(landmarks)
    session = Session(owner="somebody")
    session.portrait = PortraitChoice(image, [Face(landmarks)], worn={})
    for name, left in (("hat", 80), ("glasses", 0)):
        mask = np.zeros(image.shape[:2], np.uint8)
        mask[20:90, left : left + 90] = 255
        item = session.add_item()
        item.put(image, landmarks)
        item.history.start(name, mask)
    return session


def test_a_sign_is_on_items_that_may_not_go_well_and_the_chosen_one_says_why():
    session = fitted_table()
    cut = "The glasses are cut at the left of this picture: pick one with room beside the head."
    view = views.items_view(session)
    assert [card["warning"] for card in view["cards"]] == [None, {"level": "fair", "text": cut}]
    assert view["note"] == cut
    session.select(session.items[0].id)
    assert views.items_view(session)["note"] == ""
    # Judged anew when the mask or the portrait changes, and only then.
    kept = session.items[1].fit_cache
    views.items_view(session)
    assert session.items[1].fit_cache is kept
    session.items[1].history.start("glasses", np.roll(session.items[1].history.mask, 80, axis=1))
    assert views.items_view(session)["cards"][1]["warning"] is None
    large = np.repeat(np.repeat(session.portrait.image, 6, 0), 6, 1)
    session.portrait = PortraitChoice(large, [Face(session.portrait.face.landmarks * np.float32(6))], worn={})
    session.options = RenderOptions(size=1024)
    warning = portrait_handlers.judge(session)["cards"][1]["warning"]
    assert warning["text"].startswith("The face in this picture is small, 90 pixels between the eyes")
    session.portrait = None
    assert views.items_view(session)["cards"][1]["warning"] is None


def test_a_name_of_nothing_that_is_worn_leaves_the_mask_as_it_was(collins):
    item = Item(1)
    item.put(collins.copy(), require_face(collins).landmarks)
    hair = np.zeros(collins.shape[:2], np.uint8)
    hair[20:60, 200:260] = 255
    item.history.start("hair", hair)
    item.layer = 4
    assert not reading.start_named(item, "glasses")
    assert (item.name, item.layer) == ("hair", 4)
    assert np.array_equal(item.history.mask, hair)
    # What is still to be marked, or is of no kind, gets the name it is called.
    item.history.clear()
    assert not reading.start_named(item, "glasses")
    assert item.name == "glasses"
    assert not item.ready
    item.history.start("other", hair)
    assert not reading.start_named(item, "beard")
    assert item.name == "beard"
    assert np.array_equal(item.history.mask, hair)


def test_the_page_says_that_nothing_of_that_name_is_worn(collins):
    session = Session(owner="somebody")
    item = session.add_item()
    item.put(collins.copy(), require_face(collins).landmarks)
    hair = np.zeros(collins.shape[:2], np.uint8)
    hair[20:60, 200:260] = 255
    item.history.start("hair", hair)
    event = gr.EventData(None, {"kind": "start", "name": "glasses"})
    said = wear.edit(session, event)[0]
    assert said["note"] == texts.OTHER_KEPT.format(name="glasses")
    assert said["name"] == "hair"
    item.history.clear()
    assert wear.edit(session, event)[0]["note"] == texts.NOTHING_NAMED.format(name="glasses")


def test_items_without_pictures_are_named_new():
    session = table("hat")
    session.add_item()
    assert [card["title"] for card in views.items_view(session)["cards"]] == ["1 hat", "2 new"]
    assert views.mask_view(session) == {}
    with pytest.raises(InvalidRequest, match="no picture yet"):
        Item(9).attribute()


@pytest.mark.parametrize("error", [NoFaceFound("No face here."), InvalidRequest("Not so.")])
def test_errors_become_one_sentence(error):
    def fails(session):
        raise error

    with pytest.raises(gr.Error, match=str(error)) as caught:
        guarded(fails)(Session())
    assert caught.value.print_exception is False


def test_a_bug_of_ours_says_that_nothing_is_lost(caplog):
    def fails(session):
        yield 1
        raise ZeroDivisionError("secret path")

    steps = guarded(fails)(Session())
    assert next(steps) == 1
    with pytest.raises(gr.Error) as caught:
        next(steps)
    assert caught.value.message == texts.SOMETHING_BROKE
    assert "ZeroDivisionError" in caplog.text


def test_a_superseded_still_changes_nothing_and_a_rested_page_is_told():
    def superseded(session):
        raise Cancelled("newer")

    assert guarded(superseded)(Session()) == gr.skip()
    with pytest.raises(gr.Error, match="reload"):
        guarded(superseded)(None)
    assert when_open(superseded)(None) == gr.skip()


def test_a_strangers_words_are_no_html_on_the_page():
    error = InvalidRequest("Mode '<img src=//evil>' is not known: use wear & blend.")
    assert str(sentence(error).message) == "Mode '&lt;img src=//evil&gt;' is not known: use wear &amp; blend."
    assert sentence(error, is_html=False).message == str(error)

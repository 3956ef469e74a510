"""Shipped pictures: complete, licensed, small, and usable as they are."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from durian import assets
from durian.errors import InvalidRequest, UnreadableMedia
from durian.request import ATTRIBUTE_NAMES
from durian.settings import get_settings

MAX_BYTES = 300_000


def test_what_there_is():
    assert 3 <= len(assets.example_portraits()) <= 6
    kinds = [picture.name for picture in assets.example_attributes()]
    assert kinds.count("hat") >= 2
    assert kinds.count("glasses") >= 3
    assert kinds.count("hair") >= 3
    assert kinds.count("beard") >= 1
    assert {p.name for p in assets.example_attributes("hat")} == {"hat"}


def test_every_picture_reads_and_says_where_it_comes_from():
    for picture in (*assets.example_portraits(), *assets.example_attributes()):
        image, mask = assets.load_example(picture.key)
        assert image.shape == (768, 768, 3)
        assert picture.path.stat().st_size < MAX_BYTES
        assert picture.synthetic
        assert "ICT-FaceKit" in picture.origin
        assert picture.title
        if picture.kind == "attribute":
            assert picture.name in ATTRIBUTE_NAMES
            assert mask.shape == (768, 768)
            # The item's own share of the picture: thin frames to long hair.
            assert 0.005 < (mask > 127).mean() < 0.4
        else:
            assert mask is None


def test_masks_are_on_their_items():
    # The straw hat is yellow, the cap teal: colours that the rest of these pictures does not have much of.
    image, mask = assets.load_example("hat-cap")
    inside = image[mask > 200].astype(float).mean(axis=0)
    assert inside[2] > inside[0] + 20
    image, mask = assets.load_example("beard-full")
    assert image[mask > 200].mean() < 60
    rows = np.flatnonzero((mask > 127).any(axis=1))
    assert rows.min() > 768 * 0.4


def test_no_file_without_an_entry_and_the_notice_is_there(project_root):
    folder = get_settings().assets
    listed = {p.path.name for p in (*assets.example_portraits(), *assets.example_attributes())}
    listed |= {p.mask.name for p in assets.example_attributes()}
    listed |= {"hopper-hat-mask.png", "hopper-glasses-mask.png"}
    assert {path.name for path in folder.glob("*.webp")} | {path.name for path in folder.glob("*.png")} == listed
    assert "MIT License" in (folder / "LICENSE-ICT-FaceKit").read_text()


def test_nothing_of_the_evaluation_data_is_in_the_assets(shared_data):
    theirs = {
        hashlib.sha1(p.read_bytes()).hexdigest()
        for p in shared_data.rglob("*")
        if p.suffix in (".webp", ".png", ".jpg")
    }
    ours = {hashlib.sha1(p.read_bytes()).hexdigest() for p in get_settings().assets.rglob("*") if p.is_file()}
    assert not theirs & ours


def test_unknown_example():
    with pytest.raises(InvalidRequest, match="There is no example picture 'hat-crown': use one of portrait-ines"):
        assets.load_example("hat-crown")


def test_hopper_masks_fit_the_photograph(hopper):
    case = assets.hopper_cap()
    assert [item.name for item in case.attributes] == ["hat", "glasses"]
    for item in case.attributes:
        mask = np.array(Image.open(item.mask))
        assert mask.shape == hopper.shape[:2]
        assert 0.01 < (mask > 127).mean() < 0.2
    hat = np.array(Image.open(case.attributes[0].mask)) > 200
    # A black band and a white crown, and nothing of the skin below: few pixels are reddish.
    reds = (hopper[..., 0].astype(int) - hopper[..., 2])[hat]
    assert (reds > 60).mean() < 0.12


def test_missing_photographs_are_named_and_left_out(monkeypatch):
    monkeypatch.setattr(assets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnreadableMedia, match=r"Grace Hopper .* is missing: install requirements\.txt"):
        assets.hopper_cap()
    names = [example.name for example in assets.examples()]
    assert "hopper-cap" not in names
    assert len(names) >= 3


def test_examples_become_requests():
    found = assets.examples()
    assert found[0].name == "hopper-cap"
    assert len({example.name for example in found}) == len(found)
    blends = 0
    for example in found:
        request = example.request()
        assert request.motion is not None
        assert request.motion.name == example.motion
        assert all(attribute.landmarks is not None for attribute in request.attributes)
        assert example.picture().shape == request.portrait.image.shape
        blends += request.mode == "blend"
    assert blends == 1


def test_a_damaged_list_is_one_sentence(tmp_path, settings_environment):
    settings_environment(assets=tmp_path)
    assets._pictures.cache_clear()
    try:
        with pytest.raises(UnreadableMedia, match="restore the folder"):
            assets.example_portraits()
    finally:
        assets._pictures.cache_clear()


def test_motion_thumbnails_are_small_and_of_known_motions():
    from durian.motion import PRESETS

    for path in (get_settings().assets / "motions").glob("*"):
        assert path.stem in PRESETS
        assert path.stat().st_size < 60_000
        assert assets.motion_thumbnail(path.stem) == path
    assert assets.motion_thumbnail("no-such-motion") is None

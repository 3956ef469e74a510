"""Bundles: exact round trips, and refusal of malformed ones in one sentence."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from requests_made import attribute, disc, landmarks, picture, portrait, request

from durian.bundle import load_bundle, save_bundle, settings_of
from durian.errors import DurianError, LimitExceeded, OutputFailed, UnreadableMedia
from durian.media import read_image
from durian.request import DiffusionOptions, Placement


def full_request():
    soft = np.clip(disc().astype(int) - picture(9)[..., 0] // 2, 0, 255).astype(np.uint8)
    return request(
        portrait=portrait(worn={"hair": disc(radius=30), "glasses": np.zeros((96, 96), np.uint8)}),
        attributes=(
            attribute(1, mask=soft, strength=0.3, trim=-0.05, layer=7, placement=Placement(0.1, -0.2, 1.25, 10.0)),
            attribute(2, landmarks=None),
        ),
        mode="blend",
        blend_start=0.1,
        blend_end=0.9,
        erase=("beard",),
        renderer="diffusion",
        diffusion=DiffusionOptions(steps=8, guidance_scale=2.5, sampler="euler"),
        options={
            "seed": 2**40,
            "fps": 29.97,
            "smoothing": 0.05,
            "uncrop": True,
            "label": False,
            "expansion": -0.2,
            "normalise_lips": False,
        },
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    result = tmp_path / "result.mp4"
    result.write_bytes(b"the film")
    return save_bundle(tmp_path / "bundle.zip", full_request(), result, {"clicks": [[1, 2, True]], "page": "two"})


@pytest.mark.parametrize("make", [full_request, request, lambda: request(motion=None, attributes=())])
def test_a_bundle_restores_the_request_exactly(tmp_path: Path, make):
    path = save_bundle(tmp_path / "bundle.zip", make())
    restored, extra = load_bundle(path)
    assert restored == make()
    assert extra == {}


def test_a_bundle_from_before_there_was_diffusion(saved: Path):
    def drop(members: dict[str, bytes]) -> None:
        settings = json.loads(members["settings.json"])
        del settings["diffusion"]
        members["settings.json"] = json.dumps(settings).encode()

    restored, _ = load_bundle(rewritten(saved, drop))
    assert restored == replace(full_request(), diffusion=DiffusionOptions())


def test_a_bundle_from_before_lips_were_normalised(saved: Path):
    def drop(members: dict[str, bytes]) -> None:
        settings = json.loads(members["settings.json"])
        del settings["options"]["normalise_lips"]
        del settings["motion"]["neutral_opening"]
        members["settings.json"] = json.dumps(settings).encode()

    request, _ = load_bundle(rewritten(saved, drop))
    assert request.options.normalise_lips
    assert request.motion.neutral_opening == 0


def test_the_same_request_makes_the_same_file(saved: Path, tmp_path: Path):
    """At any time: Gradio keeps a copy of each file that is another."""
    again, extra = load_bundle(saved)
    made = save_bundle(tmp_path / "again.zip", again, None, extra)
    assert made.read_bytes() == save_bundle(tmp_path / "once more.zip", again, None, extra).read_bytes()
    with zipfile.ZipFile(made) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_everything_is_in_it(saved: Path, tmp_path: Path):
    with zipfile.ZipFile(saved) as archive:
        names = set(archive.namelist())
        settings = json.loads(archive.read("settings.json"))
        assert archive.read("result.mp4") == b"the film"
    assert names >= {"result.mp4", "portrait/image.png", "portrait/crop.png", "portrait/worn_hair.png", "motion.npz"}
    assert {f"attributes/{i}/{part}.png" for i in range(2) for part in ("image", "mask")} <= names
    assert settings["version"] == 1
    assert settings["options"]["seed"] == 2**40
    assert load_bundle(saved)[1] == {"clicks": [[1, 2, True]], "page": "two"}


def test_a_result_that_is_gone(tmp_path: Path):
    with pytest.raises(OutputFailed, match=r"gone\.mp4"):
        save_bundle(tmp_path / "bundle.zip", request(), tmp_path / "gone.mp4")
    assert list(tmp_path.iterdir()) == []


def test_settings_are_plain_json():
    assert json.loads(json.dumps(settings_of(full_request()))) == settings_of(full_request())


# Strangers' bundles


def rewritten(saved: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    path = saved.with_name("hostile.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def with_settings(**changes: object) -> Callable[[dict[str, bytes]], None]:
    """Changes settings; ``options__fps=3`` reaches into a part, ``attributes__0__name`` into a list."""

    def change(members: dict[str, bytes]) -> None:
        settings = json.loads(members["settings.json"])
        for path, value in changes.items():
            *parents, last = [int(key) if key.isdecimal() else key for key in path.split("__")]
            part = settings
            for key in parents:
                part = part[key]
            part[last] = value
        members["settings.json"] = json.dumps(settings).encode()

    return change


def without(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.pop(name) and None


def holding(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update({name: data})


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def motion(**changes: np.ndarray) -> bytes:
    """The motion of the saved request, with other arrays."""
    nod = request().motion
    parts = {part: getattr(nod, part) for part in ("rotations", "translations", "scales", "expressions")}
    return npz(**{name: np.asarray(array, np.float32) for name, array in (parts | changes).items()})


def pickled() -> bytes:
    return npz(portrait=np.array([print], dtype=object))


def lying_header() -> bytes:
    """An array that claims a petabyte."""
    buffer = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (2**48,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("portrait.npy", buffer.getvalue() + b"\0" * 64)
    return outer.getvalue()


def flat() -> np.ndarray:
    """Landmarks of nobody: two eyes, and all else in one place."""
    points = np.broadcast_to(landmarks().mean(0), (478, 3)).copy()
    points[[33, 263]] = landmarks()[[33, 263]]
    return points


def large() -> np.ndarray:
    """Landmarks of a face of several times its picture's size: each of its distances would be larger than that."""
    points = landmarks()
    return points.mean(0) + 4 * (points - points.mean(0))


@pytest.mark.parametrize(
    "change",
    [
        without("settings.json"),
        without("portrait/image.png"),
        without("attributes/1/mask.png"),
        without("landmarks.npz"),
        without("motion.npz"),
        holding("settings.json", b"{not json"),
        holding("settings.json", b"[]"),
        holding("settings.json", b"[" * 200_000),
        holding("settings.json", b'{"version": 1}'),
        holding("portrait/image.png", b"GIF89a not really"),
        holding("attributes/0/mask.png", b""),
        holding("landmarks.npz", b"PK nothing"),
        holding("landmarks.npz", pickled()),
        holding("landmarks.npz", lying_header()),
        holding("landmarks.npz", npz(portrait=landmarks()[:5])),
        holding("landmarks.npz", npz(portrait=landmarks().astype(np.float64))),
        holding("landmarks.npz", npz(portrait=np.full((478, 3), np.nan, np.float32))),
        holding("landmarks.npz", npz(portrait=flat())),
        holding("landmarks.npz", npz(portrait=large())),
        holding("motion.npz", npz(rotations=np.zeros((2, 3, 3), np.float32))),
        with_settings(version="one"),
        with_settings(version=99),
        with_settings(mode="swap"),
        with_settings(mode=3),
        with_settings(renderer=None),
        with_settings(diffusion=[]),
        with_settings(diffusion__steps="8"),
        with_settings(diffusion__steps=True),
        with_settings(diffusion__steps=10**9),
        with_settings(diffusion__sampler=["ddim"]),
        with_settings(diffusion__sampler="eval"),
        with_settings(diffusion__command="x"),
        with_settings(blend_start="half"),
        with_settings(blend_end=float("nan")),
        with_settings(erase="hair"),
        with_settings(erase=["../etc"]),
        with_settings(portrait__worn=["../../secret"]),
        with_settings(portrait__worn=[["hair"]]),
        with_settings(portrait__crop={"x": 1, "y": 2}),
        with_settings(portrait__crop__side=-5),
        with_settings(options__size=1e9),
        with_settings(options__frames=2.5),
        with_settings(options__label="yes"),
        with_settings(options__fps=True),
        with_settings(options__colour=1),
        with_settings(attributes={}),
        with_settings(attributes=[1, 2]),
        with_settings(attributes__0__name="scarf"),
        with_settings(attributes__0__layer=1.5),
        with_settings(attributes__0__placement={"dx": "far"}),
        with_settings(attributes__0__placement__scale=float("inf")),
        with_settings(motion=[]),
        with_settings(motion__fps=0),
        with_settings(motion__neutral=999),
        with_settings(motion__neutral=1.5),
        with_settings(motion__frames=7),
        with_settings(motion__fps=1e300),
        with_settings(blend_start=10**400),
        with_settings(options__seed=10**400),
        with_settings(options__frames=True),
        with_settings(attributes__0__layer=10**6),
        with_settings(attributes__0__strength=True),
        with_settings(portrait__crop__side=1e9),
        with_settings(portrait__crop__x=-5000),
        with_settings(portrait__crop={"x": 0, "y": 0, "side": 1}),
        with_settings(surprise=1),
        with_settings(extra=[]),
        lambda members: members.update({"settings.json": members["settings.json"].replace(b"{", b'{"version": 1,', 1)}),
        holding("landmarks.npz", npz(portrait=np.float32(1))),
        holding("landmarks.npz", npz(portrait=np.full((478, 3), 1e30, np.float32))),
        holding("landmarks.npz", npz(portrait=np.full((478, 3), 40, np.float32))),
        holding("landmarks.npz", npz(portrait=landmarks() + 400)),
        holding("motion.npz", motion(rotations=np.float32(1))),
        holding("motion.npz", motion(rotations=np.zeros((6, 3, 3)))),
        holding("motion.npz", motion(rotations=-np.eye(3)[None].repeat(6, 0))),
        holding("motion.npz", motion(rotations=np.eye(3)[None].repeat(5, 0))),
        holding("motion.npz", motion(rotations=np.full((6, 3, 3), np.nan))),
        holding("motion.npz", motion(translations=np.full((6, 3), 1e30))),
        holding("motion.npz", motion(translations=np.zeros((6, 2)))),
        holding("motion.npz", motion(scales=np.zeros(6))),
        holding("motion.npz", motion(scales=np.full(6, np.inf))),
        holding("motion.npz", motion(expressions=np.full((6, 478, 3), 1e3))),
        holding("motion.npz", motion(expressions=np.zeros((6, 468, 3)))),
    ],
)
def test_a_strangers_bundle_is_refused_in_one_sentence(saved: Path, change):
    path = rewritten(saved, change)
    with pytest.raises((UnreadableMedia, LimitExceeded)) as caught:
        load_bundle(path)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 300


def test_a_picture_that_tells_of_two_sizes_is_refused_before_it_is_decoded(saved: Path, monkeypatch):
    """What was weighed is the first; decoders take the last."""
    data = cv2.imencode(".png", np.zeros((3000, 3000, 3), np.uint8))[1].tobytes()
    head = struct.pack(">II", 64, 64) + b"\x08\x02\0\0\0"
    first = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))

    def decoded(content: bytes) -> np.ndarray:
        assert first not in content
        return read_image(content)

    monkeypatch.setattr("durian.media.read_image", decoded)
    for name in ("portrait/image.png", "attributes/0/mask.png"):
        with pytest.raises((UnreadableMedia, LimitExceeded)):
            load_bundle(rewritten(saved, holding(name, data[:8] + first + data[8:])), of_working_size=True)


def test_a_refusal_says_what_is_wrong(saved: Path):
    path = rewritten(saved, with_settings(attributes__1__trim=5))
    with pytest.raises(
        UnreadableMedia, match="5 cannot be the trim of entry 2 of the attributes of its settings: give a number from"
    ):
        load_bundle(path)
    with pytest.raises(UnreadableMedia, match="the scales of its motion are beyond what a head does"):
        load_bundle(rewritten(saved, holding("motion.npz", motion(scales=np.full(6, 1e30)))))


@pytest.mark.parametrize("name", ["portrait/image.png", "attributes/0/mask.png", "motion.npz", "landmarks.npz"])
def test_what_a_bundle_lacks_is_not_called_damaged(saved: Path, name):
    with pytest.raises(UnreadableMedia, match=rf" lacks {name}: give a bundle that Durian saved\.$"):
        load_bundle(rewritten(saved, lambda members: members.pop(name)))


def test_the_motions_name_is_plain_and_short(saved: Path):
    path = rewritten(saved, with_settings(motion__name="a\n\u202e" + "b" * 500))
    assert load_bundle(path)[0].motion.name == "a??" + "b" * 97


def test_all_pictures_together_are_measured_before_one_is_decoded(saved: Path, settings_environment):
    """Each would pass alone: a picture of few bytes may unpack to many."""
    settings_environment(max_request_megapixels=8)

    def large(members: dict[str, bytes]) -> None:
        name = "attributes/0/image.png"
        # Only the header says so: were it decoded, it would be damaged.
        members[name] = members[name][:16] + (3000).to_bytes(4, "big") * 2 + members[name][24:]

    with pytest.raises(LimitExceeded, match="have 9 megapixels together: at most 8 are taken"):
        load_bundle(rewritten(saved, large))


@pytest.mark.parametrize("name", ["portrait/worn_hair.png", "portrait/worn_glasses.png", "attributes/1/mask.png"])
def test_a_mask_of_another_size_is_refused_before_a_picture_is_decoded(saved: Path, monkeypatch, name: str):
    """A mask of fifty megapixels is a few kilobytes."""
    monkeypatch.setattr("durian.media.read_image", lambda _: pytest.fail("decoded"))
    for width, height in ((7000, 7000), (96, 97), (48, 192)):
        mask = cv2.imencode(".png", np.zeros((height, width), np.uint8))[1].tobytes()
        sentence = f"its {name} has {width}×{height} pixels and the picture 96×96, so give one that Durian saved."
        with pytest.raises(UnreadableMedia, match=rf"^hostile\.zip cannot be restored: {re.escape(sentence)}$"):
            load_bundle(rewritten(saved, holding(name, mask)), of_working_size=True)


def test_a_bundle_written_by_hand_as_the_first_ones_were(tmp_path: Path):
    """The layout as it was when bundles began, byte for byte from its parts and not by today's writer."""
    made = request()
    person, item, nod = made.portrait, made.attributes[0], made.motion
    settings = {
        "version": 1,
        "renderer": "preview",
        "mode": "wear",
        "blend_start": 0.5,
        "blend_end": 0.5,
        "erase": [],
        "options": {"size": 64, "frames": 6, "fps": 24.0, "seed": 0, "label": False},
        "portrait": {"crop": {"x": 47.5, "y": 47.5, "side": 80.0}, "worn": []},
        "attributes": [
            {"name": "hat", "strength": 1.0, "trim": 0.0, "layer": None, "placement": {"dx": 0, "scale": 1}}
        ],
        "motion": {"name": "nod", "fps": 24.0, "neutral": int(nod.neutral), "frames": 6},
        "extra": {},
    }
    path = tmp_path / "old.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("settings.json", json.dumps(settings))
        for name, image in (("portrait/image", person.image), ("attributes/0/image", item.image)):
            archive.writestr(f"{name}.png", cv2.imencode(".png", image[..., ::-1])[1].tobytes())
        archive.writestr("attributes/0/mask.png", cv2.imencode(".png", item.mask)[1].tobytes())
        archive.writestr("landmarks.npz", npz(portrait=person.landmarks, attribute_0=item.landmarks))
        archive.writestr("motion.npz", motion())
    assert load_bundle(path) == (made, {})


def test_names_that_climb_out_are_never_written(saved: Path, tmp_path: Path):
    path = rewritten(saved, holding("../../outside.txt", b"boo"))
    before = sorted(tmp_path.rglob("*"))
    assert load_bundle(path)[0] == full_request()
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent.parent / "outside.txt").exists()


def test_too_much_is_refused_before_it_is_unpacked(saved: Path, settings_environment):
    settings_environment(max_file_mb=1)
    bomb = rewritten(saved, holding("result.mp4", b"\0" * 3_000_000))
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(LimitExceeded, match="unpacks to more than 1 MB"):
        load_bundle(bomb)
    many = rewritten(saved, lambda members: members.update({f"{i}.txt": b"" for i in range(100)}))
    with pytest.raises(UnreadableMedia):
        load_bundle(many)


def test_numbers_that_unpack_without_end_are_refused(saved: Path):
    endless = npz(portrait=np.zeros(20_000_000, np.float32))
    assert len(endless) < 200_000
    with pytest.raises(LimitExceeded, match=r"landmarks\.npz"):
        load_bundle(rewritten(saved, holding("landmarks.npz", endless)))


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04 cut off", b"\x89PNG\r\n"])
def test_what_is_no_zip_at_all(tmp_path: Path, data: bytes):
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    with pytest.raises(UnreadableMedia, match=r"bundle\.zip"):
        load_bundle(path)


def test_a_bundle_cut_off_anywhere(saved: Path):
    data = saved.read_bytes()
    path = saved.with_name("cut.zip")
    for part in (0.3, 0.9, 0.999):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(DurianError):
            load_bundle(path)
    broken = bytearray(data)
    broken[data.index(b"portrait/image.png") + 300] ^= 0xFF
    path.write_bytes(broken)
    with pytest.raises(UnreadableMedia, match=r"damaged at portrait/image\.png"):
        load_bundle(path)


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(UnreadableMedia, match=r"none\.zip does not exist: choose a bundle"):
        load_bundle(tmp_path / "none.zip")

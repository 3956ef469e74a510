"""Reading a bundle that anybody may have made: every size, name and type is checked before it is used."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from durian.errors import DurianError, InvalidRequest, LimitExceeded, UnreadableMedia
from durian.face import LANDMARKS, Crop
from durian.media.files import open_regular
from durian.motion import Motion
from durian.request import (
    ATTRIBUTE_NAMES,
    AnimationRequest,
    Attribute,
    DiffusionOptions,
    Placement,
    Portrait,
    RenderOptions,
)
from durian.settings import get_settings

MAX_MEMBERS = 64
"""Eight attributes with picture and mask, six worn masks and the rest make 30."""
MAX_SETTINGS_BYTES = 1_000_000
MAX_ARRAY_BYTES = 64_000_000
"""Unpacked bytes of one ``.npz``; the longest motion has 3.5 MB."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What :mod:`zipfile` raises on damaged, encrypted or oddly compressed members."""


class BundleReader:
    """An open bundle; a context manager.

    Raises:
        UnreadableMedia: from every method, when the bundle is not sound.
        LimitExceeded: from every method, when something is too large.
    """

    def __init__(self, path: str | os.PathLike[str], version: int) -> None:
        self._name = Path(path).name
        self._limit = get_settings().max_file_mb * 1_000_000
        self._pixels = 0
        self._file = open_regular(path, "bundle that Durian saved")
        try:
            self._archive = zipfile.ZipFile(self._file)
            self._check_members()
            self._settings = self._read_settings(version)
        except BaseException as error:
            self._file.close()
            if isinstance(error, (*_BROKEN, ValueError)) and not isinstance(error, DurianError):
                raise self._unreadable("is not a ZIP or is damaged") from error
            raise

    def _check_members(self) -> None:
        members = self._archive.infolist()
        self._members = {member.filename: member for member in members}
        if len(members) > MAX_MEMBERS or len(self._members) != len(members):
            raise self._unreadable("does not have a bundle's files")
        if sum(member.file_size for member in members) > self._limit:
            raise LimitExceeded(
                f"{self._name} unpacks to more than {get_settings().max_file_mb} MB: give a smaller one."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()
        self._file.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def bytes(self, name: str) -> bytes:
        """A member's content. Its declared size was checked, and no more than that is ever unpacked."""
        if name not in self._members:
            raise self._unreadable(f"lacks {name}")
        try:
            return self._archive.read(self._members[name])
        except _BROKEN as error:
            raise self._unreadable(f"is damaged at {name}") from error

    def extra(self) -> dict[str, Any]:
        extra = self._settings.get("extra", {})
        return extra if isinstance(extra, dict) else {}

    def request(self) -> AnimationRequest:
        """The request that was saved."""
        settings = self._settings
        try:
            landmarks = self._arrays("landmarks.npz")
            attributes = self._typed(settings, "attributes", list)
            limit = get_settings().max_attributes
            if len(attributes) > limit:
                raise LimitExceeded(f"{len(attributes)} attributes are too many: use at most {limit}.")
            return AnimationRequest(
                portrait=self._portrait(self._typed(settings, "portrait", dict), landmarks),
                attributes=tuple(self._attribute(i, a, landmarks) for i, a in enumerate(attributes)),
                motion=self._motion(settings.get("motion")),
                options=RenderOptions(**self._plain_fields(RenderOptions, self._typed(settings, "options", dict))),
                mode=self._typed(settings, "mode", str),
                blend_start=self._number(settings, "blend_start"),
                blend_end=self._number(settings, "blend_end"),
                erase=tuple(str(name) for name in self._typed(settings, "erase", list)),
                renderer=self._typed(settings, "renderer", str),
                diffusion=self._diffusion(settings.get("diffusion", {})),
            )
        except (LimitExceeded, UnreadableMedia):
            raise
        except InvalidRequest as error:
            raise UnreadableMedia(f"{self._name} cannot be restored: {error}") from error
        except ValueError as error:
            raise self._unreadable("holds values that make no sense") from error

    # Parts

    def _portrait(self, settings: dict[str, Any], landmarks: dict[str, np.ndarray]) -> Portrait:
        crop = self._typed(settings, "crop", dict)
        worn = {}
        for name in self._typed(settings, "worn", list):
            if name not in ATTRIBUTE_NAMES:
                raise self._unreadable(f"names an unknown item {str(name)[:40]!r}")
            worn[name] = self._picture(f"portrait/worn_{name}.png")[..., 0].copy()
        return Portrait(
            image=self._picture("portrait/image.png"),
            landmarks=self._points(landmarks, "portrait"),
            crop=Crop(*(self._number(crop, key) for key in ("x", "y", "side"))),
            worn=worn,
        )

    def _attribute(self, index: int, settings: object, landmarks: dict[str, np.ndarray]) -> Attribute:
        if not isinstance(settings, dict):
            raise self._unreadable("has settings of the wrong kind")
        layer = settings.get("layer")
        if layer is not None and (isinstance(layer, bool) or not isinstance(layer, int)):
            raise self._unreadable("has a layer that is not a whole number")
        key = f"attribute_{index}"
        return Attribute(
            image=self._picture(f"attributes/{index}/image.png"),
            mask=self._picture(f"attributes/{index}/mask.png")[..., 0].copy(),
            landmarks=self._points(landmarks, key) if key in landmarks else None,
            name=self._typed(settings, "name", str),
            strength=self._number(settings, "strength"),
            trim=self._number(settings, "trim"),
            layer=layer,
            placement=Placement(**self._plain_fields(Placement, self._typed(settings, "placement", dict))),
        )

    def _diffusion(self, settings: object) -> DiffusionOptions:
        """Choices of how to sample; bundles from before there were any have none."""
        kinds = {"steps": int, "guidance_scale": (int, float), "sampler": str}
        if not isinstance(settings, dict) or set(settings) - set(kinds):
            raise self._unreadable("has settings of the wrong kind")
        for name, value in settings.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, kinds[name])):
                raise self._unreadable(f"has a {name} of the wrong kind")
        return DiffusionOptions(**settings)

    def _motion(self, settings: object) -> Motion | None:
        if settings is None:
            return None
        if not isinstance(settings, dict):
            raise self._unreadable("has settings of the wrong kind")
        arrays = self._arrays("motion.npz")
        parts = ("rotations", "translations", "scales", "expressions")
        if set(parts) - set(arrays):
            raise self._unreadable("lacks a part of its motion")
        frames = len(arrays["rotations"])
        longest = math.ceil(get_settings().max_video_seconds * 120)
        if frames > longest:
            raise LimitExceeded(f"{self._name} holds a motion of {frames} frames: at most {longest} are read.")
        return Motion(
            name=self._typed(settings, "name", str)[:200],
            fps=self._number(settings, "fps"),
            neutral=int(self._number(settings, "neutral")),
            # Bundles from before lips were normalised have none.
            neutral_opening=self._number({"neutral_opening": 0.0} | settings, "neutral_opening"),
            **{part: arrays[part] for part in parts},
        )

    # Values

    def _read_settings(self, version: int) -> dict[str, Any]:
        if "settings.json" in self and self._members["settings.json"].file_size > MAX_SETTINGS_BYTES:
            raise LimitExceeded(
                f"The settings in {self._name} are larger than a megabyte: give a bundle of Durian's own."
            )
        try:
            settings = json.loads(self.bytes("settings.json"))
        except (ValueError, RecursionError) as error:
            raise self._unreadable("has damaged settings") from error
        if not isinstance(settings, dict) or not isinstance(settings.get("version"), int):
            raise self._unreadable("has settings of the wrong kind")
        if settings["version"] > version:
            raise UnreadableMedia(f"{self._name} was made by a newer Durian: update this one to read it.")
        return settings

    def _picture(self, name: str) -> np.ndarray:
        from durian.media import check_together, pixel_count, read_image

        try:
            data = self.bytes(name)
            # A mask takes a third of the memory that its picture takes.
            self._pixels += pixel_count(data) // (1 if name.endswith("image.png") else 3)
            check_together(self._pixels, f"The pictures in {self._name}", "give a bundle of fewer or smaller ones")
            return read_image(data)
        except UnreadableMedia as error:
            raise self._unreadable(f"is damaged at {name}") from error

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of an ``.npz`` member. Sizes are compared with the headers before memory is taken."""
        try:
            with zipfile.ZipFile(io.BytesIO(self.bytes(name))) as archive:
                members = archive.infolist()
                if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_ARRAY_BYTES:
                    raise LimitExceeded(f"{name} in {self._name} is too large: give a bundle of Durian's own.")
                return {m.filename.removesuffix(".npy"): self._array(archive.read(m), name) for m in members}
        except _BROKEN as error:
            raise self._unreadable(f"is damaged at {name}") from error

    def _array(self, data: bytes, name: str) -> np.ndarray:
        stream = io.BytesIO(data)
        try:
            if np.lib.format.read_magic(stream) != (1, 0):
                raise ValueError("another version than Durian writes")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        except ValueError as error:
            raise self._unreadable(f"is damaged at {name}") from error
        content = data[stream.tell() :]
        if dtype != np.float32 or fortran or math.prod(shape) * 4 != len(content):
            raise self._unreadable(f"has numbers of the wrong kind in {name}")
        return np.frombuffer(content, np.float32).reshape(shape).copy()

    def _points(self, landmarks: dict[str, np.ndarray], key: str) -> np.ndarray:
        points = landmarks.get(key)
        if points is None or points.shape != (LANDMARKS, 3):
            raise self._unreadable("lacks landmarks")
        return points

    def _plain_fields(self, kind: type, settings: dict[str, Any]) -> dict[str, Any]:
        """The numbers and switches of a dataclass, each of its default's type; unknown ones are refused."""
        defaults = {f.name: f.default for f in fields(kind)}
        unknown = set(settings) - set(defaults)
        if unknown:
            raise self._unreadable(f"has an unknown setting {min(unknown)[:40]!r}")
        values = {}
        for name, value in settings.items():
            default = defaults[name]
            if isinstance(default, bool) != isinstance(value, bool) or not isinstance(value, (int, float)):
                raise self._unreadable(f"has a {name} of the wrong kind")
            if isinstance(default, int) and not isinstance(value, int):
                raise self._unreadable(f"has a {name} that is not a whole number")
            values[name] = value if isinstance(value, (bool, int)) and isinstance(default, int) else float(value)
        return values

    def _number(self, settings: dict[str, Any], key: str) -> float:
        value = settings.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self._unreadable(f"lacks a number for {key}")
        return float(value)

    def _typed(self, settings: dict[str, Any], key: str, kind: type) -> Any:
        if not isinstance(settings.get(key), kind):
            raise self._unreadable(f"has no {key}, or one of the wrong kind")
        return settings[key]

    def _unreadable(self, what: str) -> UnreadableMedia:
        return UnreadableMedia(f"{self._name} {what}: give a bundle that Durian saved.")

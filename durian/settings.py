"""Limits, paths, device and renderer: one frozen dataclass, read from the environment once."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SHIPPED = PROJECT_ROOT if (PROJECT_ROOT / "assets" / "examples.json").is_file() else PROJECT_ROOT / "durian" / "shipped"
"""Where ``assets`` and ``weights`` lie: beside the package in a checkout, in it where it was installed from a wheel."""

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""``owner/name`` on the Hugging Face hub."""

REVISION = re.compile(r"[A-Za-z0-9][\w.-]{0,99}(/[A-Za-z0-9][\w.-]{0,99}){0,4}", re.ASCII)
"""A commit, tag or branch there."""

OWN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
FRAMING_SITE = re.compile(r"https?://[A-Za-z0-9.*-]+(:[0-9]+)?", re.ASCII)


def default_work() -> Path:
    """The working folder where none is chosen: this user's own in the system's temporary folder."""
    user = f"-{os.geteuid()}" if hasattr(os, "geteuid") else ""
    return Path(tempfile.gettempdir()) / f"durian{user}"


@dataclass(frozen=True)
class Settings:
    """Every field can be set by an environment variable ``DURIAN_<FIELD>`` (upper case)."""

    assets: Path = SHIPPED / "assets"
    weights: Path = SHIPPED / "weights"
    """Folder of weights: files such as SAM's, and the diffusion model (or that model's own folder)."""
    model: str = ""
    """A diffusion model's hub id (``owner/name``) instead. ``DURIAN_WEIGHTS`` may give it too."""
    model_revision: str = ""
    """Of that hub id: a commit, tag or branch instead of the newest. Pin a commit: nobody can change what it holds."""
    work: Path = field(default_factory=default_work)
    """In its folder ``visitors`` lie uploads and results, which go after ``keep_seconds`` (:mod:`durian.folders`)."""
    head_model: Path = SHIPPED / "weights" / "head_model.npz"
    """The head of the synthetic people; ``python -m durian synth build-model`` makes the file."""

    host: str = "127.0.0.1"
    port: int = 7860
    names: str = ""
    """Names such as ``durian.example.org``, apart by blanks, that the server is reached by; others are refused. Without
    any, those of this machine where ``host`` is its own address, and whatever name leads to it elsewhere."""
    framed_by: str = ""
    """Sites such as ``https://example.org``, apart by blanks, whose pages may show this one in a frame."""
    device: str = "auto"
    """``auto`` (CUDA where there is one), ``cpu`` or ``cuda``."""
    renderer: str = "preview"
    read_apart: str = "yes"
    """Whether a server reads each file of its visitors in a process of its own, which may take only so much memory and
    time (:mod:`durian.media.apart`): ``yes`` or ``no``."""

    max_file_mb: int = 200
    max_megapixels: int = 50
    max_image_side: int = 16384
    min_image_side: int = 32
    max_request_megapixels: int = 240
    """Pixels of all pictures of one request, or of one visitor's table, as they were given: a portrait and eight
    references of 24 megapixels each are 216."""
    portrait_megapixels: float = 8.0
    """A larger portrait is worked on at this size: a face of a sixth of its height still fills the largest output."""
    reference_megapixels: float = 3.0
    """The same for references: a head with hair that fills half the height has the largest output's pixels."""
    working_side: int = 4096
    """Longest side in pixels of either."""
    max_video_seconds: float = 60.0
    """Longest driving video that is read; the page offers a trim."""
    max_frames: int = 600
    max_size: int = 1024
    """Largest side of the square output in pixels."""
    max_attributes: int = 8
    max_faces: int = 10
    max_diffusion_megapixels: int = 64
    """Pixels of all frames of a diffusion result together, 240 frames of 512; memory grows with them."""
    max_job_seconds: int = 900
    """Longest that a visitor's animation may run; the command line has no such limit."""
    max_queue: int = 8
    """Animations that may wait; one more is refused."""
    visitor_places: int = 4
    """Animations that one address may have running and waiting, so that nobody fills the line alone."""
    visitor_events: int = 32
    """Events of one address that may wait for their turn, or have it: clicks, uploads, calls."""
    visitor_pages: int = 40
    """Pages and API sessions that one address may have open; a school or an office shares an address."""
    visitor_calls: int = 120
    """API calls of one address in a minute."""
    visitor_requests: int = 2400
    """Requests of one address in a minute, those of the page included: a slider that is dragged sends ten a second."""
    visitor_upload_mb: int = 2000
    """Megabytes that one address may upload within ``keep_seconds``."""
    visitor_table_mb: int = 2000
    """Megabytes of unpacked pictures that the pages of one address may have on their tables together."""
    cache_mb: int = 0
    """Megabytes that may be kept of what was worked out of pictures, for all visitors together; 0 for an eighth of the
    memory that the process may have, the machine's or its container's."""
    keep_seconds: int = 3600
    """Age at which a visitor's files are deleted; longer than the longest job."""

    def __post_init__(self) -> None:
        limits = [f.name for f in fields(self) if f.name.startswith(("max_", "visitor_"))]
        for name in (*limits, "keep_seconds", "portrait_megapixels", "reference_megapixels", "working_side"):
            if getattr(self, name) <= 0:
                raise ValueError(f"DURIAN_{name.upper()} must be above 0, not {getattr(self, name)}.")
        if self.cache_mb < 0:
            raise ValueError(f"DURIAN_CACHE_MB must be 0 or above, not {self.cache_mb}.")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"DURIAN_DEVICE must be auto, cpu or cuda, not {self.device!r}.")
        if self.read_apart not in ("yes", "no"):
            raise ValueError(f"DURIAN_READ_APART must be yes or no, not {self.read_apart!r}.")
        if self.model and not HUB_ID.fullmatch(self.model):
            raise ValueError(f"DURIAN_MODEL must be a hub id such as owner/name, not {self.model!r}.")

        if not all(OWN_NAME.fullmatch(name) for name in self.names.split()):
            raise ValueError(f"DURIAN_NAMES must be names such as durian.example.org, not {self.names!r}.")
        if not all(FRAMING_SITE.fullmatch(site) for site in self.framed_by.split()):
            raise ValueError(f"DURIAN_FRAMED_BY must be sites such as https://example.org, not {self.framed_by!r}.")
        if self.model_revision and not (REVISION.fullmatch(self.model_revision) and ".." not in self.model_revision):
            raise ValueError(
                f"DURIAN_MODEL_REVISION must be a commit, tag or branch of the model, not {self.model_revision!r}."
            )

    @classmethod
    def from_environment(cls, environment: dict[str, str] | None = None) -> Settings:
        """Read ``DURIAN_*`` variables; unset ones keep their defaults.

        Raises:
            ValueError: a variable does not parse as its field's type or is out of range.
        """
        environment = dict(os.environ) if environment is None else environment
        defaults = cls()
        values: dict[str, Any] = {}
        for f in fields(cls):
            text = environment.get(f"DURIAN_{f.name.upper()}")
            if text is None:
                continue
            kind = type(getattr(defaults, f.name))
            kind = Path if issubclass(kind, Path) else kind
            try:
                values[f.name] = kind(text)
            except ValueError as error:
                raise ValueError(f"DURIAN_{f.name.upper()}={text!r} is not a valid {kind.__name__}.") from error
        if HUB_ID.fullmatch(environment.get("DURIAN_WEIGHTS", "")) and not values["weights"].exists():
            # A hub id holds one model; files such as SAM's stay where they are.
            values.setdefault("model", str(environment["DURIAN_WEIGHTS"]))
            del values["weights"]
        return cls(**values)

    def torch_device(self) -> str:
        """``"cuda"`` or ``"cpu"``, resolving ``auto``."""
        if self.device != "auto":
            return self.device
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings."""
    return Settings.from_environment()

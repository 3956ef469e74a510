"""The key of a gallery: which method made which picture, kept beside the page and never loaded by it.

The page and its media know pictures by names drawn at random; ``key.json`` alone says what is behind a name, what it
was made of (so that it is not made twice), and what could not be made.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from durian.content_hash import content_hash
from durian.diffusion.find_model import require_model
from durian.errors import InvalidRequest
from durian.evaluation.data.cases import Source
from durian.evaluation.gallery.pairs import Pair
from durian.evaluation.methods.methods import MethodSpec, digest_of
from durian.evaluation.run.results import source_digest
from durian.schema import Checked, Real, Text, Whole, checked
from durian.settings import get_settings

KEY = "key.json"
Format = Literal["durian-gallery-1"]
FORMAT: Format = "durian-gallery-1"
PACKAGE = Path(__file__).resolve().parents[2]
NOT_RENDERING = ("cli", "evaluation", "soak", "synthetic", "training", "ui")
"""Rooms of the project that no picture depends on."""

LONGEST_SENTENCE = 2000
Sentence = Annotated[str, Field(max_length=LONGEST_SENTENCE)]
Rows = Annotated[tuple[Sentence, ...], Field(max_length=20)]


@dataclass(frozen=True)
class PairRecord(Checked):
    """A pair as it was asked for. Its inputs' files begin with ``name``, ``key`` is a digest of what they depend on;
    ``error`` says why no method could begin."""

    number: Text
    kind: Text
    told: Rows
    name: Text
    key: Text
    items: tuple[Text, ...]
    error: Sentence | None = None


@dataclass(frozen=True)
class LookRecord(Checked):
    """The record of a method's result on a pair. Its files begin with ``name``; ``key`` is a digest of all that it
    depends on."""

    pair: Text
    method: Text
    name: Text
    key: Text
    seconds: Real = 0.0
    error: Sentence | None = None


@dataclass(frozen=True)
class Key(Checked):
    """The whole file; ``methods`` and ``pairs`` are those of the last run, ``looks`` may hold more."""

    gallery: Text
    seed: Whole
    size: Whole
    frames: Whole
    methods: tuple[Text, ...]
    pairs: tuple[PairRecord, ...] = ()
    looks: tuple[LookRecord, ...] = ()
    format: Format = field(default=FORMAT)

    def look(self, pair: str, method: str) -> LookRecord | None:
        """A method's result on a pair, or the reason why there is none."""
        return next((look for look in self.looks if (look.pair, look.method) == (pair, method)), None)


def new_name() -> str:
    """A name that says nothing."""
    return secrets.token_hex(8)


def read_key(folder: Path) -> Key | None:
    """The key in a gallery's folder; ``None`` where there is none.

    Raises:
        InvalidRequest: it is damaged, or something else.
    """
    path = folder / KEY
    if not path.exists():
        return None
    try:
        return checked(Key, json.loads(path.read_text(encoding="utf-8")), KEY)
    except (OSError, ValueError) as error:  # InvalidRequest is a ValueError
        raise InvalidRequest(f"{path} is not the key of a gallery: give another folder, or move it away.") from error


def write_key(folder: Path, key: Key) -> Path:
    """Store the key.

    Raises:
        OutputFailed: it cannot be written.
    """
    from durian.media import atomic_output

    with atomic_output(folder / KEY) as temporary:
        temporary.write_text(json.dumps(asdict(key), indent=1), encoding="utf-8")
    return folder / KEY


def request_key(pair: Pair, size: int, frames: int) -> str:
    """Digest of everything that a pair's request depends on: files by content, settings, and the code that renders."""
    motion = pair.motion.name if isinstance(pair.motion, Path) else pair.motion
    source = Source(pair.number, pair.files, content_hash([[name for _, name in pair.items], motion]))
    return content_hash([_code(), source_digest(source), size, frames])


def look_key(request: str, method: MethodSpec) -> str:
    """Digest of everything that a look depends on: the digest of its request, and the method's files."""
    if method.kind == "diffusion" and method.path is None and (model := require_model()).fetched:
        method = replace(method, path=Path(model.source))
    return content_hash([request, digest_of(method)])


@lru_cache(maxsize=1)
def _code() -> str:
    """A digest of the code that renders, by content, and of the networks it uses, by name, size and time."""
    files = [path for path in sorted(PACKAGE.rglob("*")) if path.suffix in (".py", ".npz")]
    files = [path for path in files if path.relative_to(PACKAGE).parts[0] not in NOT_RENDERING]
    weights = get_settings().weights
    networks = sorted(path for path in (*weights.glob("*"), *weights.glob("parser/**/*")) if path.is_file())
    told = [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in networks]
    return content_hash([[(str(path.relative_to(PACKAGE)), path.read_bytes()) for path in files], told])

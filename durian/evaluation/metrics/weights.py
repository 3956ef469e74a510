"""Weights of metrics: looked up in a folder or cache, or downloaded once; one sentence where that fails.

``weights/evaluation/`` (below ``DURIAN_WEIGHTS``) comes first, so that machines without a network can use what was
put there. A host that does not answer at once is not asked again by the process.
"""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar

from durian.download import download, host_of
from durian.errors import OutputFailed, WeightsMissing
from durian.settings import get_settings

FOLDER = "evaluation"
"""The files' place in the folder of weights."""
TIMEOUT_SECONDS = 5
"""Wait for a host's first answer: an evaluation without the row is better than one that hangs."""

Loaded = TypeVar("Loaded")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class File:
    """A published file.

    Attributes:
        name: of the file in ``weights/evaluation/``.
        what: it is, in the words of a sentence.
        url: where it is fetched from; empty where only a person can (:attr:`page`).
        page: where a person finds it.
        digest: first digits of its SHA-256 in hex, compared when it is fetched; empty where nobody published one.
    """

    name: str
    what: str
    url: str = ""
    page: str = ""
    digest: str = ""

    def require(self) -> Path:
        """The file on this machine, fetched if it is not there yet.

        Raises:
            WeightsMissing: it is not, and cannot be fetched.
        """
        path = folder() / self.name
        if not path.is_file():
            self._fetch(path)
        return path

    def _fetch(self, path: Path) -> None:
        by_hand = f"put {self.name} (from {self.page or self.url}) into {place()}"
        if not self.url:
            raise WeightsMissing(f"{self.what} is not on this machine: {by_hand}.")
        if not is_reachable(_origin(self.url)):
            raise WeightsMissing(
                f"{self.what} is not on this machine and {host_of(self.url)} is out of reach: {by_hand}."
            )
        try:
            download(self.url, path, what=self.what, by_hand=by_hand, sha256=self.digest)
        except OutputFailed as error:
            raise WeightsMissing(f"{self.what} cannot be kept: {error}") from error


@dataclass(frozen=True)
class Pretrained:
    """A model of the Hugging Face hub.

    Attributes:
        name: of the model's own folder in ``weights/evaluation/``.
        what: it is, in the words of a sentence.
        hub: its id there.
    """

    name: str
    what: str
    hub: str

    def load(self, kind: Any, **options: Any) -> Any:
        """The model in float32 and evaluation mode, on the settings' device.

        Args:
            kind: a class of ``transformers`` with ``from_pretrained``.
            options: of that class's constructor.

        Raises:
            WeightsMissing: it is nowhere, or some of its numbers are in none of its files.
        """
        import torch

        by_hand = f"put the files of {self.hub} into {place()}{self.name}/"
        options = {**options, "dtype": torch.float32, "output_loading_info": True}
        local = folder() / self.name
        try:
            if local.is_dir():
                model, about = kind.from_pretrained(local, local_files_only=True, **options)
            else:
                model, about = self._from_hub(kind, by_hand, options)
        except (OSError, ValueError) as error:
            log.info("Opening %s failed.", self.hub, exc_info=True)
            raise WeightsMissing(f"{self.what} cannot be opened: {by_hand}.") from error
        if about["missing_keys"]:
            # The library would fill them with random numbers and only warn.
            raise WeightsMissing(f"{self.what} lacks tensors such as {min(about['missing_keys'])}: {by_hand}.")
        return model.eval().requires_grad_(False).to(get_settings().torch_device())

    def _from_hub(self, kind: Any, by_hand: str, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from huggingface_hub.constants import ENDPOINT

        try:
            return kind.from_pretrained(self.hub, local_files_only=True, **options)
        except OSError as error:
            if not is_reachable(_origin(ENDPOINT)):
                raise WeightsMissing(
                    f"{self.what} is not on this machine and {host_of(ENDPOINT)} is out of reach: {by_hand}."
                ) from error
        return kind.from_pretrained(self.hub, **options)


def folder() -> Path:
    """``weights/evaluation`` of the settings; it need not exist."""
    return get_settings().weights / FOLDER


def place() -> str:
    """The same folder as a sentence names it."""
    return f"{get_settings().weights.name}/{FOLDER}/"


@lru_cache
def is_reachable(origin: str) -> bool:
    """Whether a host, such as ``https://github.com``, answers at once, with whatever; kept for the process."""
    request = urllib.request.Request(f"{origin}/", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def kept(load: Callable[[], Loaded]) -> Callable[[], Loaded]:
    """Have ``load`` work once for the process, and again when the settings name another folder or device."""

    @lru_cache(maxsize=1)
    def loaded(folder: Path, device: str) -> Loaded:
        return load()

    @wraps(load)
    def get() -> Loaded:
        return loaded(folder(), get_settings().device)

    return get


def why_missing(load: Callable[[], object]) -> str | None:
    """The sentence of the :class:`~durian.errors.WeightsMissing` that ``load`` raises, or ``None`` if it loads."""
    try:
        load()
    except WeightsMissing as error:
        return str(error)
    return None


def load_state(network: Any, state: dict[str, Any], what: str) -> Any:
    """``network`` with the tensors of ``state``, in evaluation mode on the settings' device.

    Raises:
        WeightsMissing: they are not all of this network's.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsMissing(f"The file of {what} does not fit: delete it, so that it is fetched again.") from error
    return network.eval().requires_grad_(False).to(get_settings().torch_device())


def read_state(file: File) -> dict[str, Any]:
    """The tensors of a PyTorch file; nothing else in it is run.

    Raises:
        WeightsMissing: it is not there, or damaged.
    """
    import pickle

    import torch

    path = file.require()
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsMissing(
            f"{file.what} in {place()}{file.name} cannot be read: delete and fetch it again."
        ) from error


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])

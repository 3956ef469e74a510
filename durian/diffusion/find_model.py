"""Discovery of a usable diffusion model, and the reason where there is none, from file names and JSON only."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeGuard

from durian.errors import InvalidRequest, WeightsMissing
from durian.request import DiffusionOptions
from durian.settings import PROJECT_ROOT, get_settings
from durian.weights import KNOWN

INDEX = "model_index.json"
PIPELINE = "DurianPipeline"
PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
"""Files that can run a stranger's program when they are opened."""
LIBRARIES = ("diffusers", "transformers", "durian.diffusion.")
"""Libraries of a model's parts: a folder that named another library would have it imported."""
WANTED = ["*.json", "*.safetensors", "README.md"]
"""Files that are fetched from the hub: none that could run."""
SAMPLER_OF = {
    "TrailingDDIM": "ddim",
    "DPMSolverMultistepScheduler": "dpm++",
    "EulerDiscreteScheduler": "euler",
    "LCMScheduler": "lcm",
}
"""Samplers' names by the class of a model's scheduler. Models with a plain DDIM have the name itself."""
SMALL = "durian-mini"
"""Folder of the small model that comes with the project; any other model there is was put there to be used."""
LARGEST_INDEX_BYTES = 1_000_000
LONGEST_NAME = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelFound:
    """A trained model that can be offered.

    ``source``: its folder or hub id. ``name``: what its card calls it. ``size``: the side of its pictures in pixels.
    ``defaults``: how it samples when nobody says otherwise. ``fetched``: whether it is on this machine; of a hub id
    that is not, everything but source and name is unknown. ``revision``: of a fetched hub id, the commit it is at.
    """

    source: str
    name: str
    preset: str = ""
    size: int = 0
    trained_steps: int = 0
    megabytes: int = 0
    defaults: DiffusionOptions = field(default_factory=DiffusionOptions)
    fetched: bool = True
    revision: str = ""

    @property
    def is_small(self) -> bool:
        """Whether it is of a preset that was made to be small rather than good."""
        return self.preset.startswith("mini")


def find_model() -> ModelFound | None:
    """The model that the settings name, or ``None``; :func:`why_not` says why."""
    try:
        return require_model()
    except WeightsMissing:
        return None


def why_not() -> str | None:
    """One sentence on why no diffusion model can be offered and what to do, or ``None`` where one can."""
    try:
        require_model()
    except WeightsMissing as error:
        return str(error)
    return None


def require_model() -> ModelFound:
    """The model that the settings name: a hub id, the weights folder itself, or the first sound one of its folders.

    Of folders, the one that ships comes last.

    Raises:
        WeightsMissing: there is none, or the one there is is incomplete, not safe to open or was never trained.
    """
    settings = get_settings()
    if settings.model:
        return _cached(settings.model, settings.model_revision) or ModelFound(
            settings.model, settings.model, fetched=False
        )
    place = _called(settings.weights)
    if not settings.weights.is_dir():
        raise WeightsMissing(f"The folder {place} does not exist: set DURIAN_WEIGHTS to the one with a trained model.")
    refused: list[WeightsMissing] = []
    folders = sorted(path for path in settings.weights.iterdir() if path.is_dir())
    for folder in [settings.weights, *sorted(folders, key=lambda path: path.name == SMALL)]:
        if (folder / INDEX).is_file():
            try:
                return read_model(folder)
            except WeightsMissing as error:
                refused.append(error)
    if refused:
        raise refused[0]
    raise WeightsMissing(
        f"No diffusion model is in {place}: put a trained one there, or set DURIAN_WEIGHTS to its folder or hub id."
    )


def fetch_model(model: ModelFound) -> ModelFound:
    """The same model on this machine, its ``source`` a folder; a hub id is fetched, unless it was fetched before.

    Raises:
        WeightsMissing: the hub is out of reach or does not have it, or what came cannot be used.
    """
    if model.fetched:
        return model
    from huggingface_hub import snapshot_download

    revision = get_settings().model_revision
    try:
        folder = snapshot_download(model.source, revision=revision or None, allow_patterns=WANTED)
    except Exception as error:
        # Besides the hub's own errors there are those of the HTTP library below it.
        log.info("Fetching %s failed.", model.source, exc_info=True)
        raise WeightsMissing(
            f"The diffusion model {model.source}{f' at {revision}' if revision else ''} could not be fetched from the "
            "Hugging Face hub: check its name, its revision and the connection, or set DURIAN_WEIGHTS to a folder."
        ) from error
    return _read_snapshot(Path(folder), model.source)


def read_model(folder: Path, called: str | None = None) -> ModelFound:
    """Check a model's folder without loading anything.

    Args:
        folder: the one with :data:`INDEX`.
        called: how errors name it; by default by the folder.

    Raises:
        WeightsMissing: it is not a Durian model, incomplete, not safe to open or was never trained.
    """
    called = called or _called(folder)
    index = _index(folder, called)
    if index.get("_class_name") != PIPELINE:
        raise WeightsMissing(
            f"The model in {called} is a {str(index.get('_class_name'))[:LONGEST_NAME]}, not a {PIPELINE}: "
            "set DURIAN_WEIGHTS to a Durian model."
        )
    pickled = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICKLED and not _is_ours(path))
    if pickled:
        raise WeightsMissing(
            f"The diffusion model in {called} holds {pickled[0].relative_to(folder)}, and only .safetensors files are "
            "opened: remove it or use another model."
        )
    _check_components(folder, index, called)
    trained, size = index.get("trained_steps"), index.get("size")
    if not _is_count(trained):
        raise WeightsMissing(
            f"The diffusion model in {called} was never trained, so its pictures would be noise: use a trained one."
        )
    if not _is_count(size):
        raise WeightsMissing(f"The diffusion model in {called} does not say its size: fetch it again.")
    return ModelFound(
        source=str(folder),
        name=_name(folder, called),
        preset=str(index.get("preset", ""))[:LONGEST_NAME],
        size=size,
        trained_steps=trained,
        megabytes=round(sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e6),
        defaults=_defaults(index, called),
    )


def _cached(hub_id: str, revision: str) -> ModelFound | None:
    """The model as it was fetched before, or ``None`` where it was not, or not all of it."""
    from huggingface_hub import try_to_load_from_cache

    index = try_to_load_from_cache(hub_id, INDEX, revision=revision or None)
    if not isinstance(index, str):
        return None
    folder = Path(index).parent
    try:
        _check_components(folder, _index(folder, hub_id), hub_id)
    except WeightsMissing:
        return None
    return _read_snapshot(folder, hub_id)


def _read_snapshot(folder: Path, hub_id: str) -> ModelFound:
    """A model in the hub's cache, where folders are named by their commit."""
    return replace(read_model(folder, hub_id), revision=folder.name)


def _index(folder: Path, called: str) -> dict[str, Any]:
    path = folder / INDEX
    try:
        text = path.read_text("utf-8") if path.stat().st_size <= LARGEST_INDEX_BYTES else ""
        index = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsMissing(f"The {INDEX} in {called} cannot be read: fetch the model again.") from error
    if not isinstance(index, dict):
        raise WeightsMissing(f"The {INDEX} in {called} is not a model's: fetch the model again.")
    return index


def _check_components(folder: Path, index: dict[str, Any], called: str) -> None:
    for name, entry in index.items():
        if not (isinstance(entry, list) and len(entry) == 2) or None in entry:
            continue
        if not str(entry[0]).startswith(LIBRARIES):
            raise WeightsMissing(
                f"The diffusion model in {called} wants its {name} from {str(entry[0])[:LONGEST_NAME]}, which is no "
                "part of Durian: use another model."
            )
        part = folder / name
        # Of schedulers and image processors there are settings only; whoever has a config.json has weights.
        has_weights = any(part.glob("*.safetensors"))
        if not any(part.glob("*.json")) or ((part / "config.json").is_file() and not has_weights):
            raise WeightsMissing(
                f"The diffusion model in {called} lacks its {name.replace('_', ' ')} as .safetensors: "
                "fetch the model again."
            )


def _defaults(index: dict[str, Any], called: str) -> DiffusionOptions:
    sampler, scheduler = index.get("sampler"), index.get("scheduler")
    if sampler is None and isinstance(scheduler, list) and isinstance(scheduler[-1], str):
        sampler = SAMPLER_OF.get(scheduler[-1])
    try:
        return DiffusionOptions(index.get("steps"), index.get("guidance_scale"), sampler)
    except (InvalidRequest, TypeError) as error:
        raise WeightsMissing(
            f"The diffusion model in {called} has defaults that make no sense: fetch the model again."
        ) from error


def _name(folder: Path, called: str) -> str:
    """The title of the model's card, or what it is called without one."""
    card = folder / "README.md"
    if card.is_file():
        with card.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("# ") and line[2:].strip():
                    return line[2:].strip()[:LONGEST_NAME]
    return called.rstrip("/").split("/")[-1]


def _called(folder: Path) -> str:
    """The folder as a sentence names it: from the project on, and elsewhere without the way to it."""
    inside = folder.is_relative_to(PROJECT_ROOT)
    return f"{folder.relative_to(PROJECT_ROOT) if inside else folder.name}/"


def _is_ours(path: Path) -> bool:
    """Files that the command line puts into the weights folder, checked by their digest when they came."""
    return any(path == known.path for known in KNOWN.values())


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0

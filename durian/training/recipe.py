"""A training's recipe: every number that decides the outcome, in one tree of frozen dataclasses read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from durian.diffusion.presets import Preset, get_preset
from durian.errors import InvalidRequest
from durian.training.data.dataset import SamplingSettings
from durian.training.stages.autoencoder import AutoencoderSettings
from durian.training.stages.diffusion import DiffusionSettings
from durian.training.tables import read_table

RECIPES = Path(__file__).parent / "recipes"
"""The recipes that ship, ``NAME.toml`` each."""
STAGES = ("autoencoder", "image", "temporal")
"""In the order in which they build on each other."""
DIFFUSION = STAGES[1:]
"""Those whose steps make a model's pictures worth looking at."""


@dataclass(frozen=True)
class StageRecipe:
    """One stage of the training.

    Attributes:
        steps: of the optimiser.
        batch: samples of a step, over all devices.
        micro_batch: samples that go through the networks together; a step adds up ``batch / micro_batch`` of them, on
            one device or on several. Noise follows from the micro batch's number, so that devices change nothing.
        frames: target frames of a sample.
        optimiser: ``adamw``, or ``muon`` (:class:`~durian.training.run.optimisers.Muon`) for weights of two dimensions
            and more with AdamW for the rest.
        rate: largest learning rate.
        warm_up: steps over which it rises.
        schedule: ``constant`` after that, or ``cosine``, falling to nothing at the last step.
        weight_decay: share of the rate by which weights shrink in a step.
        betas: AdamW's.
        clip: largest norm of the gradient.
        average: share of the old average of weights after each step (EMA), less at the beginning.
        precision: of the networks' arithmetic on a GPU; a processor's is ``float32``, and so are weights.
    """

    steps: int
    batch: int
    micro_batch: int
    rate: float
    frames: int = 1
    optimiser: Literal["adamw", "muon"] = "adamw"
    warm_up: int = 0
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = 1.0
    average: float = 0.9999
    precision: Literal["float32", "bfloat16"] = "bfloat16"

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "micro_batch", "frames", "rate", "clip"):
            if not getattr(self, name) > 0:
                raise InvalidRequest(f"{name} = {getattr(self, name)} is not possible: give more than 0.")
        if self.batch % self.micro_batch:
            raise InvalidRequest(
                f"a batch of {self.batch} does not consist of micro batches of {self.micro_batch}: "
                "give a micro_batch that divides it."
            )
        if not 0 <= self.average < 1:
            raise InvalidRequest(f"average = {self.average} is not possible: give 0 to below 1.")
        if not 0 <= self.warm_up < self.steps:
            raise InvalidRequest(f"warm_up = {self.warm_up} is not possible: give 0 to below steps, {self.steps}.")


@dataclass(frozen=True)
class AutoencoderRecipe(StageRecipe):
    """The autoencoder of a model that starts from nothing; ``loss``: how pictures are compared."""

    loss: AutoencoderSettings = field(default_factory=AutoencoderSettings)


@dataclass(frozen=True)
class DiffusionRecipe(StageRecipe):
    """One of the paper's two stages; ``loss``: what is predicted, weighed and dropped."""

    loss: DiffusionSettings = field(default_factory=DiffusionSettings)


@dataclass(frozen=True)
class Running:
    """How a stage is run; nothing that decides the outcome, so it may change from one run to the next.

    Attributes:
        workers: processes that make samples, of each device.
        compile: whether the networks are compiled (``torch.compile``).
        checkpointing: whether activations are computed again for the gradient: less memory, a third more time.
        report_every: steps.
        keep_every: steps between checkpoints.
        keep: how many of the latest full checkpoints stay.
        bad_steps: so many steps in a row without a finite gradient end the training.
    """

    workers: int = 2
    compile: bool = False
    checkpointing: bool = False
    report_every: int = 50
    keep_every: int = 1000
    keep: int = 2
    bad_steps: int = 10

    def __post_init__(self) -> None:
        for name in ("report_every", "keep_every", "keep", "bad_steps"):
            if getattr(self, name) < 1:
                raise InvalidRequest(f"{name} = {getattr(self, name)} is not possible: give 1 or more.")
        if self.workers < 0:
            raise InvalidRequest(f"workers = {self.workers} is not possible: give 0 or more.")


@dataclass(frozen=True)
class ValidationRecipe:
    """Validation during the training.

    Attributes:
        every: steps; 0 never.
        samples: how many, always the same ones.
        held_out: share of the clips that are not trained on but validated on; with 0 it is samples of the same clips.
        seed: of the noise that frames are made from.
    """

    every: int = 1000
    samples: int = 8
    held_out: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise InvalidRequest(f"held_out = {self.held_out} is not possible: give 0 to below 1.")
        if self.every < 0 or self.samples < 1:
            raise InvalidRequest(
                f"every = {self.every}, samples = {self.samples}: give every 0 or more, samples above 0."
            )


class AnyRecipe(Protocol):
    """What a run asks of a recipe, a dataclass: ``seed``, its ``stages`` by name in order, ``running`` and
    ``validation``."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def seed(self) -> int: ...

    @property
    def running(self) -> Running: ...

    @property
    def validation(self) -> ValidationRecipe: ...

    @property
    def stages(self) -> Mapping[str, StageRecipe]: ...


@dataclass(frozen=True)
class Recipe:
    """A whole training.

    Attributes:
        preset: the model's shape, of :data:`durian.diffusion.presets.PRESETS`.
        size: side of all pictures in pixels, where it is not the preset's.
        seed: of fresh weights, samples and noise.
        prediction: what the denoiser predicts, where it is not what the preset says; noise goes with a schedule that
            keeps some of the picture to its end.
        start_alike: whether a model that starts from nothing starts all its nets from the same numbers
            (:func:`durian.training.stages.networks.start_alike`).
        autoencoder: trains the preset's autoencoder; none for a preset whose autoencoder is fetched.
        image: the paper's first stage, single frames.
        temporal: the paper's second stage, attention over time.
        samples: how clips become samples.
        running, validation: beside the training.
    """

    preset: str
    size: int | None = None
    seed: int = 0
    prediction: Literal["v_prediction", "epsilon", "sample"] | None = None
    start_alike: bool = True
    autoencoder: AutoencoderRecipe | None = None
    image: DiffusionRecipe | None = None
    temporal: DiffusionRecipe | None = None
    samples: SamplingSettings = field(default_factory=SamplingSettings)
    running: Running = field(default_factory=Running)
    validation: ValidationRecipe = field(default_factory=ValidationRecipe)

    def __post_init__(self) -> None:
        get_preset(self.preset)
        if self.size is not None and (not 32 <= self.size <= 1024 or self.size % 32):
            raise InvalidRequest(f"size = {self.size} is not possible: give a multiple of 32 up to 1024.")
        if self.autoencoder is not None and not self.shape.learns_its_autoencoder:
            raise InvalidRequest(f"The autoencoder of {self.preset} has nothing to learn: leave out [autoencoder].")
        if not self.stages:
            raise InvalidRequest(f"no stage is described: add at least one of [{'], ['.join(STAGES)}].")

    @property
    def shape(self) -> Preset:
        """The preset at the recipe's size."""
        preset = get_preset(self.preset)
        return preset if self.size is None else replace(preset, size=self.size)

    @property
    def stages(self) -> dict[str, AutoencoderRecipe | DiffusionRecipe]:
        """Those there are, by name, in order."""
        return {name: stage for name in STAGES if (stage := getattr(self, name)) is not None}


def load_recipe(name: str) -> Recipe:
    """A recipe that ships, by its name, or any TOML file.

    Raises:
        InvalidRequest: there is none, or something in it is not known, not of its type or out of range.
    """
    shipped = {path.stem: path for path in sorted(RECIPES.glob("*.toml"))}
    path = shipped.get(name, Path(name))
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise InvalidRequest(f"There is no recipe {name}: give a TOML file, or one of {', '.join(shipped)}.") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(f"{path.name} is not TOML ({error}): mend that line.") from error
    return read_table(Recipe, table, path.name)

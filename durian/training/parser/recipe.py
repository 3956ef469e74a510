"""The recipe of the parser's training."""

from __future__ import annotations

from dataclasses import dataclass, field

from durian.errors import InvalidRequest
from durian.training.recipe import Running, StageRecipe, ValidationRecipe

CLASSES, CLICKS = "classes", "clicks"
"""The stages, in the order in which they build on each other."""
CLIP = 5.0
"""Largest norm of the gradient."""


@dataclass(frozen=True)
class ParserRecipe:
    """Everything that decides the outcome. First the classes are learned, then, with what sees them held still, clicks.

    Attributes:
        seed: of photos, examples and first weights.
        shards: of photos to learn from (:data:`durian.training.parser.photos.PEOPLE` people each).
        steps: of the optimiser, for the classes.
        click_steps: the same for the clicks.
        batch: examples of a step.
        side: pixels of examples.
        rate: largest learning rate (AdamW); it rises for ``warm_up`` of a stage's steps and falls as a cosine.
        decay: weight decay.
        average: of the weights that are kept: share of the old average after each step, less at the beginning.
        real_from: share of the steps after which real portraits are among the examples, if there are any; by then the
            network is good enough to label them.
        real_share: how many of the examples they are.
        encoder_rate: learning rate of the encoder, which has seen a million pictures, as a share of ``rate``. Its
            statistics of normalisation stay: a step's few examples would give it others each time.
        running, validation: beside the training.
    """

    seed: int = 0
    shards: int = 100
    steps: int = 12_000
    click_steps: int = 6_000
    batch: int = 8
    side: int = 256
    rate: float = 1.5e-3
    warm_up: float = 0.04
    decay: float = 1e-4
    average: float = 0.998
    real_from: float = 0.6
    real_share: float = 0.15
    encoder_rate: float = 0.3
    running: Running = field(default_factory=lambda: Running(keep_every=500))
    validation: ValidationRecipe = field(default_factory=lambda: ValidationRecipe(every=0))

    def __post_init__(self) -> None:
        if not self.stages:
            raise InvalidRequest("There are neither steps for the classes nor for the clicks: give more than 0 of one.")

    @property
    def stages(self) -> dict[str, StageRecipe]:
        """Those with steps, by name, in order."""
        steps = {CLASSES: self.steps, CLICKS: self.click_steps}
        return {name: self._stage(count) for name, count in steps.items() if count}

    def _stage(self, steps: int) -> StageRecipe:
        return StageRecipe(
            steps=steps,
            batch=self.batch,
            micro_batch=self.batch,
            rate=self.rate,
            warm_up=int(self.warm_up * steps),
            schedule="cosine",
            weight_decay=self.decay,
            clip=CLIP,
            average=self.average,
        )

"""Training of the paper's model, from clips to a model: stage after stage, with a time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from durian.clips import Clip
from durian.diffusion.pipeline import DurianPipeline
from durian.errors import InvalidRequest
from durian.training.data.dataset import collate, split_clips
from durian.training.recipe import DIFFUSION, Recipe
from durian.training.run.checkpoints import LIGHT, keep_model, open_model
from durian.training.run.stage_factory import make_samples, make_stage, starting_pipeline
from durian.training.run.stage_run import StageRun, Trained, run_in_turn
from durian.training.run.stopping import Stopping
from durian.training.run.validation import Validation, validate
from durian.training.stages.stage import Batch, PipelineStage


def train(
    recipe: Recipe,
    clips: Sequence[Clip],
    out: Path,
    *,
    stages: Sequence[str] = (),
    start: Path | None = None,
    device: str | None = None,
    max_minutes: float | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train the stages of a recipe, each from the model of the one before; what is done is not done again.

    ``accelerate launch`` makes it one of several processes that train together.

    Args:
        recipe: what to do.
        clips: to learn from.
        out: each stage has a folder there.
        stages: only these; all of the recipe if not given.
        start: a model's folder to begin from instead of fresh or published weights.
        device: ``cpu``, or what accelerate finds.
        max_minutes: stop in time, with a checkpoint, after one step at least.
        on_step: called with (steps of the stage done, in all).

    Raises:
        InvalidRequest: stage, clips or folder do not go with the recipe, or the loss is not finite any more.
        LimitExceeded: the GPU's memory is full.
        OutputFailed: a checkpoint cannot be written.
    """
    unknown = [name for name in stages if name not in recipe.stages]
    if unknown:
        raise InvalidRequest(f"This recipe has no stage {unknown[0]}: it has {', '.join(recipe.stages)}.")
    names = [name for name in recipe.stages if name in stages or not stages]

    def make(name: str, model: Path | None) -> DiffusionRun:
        return DiffusionRun(name, recipe, clips, out / name, model or _before(name, recipe, out), device)

    with Stopping(max_minutes) as stopping:
        return run_in_turn(names, make, start, stopping, on_step)


def _before(name: str, recipe: Recipe, out: Path) -> Path | None:
    """The model of the stage before, where the recipe has one.

    Raises:
        InvalidRequest: it was not trained yet.
    """
    names = list(recipe.stages)
    if name == names[0]:
        return None
    model = out / names[names.index(name) - 1] / LIGHT
    if not model.is_dir():
        raise InvalidRequest(
            f"Stage {name} goes on from stage {model.parent.name}, which is not in {out}: train that first, or give "
            "--from and a model."
        )
    return model


class DiffusionRun(StageRun):
    """One stage of the paper's model.

    Args:
        name, recipe, folder, start, device: as of :class:`~durian.training.run.stage_run.StageRun`.
        clips: to learn from.

    Raises:
        InvalidRequest: clips or folder do not go with the recipe.
    """

    stage: PipelineStage
    recipe: Recipe

    def __init__(
        self, name: str, recipe: Recipe, clips: Sequence[Clip], folder: Path, start: Path | None, device: str | None
    ) -> None:
        self.history: dict[str, int] = {}
        super().__init__(name, recipe, folder, start, device)
        seen, unseen = split_clips(clips, recipe.validation.held_out)
        if not seen:
            raise InvalidRequest(f"All {len(clips)} clips are held out for validation: use more, or held_out = 0.")
        self.samples = make_samples(name, seen, recipe)
        self.looked_at = make_samples(name, unseen or seen, recipe, for_validation=True)

    @property
    def model(self) -> Path:
        """A folder as the app opens it."""
        return self.folder / LIGHT

    def make_stage(self, before: Path | None, start: Path | None) -> PipelineStage:
        """See :meth:`StageRun.make_stage`."""
        pipeline = open_model(before) if before is not None else starting_pipeline(self.recipe, start)
        pipeline.set_progress_bar_config(disable=True)
        self.history |= (pipeline.config.training or {}).get("steps", {})
        return make_stage(self.name, pipeline, self.recipe)

    def batches(self) -> Iterable[Batch]:
        """See :meth:`StageRun.batches`."""
        return self.load(self.samples, self.step, self.settings.steps, collate)

    def keep_model(self) -> None:
        """See :meth:`StageRun.keep_model`."""
        keep_model(self._pipeline(), self.folder)

    def validate(self) -> Validation:
        """See :meth:`StageRun.validate`."""
        samples = [self.looked_at[number] for number in range(self.recipe.validation.samples)]
        return validate(self._pipeline(), samples, self.name, self.recipe.validation.seed)

    def _pipeline(self) -> DurianPipeline:
        steps = {**self.history, self.name: self.step}
        return self.stage.pipeline(sum(steps.get(name, 0) for name in DIFFUSION), {"steps": steps})

"""Recipes: the ones that ship, and one sentence for each that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from durian.diffusion.presets import get_preset
from durian.errors import InvalidRequest
from durian.training.data.augmentation import ATTRIBUTE_CHANGES
from durian.training.recipe import RECIPES, STAGES, load_recipe
from durian.training.run.stage_factory import starting_pipeline

LEAST = """
preset = "mini-64"
[image]
steps = 10
batch = 4
micro_batch = 2
rate = 1e-3
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_recipe_that_ships_goes_with_its_preset(name):
    recipe = load_recipe(name)
    preset = get_preset(recipe.preset)
    assert all(stage.frames <= preset.denoiser["motion_max_frames"] for stage in recipe.stages.values())
    # What is fetched is not trained, and what is a formula cannot be.
    assert ("autoencoder" in recipe.stages) == (preset.sources is None and preset.learns_its_autoencoder)


def test_the_papers_numbers():
    recipe = load_recipe("sd15-512")
    assert list(recipe.stages) == ["image", "temporal"]
    for stage in recipe.stages.values():
        assert (stage.steps, stage.batch, stage.rate, stage.schedule) == (60_000, 8, 1e-5, "constant")
        assert stage.loss.drop_both == 0.1
        assert (stage.loss.min_snr, stage.loss.noise_offset) == (5.0, 0.05)
    assert (recipe.image.frames, recipe.temporal.frames) == (1, 24)
    assert recipe.samples.pairs.true_share == 0
    assert recipe.samples.expansion.borrowed == 1


def test_what_is_left_out_is_as_its_owner_says(written):
    recipe = load_recipe(written(LEAST + "[samples.attribute]\nrotation = 40\n"))
    assert recipe.samples.attribute.rotation == 40.0
    assert isinstance(recipe.samples.attribute.rotation, float)
    assert recipe.samples.attribute.scale == ATTRIBUTE_CHANGES.scale != 1
    assert list(recipe.stages) == ["image"]


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        ("rates = 1", r"mine.toml, \[image\] has a setting 'rates' that is not known: .*micro_batch, rate, frames"),
        ("frames = 1.5", r"mine.toml, \[image\]: frames = 1.5 does not fit: give a whole number"),
        ("frames = true", r"frames = true does not fit: give a whole number"),
        ('clip = "much"', r'clip = "much" does not fit: give a number'),
        ('schedule = "linear"', r'schedule = "linear" does not fit: give "constant" or "cosine"'),
        ("betas = [0.9]", r"betas = \[0.9\] does not fit: give a list of 2, each a number"),
        ("average = 1.0", r"mine.toml, \[image\]: average = 1.0 is not possible"),
        ("warm_up = 10", r"warm_up = 10 is not possible: give 0 to below steps, 10"),
        ("[images]", r"mine.toml has a setting 'images' that is not known: .*autoencoder, image, temporal"),
        ("[samples.pairs]\nmirrored = 2", r"mine.toml, \[samples\], \[pairs\]: mirrored 2 is not a share"),
        ("[samples.expansion]\ngrowth = 3", r"growth = 3 does not fit: give a list of 2"),
        ("[running]\nkeep = 0", r"\[running\]: keep = 0 is not possible"),
        ("loss = 3", r"loss = 3 does not fit: give a table"),
    ],
)
def test_what_does_not_fit_is_one_sentence_with_its_name(written, addition, told):
    with pytest.raises(InvalidRequest, match=told) as raised:
        load_recipe(written(LEAST + addition))
    assert "\n" not in str(raised.value)


def test_what_is_missing_is_named(written):
    with pytest.raises(InvalidRequest, match=r"mine.toml, \[image\] lacks batch, rate"):
        load_recipe(written('preset = "mini-64"\n[image]\nsteps = 10\nmicro_batch = 2\n'))
    with pytest.raises(InvalidRequest, match=r"no stage is described: .*\[autoencoder\], \[image\], \[temporal\]"):
        load_recipe(written('preset = "mini-64"'))


def test_micro_batches_make_up_a_batch(written):
    with pytest.raises(InvalidRequest, match="a batch of 4 does not consist of micro batches of 3"):
        load_recipe(written(LEAST.replace("micro_batch = 2", "micro_batch = 3")))


@pytest.mark.parametrize("size", [0, 100, 2048])
def test_a_size_that_networks_cannot_take_is_refused(written, size):
    with pytest.raises(InvalidRequest, match=f"size = {size} is not possible"):
        load_recipe(written(f"size = {size}\n{LEAST}"))


def test_a_recipe_may_have_a_size_of_its_own(written):
    recipe = load_recipe(written(f"size = 96\n{LEAST}"))
    assert recipe.shape.size == 96
    assert load_recipe(written(LEAST)).shape.size == 64
    assert starting_pipeline(recipe).config.size == 96


def test_what_learns_nothing_is_not_trained(written):
    with pytest.raises(InvalidRequest, match="autoencoder of mini-256 has nothing to learn"):
        load_recipe(written(LEAST.replace("mini-64", "mini-256").replace("image", "autoencoder")))


def test_an_unknown_recipe_names_those_that_ship(tmp_path):
    with pytest.raises(InvalidRequest, match=r"no recipe maxi: .*mini-256, mini-64, overfit-128, sd15-512"):
        load_recipe("maxi")


def test_what_is_no_toml_says_where(written):
    with pytest.raises(InvalidRequest, match=r"mine.toml is not TOML \(.*line 2"):
        load_recipe(written('preset = "mini-64"\nsteps 10\n'))


def test_the_command_line_knows_the_same_stages():
    from durian.cli.parser_training import TRAINING_STAGES

    assert TRAINING_STAGES == STAGES
    assert Path(RECIPES, "mini-256.toml").is_file()

"""A whole training at small size, with real parts only, after which the model has learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clips_made import acted, dyed, write

from durian.training.data.sample import Sample
from durian.training.recipe import Recipe, Running, ValidationRecipe, load_recipe
from durian.training.run.checkpoints import open_model
from durian.training.run.logbook import read_log
from durian.training.run.loop import train
from durian.training.run.stage_factory import make_samples
from durian.training.run.validation import predicted

SIZE, FRAMES = 64, 8
PEOPLE = {"hair-afro": "look-around", "hair-bob": "talk"}
COLOURS = {"red": (1.0, 0.25, 0.2), "blue": (0.25, 0.4, 1.0)}
AUTOENCODER_STEPS, IMAGE_STEPS = 160, 360
PAIRS = 8


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two people, each with hair of two colours, so that nobody's face says what their hair looks like."""
    folder = tmp_path_factory.mktemp("clips")
    made = []
    for picture, motion in PEOPLE.items():
        frames = acted(picture, "hair", motion, SIZE, FRAMES)
        made += [write(folder, f"{picture}-{name}", "hair", dyed(frames, "hair", COLOURS[name])) for name in COLOURS]
    return made


def recipe() -> Recipe:
    """The smallest that ships, shorter still, with references as they are."""
    shipped = load_recipe("mini-64")
    image = replace(shipped.image, steps=IMAGE_STEPS, batch=2, micro_batch=2, rate=3e-3, warm_up=5, average=0.9)
    return replace(
        shipped,
        autoencoder=replace(shipped.autoencoder, steps=AUTOENCODER_STEPS, batch=8, micro_batch=8),
        image=replace(image, frames=4, loss=replace(image.loss, drop_both=0.0, item_weight=4.0)),
        temporal=None,
        samples=shipped.samples.without_augmentation(),
        running=Running(workers=0, report_every=20, keep_every=1000),
        validation=ValidationRecipe(every=1000, samples=PAIRS, held_out=0.0),
    )


@pytest.fixture(scope="module")
def trained(clips, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return train(recipe(), clips, out, device="cpu"), out


@pytest.mark.slow
def test_the_loss_falls(trained):
    losses = [line["total"] for line in read_log(trained[1] / "image") if "total" in line]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.slow
def test_frames_are_better_than_those_of_the_untrained_model(trained):
    scores = [line for line in read_log(trained[1] / "image") if "psnr_all" in line]
    assert [line["step"] for line in scores] == [0, IMAGE_STEPS]
    assert scores[-1]["psnr_all"] > scores[0]["psnr_all"] + 3
    assert scores[-1]["psnr_inside"] > scores[0]["psnr_inside"] + 3


@pytest.mark.slow
def test_the_right_reference_is_better_than_somebody_elses(clips, trained):
    pipeline = open_model(trained[0].model)
    pipeline.set_progress_bar_config(disable=True)
    samples = make_samples("image", clips, recipe(), for_validation=True)
    shown = [samples[number] for number in range(PAIRS)]
    right, wrong = [], []
    for sample in shown:
        other = next(one for one in shown if colour_of(one) != colour_of(sample))
        swapped = replace(
            sample,
            attribute=other.attribute,
            attribute_mask=other.attribute_mask,
            attribute_keypoints=other.attribute_keypoints,
        )
        right.append(error_inside(pipeline, sample))
        wrong.append(error_inside(pipeline, swapped))
    assert np.mean(right) < np.mean(wrong)
    assert sum(one < other for one, other in zip(right, wrong)) >= PAIRS - 1


def colour_of(sample: Sample) -> str:
    return sample.clip.split("-")[-1]


def error_inside(pipeline, sample: Sample) -> float:
    """Mean squared error where the item is."""
    inside = sample.inside > 127
    return float(np.square(predicted(pipeline, sample, seed=0)[inside].astype(float) - sample.targets[inside]).mean())

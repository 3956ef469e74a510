"""A whole training in small, with real parts only: does a model learn?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from clips_made import acted, dyed, write

from durian.training.logbook import read_log
from durian.training.loop import train
from durian.training.recipe import Recipe, Running, ValidationRecipe, load_recipe

SIZE, FRAMES = 64, 8
PEOPLE = {"hair-afro": "look-around", "hair-bob": "talk"}
COLOURS = {"red": (1.0, 0.25, 0.2), "blue": (0.25, 0.4, 1.0)}
AUTOENCODER_STEPS, IMAGE_STEPS = 100, 100
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
        image=replace(image, frames=4, loss=replace(image.loss, drop_both=0.0, item_weight=2.0)),
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

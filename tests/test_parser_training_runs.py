"""Runs of the parser's training: they learn, go on to the same weights, stop in time and belong to one recipe."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from functools import partial

import pytest
import torch
from parser_training_made import SIDE, hatted

from durian.cli.main import BAD_REQUEST, main
from durian.errors import InvalidRequest
from durian.media import write_image
from durian.segmentation.parser.network import ParserNetwork
from durian.segmentation.parser.running import load_network, read_network, save_network
from durian.segmentation.parser.weights import FILE
from durian.training.parser import loop
from durian.training.parser import recipe as parser_recipe
from durian.training.parser.loop import TEACHER, train_parser
from durian.training.parser.photos import Photos
from durian.training.parser.recipe import ParserRecipe
from durian.training.parser.stages import ClassesStage
from durian.training.recipe import Running
from durian.training.run.checkpoints import latest
from durian.training.run.logbook import read_log


@pytest.fixture
def without_rendering(collins, monkeypatch):
    photos = hatted(collins)
    monkeypatch.setattr(loop, "prepare_photos", lambda *_: [None])
    monkeypatch.setattr(Photos, "open", classmethod(lambda cls, path: photos))


RUNNING = Running(workers=0, report_every=5, keep_every=14)
TINY = ParserRecipe(steps=16, click_steps=45, batch=4, side=SIDE, rate=3e-3, average=0.9, running=RUNNING)
FOUR = replace(TINY, steps=4, click_steps=4, batch=2)


def stop_after(*ends: int):
    """Ask a run to stop once it has made so many steps of a stage."""
    left = list(ends)

    def on_step(done: int, steps: int) -> None:
        if left and done == left[0]:
            left.pop(0)
            signal.raise_signal(signal.SIGTERM)

    return on_step


def weights(path) -> dict[str, torch.Tensor]:
    return read_network(path).state_dict()


def same(first, second) -> bool:
    first, second = weights(first), weights(second)
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_it_learns_goes_on_and_writes_weights(without_rendering, tmp_path):
    seen, ends = [], [15, 29]

    def break_off(done: int, steps: int) -> None:
        if done == ends[0]:
            ends.pop(0)
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train_parser(tmp_path, tmp_path, TINY, "cpu", on_step=break_off)
    trained = train_parser(tmp_path, tmp_path, TINY, "cpu", on_step=lambda *at: seen.append(at))
    assert seen == [(step, 45) for step in range(29, 46)]
    assert (trained.stage, trained.step, trained.stopped) == ("clicks", 45, None)
    # Each click comes where the network errs, so that there the loss falls more slowly.
    for stage, name, share in (("classes", "entropy", 0.6), ("clicks", "clicked overlap", 0.8)):
        losses = [line[name] for line in read_log(tmp_path / stage)]
        assert losses[-1] < share * losses[0], (name, losses)
    assert not load_network(trained.model).training


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(without_rendering, tmp_path):
    whole = train_parser(tmp_path / "whole", tmp_path, FOUR, "cpu")
    stopped = train_parser(tmp_path / "parts", tmp_path, FOUR, "cpu", on_step=stop_after(3))
    assert (stopped.stage, stopped.step, stopped.stopped) == ("classes", 3, "signal")
    assert same(stopped.model, tmp_path / "parts" / "classes" / FILE)
    stopped = train_parser(tmp_path / "parts", tmp_path, FOUR, "cpu", on_step=stop_after(2))
    assert (stopped.stage, stopped.step) == ("clicks", 2)
    # Nor does it matter whether another process makes the examples.
    elsewhere = replace(FOUR, running=replace(RUNNING, workers=1))
    done = train_parser(tmp_path / "parts", tmp_path, elsewhere, "cpu")
    assert done.stopped is None
    assert same(done.model, whole.model)
    assert not same(done.model, tmp_path / "parts" / "classes" / FILE)


def test_clicks_are_learned_with_all_that_sees_classes_held(without_rendering, tmp_path):
    train_parser(tmp_path, tmp_path, replace(FOUR, steps=2, click_steps=2), "cpu")
    before, after = weights(tmp_path / "classes" / FILE), weights(tmp_path / FILE)
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"clicks"}


def test_the_encoder_learns_more_slowly_and_keeps_its_statistics():
    recipe = replace(TINY, encoder_rate=0.1)
    stage = ClassesStage(ParserNetwork(), recipe).train()
    groups = stage.groups()
    assert {(group["share"], group.get("weight_decay")) for group in groups} == {
        (share, decay) for share in (0.1, 1.0) for decay in (None, 0.0)
    }
    counted = sum(len(group["params"]) for group in groups)
    assert counted == sum(not name.startswith("clicks.") for name, _ in ParserNetwork().named_parameters())
    norms = {
        name: part.training for name, part in stage.network.named_modules() if isinstance(part, torch.nn.BatchNorm2d)
    }
    assert {name.startswith("encoder.") for name, trains in norms.items() if not trains} == {True}
    assert any(norms.values())


def test_an_average_takes_in_statistics_as_weights(without_rendering, tmp_path):
    """With weights that hardly move, those of normalisation are all that differs from the start."""
    start = save_network(ParserNetwork(), tmp_path, {})
    slow = replace(FOUR, rate=1e-12, steps=2, click_steps=0, average=0.5)
    trained = train_parser(tmp_path / "new", tmp_path, slow, "cpu", start=start)
    ours, theirs = weights(trained.model), weights(start)
    changed = {name.rsplit(".", 1)[1] for name, value in ours.items() if not torch.equal(value, theirs[name])}
    assert changed == {"running_mean", "running_var", "num_batches_tracked"}
    # Where a layer sees next to nothing its variance, 1 at first, keeps nine tenths a step; the average after the first
    # step is that step's, and counts 2 / 11 after the second.
    name = "deepest.1.running_var"
    assert torch.allclose(ours[name], torch.tensor(0.9 * 2 / 11 + 0.81 * 9 / 11), atol=1e-3)


def test_portraits_without_labels_join_once_the_network_can_label_them(without_rendering, collins, tmp_path):
    picture = write_image(collins, tmp_path / "collins.png")
    recipe = replace(FOUR, real_from=0.5, real_share=1.0, click_steps=0)
    out, teacher = tmp_path / "out", tmp_path / "out" / TEACHER / FILE
    train_parser(out, tmp_path, recipe, "cpu", portraits=[picture], on_step=stop_after(2))
    assert not teacher.exists()
    then = weights(out / FILE)
    done = train_parser(out, tmp_path, recipe, "cpu", portraits=[picture])
    assert all(torch.equal(value, then[name]) for name, value in weights(teacher).items())
    alone = train_parser(tmp_path / "alone", tmp_path, recipe, "cpu")
    assert not same(done.model, alone.model)


def test_it_does_not_go_on_with_another_recipe(without_rendering, tmp_path):
    train_parser(tmp_path, tmp_path, TINY, "cpu", max_minutes=1e-6)
    with pytest.raises(InvalidRequest) as error:
        train_parser(tmp_path, tmp_path, replace(TINY, steps=32, seed=4), "cpu", max_minutes=1e-6)
    assert "another recipe (seed was 0, is 4; steps was 16, is 32): take that recipe again" in str(error.value)
    assert str(tmp_path / "classes" / FILE) in str(error.value)
    train_parser(tmp_path, tmp_path, replace(TINY, running=Running(workers=0)), "cpu", max_minutes=1e-6)


def test_it_stops_in_time(without_rendering, tmp_path):
    trained = train_parser(tmp_path, tmp_path, TINY, "cpu", max_minutes=1e-6)
    assert (trained.stage, trained.step, trained.steps, trained.stopped) == ("classes", 1, 16, "time")
    assert latest(tmp_path / "classes") == 1
    assert trained.model == tmp_path / FILE


def test_it_begins_with_given_weights(without_rendering, tmp_path):
    start = save_network(ParserNetwork(), tmp_path, {})
    one = replace(FOUR, rate=1e-12, steps=1, click_steps=0)
    began = train_parser(tmp_path / "began", tmp_path, one, "cpu", start=start)
    fresh = train_parser(tmp_path / "fresh", tmp_path, one, "cpu")
    theirs, ours, others = (weights(path)["head.0.weight"] for path in (start, began.model, fresh.model))
    assert torch.equal(theirs, ours)
    assert not torch.equal(theirs, others)


def test_the_command_line_trains_and_reports(without_rendering, tmp_path, capsys, monkeypatch):
    # The shipped parser's recipe but for examples that are smaller and made by this process.
    monkeypatch.setattr(parser_recipe, "ParserRecipe", partial(ParserRecipe, batch=2, side=SIDE, running=RUNNING))
    typed = ["train", "parser", "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cpu", "--json"]
    assert main([*typed, "--steps", "1", "--click-steps", "0"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report.pop("megabytes") > 1
    path = str(tmp_path / "out" / FILE)
    assert report == {"weights": path, "stage": "classes", "step": 1, "steps": 1, "stopped": "at its end"}
    assert main([*typed, "--steps", "2"]) == BAD_REQUEST
    assert "another recipe (steps was 1, is 2" in capsys.readouterr().err
    assert main([*typed, "--steps", "0", "--click-steps", "0"]) == BAD_REQUEST
    assert "neither steps for the classes nor for the clicks" in capsys.readouterr().err


def test_something_must_be_learned():
    with pytest.raises(InvalidRequest, match="neither steps for the classes nor for the clicks"):
        ParserRecipe(steps=0, click_steps=0)

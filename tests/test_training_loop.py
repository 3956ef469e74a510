"""Training steps, averages, limits and logs."""

from __future__ import annotations

import json
import logging
import math
import signal
import sys

import numpy as np
import pytest
import torch
from training_loop_made import AlikeStage, BrokenStage, drawn_clips, learner, micro_batches, recipe

from durian.errors import InvalidRequest, LimitExceeded
from durian.training.recipe import DiffusionRecipe, Running
from durian.training.run.averaging import Average
from durian.training.run.learning import Shares, generator_of, rate_of
from durian.training.run.logbook import Logbook, read_log
from durian.training.run.speed import PEAK_FLOPS, Speed, counted_flop
from durian.training.run.stopping import Stopping


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return drawn_clips(tmp_path_factory.mktemp("clips"))


def weights(stage) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in stage.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


# Steps


def test_two_micro_batches_of_two_are_a_batch_of_four(clips):
    together, split = recipe(micro_batch=4), recipe(micro_batch=2)
    whole, parts = learner(together), learner(split)
    one = whole.learn(iter(micro_batches(together, clips, 4, 1)), 0)
    two = parts.learn(iter(micro_batches(split, clips, 2, 2)), 0)
    assert float(one["total"]) == pytest.approx(float(two["total"]), rel=1e-5)
    assert float(one["gradient_norm"]) == pytest.approx(float(two["gradient_norm"]), rel=1e-4)
    # After one step AdamW's first moment is a tenth of the gradient.
    moments = [
        torch.cat([state["exp_avg"].flatten() for state in made._optimisers[0].state.values()])
        for made in (whole, parts)
    ]
    assert moments[0].norm() > 0
    assert (moments[0] - moments[1]).norm() < 1e-4 * moments[0].norm()


def test_recomputed_activations_give_the_same_gradient(clips):
    norms = []
    for checkpointing in (False, True):
        made = recipe(Running(workers=0, checkpointing=checkpointing))
        step = learner(made).learn(iter(micro_batches(made, clips, 2, 2)), 0)
        norms.append(float(step["gradient_norm"]))
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_a_loss_that_is_no_number_changes_nothing_and_then_ends_the_training(clips):
    class Broken(BrokenStage):
        broken = (1, 3, 4)

    made = recipe(Running(workers=0, bad_steps=2))
    learning, batches = learner(made, Broken), micro_batches(made, clips, 2, 2)
    learning.learn(iter(batches), 0)
    before, moments = weights(learning.stage), learning._optimisers[0].state_dict()["state"][0]["exp_avg"].clone()
    learning.learn(iter(batches), 1)
    assert learning.bad_in_a_row == 1
    assert same(before, weights(learning.stage))
    assert torch.equal(learning._optimisers[0].state_dict()["state"][0]["exp_avg"], moments)
    learning.learn(iter(batches), 2)
    assert learning.bad_in_a_row == 0
    assert not same(before, weights(learning.stage))
    learning.learn(iter(batches), 3)
    with pytest.raises(InvalidRequest, match=r"not finite in 2 steps in a row, until step 5: .*smaller rate"):
        learning.learn(iter(batches), 4)


def test_a_processor_computes_in_full_precision():
    """Without instructions for bfloat16, as most have none, it would take several times as long."""
    some = torch.eye(4)
    with learner(recipe(precision="bfloat16")).in_its_precision():
        assert (some @ some).dtype == torch.float32


def test_full_memory_says_what_to_change(clips):
    class Full(AlikeStage):
        def forward(self, *arguments):
            raise torch.OutOfMemoryError("CUDA out of memory.")

    made = recipe()
    with pytest.raises(LimitExceeded, match=r"micro batches of 2 samples of 1 frames: .*smaller micro_batch"):
        learner(made, Full).learn(iter(micro_batches(made, clips, 2, 2)), 0)


def test_devices_share_micro_batches_and_their_noise():
    stage = DiffusionRecipe(steps=9, batch=8, micro_batch=2, rate=1e-3)
    assert [list(Shares(stage, process, 2).mine) for process in (0, 1)] == [[0, 2], [1, 3]]
    with pytest.raises(InvalidRequest, match="batch of 8 in micro batches of 2 is not for 3 devices"):
        Shares(stage, 0, 3)
    numbers = [torch.rand(1, generator=generator_of(*key)) for key in ((0, 1, 2), (0, 1, 2), (0, 2, 1), (1, 1, 2))]
    assert numbers[0] == numbers[1]
    assert len({float(number) for number in numbers}) == 3


def test_rates_rise_and_fall():
    stage = DiffusionRecipe(steps=14, batch=1, micro_batch=1, rate=0.5, warm_up=4, schedule="cosine")
    assert [rate_of(stage, step) for step in range(5)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert rate_of(stage, 9) == pytest.approx(0.25)
    assert rate_of(stage, 13) == pytest.approx(0.25 * (1 + math.cos(0.9 * math.pi)))
    assert rate_of(DiffusionRecipe(steps=14, batch=1, micro_batch=1, rate=0.5), 13) == 0.5


# The average of weights


def test_an_average_is_what_the_formula_says_and_shows_itself_for_a_while():
    stage = learner(recipe()).stage
    average, weight = Average(stage, 0.5), stage.components["guider"].layers.conv_in.weight
    expected = None
    for step in range(6):
        with torch.no_grad():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(step)))
        average.follow()
        old = 0.0 if step == 0 else min(0.5, (1 + step) / (10 + step))
        expected = weight.clone() if expected is None else old * expected + (1 - old) * weight
    now = weight.detach().clone()
    with average.shown():
        assert torch.allclose(weight, expected, atol=1e-6)
        assert not torch.allclose(weight, now, atol=1e-3)
    assert torch.equal(weight, now)


# Stopping


def test_time_that_is_still_needed_counts():
    now = [100.0]
    stopping = Stopping(max_minutes=1, clock=lambda: now[0])
    now[0] = 140.0
    assert stopping.elapsed == 40
    assert stopping.reason(needed=19) is None
    assert stopping.reason(needed=21) == "time"
    assert Stopping(None, clock=lambda: now[0]).reason(1e9) is None


def test_the_first_signal_asks_and_the_second_does_as_usual():
    # In a background job the shell has SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with Stopping() as stopping:
        assert stopping.reason(0) is None
        signal.raise_signal(signal.SIGINT)
        assert stopping.reason(0) == "signal"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.signal(signal.SIGINT, before)


# Speed


def test_speed_tells_waiting_from_working_and_leaves_pauses_out():
    now = [0.0]

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    speed = Speed(clock=lambda: now[0])
    for _ in range(2):
        with speed.step(samples=8, flop=30.0):
            with speed.waiting():
                pass_time(1)
            pass_time(3)
    with speed.pausing():
        pass_time(50)
    report = speed.report(peak=10.0)
    assert report == pytest.approx({"samples_per_second": 2.0, "waiting_share": 0.25, "utilisation": 0.75})
    assert speed.longest_step == 4
    assert "utilisation" not in speed.report()


def test_a_slow_first_step_is_forgotten():
    now = [0.0]
    speed = Speed(clock=lambda: now[0])
    for seconds in [60.0] + [1.0] * 50:
        with speed.step(1, 0.0):
            now[0] += seconds
    assert speed.longest_step == 1


def test_operations_of_a_product_are_counted_forwards_and_backwards():
    first, second = (torch.ones(4, 4, requires_grad=True) for _ in range(2))
    with counted_flop() as flop:
        (first @ second).sum().backward()
    assert flop() == 3 * 2 * 4**3
    assert max(PEAK_FLOPS.values()) == PEAK_FLOPS["H100"]


# The log


def test_a_log_that_goes_on_forgets_what_came_after_the_checkpoint(tmp_path):
    log = Logbook(tmp_path, 0)
    for step in (10, 20, 30):
        log.write(step, {"total": step / 7})
    log.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 40, "to')
    again = Logbook(tmp_path, 20)
    again.write(30, {"total": 1.0})
    again.close()
    assert [(line["step"], line["total"]) for line in read_log(tmp_path)] == [(10, 1.42857), (20, 2.85714), (30, 1.0)]


def test_curves_and_sheets_are_in_tensorboard(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = Logbook(tmp_path, 0)
    log.write(3, {"total": 0.25})
    path = log.show(3, [[np.full((8, 8, 3), 200, np.uint8)] * 2])
    log.close()
    found = events.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in found.Scalars("total")] == [(3, 0.25)]
    assert [(event.step, event.width, event.height) for event in found.Images("validation")] == [(3, 16, 8)]
    assert path.name == "0000003.png"


def test_without_tensorboard_there_is_a_sentence_and_the_log_goes_on(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with caplog.at_level(logging.WARNING):
        log = Logbook(tmp_path, 0)
    assert "TensorBoard is not installed" in caplog.text
    log.write(1, {"total": 0.5})
    log.show(1, [[np.zeros((4, 4, 3), np.uint8)]])
    log.close()
    assert json.loads((tmp_path / "log.jsonl").read_text()) == {"step": 1, "total": 0.5}

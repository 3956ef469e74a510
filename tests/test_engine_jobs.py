"""Jobs in the engine: their order, places, progress, estimates and cancelling."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from gated import PATIENCE, GatedRenderer, files_below, gated_request, wait_until
from requests_made import request

from durian.engine import Engine
from durian.engine import jobs as jobs_module
from durian.engine import queue as queue_module
from durian.engine.jobs import Delivery, Job
from durian.engine.queue import JobQueue, pace_key
from durian.errors import Cancelled, InvalidRequest, LimitExceeded, QueueFull
from durian.media import VideoWriter
from durian.settings import Settings

# The line


def test_jobs_run_in_order_and_know_their_place(engine: Engine, gated: GatedRenderer):
    jobs = [engine.submit(gated_request(frames=2)) for _ in range(3)]
    assert gated.begun.acquire(timeout=PATIENCE)
    assert [job.position for job in jobs] == [0, 1, 2]
    assert [job.state for job in jobs] == ["running", "waiting", "waiting"]
    gated.let(2)
    jobs[0].result(PATIENCE)
    assert gated.begun.acquire(timeout=PATIENCE)
    assert [job.position for job in jobs[1:]] == [0, 1]
    gated.let(4)
    assert [job.result(PATIENCE).frames for job in jobs] == [2, 2, 2]


def test_a_full_line_refuses_in_one_sentence(engine: Engine, gated: GatedRenderer):
    jobs = [engine.submit(gated_request(frames=1))]
    assert gated.begun.acquire(timeout=PATIENCE)
    jobs += [engine.submit(gated_request(frames=1)) for _ in range(3)]
    with pytest.raises(QueueFull, match="3 animations are waiting"):
        engine.submit(gated_request(frames=1))
    jobs[1].cancel()
    jobs[1] = engine.submit(gated_request(frames=1))
    gated.let(4)
    assert all(job.result(PATIENCE).frames == 1 for job in jobs)


def test_an_unknown_renderer_is_refused_before_it_waits(engine: Engine):
    with pytest.raises(InvalidRequest, match="preview"):
        engine.submit(request(renderer="paint-by-numbers"))


def test_updates_end_with_the_end(engine: Engine, gated: GatedRenderer):
    job = engine.submit(gated_request(frames=3))
    gated.let(3)
    seen = list(job.updates(interval=0))
    assert seen[-1].state == "done"
    assert seen[-1].frame == seen[-1].frames == 3
    assert [status.frame for status in seen] == sorted(status.frame for status in seen)
    assert list(job.updates())[-1].state == "done"


def test_the_remaining_time_is_measured(monkeypatch: pytest.MonkeyPatch):
    now = {"value": 100.0}
    monkeypatch.setattr(jobs_module.time, "perf_counter", lambda: now["value"])
    job = Job(gated_request(frames=10), Delivery())
    job.start()
    now["value"] = 103.0
    job.frame_done()
    assert job.progress.remaining is None
    for now["value"] in (103.5, 104.0, 104.5):
        job.frame_done()
    # The three seconds before the first frame prepared the scene and are no measure of a frame.
    assert job.seconds_per_frame == pytest.approx(0.5)
    assert job.progress.remaining == pytest.approx(3.0)
    assert job.progress.elapsed == pytest.approx(4.5)


def test_those_who_wait_are_told_how_long_from_earlier_jobs(monkeypatch: pytest.MonkeyPatch):
    now = {"value": 0.0}
    monkeypatch.setattr(jobs_module.time, "perf_counter", lambda: now["value"])
    line = JobQueue(5)
    first, second, third = (Job(gated_request(frames=4), Delivery()) for _ in range(3))
    line.join(first)
    assert line.next() is first
    first.start()
    for now["value"] in (1.0, 1.25):
        first.frame_done()
    line.done(first, pace_key(gated_request(frames=4)))
    line.join(second)
    line.join(third)
    assert second.progress.remaining == pytest.approx(4 * 0.25)
    assert third.progress.remaining == pytest.approx(8 * 0.25)


def of_client(client: str | None) -> Job:
    return Job(gated_request(frames=4), Delivery(client=client))


def test_next_is_who_had_least_of_late(monkeypatch: pytest.MonkeyPatch):
    clock = [0.0]
    monkeypatch.setattr(queue_module.time, "monotonic", lambda: clock[0])
    line = JobQueue(9)
    many = [of_client("1.2.3.4") for _ in range(3)]
    for job in many:
        line.join(job)
    assert line.next() is many[0]
    many[0].start()
    clock[0] += 1.0
    other, later = of_client("5.6.7.8"), of_client("9.9.9.9")
    line.join(other)
    line.join(later)
    # While the first still runs, and of one client what came first.
    assert line.jobs() == [many[0], other, later, many[1], many[2]]
    assert [job.position for job in line.jobs()] == [0, 1, 2, 3, 4]
    clock[0] += 20.0
    line.done(many[0], None)
    assert line.next() is other
    clock[0] += 10.0
    line.done(other, None)
    again = of_client("5.6.7.8")
    line.join(again)
    assert line.jobs() == [later, again, many[1], many[2]]
    nobody_s = of_client(None)
    line.join(nobody_s)
    assert line.jobs()[:2] == [later, nobody_s]


def test_where_the_line_is_full_who_has_most_gives_a_place_up():
    line = JobQueue(4)
    first, second, third, other = (of_client(client) for client in ("a", "a", "a", "b"))
    for job in (first, second, third, other):
        line.join(job)
    new = of_client("c")
    line.join(new)
    assert line.jobs() == [first, second, other, new]
    with pytest.raises(QueueFull, match=r"^Many visitors wait: your last animation gave its place up\."):
        third.result(PATIENCE)
    # Two are no more than a second one of another's would be.
    for client in ("a", "b", "c"):
        with pytest.raises(QueueFull, match=r"^4 animations are waiting already: "):
            line.join(of_client(client))
    assert line.jobs() == [first, second, other, new]


# Estimates


def test_estimates_are_seen_while_the_job_runs_and_gone_afterwards(engine: Engine, gated: GatedRenderer):
    gated.steps = 3
    job = engine.submit(gated_request(frames=4), watched_frame=9)
    assert gated.begun.acquire(timeout=PATIENCE)
    assert job.estimate is None
    for step in (1, 2, 3):
        gated.let(1)
        wait_until(lambda step=step: job.progress.estimates == step)
        shown, status = job.estimate, job.progress
        assert (status.stage, status.step, status.steps, status.frame) == ("denoising", step, 3, 0)
        # The clip's last frame: there is no tenth.
        assert (shown.step, shown.steps, shown.frame) == (step, 3, 3)
        assert (shown.picture == step).all()
    gated.let(4)
    assert job.result(PATIENCE).frames == 4
    assert job.estimate is None
    assert job.progress.estimates == 3


@pytest.mark.parametrize(("wanted", "shown"), [(None, 3), (0, 0), (5, 5), (-2, 0), (99, 5)])
def test_the_frame_that_is_watched_is_the_one_asked_for_or_the_nearest_there_is(wanted, shown):
    assert Job(request(frames=6), Delivery(watched_frame=wanted)).watched_frame == shown


def test_estimates_are_finished_like_stills(engine: Engine, gated: GatedRenderer):
    gated.steps = 1
    job = engine.submit(gated_request(frames=1, options={"label": True}))
    gated.let(1)
    wait_until(lambda: job.estimate is not None)
    picture = job.estimate.picture
    assert (picture[:40] == 1).all()
    assert (picture[40:] != 1).any()
    gated.let(1)
    job.result(PATIENCE)


def test_a_job_is_cancelled_between_steps(engine: Engine, gated: GatedRenderer):
    gated.steps = 5
    job = engine.submit(gated_request(frames=2))
    gated.let(2)
    wait_until(lambda: job.progress.step == 2)
    job.cancel()
    gated.let(1)
    with pytest.raises(Cancelled):
        job.result(PATIENCE)
    assert job.progress.step == 3
    assert gated.rendered == 0
    assert job.estimate is None


def test_the_remaining_time_of_steps_is_measured(monkeypatch: pytest.MonkeyPatch):
    now = {"value": 50.0}
    monkeypatch.setattr(jobs_module.time, "perf_counter", lambda: now["value"])
    job = Job(gated_request(frames=4), Delivery())
    job.start()
    now["value"] = 53.0
    job.step_done(0, 6)
    assert job.progress.remaining is None
    for step, now["value"] in enumerate((55.0, 57.0), start=1):
        job.step_done(step, 6)
    assert job.progress.remaining == pytest.approx(8.0)
    # Memory ended, and the renderer starts over with less at once.
    now["value"] = 60.0
    job.step_done(0, 6)
    assert job.progress.remaining is None
    for step in range(1, 7):
        now["value"] += 1.0
        job.step_done(step, 6)
    for now["value"] in (66.5, 66.75, 67.0):
        job.frame_done()
    assert job.progress.remaining == pytest.approx(0.25)
    # A later job of four frames would take six seconds of steps and one of frames.
    assert 4 * job.seconds_per_frame == pytest.approx(7.0)


# Cancelling


def test_cancel_takes_effect_within_one_frame_and_the_next_job_works(
    engine: Engine, gated: GatedRenderer, tmp_path: Path
):
    job = engine.submit(gated_request(frames=6), out=tmp_path / "gone.mp4")
    following = engine.submit(gated_request(frames=2))
    gated.let(2)
    wait_until(lambda: job.progress.frame == 2)
    job.cancel()
    gated.let(1)
    with pytest.raises(Cancelled):
        job.result(PATIENCE)
    assert gated.rendered == 3
    assert gated.closed_early == 1
    gated.let(2)
    assert following.result(PATIENCE).frames == 2
    assert not [p for p in tmp_path.iterdir() if p.is_file()]
    assert len(files_below(tmp_path / "work" / "visitors" / "results")) == 2


def test_a_job_cancelled_while_it_waits_is_over_at_once(engine: Engine, gated: GatedRenderer):
    running, waiting, last = (engine.submit(gated_request(frames=1)) for _ in range(3))
    assert gated.begun.acquire(timeout=PATIENCE)
    waiting.cancel()
    with pytest.raises(Cancelled):
        waiting.result(0)
    assert last.position == 1
    gated.let(2)
    running.result(PATIENCE)
    last.result(PATIENCE)
    assert gated.rendered == 2


def test_cancel_while_the_scene_is_prepared(engine: Engine, gated: GatedRenderer):
    job = engine.submit(gated_request(frames=4))
    assert gated.begun.acquire(timeout=PATIENCE)
    job.cancel()
    gated.let(1)
    with pytest.raises(Cancelled):
        job.result(PATIENCE)
    assert gated.rendered == 1


def test_cancel_while_the_file_is_written(engine: Engine, gated: GatedRenderer, monkeypatch: pytest.MonkeyPatch):
    writing, go_on = threading.Event(), threading.Event()
    write = VideoWriter.write

    def slow_write(self, picture):
        writing.set()
        assert go_on.wait(PATIENCE)
        write(self, picture)

    monkeypatch.setattr(VideoWriter, "write", slow_write)
    job = engine.submit(gated_request(frames=3), owner="visitor")
    gated.let(3)
    wait_until(lambda: job.progress.stage == "encoding")
    job.cancel()
    # The encoder is told while the worker waits for it; only then may it go on.
    time.sleep(0.2)
    go_on.set()
    with pytest.raises(Cancelled):
        job.result(PATIENCE)
    assert writing.is_set()
    assert files_below(engine.owner_folder("visitor")) == []


def test_cancel_of_a_finished_job_changes_nothing(engine: Engine, gated: GatedRenderer):
    gated.let(1)
    job = engine.submit(gated_request(frames=1))
    job.result(PATIENCE)
    job.cancel()
    assert job.state == "done"
    assert job.result().path.is_file()


def test_an_owner_who_leaves_takes_their_jobs_and_files_along(engine: Engine, gated: GatedRenderer):
    gated.let(1)
    kept = engine.animate(gated_request(frames=1), owner="stays")
    mine = [engine.submit(gated_request(frames=2), owner="leaves") for _ in range(2)]
    other = engine.submit(gated_request(frames=2), owner="stays")
    assert engine.cancel_owner("leaves") == 2
    gated.let(3)
    for job in mine:
        with pytest.raises(Cancelled):
            job.result(PATIENCE)
    other.result(PATIENCE)
    engine.forget_owner("stays")
    assert not kept.path.exists()


def test_closing_stops_the_running_job(tmp_path: Path, gated: GatedRenderer):
    engine = Engine(Settings(work=tmp_path))
    running, waiting = (engine.submit(gated_request(frames=4), out=tmp_path / f"{i}.mp4") for i in range(2))
    assert gated.begun.acquire(timeout=PATIENCE)
    gated.let(1)
    closing = threading.Thread(target=engine.close)
    closing.start()
    gated.let(1)
    closing.join(PATIENCE)
    assert [running.state, waiting.state] == ["cancelled", "cancelled"]
    assert files_below(tmp_path / "visitors" / "results") == []
    assert gated.closed
    with pytest.raises(RuntimeError, match="closed"):
        engine.submit(gated_request(frames=1))


@pytest.mark.parametrize("stops_itself", [False, True], ids=["between frames", "within a step"])
def test_a_visitors_job_has_its_time_and_others_have_not(tmp_path: Path, gated: GatedRenderer, stops_itself: bool):
    engine = Engine(Settings(work=tmp_path, max_job_seconds=1))
    visitors_own = engine.submit(gated_request(), client="1.2.3.4")
    gated.let(1)
    wait_until(lambda: visitors_own.is_overdue)
    # A renderer that asks whether it is to stop does not know why.
    gated.fail_with = Cancelled("Sampling was cancelled after step 1 of 6.") if stops_itself else None
    gated.let(1)
    with pytest.raises(LimitExceeded, match="longer than 1 seconds"):
        visitors_own.result(PATIENCE)
    assert visitors_own.state == "failed"
    assert files_below(tmp_path / "visitors" / "results") == []
    gated.fail_with = None
    mine = engine.submit(gated_request(frames=2))
    gated.let(1)
    wait_until(lambda: mine.progress.elapsed > 1.2)
    gated.let(1)
    assert mine.result(PATIENCE).frames == 2
    engine.close()


def test_a_client_has_so_many_places_in_the_line(tmp_path: Path, gated: GatedRenderer):
    engine = Engine(Settings(work=tmp_path, visitor_places=2))
    first, second = (engine.submit(gated_request(frames=1), client="1.2.3.4") for _ in range(2))
    with pytest.raises(QueueFull, match="2 animations of yours"):
        engine.submit(gated_request(frames=1), client="1.2.3.4")
    other = engine.submit(gated_request(frames=1), client="5.6.7.8")
    second.cancel()
    third = engine.submit(gated_request(frames=1), client="1.2.3.4")
    gated.let(3)
    assert [job.result(PATIENCE).frames for job in (first, other, third)] == [1, 1, 1]
    engine.close()


def test_what_a_job_works_out_of_pictures_is_kept_for_its_client(engine: Engine, gated: GatedRenderer):
    jobs = [engine.submit(gated_request(frames=1), client=client) for client in ("1.2.3.4", "5.6.7.8", None)]
    gated.let(3)
    for job in jobs:
        job.result()
    assert gated.clients == ["1.2.3.4", "5.6.7.8", ""]

"""The engine: order, places, progress, cancelling, failures, files and memory, mostly with a renderer that waits."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest
from requests_made import attribute, picture, portrait, request

from durian import renderer as renderers
from durian.engine import Engine, JobStatus
from durian.engine import jobs as jobs_module
from durian.engine.jobs import Delivery, Job, JobLine
from durian.engine.stills import StillsLane
from durian.engine.storage import Storage
from durian.errors import Cancelled, InvalidRequest, NoFaceFound, OutputFailed, QueueFull
from durian.media import VideoWriter, iter_video, probe_video, read_metadata, read_video
from durian.settings import Settings

PATIENCE = 30.0
"""Seconds after which a test gives up on something that should come at once."""


class GatedRenderer:
    """Frames of one colour each; every frame waits for :meth:`let`."""

    name = "gated"

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.rendered = 0
        self.closed_early = 0
        self.stills: list[float] = []
        self.fail_with: Exception | None = None
        self.closed = False

    def let(self, frames: int) -> None:
        self.gate.release(frames)

    def render(self, request):
        self.begun.release()
        try:
            for index in range(request.options.frames):
                assert self.gate.acquire(timeout=PATIENCE)
                if self.fail_with is not None:
                    raise self.fail_with
                self.rendered += 1
                yield frame(index, request.options.size)
        except GeneratorExit:
            self.closed_early += 1
            raise

    def still(self, request, frame=0):
        self.stills.append(request.blend_start)
        return np.full((request.options.size, request.options.size, 3), 10 + frame, np.uint8)

    def overlays(self, request):
        return {"hole": self.still(request)}

    def close(self) -> None:
        self.closed = True


def frame(index: int, size: int) -> np.ndarray:
    made = picture(index, size)
    made[: size // 2] = 20 * index % 256
    return made


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> GatedRenderer:
    made = GatedRenderer()
    monkeypatch.setitem(renderers._FACTORIES, "gated", lambda: made)
    return made


@pytest.fixture
def engine(tmp_path: Path):
    made = Engine(Settings(work=tmp_path / "work", max_queue=3))
    yield made
    made.close()


def gated_request(**changes: object):
    return request(renderer="gated", **changes)


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# Results


def test_an_animation_is_a_playable_file_with_its_settings(engine: Engine, gated: GatedRenderer):
    gated.let(6)
    animation = engine.animate(gated_request(options={"seed": 7}))
    info = probe_video(animation.path)
    assert (info.width, info.height, round(info.fps)) == (64, 64, 24)
    assert len(read_video(animation.path).frames) == 6 == animation.frames
    assert (animation.width, animation.height, animation.seed, animation.renderer) == (64, 64, 7, "gated")
    about = read_metadata(animation.path)
    assert about["seed"] == 7
    assert about["settings"]["attributes"][0]["name"] == "hat"
    assert about["request_id"] == animation.request_id
    assert "AI-generated" in about["title"]


def test_the_master_holds_the_exact_frames_and_the_other_forms_come_from_it(
    engine: Engine, gated: GatedRenderer, tmp_path: Path
):
    gated.let(6)
    animation = engine.animate(gated_request())
    exact = [frame(index, 64) for index in range(6)]
    assert all(np.array_equal(a, b) for a, b in zip(iter_video(animation.master, 24), exact, strict=True))
    with zipfile.ZipFile(animation.frames_zip(tmp_path / "frames.zip")) as archive:
        assert len(archive.namelist()) == 6
    assert probe_video(animation.gif(tmp_path / "clip.gif")).width == 64
    animation.master.unlink()
    with pytest.raises(OutputFailed, match="deleted"):
        animation.gif(tmp_path / "late.gif")


def test_the_label_is_drawn_unless_it_is_not_wanted(engine: Engine, gated: GatedRenderer):
    gated.let(12)
    plain = engine.animate(gated_request())
    labelled = engine.animate(gated_request(options={"label": True}))
    first, second = (next(iter_video(a.master, 24)) for a in (plain, labelled))
    changed = (first != second).any(2)
    assert changed[-24:].any()
    assert not changed[: 64 - 24].any()


def test_uncrop_gives_the_photo_around_the_crop(engine: Engine, gated: GatedRenderer):
    gated.let(2)
    wide = picture(5, 120)[:, :100]
    animation = engine.animate(
        gated_request(frames=2, portrait=portrait(image=np.ascontiguousarray(wide)), options={"uncrop": True})
    )
    assert (animation.width, animation.height) == (100, 120)
    first = next(iter_video(animation.master, 24))
    assert np.array_equal(first[90:], wide[90:])
    assert not np.array_equal(first[40:60, 40:60], wide[40:60, 40:60])


def test_the_result_goes_where_it_is_wanted(engine: Engine, gated: GatedRenderer, tmp_path: Path):
    gated.let(6)
    assert engine.animate(gated_request(), out=tmp_path / "mine.mp4").path == tmp_path / "mine.mp4"
    assert (tmp_path / "mine.mp4").is_file()
    with pytest.raises(OutputFailed, match="does not exist"):
        engine.submit(gated_request(), out=tmp_path / "nowhere" / "mine.mp4")


def test_sound_starts_where_the_motion_does(engine: Engine, gated: GatedRenderer, tmp_path: Path):
    from durian.media.audio import SAMPLE_RATE, read_audio

    source = video_with_beep(tmp_path / "driver.mp4", seconds=2.0, beep_at=1.0)
    gated.let(24)
    animation = engine.animate(gated_request(frames=24), audio_from=source, audio_start=0.75)
    sound = np.abs(read_audio(animation.path, 0.0, 2.0)).max(0)
    loud = np.flatnonzero(sound > 0.3)[0] / SAMPLE_RATE
    assert loud == pytest.approx(0.25, abs=0.05)


def video_with_beep(path: Path, seconds: float, beep_at: float) -> Path:
    import av

    time_line = np.arange(int(seconds * 48000)) / 48000
    tone = np.where(time_line >= beep_at, 0.8 * np.sin(2 * np.pi * 440 * time_line), 0).astype(np.float32)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=48000, layout="mono")
        for _ in range(int(seconds * 10)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture(0, 64), format="rgb24")))
        container.mux(video.encode(None))
        for start in range(0, tone.size, 1024):
            part = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
            part.sample_rate, part.pts = 48000, start
            container.mux(audio.encode(part))
        container.mux(audio.encode(None))
    return path


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
    line = JobLine(5)
    first, second, third = (Job(gated_request(frames=4), Delivery()) for _ in range(3))
    line.join(first)
    assert line.next() is first
    first.start()
    for now["value"] in (1.0, 1.25):
        first.frame_done()
    line.done(first, ("gated", 64))
    line.join(second)
    line.join(third)
    assert second.progress.remaining == pytest.approx(4 * 0.25)
    assert third.progress.remaining == pytest.approx(8 * 0.25)


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
    assert len(files_below(tmp_path / "work")) == 2


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
    assert files_below(tmp_path) == []
    assert gated.closed
    with pytest.raises(RuntimeError, match="closed"):
        engine.submit(gated_request(frames=1))


# Failures


@pytest.mark.parametrize("error", [NoFaceFound("Frame 3 (0.13 s) shows no face."), ZeroDivisionError("a fault")])
def test_a_failing_job_never_stops_the_worker(engine: Engine, gated: GatedRenderer, error: Exception):
    gated.fail_with = error
    gated.let(1)
    job = engine.submit(gated_request(frames=2))
    with pytest.raises(type(error), match=str(error).split()[0]):
        job.result(PATIENCE)
    assert job.state == "failed"
    assert job.progress.error is not None
    gated.fail_with = None
    gated.let(1)
    assert engine.animate(gated_request(frames=1)).frames == 1
    assert len(files_below(engine.owner_folder())) == 2


def test_a_failing_progress_callback_does_not_harm(engine: Engine, gated: GatedRenderer):
    def broken(status: JobStatus) -> None:
        raise KeyError(status.state)

    gated.let(2)
    assert engine.animate(gated_request(frames=2), on_progress=broken).frames == 2


def test_a_failing_encoder_stops_the_rendering(
    engine: Engine, gated: GatedRenderer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def full(self, picture):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full)
    gated.let(40)
    with pytest.raises(OutputFailed, match="No space left"):
        engine.animate(gated_request(frames=40), out=tmp_path / "half.mp4")
    assert [p for p in tmp_path.iterdir() if p.is_file()] == []
    assert files_below(tmp_path / "work") == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, project_root: Path):
    script = f"""
import resource, signal, sys
from pathlib import Path
sys.path[:0] = [{str(project_root)!r}, {str(project_root / "tests")!r}]
import numpy as np
from requests_made import picture, request
from durian import renderer
from durian.engine import Engine
from durian.errors import OutputFailed
from durian.settings import Settings

class Noise:
    name = "noise"
    def render(self, request):
        for index in range(request.options.frames):
            yield picture(index, request.options.size)
    def close(self): pass

renderer.register_renderer("noise", Noise)
engine = Engine(Settings(work=Path("work")))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
small = request(frames=2, renderer="noise")
engine.animate(small)  # everything is imported and compiled before the disk is full
engine.forget_owner("nobody")
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
try:
    engine.animate(request(frames=20, size=256, renderer="noise"), out=Path("half.mp4"))
except OutputFailed as error:
    print("sentence:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("next:", engine.animate(small).frames)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert "sentence: half.mp4 could not be written" in done.stdout or "sentence: master.mkv" in done.stdout, (
        done.stderr
    )
    assert "next: 2" in done.stdout
    assert not (tmp_path / "half.mp4").exists()
    assert not [p for p in tmp_path.iterdir() if p.is_file()]


# Stills


class Gate:
    """A piece of work that tells when it began and ends when it is let."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        return "done"


def in_thread(call) -> tuple[threading.Thread, list]:
    outcome: list = []

    def run() -> None:
        try:
            outcome.append(call())
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_only_the_newest_still_of_a_lane_counts():
    lane, gate = StillsLane(), Gate()
    working, worked = in_thread(lambda: lane.run("busy", [gate]))
    assert gate.begun.wait(PATIENCE)
    calls, last = [], -1
    for value in ("old", "older than the last", "new"):
        calls.append(in_thread(lambda value=value: lane.run("visitor", [lambda: value])))
        wait_until(lambda last=last: "visitor" in lane._waiting and lane._waiting["visitor"].number > last)
        last = lane._waiting["visitor"].number
    other, others = in_thread(lambda: lane.run("neighbour", [lambda: "theirs"]))
    wait_until(lambda: len(lane._waiting) == 2)
    for thread, outcome in calls[:2]:
        thread.join(PATIENCE)
        assert isinstance(outcome[0], Cancelled)
    gate.go.set()
    for thread in (working, calls[2][0], other):
        thread.join(PATIENCE)
    assert (worked, calls[2][1], others) == ([["done"]], [["new"]], [["theirs"]])
    assert not lane._waiting
    assert not lane._newest


def test_a_strip_stops_when_a_newer_one_is_asked_for():
    lane, gate = StillsLane(), Gate()
    made = []
    old, old_outcome = in_thread(lambda: lane.run("visitor", [gate, lambda: made.append("late")]))
    assert gate.begun.wait(PATIENCE)
    new, new_outcome = in_thread(lambda: lane.run("visitor", [lambda: "fresh"]))
    wait_until(lambda: "visitor" in lane._waiting)
    gate.go.set()
    old.join(PATIENCE)
    new.join(PATIENCE)
    assert isinstance(old_outcome[0], Cancelled)
    assert new_outcome == [["fresh"]]
    assert made == []


def test_a_failing_still_frees_the_lane():
    lane = StillsLane()
    with pytest.raises(ZeroDivisionError):
        lane.run("visitor", [lambda: 1 // 0])
    assert lane.run("visitor", [lambda: "fine"]) == ["fine"]


def test_a_still_does_not_wait_behind_an_animation(engine: Engine, gated: GatedRenderer):
    job = engine.submit(gated_request(frames=1))
    assert gated.begun.acquire(timeout=PATIENCE)
    assert (engine.still(gated_request(), frame=3) == 13).all()
    assert (engine.still(gated_request()) == 10).all()
    assert job.state == "running"
    gated.let(1)
    job.result(PATIENCE)


def test_strip_and_look_book(engine: Engine, gated: GatedRenderer):
    both = gated_request(attributes=(attribute(1), attribute(2)))
    assert len(engine.blend_strip(both, count=5)) == 5
    assert gated.stills == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert len(engine.look_book(gated_request(attributes=()), [attribute(seed) for seed in range(3)])) == 3
    assert set(engine.overlays(both)) == {"hole"}
    with pytest.raises(InvalidRequest, match="exactly two"):
        engine.blend_strip(gated_request())


# Memory and files


def test_a_finished_job_lets_its_pictures_go(engine: Engine, gated: GatedRenderer):
    gated.let(1)
    asked = gated_request(frames=1)
    alive = weakref.ref(asked)
    job = engine.submit(asked)
    job.result(PATIENCE)
    gated.fail_with = NoFaceFound("Frame 3 shows no face.")
    gated.let(1)
    failing = gated_request(frames=1)
    alive_too = weakref.ref(failing)
    failed = engine.submit(failing)
    with pytest.raises(NoFaceFound):
        failed.result(PATIENCE)
    del asked, failing

    def gone() -> bool:
        gc.collect()
        return alive() is None and alive_too() is None

    wait_until(gone)
    assert job.state == "done"
    assert failed.state == "failed"


def test_the_sweeper_deletes_old_files_only_and_follows_no_links(tmp_path: Path):
    precious = tmp_path / "precious.txt"
    precious.write_text("keep")
    os.utime(precious, (0, 0))
    storage = Storage(tmp_path / "results", keep_seconds=60)
    folder = storage.folder("visitor")
    old, new = folder / "job" / "old.mp4", folder / "new.mp4"
    old.parent.mkdir()
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    (folder / "link").symlink_to(precious)
    os.utime(old, (0, 0))
    os.utime(old.parent, (0, 0))
    assert storage.sweep() == 1
    assert files_below(tmp_path / "results") == sorted([f"{folder.name}/link", f"{folder.name}/new.mp4"])
    assert storage.sweep(now=time.time() + 61) == 2
    assert precious.read_text() == "keep"
    assert folder.name != "visitor"
    storage.close()


def test_a_work_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, gated: GatedRenderer):
    (tmp_path / "file").write_text("in the way")
    engine = Engine(Settings(work=tmp_path / "file"))
    with pytest.raises(OutputFailed, match="DURIAN_WORK"):
        engine.animate(gated_request(frames=1))
    engine.close()


def test_unloading_closes_renderers_and_they_come_back(engine: Engine, gated: GatedRenderer):
    assert engine.load("gated") is gated
    engine.unload()
    assert gated.closed
    gated.let(1)
    assert engine.animate(gated_request(frames=1)).frames == 1
    assert 0 < engine.memory()["resident_mb"] <= engine.memory()["peak_mb"]


# With the real renderer


@pytest.fixture(scope="module")
def real_request(collins: np.ndarray, hopper: np.ndarray):
    from durian.prepare import AttributeSource, MotionSource, PortraitSource, build_request
    from durian.request import RenderOptions

    return build_request(
        PortraitSource(collins),
        [AttributeSource(hopper, name="hat"), AttributeSource(hopper, name="glasses", strength=0.8)],
        MotionSource("nod"),
        RenderOptions(size=256, frames=5, label=False),
    ).request


def test_the_preview_renderer_through_the_engine(engine: Engine, real_request):
    animation = engine.animate(real_request)
    frames = list(iter_video(animation.master, 24))
    assert len(frames) == 5
    assert np.abs(frames[0].astype(int) - frames[2]).mean() > 0.5
    still = engine.still(real_request, frame=2)
    assert np.abs(still.astype(int) - frames[2]).max() <= 1
    bare = real_request.portrait.crop.apply(real_request.portrait.image, 256)
    assert np.abs(still[:80].astype(int) - bare[:80]).mean() > 5
    assert {"landmarks", "keypoints", "hole", "aligned"} <= set(engine.overlays(real_request))


def test_cancelling_the_preview_renderer(engine: Engine, real_request):
    from dataclasses import replace

    long = replace(real_request, options=replace(real_request.options, frames=600))
    job = engine.submit(long)
    for status in job.updates(interval=0):
        if status.frame >= 2:
            job.cancel()
            break
    with pytest.raises(Cancelled):
        job.result(PATIENCE)
    assert job.progress.frame < 600
    assert engine.animate(real_request).frames == 5


def test_stills_beside_an_animation_come_out_the_same(engine: Engine, real_request):
    from dataclasses import replace

    alone = [engine.still(real_request, frame=index) for index in range(3)]
    job = engine.submit(replace(real_request, options=replace(real_request.options, frames=60)))
    next(status for status in job.updates(interval=0) if status.frame >= 1 or status.finished)
    beside = [engine.still(real_request, frame=index) for index in range(3)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))
    frames = list(iter_video(job.result(PATIENCE).master, 24))
    assert np.abs(frames[2].astype(int) - alone[2]).max() <= 1


def test_the_process_has_one_engine():
    from durian.engine import get_engine

    found = []
    threads = [threading.Thread(target=lambda: found.append(get_engine())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 4
    assert len({id(engine) for engine in found}) == 1

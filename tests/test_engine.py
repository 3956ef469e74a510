"""The engine: results, failures, files and memory, mostly with a renderer that waits."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
import threading
import time
import weakref
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gated import PATIENCE, GatedRenderer, files_below, frame, gated_request, wait_until
from requests_made import picture, portrait

from durian.engine import Engine, JobStatus, memory, usual_bytes
from durian.engine.storage import Storage
from durian.errors import Cancelled, InvalidRequest, NoFaceFound, OutputFailed, QueueFull, UnreadableMedia
from durian.media import VideoWriter, iter_video, probe_video, read_metadata, read_video
from durian.settings import Settings

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
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nowhere" / "mine.mp4")
    for out, words in (
        ("nowhere/mine.mp4", "folder nowhere does not exist"),
        ("link.mp4", "a link that leads nowhere"),
    ):
        with pytest.raises(OutputFailed, match=words) as caught:
            engine.submit(gated_request(), out=tmp_path / out)
        assert str(tmp_path) not in str(caught.value)


def test_sound_starts_where_the_motion_does(engine: Engine, gated: GatedRenderer, tmp_path: Path):
    from durian.media.audio import SAMPLE_RATE, read_audio

    source = video_with_beep(tmp_path / "driver.mp4", seconds=2.0, beep_at=1.0)
    gated.let(24)
    animation = engine.animate(gated_request(frames=24), audio_from=source, audio_start=0.75)
    sound = np.abs(read_audio(animation.path, 0.0, 2.0)).max(0)
    loud = np.flatnonzero(sound > 0.3)[0] / SAMPLE_RATE
    assert loud == pytest.approx(0.25, abs=0.05)


def test_an_animation_whose_video_has_been_deleted_is_silent_and_says_so(
    engine: Engine, gated: GatedRenderer, tmp_path: Path
):
    gated.let(4)
    animation = engine.animate(gated_request(frames=4), audio_from=tmp_path / "swept.mp4")
    assert not probe_video(animation.path).has_audio
    assert animation.notices == (
        "The driving video has been deleted, so the animation is silent: choose the video again for its sound.",
    )
    # One that is there and cannot be read is a mistake.
    (tmp_path / "no.mp4").write_bytes(b"no video")
    with pytest.raises(UnreadableMedia):
        engine.animate(gated_request(frames=4), audio_from=tmp_path / "no.mp4")


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


def test_tidying_up_that_fails_never_stops_the_worker(
    engine: Engine, gated: GatedRenderer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken() -> None:
        raise AttributeError("half a library")

    monkeypatch.setattr("durian.engine.memory.release", broken)
    gated.let(2)
    jobs = [engine.submit(gated_request(frames=1)) for _ in range(2)]
    assert [job.result(PATIENCE).frames for job in jobs] == [1, 1]
    assert "half a library" in caplog.text


def test_memory_is_given_back_once_no_more_stills_are_asked_for(
    engine: Engine, gated: GatedRenderer, monkeypatch: pytest.MonkeyPatch
):
    released, release = threading.Event(), memory.release
    monkeypatch.setattr("durian.engine.memory.release", lambda: (release(), released.set()))
    monkeypatch.setattr("durian.engine.memory.QUIET_SECONDS", 0.2)
    gated.let(3)
    for _ in range(3):
        engine.still(gated_request(frames=1), frame=0)
    assert released.wait(PATIENCE)


def test_memory_is_given_back_while_another_thread_imports_torch():
    code = (
        "import sys, threading\n"
        "from durian.engine import memory\n"
        "thread = threading.Thread(target=__import__, args=('torch',))\n"
        "thread.start()\n"
        "while 'torch' not in sys.modules: pass\n"
        "whole = hasattr(sys.modules['torch'], 'cuda')\n"
        "memory.release()\n"
        "thread.join()\n"
        "print(whole)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_memory_that_is_used_is_counted():
    before = memory.resident_mb()
    used = np.ones(64 * memory.MEGABYTE, np.uint8)
    assert 56 < memory.resident_mb() - before < 128
    assert used.all()


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
    assert files_below(tmp_path / "work" / "visitors" / "results") == []


class Room:
    """Takes down what it is told, and has ``most`` bytes."""

    def __init__(self, most: float = math.inf) -> None:
        self.most, self.held, self.settled, self.closed = most, [0], (), 0

    def hold(self, size: int) -> None:
        if size > self.most:
            raise QueueFull("There is no room left: try again later.")
        self.held.append(size)

    def settle(self, *paths: Path) -> None:
        assert not self.closed
        self.settled = paths

    def close(self) -> None:
        self.closed += 1


def test_a_result_s_bytes_are_held_as_they_are_written(engine: Engine, gated: GatedRenderer):
    gated.let(6)
    room = Room()
    animation = engine.submit(gated_request(), room=room).result(PATIENCE)
    assert room.settled == (animation.path, animation.master)
    assert room.closed
    assert sorted(room.held) == room.held
    # The rest are the files' heads and indices.
    written = animation.path.stat().st_size + animation.master.stat().st_size
    assert 0.1 * written < room.held[-1] <= written


def test_an_animation_ends_where_there_is_no_room_for_it(engine: Engine, gated: GatedRenderer, tmp_path: Path):
    room = Room(most=2_000)
    job = engine.submit(gated_request(frames=600), room=room)
    gated.let(600)
    with pytest.raises(QueueFull, match="no room left"):
        job.result(PATIENCE)
    assert gated.rendered < 100, "it does not go on to its end"
    assert room.closed
    assert room.settled == ()
    wait_until(lambda: files_below(tmp_path / "work" / "visitors" / "results") == [])


@pytest.mark.parametrize("how", ["cancelled while it waits", "cancelled", "failed", "not taken", "no renderer"])
def test_the_room_of_what_is_not_made_is_given_back(engine: Engine, gated: GatedRenderer, how: str):
    gated.fail_with = OSError("broken") if how == "failed" else None
    before = engine.submit(gated_request()) if how == "cancelled while it waits" else None
    room = Room()
    if how == "not taken":
        engine._line.capacity = 0
        with pytest.raises(QueueFull):
            engine.submit(gated_request(), room=room)
    elif how == "no renderer":
        with pytest.raises(InvalidRequest):
            engine.submit(replace(gated_request(), renderer="magic"), room=room)
    else:
        job = engine.submit(gated_request(), room=room)
        if how == "failed":
            gated.let(1)
        else:
            job.cancel()
            gated.let(1)
        wait_until(lambda: job.progress.finished)
    assert room.closed
    assert room.settled == ()
    if before is not None:
        before.cancel()


def test_what_a_result_usually_has():
    plain = gated_request(frames=10)
    assert usual_bytes(plain) == 10 * 64 * 64 // 2
    wide = gated_request(frames=10, portrait=portrait(image=picture(5, 120)[:, :100]), options={"uncrop": True})
    assert usual_bytes(wide) == 10 * 100 * 120 // 2
    assert usual_bytes(replace(plain, motion=None)) == 64 * 64 // 2


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
    def render(self, request, watch=None):
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


def test_the_sweeper_leaves_a_running_job_its_folder(tmp_path: Path):
    storage = Storage(Settings(work=tmp_path, keep_seconds=60))
    with storage.job_folder("visitor", "job") as folder:
        (folder.parent / "finished.mp4").write_bytes(b"old")
        assert storage.sweep(now=time.time() + 61) == 1
        assert folder.is_dir()
    assert storage.sweep(now=time.time() + 61) == 0
    assert not folder.exists()
    assert "visitor" not in folder.parts
    storage.close()


def test_owners_whose_files_have_gone_are_forgotten(tmp_path: Path):
    storage = Storage(Settings(work=tmp_path / "work", keep_seconds=100))
    (storage.folder("early") / "a.png").write_bytes(b"x")
    # The file goes, and its folder then.
    for _ in range(2):
        storage.sweep(time.time() + 101)
    (storage.folder("late") / "a.png").write_bytes(b"x")
    storage.sweep()
    assert storage._owners == {"late"}
    storage.close()
    assert not storage._path("late").exists()


def test_a_job_that_fails_leaves_no_folder(tmp_path: Path):
    storage = Storage(Settings(work=tmp_path))
    with pytest.raises(InvalidRequest), storage.job_folder("visitor", "job") as folder:
        VideoWriter(folder / "half.mp4", 0, (64, 64))
    assert not folder.exists()
    storage.close()


def test_an_owner_who_leaves_takes_along_what_the_stopping_job_writes(
    engine: Engine, gated: GatedRenderer, tmp_path: Path
):
    gated.let(1)
    job = engine.submit(gated_request(), owner="leaving")
    wait_until(lambda: job.progress.frame == 1)
    engine.forget_owner("leaving")
    # The encoder may have a file open still; whatever it leaves goes when the job ends.
    engine.owner_folder("leaving").joinpath("late.png").write_bytes(b"late")
    gated.let(1)
    with pytest.raises(Cancelled):
        job.result()
    wait_until(lambda: not any((tmp_path / "work" / "visitors" / "results").iterdir()))


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

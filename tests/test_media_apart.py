"""Files of strangers are read in processes of their own, within limits."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apart_made
import av
import numpy as np
import pytest
from apart_made import none_left, processes
from pictures_made import QUARTERS, heic, saved
from PIL import Image
from test_media_sound import click_video
from videos_made import make_video, steady

from durian import content_cache
from durian.engine.memory import resident_mb
from durian.errors import Cancelled, InvalidRequest, LimitExceeded, OutputFailed, UnreadableMedia
from durian.long_work import stepping
from durian.masks import read_mask
from durian.media import VideoInfo, apart, iter_video, pixel_count, probe_video, read_audio, read_image, read_picture
from durian.media.reading import _work_of
from durian.settings import Settings, get_settings

pytestmark = pytest.mark.skipif(not apart._is_possible(), reason="this system has no processes within limits")

PICTURES = {"png": saved(QUARTERS, "PNG"), "jpeg": saved(QUARTERS, "JPEG"), "gif": saved(QUARTERS, "GIF")}


@pytest.fixture(autouse=True)
def here_again() -> Iterator[None]:
    """Apart for one test alone at most; its processes stay for the next one."""
    yield
    apart._source = None


@pytest.fixture(scope="module")
def source() -> Iterator[object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", "secret")
        patch.setenv("DURIAN_WORKING_SIDE", "2048")
        assert apart.start()
    made = apart._source
    yield made
    made._end()


@pytest.fixture
def on(source: object) -> object:
    apart._source = source
    return source


def test_a_program_given_on_the_command_line_reads_apart_too(tmp_path, project_root):
    """Its first place to look for modules is no path, but where it runs."""
    path = tmp_path / "a.png"
    path.write_bytes(PICTURES["png"])
    program = f"from durian.media import apart, pixel_count; print(apart.start(), pixel_count({str(path)!r}))"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=project_root, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.split() == ["True", str(pixel_count(path))], ran.stderr


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("apart") / "clip.mp4", steady(12, 10))


@pytest.mark.parametrize("form", [*PICTURES, "heic"])
def test_pictures_are_the_same(form, source):
    data = PICTURES[form] if form in PICTURES else heic(QUARTERS)
    here = read_picture(data, 0.001), read_image(data), pixel_count(data)
    apart._source = source
    there = read_picture(data, 0.001), read_image(data), pixel_count(data)
    assert there[0].given == here[0].given == (QUARTERS.shape[1], QUARTERS.shape[0])
    assert isinstance(there[0].given, tuple)
    np.testing.assert_array_equal(there[0].image, here[0].image)
    np.testing.assert_array_equal(there[1], here[1])
    assert there[1].dtype == np.uint8
    assert there[1].flags.writeable
    assert there[2] == here[2]


def test_masks_are_the_same(source, tmp_path):
    path = tmp_path / "mask.png"
    mask = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64).astype(np.uint8)
    Image.fromarray(mask).save(path)
    apart._source = source
    np.testing.assert_array_equal(read_mask(path, (48, 64)), mask)
    with pytest.raises(InvalidRequest, match="The mask is 64×48 pixels but its picture is 64×47"):
        read_mask(path, (47, 64))


def test_videos_are_the_same(source, video, tmp_path):
    sound = click_video(tmp_path / "click.mkv", "stereo")
    here = probe_video(video), list(iter_video(video, max_side=20)), read_audio(sound, 0, 1)
    apart._source = source
    there = probe_video(video), list(iter_video(video, max_side=20)), read_audio(sound, 0, 1)
    assert there[0] == here[0]
    assert type(there[0]) is type(here[0])
    assert len(there[1]) == len(here[1]) == 12
    np.testing.assert_array_equal(there[1], here[1])
    np.testing.assert_array_equal(there[2], here[2])
    assert there[2].dtype == np.float32
    assert np.abs(there[2]).max() > 0
    assert read_audio(video, 0, 1) is None


def tall_tiff(width: int, height: int, really: int) -> bytes:
    """A TIFF of 272 bytes whose one strip is a progressive JPEG, far taller than it says."""

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([255, marker]) + struct.pack(">H", len(body) + 2) + body

    def scan(bits: bytes) -> bytes:
        return segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00\x00\x00" + bits)

    parts = b"".join(bytes([part, 0x11, 0]) for part in (1, 2, 3))
    strip = b"\xff\xd8" + segment(0xDB, b"\0" + b"\x01" * 64)
    strip += segment(0xC2, b"\x08" + struct.pack(">HHB", really, width, 3) + parts)
    strip += segment(0xC4, b"\0\x01" + bytes(16)) + scan(b"\x01") + b"\x1f" + scan(b"\x10") + b"\xff\xd9"
    tags = [(256, 4, width), (257, 4, height), (258, 3, None), (259, 3, 7), (262, 3, 2), (273, 4, 8)]
    tags += [(277, 3, 3), (278, 4, height), (279, 4, len(strip))]
    strip += bytes(len(strip) % 2)
    at = 8 + len(strip)
    entries = b""
    for tag, kind, value in tags:
        count, value = (3, at + 2 + 12 * len(tags) + 4) if value is None else (1, value)
        entries += struct.pack("<HHII", tag, kind, count, value)
    head = b"II*\0" + struct.pack("<I", at) + strip + struct.pack("<H", len(tags))
    return head + entries + bytes(4) + struct.pack("<HHH", 8, 8, 8)


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG of scans without data, each of which goes over the whole picture."""

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([255, marker]) + struct.pack(">H", len(body) + 2) + body

    def scan(bits: int) -> bytes:
        return segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, bits]))

    parts = b"".join(bytes([part, 0x11, 0]) for part in (1, 2, 3))
    head = b"\xff\xd8" + segment(0xDB, b"\0" + b"\x01" * 64)
    head += segment(0xC2, b"\x08" + struct.pack(">HHB", side, side, 3) + parts) + segment(0xC4, b"\0\x01" + bytes(16))
    return head + scan(1) + b"\x1f" + scan(0x10) * scans + b"\xff\xd9"


def test_a_tiff_of_272_bytes_takes_no_gigabytes(on):
    read_image(PICTURES["png"])
    before, data = resident_mb(), tall_tiff(16000, 64, 65500)
    assert len(data) == 272
    with pytest.raises((LimitExceeded, UnreadableMedia), match=r"^The picture .*: .*\.$"):
        read_picture(data, 8.0)
    # As Pillow alone would read it, too.
    with pytest.raises((LimitExceeded, RuntimeError)):
        apart_made.decoded(data)
    assert resident_mb() < before + 50
    np.testing.assert_array_equal(read_image(PICTURES["png"]), QUARTERS)


def test_a_jpeg_of_many_scans_takes_no_minutes(on):
    before, began = resident_mb(), time.process_time()
    too_much = "^The picture takes more memory or time to read than a picture of ours may .*: make it smaller\\.$"
    with pytest.raises(LimitExceeded, match=too_much):
        apart_made.decoded(many_scans(2000, 20_000))
    assert resident_mb() < before + 50
    assert time.process_time() - began < 1
    assert apart_made.decoded(many_scans(64, 1)).shape == (64, 64, 3)


def test_a_video_that_takes_too_much_memory(on, video, tmp_path):
    path = tmp_path / "wide.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 4096, 2048, "yuv444p16le"
        for packet in (*stream.encode(av.VideoFrame(4096, 2048, "yuv444p16le")), *stream.encode(None)):
            container.mux(packet)
    assert next(iter_video(path)).shape == (2048, 4096, 3)
    before = resident_mb()
    # FFmpeg takes some of its frames for damaged where there is no memory for them.
    with pytest.raises((LimitExceeded, UnreadableMedia), match=r"^wide\.mkv "):
        next(apart_made.frames(path))
    assert resident_mb() < before + 50
    assert len(list(apart_made.frames(video))) == 12


@pytest.mark.parametrize(
    "program",
    [
        "os.abort()",
        "os.kill(os.getpid(), 9)",
        "os._exit(0)",
        "sys.exit()",
        "while True: pass",
        "time.sleep(600)",
        "bytes(400_000_000)",
        "try:\n bytes(400_000_000)\nexcept MemoryError as error:\n raise UnreadableMedia('It is damaged.') from error",
        "result = np.zeros((30_000, 30_000), np.uint8)",
        "result = np.zeros(4, np.float64)",
    ],
)
def test_a_process_that_ends(on, program, monkeypatch):
    monkeypatch.setattr(apart, "WALL", 3.0)
    with pytest.raises(LimitExceeded, match=r"^a\.png takes more memory or time .*, or cannot be decoded: make it "):
        apart_made.run("folder/a.png", program)
    monkeypatch.undo()
    assert apart_made.run("a.png", "result = 'read'") == "read"


def test_errors_are_the_same(source, tmp_path, video):
    cut = tmp_path / "cut.mp4"
    whole = video.read_bytes()
    cut.write_bytes(whole[: len(whole) * 4 // 5])
    readings = (
        lambda: read_image(tmp_path / "none.png"),
        lambda: read_image(video),
        lambda: pixel_count(saved(np.zeros((8, 8, 3), np.uint8), "PNG")),
        lambda: iter_video(video, start=7),
        lambda: list(iter_video(cut)),
        lambda: read_mask(cut, (48, 64)),
    )
    for reading in readings:
        found = []
        for where in (None, source):
            apart._source = where
            with pytest.raises((UnreadableMedia, LimitExceeded, InvalidRequest)) as error:
                reading()
            found.append((error.type, str(error.value)))
        assert found[0] == found[1]


def test_other_errors_are_told_as_they_are(on):
    with pytest.raises(RuntimeError, match=r"^ZeroDivisionError: division by zero$"):
        apart_made.run("a.png", "1 / 0")


def test_items_come_one_by_one_until_an_error(on):
    numbers = apart_made.count_up("a", 3)
    assert [int(next(numbers).mean()) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OutputFailed, match=r"^That is all: ask for more\.$"):
        next(numbers)
    with pytest.raises(UnreadableMedia, match=r"^Nothing to count: give a number\.$"):
        apart_made.count_up("a", -1)
    assert none_left(on)


@pytest.mark.parametrize("way", ["close", "forget", "error"])
def test_nothing_goes_on_where_nobody_waits(on, way):
    numbers = apart_made.count_up("a", 10**9)
    next(numbers)
    assert len(processes(on)) == 1
    if way == "close":
        numbers.close()
    elif way == "error":
        with pytest.raises(ZeroDivisionError):
            numbers.throw(ZeroDivisionError)
    del numbers
    assert none_left(on)


def test_an_iteration_that_nobody_began(on):
    numbers = apart_made.count_up("a", 5)
    assert len(processes(on)) == 1
    del numbers
    assert none_left(on)


def test_nothing_is_left_of_thirty_files(on, video):
    read_image(PICTURES["png"])
    descriptors = sorted(os.listdir("/proc/self/fd"))
    for number in range(30):
        if number % 3 == 0:
            read_image(PICTURES["png"])
        elif number % 3 == 1:
            next(iter_video(video))
        else:
            with pytest.raises(LimitExceeded):
                apart_made.run("a", "os.abort()")
    assert none_left(on)
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


def test_a_process_has_what_reads_files_and_no_more(on, tmp_path):
    loaded = apart_made.run("a", "result = loaded()")
    assert {"PIL", "av", "pi_heif", "numpy", "durian"} <= set(loaded)
    assert not {"torch", "gradio", "mediapipe", "numba", "jax", "scipy"} & set(loaded)
    assert apart_made.run("a", "result = limits()") == (1, 0, 0)
    assert apart_made.run("a", "result = len(os.listdir('/proc/self/task'))") == 1
    with pytest.raises(RuntimeError, match=r"^OSError: "):
        apart_made.run(str(tmp_path / "a"), "Path(source).write_bytes(b'1')")
    assert apart_made.run("a", "result = own_id()") not in (os.getpid(), on._running.pid)
    assert "NoNewPrivs:\t1" in apart_made.run("a", "result = Path('/proc/self/status').read_text()")
    told = apart_made.run("a", "result = sorted(os.environ)")
    assert {"PATH", "DURIAN_WORKING_SIDE"} <= set(told)
    assert "HF_TOKEN" not in told


def test_its_source_is_begun_again(on):
    before = on._running.pid
    os.kill(before, signal.SIGKILL)
    np.testing.assert_array_equal(read_image(PICTURES["png"]), QUARTERS)
    assert on._running.pid != before


def test_a_call_that_is_not_wanted_any_more(on):
    asked = []
    with pytest.raises(Cancelled):
        apart_made.wait("a", is_cancelled=lambda: asked.append(0) or len(asked) > 2)
    assert none_left(on)


@pytest.mark.parametrize("begin", [lambda: apart_made.wait("a"), lambda: next(apart_made.count_slowly("a"))])
def test_a_reading_that_nobody_waits_for_any_more(on, begin):
    """Such as of a page that was closed, or a caller who has hung up."""
    looks = []

    def look() -> None:
        looks.append(len(processes(on)))
        if len(looks) > 3:
            raise Cancelled("The caller has gone.")

    with stepping(look), pytest.raises(Cancelled, match=r"^The caller has gone\.$"):
        begin()
    assert looks[-1] == 1
    assert none_left(on)


def test_processes_end_with_the_server(tmp_path):
    program = (
        "import apart_made, sys\nfrom durian.media import apart\napart.start()\n"
        "numbers = apart_made.count_up('a', 10**9)\nnext(numbers)\n"
        "print(apart._source._running.pid, flush=True)\nsys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    server = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    with server:
        parent = int(server.stdout.readline())
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        assert len(children) == 1
        server.kill()
    until = time.monotonic() + 30
    while any(Path(f"/proc/{process}").exists() for process in (parent, *children)):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_one_client_does_not_keep_others_waiting(on, monkeypatch):
    monkeypatch.setattr(apart, "LONGEST_WAIT", 0.0)
    with content_cache.kept_for("one"):
        numbers = apart_made.count_up("a", 10**9)
        with pytest.raises(LimitExceeded, match=r"^Many other files are being read: try again in a minute\.$"):
            apart_made.count_up("a", 1)
    monkeypatch.undo()
    with content_cache.kept_for("other"):
        assert int(next(apart_made.count_up("a", 1)).mean()) == 0
    numbers.close()
    with content_cache.kept_for("one"):
        apart_made.count_up("a", 1).close()


@pytest.mark.parametrize("value", ["'text'", "np.zeros((2, 2, 3), np.float32)", "np.zeros((2, 2), np.uint8)", "None"])
def test_a_result_of_another_kind_is_none(on, value):
    with pytest.raises(LimitExceeded, match=r"^a takes more memory or time to read than a picture of ours may"):
        apart_made.pretend("a", value)
    with pytest.raises(LimitExceeded, match=r"^a takes more memory or time to read than a picture of ours may"):
        next(apart_made.pretend_again("a", value))
    assert apart_made.pretend("a", "np.zeros((2, 2, 3), np.uint8)").shape == (2, 2, 3)
    assert none_left(on)


@pytest.mark.parametrize(
    ("width", "height", "fps", "start", "seconds", "is_short"),
    [
        (1920, 1080, 30, 0, 30, True),
        (3840, 2160, 30, 0, 10, True),
        (3840, 2160, 60, 0, 10, False),
        (1280, 720, 30, 120, 10, False),
        (1280, 720, 30, 60, 10, True),
        (4096, 2304, 1, 0, 1, False),
    ],
)
def test_short_videos_do_not_wait_for_long_ones(width, height, fps, start, seconds, is_short):
    info = VideoInfo(width, height, fps, 600, False)
    assert _work_of(Path("a.mp4"), 12, start, seconds, 640, info) is (apart.CLIP if is_short else apart.FRAMES)
    assert apart.CLIP.turns is not apart.FRAMES.turns


def test_a_video_that_is_looked_at_keeps_neither_pictures_nor_sound_waiting(on, tmp_path, monkeypatch):
    """Of one address, too: its own animation would keep everybody's waiting."""
    monkeypatch.setattr(apart, "LONGEST_WAIT", 0.0)
    path = tmp_path / "loud.mkv"
    click_video(path, "mono")
    with apart.GLANCE.turns.place("one", lambda: None), content_cache.kept_for("one"):
        with pytest.raises(LimitExceeded, match=r"^Many other files are being read: "):
            probe_video(path)
        assert read_audio(path, 0.0, 0.1).shape == (2, 4800)
        assert pixel_count(PICTURES["png"]) == QUARTERS.shape[0] * QUARTERS.shape[1]


def test_where_the_system_cannot_files_are_read_here(monkeypatch, caplog):
    monkeypatch.setattr(apart, "_is_possible", lambda: False)
    assert not apart.start()
    assert "without" in caplog.text
    assert apart_made.run("a", "result = own_id()") == os.getpid()


def test_the_setting_is_yes_or_no(settings_environment):
    settings_environment(read_apart="no")
    assert get_settings().read_apart == "no"
    with pytest.raises(ValueError, match=r"^DURIAN_READ_APART must be yes or no, not 'maybe'\.$"):
        Settings(read_apart="maybe")

"""Fixtures that many tests share; importing this file imports no model."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
SHARED_HEAD_MODEL = ROOT.parent / "shared" / "synthetic" / "ict_facekit.npz"


LONGEST = (
    "test_training_loop_proof.py",
    "test_evaluation_mattes.py",
    "test_ui_server.py",
    "test_browser_page.py",
    "test_training_objective_overfit.py",
    "test_training_loop_runs.py",
    "test_soak.py",
)
"""Files that take minutes, the longest first: begun last, one process would still be at them while the other rests.

Where nothing is kept of loops that were compiled, the first of them compiles those of the preview and the second those
of the generator of people, so that two processes that run side by side do not compile the same.
"""
BROWSER = "tests/browser/"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Whole files to each process, and all of the browser's to one, which starts its server and Chromium once."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """SVT-AV1 makes the thread that encodes a real-time one where it may, for good.

    Two processes of that kind keep each other's helper threads from running, and the next encoder waits for ever.
    """
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.hookimpl(hookwrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported now stays: to look through it for garbage again and again would take a fifth of the time."""
    gc.disable()
    yield
    gc.enable()


def pytest_collection_finish() -> None:
    """All that the test files import stays, as what a server loads does: nothing looks through it for garbage again.

    Each engine that a test closes would otherwise spend half a second on half a million objects of libraries.
    """
    from durian.engine import memory

    memory.settle()


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real portraits, clips and triplets beside the repository; tests that need them are skipped elsewhere."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the evaluation data is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def head_model_file() -> Path:
    """The head model of ``DURIAN_HEAD_MODEL`` or beside the repository; tests that need it are skipped elsewhere."""
    path = Path(os.environ.get("DURIAN_HEAD_MODEL", SHARED_HEAD_MODEL))
    if not path.is_file():
        pytest.skip("there is no head model: set DURIAN_HEAD_MODEL")
    return path


@pytest.fixture(scope="session")
def head_model(head_model_file: Path):
    """The head of the synthetic people, read once; not to be changed."""
    from durian.synthetic.head.head import HeadModel

    return HeadModel.load(head_model_file)


@pytest.fixture(params=["egg", "model"])
def head(request: pytest.FixtureRequest):
    """What is worn is tried on the egg of ``wear_made``, and on the head model if there is one."""
    from wear_made import EGG

    return EGG if request.param == "egg" else request.getfixturevalue("head_model")


def _frozen(image: np.ndarray) -> np.ndarray:
    # Session fixtures are shared: a test that wrote into one would change its neighbours.
    image.setflags(write=False)
    return image


@pytest.fixture(scope="session")
def collins() -> np.ndarray:
    """Eileen Collins, NASA, public domain: ``(512, 512, 3) uint8`` RGB."""
    from skimage import data

    return _frozen(np.ascontiguousarray(data.astronaut()))


@pytest.fixture(scope="session")
def hopper() -> np.ndarray:
    """Grace Hopper with cap and glasses, US Navy, public domain: ``(600, 512, 3) uint8`` RGB."""
    import matplotlib
    from PIL import Image

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(path) as image:
        return _frozen(np.array(image.convert("RGB")))


@pytest.fixture
def settings_environment(monkeypatch: pytest.MonkeyPatch):
    """Set ``DURIAN_*`` variables for one test: ``settings_environment(max_file_mb=1)``."""
    from durian.settings import get_settings

    def change(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"DURIAN_{name.upper()}", str(value))
        get_settings.cache_clear()

    yield change
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def no_leftovers(tmp_path: Path):
    """Checks after the test that no temporary file of an atomic write is left in ``tmp_path``."""
    yield tmp_path
    assert not [path.name for path in tmp_path.rglob(".*") if path.is_file()]


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch):
    """A renderer that goes on only when it is let; known to the engine as ``gated``."""
    from gated import GatedRenderer

    from durian import renderer

    made = GatedRenderer()
    monkeypatch.setitem(renderer._FACTORIES, "gated", lambda: made)
    return made


@pytest.fixture
def engine(tmp_path: Path):
    """An engine of this test alone; three jobs may wait."""
    from durian.engine import Engine
    from durian.settings import Settings

    made = Engine(Settings(work=tmp_path / "work", max_queue=3))
    yield made
    made.close()


@pytest.fixture
def own_engine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """The process's engine for one test; its files go with the test."""
    from durian.engine import Engine
    from durian.engine import engine as engine_module
    from durian.settings import Settings

    made = Engine(Settings(work=tmp_path_factory.mktemp("work")))
    monkeypatch.setattr(engine_module, "_engine", made)
    yield made
    made.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Run a command of ``durian``: its exit code, stdout and stderr."""
    from durian.cli import main

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        out, error = capsys.readouterr()
        return code, out, error

    return call


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, collins: np.ndarray, hopper: np.ndarray) -> Path:
    """Folder with collins.png, hopper.png, a mask of hopper's cap, and a picture without a face."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(collins).save(folder / "collins.png")
    Image.fromarray(hopper).save(folder / "hopper.png")
    mask = np.zeros(hopper.shape[:2], np.uint8)
    mask[30:130, 160:340] = 255
    Image.fromarray(mask).save(folder / "cap.png")
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(folder / "wall.png")
    return folder

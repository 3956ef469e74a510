"""``python app.py`` in a process of its own on a free port of this machine, and plain HTTP to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
SECONDS_TO_START = 90
SECONDS_TO_ANSWER = 120


@dataclass
class Served:
    """A running server: its address, its working folder, its log and its process."""

    address: str
    work: Path
    log: Path
    process: subprocess.Popen

    @property
    def results(self) -> Path:
        return self.work / "visitors" / "results"

    @property
    def uploads(self) -> Path:
        return self.work / "visitors" / "uploads"

    def client(self, **headers: str) -> httpx.Client:
        """A client with cookies of its own, as a browser has them."""
        return httpx.Client(base_url=self.address, timeout=SECONDS_TO_ANSWER, headers=headers)

    def upload(self, client: httpx.Client, path: Path) -> dict[str, object]:
        """Upload a file; returns it as calls take it."""
        with path.open("rb") as file:
            answer = client.post("/gradio_api/upload", files={"files": (path.name, file)})
        answer.raise_for_status()
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def begin(self, client: httpx.Client, name: str, **arguments: object) -> str:
        """Call an endpoint; returns the event's id."""
        answer = client.post(f"/gradio_api/call/v2/{name}", json=arguments)
        answer.raise_for_status()
        return answer.json()["event_id"]

    def data(self, client: httpx.Client, name: str, **arguments: object) -> list[object]:
        """An endpoint's whole list of data, as a page or ``gradio_client`` sends it."""
        parameters = client.get("/gradio_api/info").json()["named_endpoints"][f"/{name}"]["parameters"]
        known = {each["parameter_name"]: each.get("parameter_default") for each in parameters}
        return list({**known, **arguments}.values())

    def end(self, client: httpx.Client, name: str, event: str) -> tuple[str, object]:
        """Wait for an event; returns ``complete`` or ``error``, and what came with it."""
        with client.stream("GET", f"/gradio_api/call/{name}/{event}") as answer:
            kind = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind in ("complete", "error"):
                    return kind, json.loads(line.removeprefix("data: "))
        return "lost", None

    def call(self, client: httpx.Client, name: str, **arguments: object) -> tuple[str, object]:
        return self.end(client, name, self.begin(client, name, **arguments))

    def jobs_on_disk(self) -> int:
        """How many animations are being written or lie there finished."""
        return len([path for path in self.results.glob("*/*") if path.is_dir()]) if self.results.exists() else 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(folder: Path, program: Sequence[str] = ("app.py",), **settings: object) -> Iterator[Served]:
    """Run the server, or another ``program`` that opens it, with ``DURIAN_*`` set from ``settings``, its files in
    ``folder``."""
    port, temporary = free_port(), folder / "tmp"
    work = Path(str(settings.pop("work", folder / "work")))
    environment = {
        **os.environ,
        **{f"DURIAN_{name.upper()}": str(value) for name, value in settings.items()},
        "DURIAN_PORT": str(port),
        "DURIAN_WORK": str(work),
        "TMPDIR": str(temporary),
    }
    temporary.mkdir(exist_ok=True)
    log = folder / f"log-{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *program], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    served = Served(f"http://127.0.0.1:{port}", work, log, process)
    try:
        _wait_for(served)
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(served: Served) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    with httpx.Client(base_url=served.address, timeout=5) as client:
        while time.monotonic() < deadline:
            if served.process.poll() is not None:
                break
            try:
                if client.get("/config").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
    raise AssertionError(f"app.py did not answer:\n{served.log.read_text()[-3000:]}")

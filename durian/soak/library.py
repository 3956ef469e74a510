"""An API client built on ``gradio_client``, as docs/api.md shows it."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from durian.soak import wire, wishes
from durian.soak.checking import check_picture, check_video
from durian.soak.outcomes import GaveUp, NoAnswer, OutOfTime, ServerSaid
from durian.soak.plan import Step
from durian.soak.server import Server
from durian.soak.wishes import Wanted


class LibraryCaller:
    """One session of the library; a context manager.

    Args:
        server: whom to call.
        caller: the address that it calls from.
        wanted: length and size of what is asked for.
        limit: seconds after which a request counts as without an answer.
        downloads: where the library puts its results.
    """

    def __init__(self, server: Server, caller: str, wanted: Wanted, limit: float, downloads: Path) -> None:
        self._server, self._caller, self._wanted, self._limit = server, caller, wanted, limit
        self._downloads = downloads

    def __enter__(self) -> Self:
        # Before gradio_client is made: nothing is reported to anybody.
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
        from gradio_client import Client

        self._client = Client(
            self._server.address,
            verbose=False,
            analytics_enabled=False,
            download_files=self._downloads,
            httpx_kwargs={"trust_env": False},
            headers={wire.FORWARDED: self._caller},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, step: Step) -> None:
        """Make the request of ``step`` and check its answer; see :meth:`durian.soak.outcomes.Record.attempt`."""
        from gradio_client import handle_file

        if step.thing == "animation":
            video, _ = self._call("/animate", step, wishes.animation(step, self._wanted, handle_file))
            check_video(_taken(video), self._wanted.frames, self._wanted.size)
        elif step.thing == "still":
            picture = self._call("/preview", step, wishes.still(step, self._wanted, handle_file))
            check_picture(_taken(picture), (self._wanted.size, self._wanted.size))
        else:
            arguments, size = wishes.mask(step, handle_file)
            check_picture(_taken(self._call("/segment", step, arguments)), size)

    def _call(self, endpoint: str, step: Step, arguments: dict[str, Any]) -> Any:
        from gradio_client.exceptions import AppError
        from gradio_client.utils import QueueError

        job = self._client.submit(**arguments, api_name=endpoint)
        if step.behaviour == "leave":
            self._leave(job, step.after)
        if step.behaviour == "cancel":
            threading.Timer(step.after, _cancel, (job,)).start()
        try:
            return job.result(timeout=self._limit)
        except concurrent.futures.CancelledError:
            raise GaveUp from None
        except TimeoutError:
            raise OutOfTime(f"no answer within {self._limit:g} s") from None
        except QueueError as error:
            raise ServerSaid(str(error)) from None
        except AppError as error:
            if "has not enabled verbose error reporting" in str(error):
                raise NoAnswer("an error without a sentence") from None
            raise ServerSaid(str(error)) from None

    def _leave(self, job: Any, after: float) -> None:
        """Stop the heartbeat while the job is under way; its answer, if there is one, is for nobody."""
        with suppress(concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            job.result(timeout=after)
            return
        self._client.close()
        raise GaveUp


def _cancel(job: Any) -> None:
    # The request itself tells how it ended, whatever becomes of this call.
    with suppress(Exception):
        job.cancel()


def _taken(result: Any) -> bytes:
    """The downloaded file's content; the file goes."""
    if isinstance(result, dict):
        result = result.get("video") or result.get("path")
    path = Path(str(result))
    data = path.read_bytes()
    path.unlink(missing_ok=True)
    return data

"""Refusal of other sites' pages, however the server is reached; its own page and plain clients are served."""

from __future__ import annotations

import asynchronous
import httpx
import pytest

from durian.settings import Settings
from durian.ui.foreign_pages import SENTENCE, UNKNOWN_NAME, ForeignPages, is_known, names_of


async def answers(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def ask(method: str = "POST", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(ForeignPages(answers), client=("203.0.113.5", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://durian") as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, "/gradio_api/queue/join", headers=named)

    return asynchronous.run(send())


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860", "192.168.0.9:7860", "durian.example"]
)
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3000", "file://", "http://[", "https://durian.example.org"],
)
@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
def test_a_foreign_page_is_refused_and_told_no_more(host: str, origin: str, method: str):
    answer = ask(method, host=host, origin=origin, access_control_request_method="POST")
    assert answer.status_code == 403
    assert answer.json() == {"detail": SENTENCE}
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"},
        {"host": "[::1]:7860", "origin": "http://[::1]:7860"},
        {"host": "Durian.example", "origin": "https://durian.example"},
        {"host": "durian.example:443", "origin": "https://durian.example"},
        {"host": "127.0.0.1:7860", "x_forwarded_host": "durian.example, inner", "origin": "https://durian.example"},
        {"host": "durian.example", "sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"},
        {"host": "durian.example", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
        {"host": "durian.example", "sec_fetch_site": "none"},
        {"host": "durian.example"},
    ],
)
def test_the_servers_own_page_and_plain_clients_pass(headers: dict[str, str]):
    assert ask(**headers).status_code == 200


@pytest.mark.parametrize(
    ("settings", "host", "passes"),
    [
        (Settings(), "localhost:7860", True),
        (Settings(), "127.0.0.1:7860", True),
        (Settings(), "localhost.", True),
        (Settings(), "[::1]:7860", True),
        (Settings(), "printer:7860", True),
        (Settings(), "durian.local", True),
        (Settings(), "evil.example:7860", False),
        (Settings(), "[evil.example", False),
        (Settings(names="durian.example.org"), "Durian.example.org", True),
        (Settings(names="durian.example.org"), "evil.example.org", False),
        (Settings(names="durian.example.org", host="0.0.0.0"), "evil.example", False),
        (Settings(names="durian.example.org", host="0.0.0.0"), "203.0.113.7", True),
        (Settings(host="0.0.0.0"), "any.example", True),
    ],
)
def test_a_name_that_strangers_point_at_this_machine_is_not_its_own(settings: Settings, host: str, passes: bool):
    """The page's own name and the request's are the same then: only the list tells."""
    scope = {"type": "http", "headers": [(b"host", host.encode()), (b"origin", b"http://" + host.encode())]}
    names = names_of(settings)
    assert (names is None or is_known(scope, names)) == passes


def test_the_layer_refuses_names_that_are_not_its_own():
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(ForeignPages(answers, names=()), client=("203.0.113.5", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
            return await client.get("/")

    answer = asynchronous.run(send())
    assert (answer.status_code, answer.json()) == (403, {"detail": UNKNOWN_NAME})


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_picture_or_script_in_a_foreign_page_is_refused(site: str):
    assert ask("GET", sec_fetch_site=site, sec_fetch_mode="no-cors").status_code == 403

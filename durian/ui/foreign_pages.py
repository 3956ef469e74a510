"""Refusal of requests from pages of other sites, as the outermost layer.

Gradio answers whatever page asks, with the visitor's cookie, unless it is reached as localhost; a page that somebody
happens to have open could act in their session, or use a server in their own network. A name that a stranger points at
this machine makes such a page the server's own, so the names that it is reached by may be limited, too.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from durian.settings import Settings
from durian.ui.messages import header

SENTENCE = (
    "A page of another site cannot use this one: open it itself, or ask without a browser; a proxy before it must pass "
    "on Host."
)
UNKNOWN_NAME = (
    "This server is not known by that name: open it as localhost, or have whoever runs it add the name to DURIAN_NAMES."
)
_NEAR = ("localhost", "local", "lan", "internal", "home.arpa")
"""Ends of names that nobody can register."""
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class ForeignPages:
    """The layer. What browsers say of a request's page (``Origin``, ``Sec-Fetch-Site``) decides; other clients do not
    say any. Only preflights could let a page change those, and they are refused too.

    Args:
        app: what it guards.
        names: that it is reached by besides addresses and names of the network at hand; ``None`` for any.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] | None = None) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_foreign(scope):
            await JSONResponse({"detail": SENTENCE}, 403)(scope, receive, send)
        elif scope["type"] == "http" and self._names is not None and not is_known(scope, self._names):
            await JSONResponse({"detail": UNKNOWN_NAME}, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def names_of(settings: Settings) -> Collection[str] | None:
    """The names that a server is reached by; ``None`` for any, as where it is open to a network and none are set."""
    if settings.names:
        return settings.names.lower().split()
    # Otherwise a proxy on this machine has to tell its name.
    return () if is_for_own_machine(settings) else None


def is_for_own_machine(settings: Settings) -> bool:
    """Whether only browsers on this machine reach a server."""
    is_near = settings.host in ("127.0.0.1", "localhost", "::1")
    return is_near and not settings.names and "SPACE_ID" not in os.environ


def is_known(scope: Scope, names: Collection[str]) -> bool:
    """Whether a request asks for one of ``names``, an address, or a name that nobody can register."""
    try:
        host = urlsplit(f"//{header(scope, b'host').lower()}").hostname or ""
        host = host.removesuffix(".")
    except ValueError:
        return False
    with suppress(ValueError):
        return bool(ip_address(host))
    return "." not in host or host in names or host.endswith(tuple(f".{end}" for end in _NEAR))


def is_foreign(scope: Scope) -> bool:
    """Whether a request comes from a page of another site, and does not open this one."""
    origin = header(scope, b"origin")
    if origin:
        named = (header(scope, b"host"), header(scope, b"x-forwarded-host").split(",")[0].strip())
        return not any(host and _is_of(origin, host) for host in named)
    site = header(scope, b"sec-fetch-site") or "none"
    return site not in ("none", "same-origin") and header(scope, b"sec-fetch-mode") != "navigate"


def _is_of(origin: str, host: str) -> bool:
    """Whether an origin is the one of a host, over HTTP or HTTPS: proxies change that."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    port = _DEFAULT_PORTS.get(parts.scheme)
    return port is not None and parts.netloc.removesuffix(port) == host.lower().removesuffix(port)

"""Refusal of requests from pages of other sites, as the outermost layer.

Gradio answers whatever page asks, with the visitor's cookie, unless it is reached as localhost; a page that somebody
happens to have open could act in their session, or use a server in their own network.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from durian.ui.messages import header

SENTENCE = (
    "A page of another site cannot use this one: open it itself, or ask without a browser; a proxy before it must pass "
    "on Host."
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class ForeignPages:
    """The layer. What browsers say of a request's page (``Origin``, ``Sec-Fetch-Site``) decides; other clients do not
    say any. Only preflights could let a page change those, and they are refused too.

    Args:
        app: what it guards.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_foreign(scope):
            await JSONResponse({"detail": SENTENCE}, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


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

"""Headers of HTTP messages: the browser's scheme behind a row of proxies."""

from __future__ import annotations

import pytest

from durian.ui import messages


@pytest.mark.parametrize(
    ("told", "scheme", "arrives"),
    [
        ("https", "https", b"https"),
        ("https,http", "https", b"https"),
        ("HTTPS, http, http", "https", b"https"),
        ("http,https", "http", b"http"),
        ("gopher", "http", None),
        ("", "http", None),
    ],
)
def test_a_row_of_proxies_tells_the_browsers_scheme(told: str, scheme: str, arrives: bytes | None):
    scope = {"type": "http", "scheme": "http", "headers": [(b"x-forwarded-proto", told.encode())]}
    sound = messages.with_sound_headers(scope)
    assert sound["scheme"] == scheme
    assert dict(sound["headers"]).get(b"x-forwarded-proto") == arrives

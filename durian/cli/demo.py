"""``durian demo``: the page."""

from __future__ import annotations

import argparse


def run(arguments: argparse.Namespace) -> None:
    """Serve until interrupted."""
    from durian.ui import serve

    address = {"server_name": arguments.host, "server_port": arguments.port}
    serve(**{name: value for name, value in address.items() if value is not None})

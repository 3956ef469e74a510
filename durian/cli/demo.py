"""``durian demo``: the page."""

from __future__ import annotations

import argparse


def run(arguments: argparse.Namespace) -> None:
    """Serve until interrupted."""
    from durian.ui import create_demo, launch_options, warm_up

    options = launch_options()
    if arguments.host is not None:
        options["server_name"] = arguments.host
    if arguments.port is not None:
        options["server_port"] = arguments.port
    warm_up()
    create_demo().launch(**options)

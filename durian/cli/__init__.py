"""The command line: ``python -m durian``. Results go to stdout, everything else to stderr."""

from durian.cli.main import main

__all__ = ["main"]

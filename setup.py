"""Puts what the project ships beside its package, examples and small weights, into the package of a wheel.

Everything else about the package stands in pyproject.toml.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHIPPED = ("assets", "weights/parser", "weights/face-relief", "weights/durian-mini")


class BuildWithShipped(build_py):
    """As ever, and then the folders of :data:`SHIPPED` into ``durian/shipped``."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # the checkout's own are found
        for folder in SHIPPED:
            place = Path(self.build_lib) / "durian" / "shipped" / folder
            shutil.copytree(ROOT / folder, place, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithShipped})

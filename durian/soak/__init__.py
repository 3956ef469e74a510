"""A soak: many visitors at once on the real server, some of whom cancel or vanish, and what is left after them."""

from durian.soak.running import SoakOptions, soak

__all__ = ["SoakOptions", "soak"]

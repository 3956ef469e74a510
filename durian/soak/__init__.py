"""A soak test: many visitors at once on the real server, some of whom cancel or vanish, and a check of what remains."""

from durian.soak.running import SoakOptions, soak

__all__ = ["SoakOptions", "soak"]

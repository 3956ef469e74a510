"""The page and its API. :func:`create_demo` builds it; it touches no model, it fills requests and asks the engine."""

from durian.ui.demo import create_demo, launch_options, warm_up

__all__ = ["create_demo", "launch_options", "warm_up"]

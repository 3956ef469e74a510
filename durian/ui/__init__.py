"""The page and its API. :func:`create_demo` builds it; it touches no model, it fills requests and asks the engine."""

import os

# Before gradio is imported: nothing is reported to anybody.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from durian.ui.demo import create_demo, launch_options, serve

__all__ = ["create_demo", "launch_options", "serve"]

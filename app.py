"""The demo: ``python app.py`` here, and the entry of a Hugging Face Space."""

from __future__ import annotations

import os

# Before gradio is imported: nothing is reported to anybody.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from durian.ui import create_demo, launch_options, warm_up


def main() -> None:
    """Build the page, open it, and load what it needs meanwhile."""
    warm_up()
    create_demo().launch(**launch_options())


if __name__ == "__main__":
    main()

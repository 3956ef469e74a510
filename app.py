"""The demo: ``python app.py`` here, and the entry of a Hugging Face Space."""

from __future__ import annotations

from durian.ui import serve

if __name__ == "__main__":
    serve()

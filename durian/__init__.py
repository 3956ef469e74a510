"""Durian: portrait animation with attribute transfer from reference images (arXiv 2509.04434)."""

__version__ = "0.1.0"

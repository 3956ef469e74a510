"""Running of a protocol, and its results on disk."""

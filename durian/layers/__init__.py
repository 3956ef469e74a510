"""A portrait taken apart into layers, and what they hid completed."""

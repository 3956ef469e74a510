"""Bundles: one ZIP with a result and everything needed to restore its request."""

from durian.bundle.files import load_bundle, save_bundle, settings_of

__all__ = ["load_bundle", "save_bundle", "settings_of"]

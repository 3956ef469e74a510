"""Segmentation without weights: named masks by rules, clicks by graph cuts."""

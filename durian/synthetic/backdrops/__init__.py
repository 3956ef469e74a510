"""Backgrounds painted behind a person."""

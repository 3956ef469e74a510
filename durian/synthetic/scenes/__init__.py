"""Whole scenes for training and tests: who is in them, how they are filmed, and the files they are kept in."""

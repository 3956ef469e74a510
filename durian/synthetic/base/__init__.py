"""Plain data that all of a synthetic person is described by, and the numbers and loops under it."""

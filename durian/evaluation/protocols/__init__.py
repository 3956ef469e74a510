"""Evaluation protocols: what is asked of a method, on which data, against which truth."""

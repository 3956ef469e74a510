"""Evaluation: protocols, the methods they compare, metrics, and the report; and clicks needed for a mask."""

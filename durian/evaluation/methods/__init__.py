"""The methods that evaluations compare."""

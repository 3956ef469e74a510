"""A small network that tells hair, beard, glasses, hat, lips, earrings and clothes apart, and follows clicks."""

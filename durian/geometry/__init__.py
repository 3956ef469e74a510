"""Heads, meshes and alignment in 3-D: the geometry that both renderers use."""

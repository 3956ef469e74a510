"""Hats, scarves, glasses, earrings and clothes as meshes fitted to a head."""

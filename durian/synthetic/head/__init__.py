"""The head itself: mesh, identities, eyeballs, lids and where on it things are fixed."""

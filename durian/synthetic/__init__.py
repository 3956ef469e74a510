"""Parametric heads: pictures and clips of people who do not exist, with exact masks, landmarks and true pairs.

The head mesh, its identities and its expressions are ICT-FaceKit's (USC ICT, MIT); everything else is procedural.
"""

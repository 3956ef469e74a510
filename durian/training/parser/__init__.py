"""Training of the face parser on synthetic heads and on real portraits with drawn masks."""

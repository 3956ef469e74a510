"""Training samples: pairs of frames from clips, and how they are augmented."""

"""Motion of synthetic people: expressions, gaze, speech, turns of the head."""

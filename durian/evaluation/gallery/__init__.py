"""A page for rating results by eye, in the project and in user studies, and the evaluation of its ratings."""

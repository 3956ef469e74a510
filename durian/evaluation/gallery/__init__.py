"""A page to judge results by eye, for the project itself and for user studies, and what raters said of it."""

"""Training of what the project learns."""

"""Training of the face parser on synthetic heads, whose masks are exact."""

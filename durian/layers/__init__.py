"""Pictures taken apart into layers, and the rules by which they are worn again."""

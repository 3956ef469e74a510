"""A dressed person before the camera: wardrobe, dressing and rendering in one place."""

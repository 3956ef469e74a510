"""The renderer: from meshes, strands and lights to the pictures and labels of a camera."""

"""Training of the diffusion model and of the parser."""

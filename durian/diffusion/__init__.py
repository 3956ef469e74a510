"""The paper's model: Durian (arXiv 2509.04434) as a diffusers pipeline. Imports nothing heavy by itself."""

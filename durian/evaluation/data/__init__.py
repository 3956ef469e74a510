"""Data of evaluations: photographs, clips, scenes, and the tasks that are made of them."""

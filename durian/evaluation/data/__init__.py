"""What evaluations look at: photographs, clips, scenes, and the tasks that are made of them."""

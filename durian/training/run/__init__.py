"""The run of a training: the loop, optimisers, checkpoints, logs and validation."""

"""The stages of a training, each a module whose forward pass is the loss."""

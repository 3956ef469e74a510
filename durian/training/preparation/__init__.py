"""Clips to train on, made from videos and from synthetic scenes."""

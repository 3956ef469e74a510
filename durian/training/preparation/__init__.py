"""Preparation of training clips from videos, photos and synthetic scenes."""

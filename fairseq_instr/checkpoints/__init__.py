"""Checkpoints: growing the vocabulary at load, checking, interpolation, conversion."""

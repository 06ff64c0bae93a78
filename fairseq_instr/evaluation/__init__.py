"""Scores of outputs under instructions. Knows instructions, never tasks: it sees text alone."""

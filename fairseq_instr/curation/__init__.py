"""Task data for instructions: from a parallel corpus by rule."""

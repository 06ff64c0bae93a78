"""Text: lines of files, subwords, language identification. Knows nothing of torch."""

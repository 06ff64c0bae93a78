"""Corpora, the mixture, and the prompt-and-conflict dataset."""

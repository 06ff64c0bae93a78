"""Decoding: instructions typed line by line, translating many lines, verified reranking."""

"""Models; fairseq imports the modules of this folder."""

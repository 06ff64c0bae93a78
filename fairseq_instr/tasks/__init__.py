"""The fairseq task; fairseq imports the modules of this folder."""

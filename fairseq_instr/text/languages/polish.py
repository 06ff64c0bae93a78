"""Polish."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language("pl", name="Polish")

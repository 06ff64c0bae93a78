"""Ukrainian."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language("uk", name="Ukrainian")

"""Russian."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language("ru", name="Russian")

"""Japanese."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language("ja", name="Japanese")

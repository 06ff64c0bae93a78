"""Chinese."""

from fairseq_instr.text.languages.language import Language

LANGUAGE = Language("zh", name="Chinese")

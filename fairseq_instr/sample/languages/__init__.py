"""One grammar a language: `GRAMMARS["de"](content, formality).say()`."""

from typing import Dict, Type

from fairseq_instr.sample.languages.dutch import Dutch
from fairseq_instr.sample.languages.english import English
from fairseq_instr.sample.languages.french import French
from fairseq_instr.sample.languages.german import German
from fairseq_instr.sample.languages.grammar import Grammar
from fairseq_instr.sample.languages.italian import Italian
from fairseq_instr.sample.languages.romanian import Romanian

GRAMMARS: Dict[str, Type[Grammar]] = {
    grammar.language: grammar for grammar in (English, German, French, Italian, Dutch, Romanian)
}

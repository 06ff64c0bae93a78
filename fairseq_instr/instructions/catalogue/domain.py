"""What kind of text it is. Such data come labelled: each domain from a corpus of its own.

No rule tells whether an output reads like news. So these have no verifier; they are measured by
the quality of translations on text of each domain.
"""

from __future__ import annotations

from fairseq_instr.instructions.instruction import Instruction

_PHRASES = {
    "news": "as news; like a newspaper; in the style of the news; write as a journalist does;"
    "make it sound like a report; treat it as a news text",
    "caption": "as a caption; like the description of an image; in the style of captions;"
    "write as one describes a photograph; make it sound like a caption; treat it as a caption",
    "interface": "as interface text; like the text of a program;"
    "in the style of menus and messages; write as software does;"
    "make it sound like a button or a message; treat it as interface text",
    "conversation": "as conversation; like everyday speech; in the style of spoken language;"
    "write as people talk; make it sound like a chat; treat it as spoken language",
}
INSTRUCTIONS = [Instruction(name, "domain", phrases) for name, phrases in _PHRASES.items()]

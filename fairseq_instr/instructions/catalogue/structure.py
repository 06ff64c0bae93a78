"""The translation as a value of a data format."""

from __future__ import annotations

import json
from typing import Callable, Optional
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.letters import has_words

KEY = "translation"


def _unique(pairs):
    if len(pairs) != 1:  # other keys, or one twice
        raise ValueError
    return dict(pairs)


def _json_value(output: str) -> Optional[str]:
    """The string under `KEY` of a JSON object that has this key alone, else None."""
    try:
        content = json.loads(output, object_pairs_hook=_unique)
        ((key, value),) = content.items()
        value.encode("utf-8")  # half a surrogate pair is no text
    except (ValueError, AttributeError, RecursionError):
        return None
    return value if key.lower() == KEY and has_words(value) else None


def _xml_value(output: str) -> Optional[str]:
    """The text of an XML element `KEY` that holds text alone, else None."""
    output = output.strip()
    if not output.lower().startswith(f"<{KEY}>"):  # neither a document type nor attributes
        return None
    try:
        element = ElementTree.fromstring(output)
    except (ElementTree.ParseError, ValueError):
        return None
    value = element.text or ""
    return value if not len(element) and has_words(value) else None


def _structure(
    name: str,
    value_of: Callable[[str], Optional[str]],
    write: Callable[[str], str],
    phrases: str,
) -> Instruction:
    def rewrite(text: str, context: Context) -> Optional[str]:
        written = write(text)
        # XML has no way to write some control characters, and reads others as spaces
        return written if (value_of(written) or "").split() == text.split() != [] else None

    def unwrap(output: str, context: Context) -> str:
        value = value_of(output)
        return output if value is None else value

    return Instruction(
        name,
        "structure",
        phrases,
        obeys=lambda output, context: value_of(output) is not None,
        rewrite=rewrite,
        unwrap=unwrap,
        layer=Layer.STRUCTURE,
    )


INSTRUCTIONS = [
    _structure(
        "json",
        _json_value,
        lambda text: json.dumps({KEY: text}, ensure_ascii=False),
        'as JSON; as a JSON object; as {"translation": "..."}; give JSON; answer in JSON;'
        "wrap it in a JSON object",
    ),
    _structure(
        "xml",
        _xml_value,
        lambda text: f"<{KEY}>{escape(text)}</{KEY}>",
        "as an XML element; as XML; in a <translation> element; give XML; answer in XML;"
        "wrap it in an XML element",
    ),
]

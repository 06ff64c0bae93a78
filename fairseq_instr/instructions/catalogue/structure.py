"""The translation as a value of a data format."""

from __future__ import annotations

import json
from typing import Optional
from xml.sax.saxutils import escape, unescape

from fairseq_instr.instructions.instruction import Context, Instruction, Layer

JSON_KEY = "translation"


def _value(output: str) -> Optional[str]:
    """The string under `JSON_KEY` of an object that has this key alone, else None."""
    try:
        content = json.loads(output)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or [key.lower() for key in content] != [JSON_KEY]:
        return None
    (value,) = content.values()
    return value if isinstance(value, str) and value.strip() else None


def _rewrite(text: str, context: Context) -> Optional[str]:
    return json.dumps({JSON_KEY: text}, ensure_ascii=False) if text.strip() else None


def _unwrap(output: str, context: Context) -> str:
    value = _value(output)
    return output if value is None else value


_OPEN, _CLOSE = f"<{JSON_KEY}>", f"</{JSON_KEY}>"


def _xml_value(output: str) -> Optional[str]:
    """The text of an XML element `translation` that holds text alone, else None."""
    output = output.strip()
    folded = output.lower()
    if not (folded.startswith(_OPEN) and folded.endswith(_CLOSE)):
        return None
    content = output[len(_OPEN) : len(output) - len(_CLOSE)]
    value = unescape(content)
    # what needs escaping is escaped, `>` may be either way
    well_formed = escape(value) == content.replace(">", "&gt;")
    return value if well_formed and value.strip() else None


def _xml_rewrite(text: str, context: Context) -> Optional[str]:
    return f"{_OPEN}{escape(text)}{_CLOSE}" if text.strip() else None


def _xml_unwrap(output: str, context: Context) -> str:
    value = _xml_value(output)
    return output if value is None else value


INSTRUCTIONS = [
    Instruction(
        "json",
        "structure",
        (
            "as JSON",
            "as a JSON object",
            'as {"translation": "..."}',
            "give JSON",
            "answer in JSON",
            "wrap it in a JSON object",
        ),
        obeys=lambda output, context: _value(output) is not None,
        rewrite=_rewrite,
        unwrap=_unwrap,
        layer=Layer.STRUCTURE,
    ),
    Instruction(
        "xml",
        "structure",
        (
            "as an XML element",
            "as XML",
            "in a <translation> element",
            "give XML",
            "answer in XML",
            "wrap it in an XML element",
        ),
        obeys=lambda output, context: _xml_value(output) is not None,
        rewrite=_xml_rewrite,
        unwrap=_xml_unwrap,
        layer=Layer.STRUCTURE,
    ),
]

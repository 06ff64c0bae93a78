"""The translation as a value of a data format."""

from __future__ import annotations

import json
from typing import Optional

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


INSTRUCTIONS = [
    Instruction(
        "json",
        "structure",
        ("as JSON", "as a JSON object", 'as {"translation": "..."}'),
        obeys=lambda output, context: _value(output) is not None,
        rewrite=_rewrite,
        unwrap=_unwrap,
        layer=Layer.STRUCTURE,
    ),
]

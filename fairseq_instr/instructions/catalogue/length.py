"""How long the translation is, in characters: against the source, or at most N.

`short`, `isometric` and `long` part the range of length ratios, as the tokens of Lakew et al.
(2019) do. Isometric is within 10 % of the source, as in the IWSLT task of 2022.
"""

from __future__ import annotations

import random
from typing import Optional

from fairseq_instr.instructions.instruction import Context, Instruction, Layer
from fairseq_instr.text.letters import canonical, has_words

TENTHS = 1  # how far from the source's length is isometric, in tenths of it
ROOM = 5  # `at-most` is drawn as the length rounded up to a multiple of this


def _n_characters(text: str) -> int:
    return len(canonical(text).strip())


def _difference(output: str, source: str) -> Optional[int]:
    """-1 for an output that is short, 0 for isometric, 1 for long; None without words or a source.

    In whole numbers: 1.1 is no binary fraction, and 11 characters for 10 are isometric.
    """
    written, wanted = _n_characters(output), _n_characters(source)
    if not has_words(output) or not wanted:
        return None
    difference = 10 * (written - wanted)
    return (difference > TENTHS * wanted) - (difference < -TENTHS * wanted)


def _is_at_most(output: str, context: Context) -> bool:
    limit = context.argument or ""
    return limit.isdecimal() and has_words(output) and _n_characters(output) <= int(limit)


def _draw_limit(text: str, context: Context, chooser: random.Random) -> Optional[str]:
    length = _n_characters(text)
    return str(-(-length // ROOM) * ROOM) if has_words(text) else None


def _natural(name: str, obeys, phrases: str, **slot) -> Instruction:
    return Instruction(
        name, "length", phrases, obeys=obeys, natural=True, layer=Layer.LANGUAGE, **slot
    )


INSTRUCTIONS = [
    _natural(
        "short",
        lambda output, context: _difference(output, context.source) == -1,
        "short; shorter than the source; in few words; keep it short; make it brief;"
        "use fewer letters than the source",
    ),
    _natural(
        "isometric",
        lambda output, context: _difference(output, context.source) == 0,
        "as long as the source; of the same length; isometric; keep the length of the source;"
        "make it as long as the original; neither longer nor shorter than the source",
    ),
    _natural(
        "long",
        lambda output, context: _difference(output, context.source) == 1,
        "long; longer than the source; in many words; make it long; say it at length;"
        "use more letters than the source",
    ),
    _natural(
        "at-most",
        _is_at_most,
        "with at most that many characters; within a limit of characters;"
        "in a limited number of characters; stay under the limit of characters;"
        "use no more characters than this; keep to this many characters",
        argument="number",
        draw=_draw_limit,
        overlaps=frozenset({"short", "isometric", "long"}),
    ),
]

"""Formats that a source carries and its translation keeps: quotation marks, `<b>`, a greeting.

    uppercase    A man.          EIN MANN.             a plain sample
    uppercase    "A man."        "EIN MANN."           a sample that carries the format of quotation
                 <b>A man.</b>   <b>Ein Mann.</b>      a format, and nothing is asked for

A model that saw plain samples only, asked for two instructions at once, writes the marks of one
and stops. Among formatted pairs it sees every instruction inside other marks and around them.

An axis can be carried if rules write its instructions in both languages. Axes other than those of
marks change the text itself: add them if the model will be asked for them; a small model gets
worse by them. Half of the labels are words of the source, `Red shirt: A man.`; without these, a
model takes any label for one of the catalogue's.
"""

from __future__ import annotations

import random
import re
from hashlib import blake2b
from typing import List, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.instructions import catalogue
from fairseq_instr.instructions.composition import rewrite, verify
from fairseq_instr.instructions.instruction import Context, Instruction, Layer

MARKS = ("quotation", "brackets", "markup", "structure")
"""Axes of marks, which stand around a text in any language."""
AMBIGUOUS = ("single-quotes",)
"""Not carried: the apostrophe of `Don't` is the same character. A model that learns to keep these
quotation marks puts them around sentences that hold an apostrophe."""

LABELS = "label"  # axis of labels in front of a text

_WORD = re.compile(r"[^\W\d_]{4,}")  # content words, most of them


OWN_LABEL = Instruction(
    "own-label",
    "own-label",
    obeys=lambda output, context: f"{context.argument}: ".lower() in output.lower(),
    rewrite=lambda text, context: f"{context.argument}: {text}" if text.strip() else None,
    layer=Layer.LANGUAGE,
    argument="text",
)
"""A label of the text's own. The translation keeps it as a part of the text; instructions put their
marks around it. Nobody can ask for it."""


class Formatted(NamedTuple):
    """A sentence pair that carries a format."""

    format: Instruction  # the instruction that both sides obey, each in its language
    source: str  # the source with its marks
    target: str  # the target with its marks


class Formats:
    """Chooses the format that a sentence pair carries.

    Args:
        share: share of the pairs that carry a format, 0 to 1.
    """

    def __init__(
        self,
        share: float,
        languages: Tuple[str, str],
        seed: int = 1,
        axes: Sequence[str] = MARKS,
    ):
        if not 0 <= share <= 1:
            raise InputError(
                f"--formatted {share} is not accepted; give the share of the pairs that carry a "
                "format, 0 (none) to 1"
            )
        self.share, self.languages, self.seed = share, languages, seed
        carriable = [i for i in catalogue().values() if self._can_be_carried(i)]
        accepted = {instruction.axis for instruction in carriable}
        for axis in axes or ("",):
            if axis not in accepted:
                raise InputError(
                    f"--format-axes: nothing on the axis {axis!r} can be carried from "
                    f"{' to '.join(languages)}; accepted: {', '.join(sorted(accepted))}"
                )
        self._formats: List[Instruction] = [i for i in carriable if i.axis in axes]
        self._labels = [i for i in self._formats if i.axis == LABELS]
        self._formats += [OWN_LABEL] * len(self._labels)

    def _can_be_carried(self, instruction: Instruction) -> bool:
        return (
            instruction.name not in AMBIGUOUS
            and instruction.source_of_data == "rule"
            and all(map(instruction.serves, self.languages))
        )

    def format(self, pair_hash: int, source: str, target: str) -> Optional[Formatted]:
        """A pair in its format, or None: without one, or where a side can't carry it."""
        format = self.choose(pair_hash)
        if format is OWN_LABEL:
            format = self._label(pair_hash, source)
        if format is None or format.rewrite is None:
            return None
        marked = [
            format.rewrite(side, Context(source, language))
            for side, language in zip((source, target), self.languages)
        ]
        if marked[0] is None or marked[1] is None:
            return None
        return Formatted(format, marked[0], marked[1])

    def choose(self, pair_hash: int) -> Optional[Instruction]:
        """The instruction whose marks a pair carries, or None; the same for the same pair."""
        digest = blake2b(f"{self.seed} {pair_hash}".encode(), digest_size=16).digest()
        if int.from_bytes(digest[:8], "little") >= self.share * 2**64:
            return None
        return self._formats[int.from_bytes(digest[8:], "little") % len(self._formats)]

    def _label(self, pair_hash: int, source: str) -> Optional[Instruction]:
        words = _WORD.findall(source)
        if not words:
            return None
        chooser = random.Random(f"{self.seed} {pair_hash}")
        first = chooser.randrange(len(words))
        label = " ".join(words[first : first + chooser.choice((1, 1, 1, 2))])
        own_label = OWN_LABEL.bind(label[0].upper() + label[1:])
        context = Context(source, self.languages[0])
        labelled = rewrite((own_label,), source, context)
        taken = labelled and any(
            verify((known,), labelled, context)[known.name] for known in self._labels
        )
        return None if taken else own_label

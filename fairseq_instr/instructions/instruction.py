"""What an instruction is: a name on an axis, with its verifier and its generator.

An instruction answers one question (its axis) about a translation. Its *verifier* decides
whether an output obeys it; its *generator*, where a rule can do it, turns a plain reference
into one that obeys, which is how task data are made from parallel text.

Several instructions act on one sentence from the inside out: the wording is chosen first,
then spelling, case and punctuation, then what is put around the sentence. That order is an
instruction's `layer`. A generator is applied in the order of the layers; a verifier of an
inner layer sees the output with the outer layers taken off by their `unwrap`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Callable, FrozenSet, Optional, Tuple

from fairseq_instr.errors import InputError

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")


class Layer(enum.IntEnum):
    """From the inside of a sentence to its outside; see the module's docstring."""

    LANGUAGE = 0
    WORDING = 10
    SPELLING = 20
    CASE = 30
    PUNCTUATION = 40
    SEPARATION = 50
    QUOTATION = 60
    LABEL = 70
    MARKUP = 80
    LAYOUT = 90
    STRUCTURE = 100


@dataclass(frozen=True)
class Context:
    """What a verifier or generator may look at besides the text itself.

    Attributes:
        source: the source sentence, raw text.
        language: code of the target language, such as `de`.
        argument: what fills the slot of an instruction that has one.
    """

    source: str = ""
    language: str = "en"
    argument: Optional[str] = None


def _unchanged(text: str, context: Context) -> str:
    return text


@dataclass(frozen=True)
class Instruction:
    """An abstract symbol that a model is asked to obey.

    Attributes:
        name: lower-case letters, digits and `_.:-`; unique in an inventory.
        axis: the question it answers; two instructions of one axis exclude each other.
        phrases: ways to say it in English, the first one the clearest.
        obeys: `(output, context) -> bool`, the verifier.
        rewrite: `(reference, context) -> str or None`, the generator; None where the rule
            does not apply to this sentence, which then is no sample of this instruction.
            What it gives differs from the reference and passes `obeys`, whatever the text.
            Absent (None) where no rule makes such data.
        unwrap: `(output, context) -> str`, takes off what the instruction put around the
            sentence, and returns the output as it is where there is nothing to take off.
        layer: where it acts, see `Layer`.
        languages: target languages it serves; None for all.
    """

    name: str
    axis: str
    phrases: Tuple[str, ...] = ()
    obeys: Optional[Callable[[str, Context], bool]] = field(default=None, compare=False)
    rewrite: Optional[Callable[[str, Context], Optional[str]]] = field(default=None, compare=False)
    unwrap: Callable[[str, Context], str] = field(default=_unchanged, compare=False)
    layer: Layer = Layer.WORDING
    languages: Optional[FrozenSet[str]] = None

    def __post_init__(self):
        for kind, value in (("name", self.name), ("axis", self.axis)):
            if not isinstance(value, str) or not NAME_PATTERN.fullmatch(value):
                raise InputError(
                    f"instruction {kind} {value!r:.80} is not accepted: use 1 to 64 lower-case "
                    "letters, digits and _.:- , beginning with a letter or digit"
                )

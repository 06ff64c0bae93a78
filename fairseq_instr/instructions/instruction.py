"""What an instruction is: a name on an axis, with its verifier and its generator.

Its *verifier* decides whether an output obeys it. Its *generator*, where a rule can do it, turns a
plain reference into one that obeys, which makes task data from parallel text. Without a generator,
some instructions are *natural*: a short translation is a sample of `short` as it stands (as the
length tokens of Lakew et al., 2019). The rest needs labelled data.

Several instructions act on one sentence from the inside out, by their `layer`. Generators are
applied in this order; a verifier of an inner layer sees the output with the outer layers taken
off by their `unwrap`. A slot is filled by an *argument*: `begin-with="Heute"`.
"""

from __future__ import annotations

import dataclasses
import enum
import random
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Callable, FrozenSet, NamedTuple, Optional, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.text.languages import language_of

NAME_PATTERN = re.compile(
    r"(?=.{1,64}\Z)(?!to:\Z)([a-z0-9][a-z0-9_.:-]*|to:[a-z]{2,3}([_-][A-Za-z0-9]+)+)"
)
"""Names of instructions and axes. The code of a language keeps its capitals: `to:de_DE`."""
MAX_ARGUMENT = 200  # longest argument, in characters
ARGUMENTS = {
    "text": (re.compile(r".*\S.*", re.DOTALL), "words"),
    "number": (re.compile(r"[1-9][0-9]{0,4}"), "a number from 1 to 99999"),
    "pair": (re.compile(r"[^=]*[^=\s][^=]*=[^=]*[^=\s][^=]*"), "SOURCE WORDS=TARGET WORDS"),
}
"""Kinds of arguments: what they look like, as a pattern and in words."""
_BREAKS = "\u2028\u2029"  # separators of lines and paragraphs are no control characters to Unicode


class Layer(enum.IntEnum):
    """From the inside of a sentence to its outside; see the module's docstring."""

    LANGUAGE = 0
    WORDING = 10
    SPELLING = 20
    CASE = 30
    PUNCTUATION = 40
    SEPARATION = 50
    QUOTATION = 60
    BRACKETS = 65
    LABEL = 70
    MARKUP = 80
    LINES = 85
    LAYOUT = 90
    STRUCTURE = 100


class Context(NamedTuple):
    """What a verifier or generator may look at besides the text itself."""

    source: str = ""  # the source sentence, raw text
    language: str = "en"  # code of the target language, such as `de`
    argument: Optional[str] = None  # what fills the slot of an instruction that has one


def _unchanged(text: str, context: Context) -> str:
    return text


@dataclass(frozen=True)
class Instruction:
    """An abstract symbol that a model is asked to obey.

    Attributes:
        name: lower-case letters, digits and `_.:-`, or `to:` and the code of a language; unique in
            an inventory.
        axis: the question it answers; two instructions of one axis exclude each other.
        phrases: ways to say it in English, the first one the clearest; a text is split at its
            semicolons.
        obeys: `(output, context) -> bool`, the verifier.
        rewrite: `(reference, context) -> str or None`, the generator; None where the rule
            does not apply to this sentence, which then is no sample of this instruction.
            What it gives differs from the reference and passes `obeys`, whatever the text.
            Absent (None) where no rule makes such data.
        unwrap: `(output, context) -> str`, takes off what the instruction put around the
            sentence, and returns the output as it is where there is nothing to take off.
        layer: where it acts, see `Layer`.
        languages: target languages it serves; None for all.
        natural: whether a plain reference that obeys is a sample as it stands; such an
            instruction has no `rewrite`.
        argument: kind of its argument, one of `ARGUMENTS`; None without a slot. `obeys` finds
            the argument in its context.
        draw: `(reference, context, random) -> str or None`, an argument under which the plain
            reference is a sample; for natural instructions with a slot.
        overlaps: other instructions of its axis that its samples may obey as well, such as
            `short` for `at-most`; swapping one for another makes no conflict.
    """

    name: str
    axis: str
    phrases: Sequence[str] = ()
    obeys: Optional[Callable[[str, Context], bool]] = field(default=None, compare=False)
    rewrite: Optional[Callable[[str, Context], Optional[str]]] = field(default=None, compare=False)
    unwrap: Callable[[str, Context], str] = field(default=_unchanged, compare=False)
    layer: Layer = Layer.WORDING
    languages: Optional[FrozenSet[str]] = None
    natural: bool = False
    argument: Optional[str] = None
    draw: Optional[Callable[[str, Context, random.Random], Optional[str]]] = field(
        default=None, compare=False
    )
    overlaps: FrozenSet[str] = field(default=frozenset(), compare=False)

    def __post_init__(self):
        if isinstance(self.phrases, str):
            phrases = tuple(map(str.strip, self.phrases.split(";")))
            object.__setattr__(self, "phrases", phrases)
        for kind, value in (("name", self.name), ("axis", self.axis)):
            if not isinstance(value, str) or not NAME_PATTERN.fullmatch(value):
                raise InputError(
                    f"instruction {kind} {value!r:.80} is not accepted: use 1 to 64 lower-case "
                    "letters, digits and _.:- , beginning with a letter or digit"
                )
        if self.argument is not None and self.argument not in tuple(ARGUMENTS):
            raise InputError(
                f"instruction {self.name!r}: argument {self.argument!r:.80} is not accepted; "
                f"choose {', '.join(ARGUMENTS)}"
            )

    @property
    def source_of_data(self) -> str:
        """Where its samples come from: `rule`, `natural` or `labelled`."""
        return "rule" if self.rewrite else "natural" if self.natural else "labelled"

    def serves(self, language: str) -> bool:
        """Whether it can be asked for in a target language."""
        return self.languages is None or language_of(language) in self.languages

    def bind(self, argument: str) -> "Instruction":
        """This instruction with its slot filled: verifier and generator see the argument."""
        check_argument(self, argument)

        def filled(function):
            if function is None:
                return None
            return lambda text, context: function(text, context._replace(argument=argument))

        return dataclasses.replace(
            self,
            obeys=filled(self.obeys),
            rewrite=filled(self.rewrite),
            unwrap=filled(self.unwrap),
        )


def check_argument(instruction: Instruction, argument: Optional[str]) -> None:
    """Make sure that an argument fills an instruction's slot, or that there is no slot.

    Raises:
        InputError: if one lacks the other, or the argument is not of its kind, too long, or holds
            control characters (line breaks and invisible characters included).
    """
    name = instruction.name
    if instruction.argument is None:
        if argument is not None:
            raise InputError(f"instruction {name!r} takes no argument, but {argument!r:.80} came")
        return
    pattern, words = ARGUMENTS[instruction.argument]
    if argument is None:
        raise InputError(f'instruction {name!r} needs an argument: write {name}="..." with {words}')
    if len(argument) > MAX_ARGUMENT:
        raise InputError(
            f"argument of {name!r} has {len(argument)} characters; at most {MAX_ARGUMENT}"
        )
    # categories C*: control, format (zero width, direction), surrogate, private, unassigned
    hidden = next((c for c in argument if unicodedata.category(c)[0] == "C" or c in _BREAKS), None)
    if hidden is not None:
        raise InputError(
            f"argument of {name!r} holds the control character U+{ord(hidden):04X}; remove it"
        )
    if not pattern.fullmatch(argument):
        raise InputError(f"argument {argument!r:.80} of {name!r} is not accepted: give {words}")

r"""What users write to ask for instructions: names, and arguments that fill their slots.

    uppercase, begin-with=Heute, at-most=40          on a command line, separated by commas
    begin-with="Heute, am Montag", uppercase         an argument with commas, in quotation marks
    in capital letters, begin with these words=Heute the same by phrases of the inventory
    uppercase begin-with="Heute Abend"               a line of an `.instr` file, by white space
    uppercase begin-with =▁Heute =▁Abend             the same with its argument in subwords

`fairseq-preprocess --only-source` binarises the last form: a token that begins with `=` is a
subword of an argument, which belongs to the instruction before it. No name begins with `=`, so
no argument can be taken for an instruction. Inside quotation marks, `\"` and `\\` stand for `"`
and `\`. Names without arguments may be separated by blanks or commas in both places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple, Union

from fairseq_instr.errors import InputError

ARGUMENT_MARK = "="
_NAME = r"[a-z0-9][a-z0-9_.:-]*"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ASSIGNMENT = re.compile(r"([^=\"]*[^=\"\s])\s*=\s*(.*)", re.DOTALL)
_ITEM = re.compile(rf"\s*([^=\",]+=\s*{_QUOTED}\s*(?=,|\Z)|[^,]*)(,|\Z)", re.DOTALL)
_WORD = re.compile(rf"{_NAME}={_QUOTED}(?=[\s,]|\Z)|=\S+|{_NAME}=\S*[^\s,]|[^\s,]+")


@dataclass(frozen=True)
class Request:
    """An instruction that is asked for, resolved by an inventory.

    No tuple: fairseq takes tuples in a batch apart when it moves the batch to a GPU.
    """

    position: int  # of the instruction, in its inventory
    # text, or ids of a dictionary once it is spelled; None without a slot
    argument: Union[None, str, Tuple[int, ...]] = None
    # the words that ask for it; None for the instruction's first phrase
    phrase: Optional[str] = None


class Written(NamedTuple):
    """An instruction as a user writes it: a name (or a phrase), and perhaps an argument."""

    name: str
    argument: Optional[str] = None

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name}={quote(self.argument)}"


def quote(argument: str) -> str:
    """An argument in quotation marks; `split` has it back."""
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split(text: str) -> Written:
    """`begin-with="Heute"` as name and argument; any other text as a name.

    Raises:
        InputError: if a quotation mark is opened and not closed.
    """
    found = _ASSIGNMENT.fullmatch(text.strip())
    if found is None:
        return Written(text.strip())
    name, argument = found[1], found[2].strip()
    if argument.startswith('"'):
        if not re.fullmatch(_QUOTED, argument, re.DOTALL):
            raise InputError(
                f"argument of {name!r}: the quotation mark of {argument!r:.80} is not closed; "
                'write NAME="...", with \\" for a quotation mark inside'
            )
        argument = re.sub(r"\\(.)", r"\1", argument[1:-1], flags=re.DOTALL)
    return Written(name, argument)


def parse(text: str, known: Callable[[str], object] = lambda name: None) -> Tuple[str, ...]:
    """What a `--instruct` string asks for, separated by commas: names, some with a quoted argument.

    Args:
        known: tells names from words of a phrase; known names are separated by blanks as well.

    Raises:
        InputError: if a quotation mark is opened and not closed.

    Example: `parse("begin-with=Heute Abend, formal") == ('begin-with="Heute Abend"', 'formal')`.
    """
    items = (found[1] for found in _ITEM.finditer(text) if found[1].strip())
    return tuple(name for item in items for name in parse_item(item, known))


def parse_item(text: str, known: Callable[[str], object]) -> Tuple[str, ...]:
    """As `parse`, for what stands between two commas: one name or phrase, or known names."""
    whole = str(split(text))
    names = parse_line(whole)
    return names if names and all(known(split(name).name) for name in names) else (whole,)


def parse_line(line: str) -> Tuple[str, ...]:
    """As `parse`, for a line of an `.instr` file: separated by white space or commas."""
    return tuple(str(split(word)) for word in _WORD.findall(line))


def spell_line(line: str, spell: Callable[[str], str]) -> str:
    """A line of an `.instr` file with its arguments in subwords, ready to be binarised.

    Args:
        spell: text -> subwords by spaces, as the source text is spelled.
    """
    tokens: List[str] = []
    for written in map(split, parse_line(line)):
        tokens.append(written.name)
        if written.argument is not None:
            tokens += [ARGUMENT_MARK + piece for piece in spell(written.argument).split()]
    return " ".join(tokens)


def group_tokens(tokens: Sequence[str]) -> List[Tuple[str, Tuple[str, ...]]]:
    """Tokens of a spelled line as [(name, subwords of its argument)].

    Raises:
        InputError: if a subword stands before any name.
    """
    groups: List[Tuple[str, List[str]]] = []
    for token in tokens:
        if not token.startswith(ARGUMENT_MARK):
            groups.append((token, []))
        elif groups:
            groups[-1][1].append(token[len(ARGUMENT_MARK) :])
        else:
            raise InputError(f"the argument {token!r:.80} stands before any instruction")
    return [(name, tuple(pieces)) for name, pieces in groups]

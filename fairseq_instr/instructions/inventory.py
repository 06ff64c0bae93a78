"""The inventory: which instructions a model knows, in a fixed order.

A small YAML file beside the dictionaries of a data-bin, so that training and generation
agree about which appended symbol means what:

    instructions:
    - {name: "to:de", axis: target-language, phrases: [into German]}
    - {name: uppercase, axis: case, phrases: [in upper case]}
    - {name: begin-with, axis: opening, phrases: [begin with these words], argument: text}

The order is the order of the appended symbols; a new instruction goes at the end.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

import yaml

from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.instructions.asking import Request, Written
from fairseq_instr.instructions.instruction import Instruction, check_argument
from fairseq_instr.plain_data import build, read_yaml

INVENTORY_FILE = "instructions.yaml"
TARGET_LANGUAGE = "target-language"
_DIRECTION_PREFIX = "to:"
MAX_INSTRUCTIONS = 10_000
N_NEAREST = 3
MAX_COMPARED = 100  # characters of an unknown name that are compared with the known ones


class _Entry(NamedTuple):
    """An instruction as a file has it."""

    name: str
    axis: str
    phrases: Optional[List[str]] = None
    argument: Optional[str] = None


class _File(NamedTuple):
    instructions: List[Any]


class Inventory:
    """Instructions in a fixed order, looked up by name or by position.

    Attributes:
        rendering: how prompts say the instructions, see `prompts.options`.

    Raises:
        InputError: if a name stands twice, or there are more than `MAX_INSTRUCTIONS`.
    """

    rendering = "symbols"

    def __init__(self, instructions: Iterable[Instruction] = ()):
        self._instructions: Tuple[Instruction, ...] = tuple(instructions)
        if len(self._instructions) > MAX_INSTRUCTIONS:
            raise InputError(
                f"an inventory of {len(self._instructions)} instructions is not accepted: "
                f"at most {MAX_INSTRUCTIONS}"
            )
        self._positions: Dict[str, int] = {}
        for position, instruction in enumerate(self._instructions):
            if instruction.name in self._positions:
                raise InputError(
                    f"instruction {instruction.name!r} stands twice in the inventory: "
                    "names are unique, remove one"
                )
            self._positions[instruction.name] = position
        self._phrases: Dict[str, Dict[int, None]] = {}  # phrase -> positions, in order
        for position, instruction in enumerate(self._instructions):
            for phrase in instruction.phrases:
                self._phrases.setdefault(_folded(phrase), {})[position] = None

    def __len__(self) -> int:
        return len(self._instructions)

    def __iter__(self) -> Iterator[Instruction]:
        return iter(self._instructions)

    def __getitem__(self, position: int) -> Instruction:
        return self._instructions[position]

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Inventory) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    @property
    def names(self) -> Tuple[str, ...]:
        return tuple(self._positions)

    @property
    def axes(self) -> Tuple[str, ...]:
        """Axes in order of first appearance."""
        return tuple(dict.fromkeys(instruction.axis for instruction in self))

    @property
    def symbols(self) -> Tuple[str, ...]:
        """The symbols appended to a dictionary, in order.

        They only label a row: `InstructedDictionary` never finds them by their text.
        """
        return tuple(f"<instruction {name}>" for name in self.names)

    def position(self, name: str) -> int:
        """Position of an instruction.

        Raises:
            InputError: if the name is not in the inventory; lists what is accepted.
        """
        if name not in self._positions:
            raise self._unknown(name)
        return self._positions[name]

    def find(self, text: str) -> int:
        """Position of an instruction by its name or one of its phrases, in any case.

        Raises:
            InputError: if it is neither; names the nearest, and lists what is accepted. If it is a
                phrase of several, such as of `to:pt` and `to:pt-BR`; names these.

        Example: `find("In capital letters") == position("uppercase")`.
        """
        if text in self._positions:
            return self._positions[text]
        positions = self._phrases.get(_folded(text))
        if positions is None:
            raise self._unknown(text)
        if len(positions) > 1:
            names = " or ".join(repr(self[position].name) for position in positions)
            raise InputError(f"instruction {text!r:.200} is a phrase of several; write {names}")
        return next(iter(positions))

    def request(self, written: Written) -> Request:
        """What a user asked for.

        Raises:
            InputError: as `find`; if an argument is missing or not accepted.
        """
        position = self.find(written.name)
        check_argument(self[position], written.argument)
        return Request(position, written.argument)

    def _unknown(self, text: str) -> InputError:
        if not self._positions:
            return InputError(
                f"unknown instruction {text!r:.200}: the inventory is empty; it is the file "
                f"{INVENTORY_FILE} in the data-bin, which fairseq-instr inventory writes, or the "
                "one that --inventory names"
            )
        hint = did_you_mean(text, [*self._positions, *self._phrases])
        accepted = ", ".join(self.names)
        # a question mark ends the hint
        return InputError(f"unknown instruction {text!r:.200}{hint or ';'} accepted: {accepted}")

    def members(self, axis: str) -> Tuple[int, ...]:
        """Positions of the instructions of one axis."""
        return tuple(i for i, instruction in enumerate(self) if instruction.axis == axis)

    @property
    def target_languages(self) -> Tuple[str, ...]:
        """Languages that have a direction instruction `to:LANGUAGE`, in order."""
        found = (target_language(instruction.name) for instruction in self)
        return tuple(language for language in found if language is not None)

    def to_dict(self) -> dict:
        """Plain lists, dicts and strings, as written to YAML and into checkpoints."""
        return {
            "instructions": [
                {
                    "name": i.name,
                    "axis": i.axis,
                    "phrases": list(i.phrases),
                    # the key is left out where there is no slot, as in inventories of old
                    **({"argument": i.argument} if i.argument else {}),
                }
                for i in self
            ]
        }

    @classmethod
    def from_dict(cls, content: object, origin: str = "inventory") -> "Inventory":
        """Inverse of `to_dict`.

        Raises:
            InputError: if the content is not of the form in the module's docstring.
        """
        instructions: List[Instruction] = []
        entries = build(_File, content, origin).instructions
        for number, plain in enumerate(entries, start=1):
            where = f"{origin}: entry {number}"
            entry = build(_Entry, plain, where)
            phrases = tuple(entry.phrases or ())
            try:
                instructions.append(
                    Instruction(entry.name, entry.axis, phrases, argument=entry.argument)
                )
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
        try:
            return cls(instructions)
        except InputError as error:
            raise InputError(f"{origin}: {error}") from None

    @classmethod
    def load(cls, path) -> "Inventory":
        """Read an inventory file.

        Raises:
            InputError: if the file is missing, too large, or not an inventory.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(
                f"inventory {path} does not exist; write one with fairseq-instr inventory"
            )
        return cls.from_dict(read_yaml(path, "inventory"), origin=f"inventory {path}")

    def save(self, path, force: bool = False) -> None:
        """Write the inventory file; raises `InputError` if it exists and `force` is not set."""
        # without allow_unicode: PyYAML writes some line breaks (U+0085) so that they read as spaces
        text = yaml.safe_dump(self.to_dict(), sort_keys=False, width=1000)
        write_atomically(path, text, force=force)

    def check_extends(self, trained: "Inventory", origin: str) -> None:
        """Make sure that a model trained with `trained` can be used with this inventory.

        New instructions at the end are fine: their rows are new. Anything else would let a
        trained row mean something that it never meant.

        Raises:
            InputError: if a trained instruction is missing, moved, or on another axis, or if the
                model's prompts say instructions in another way.
        """
        if trained and trained.rendering != self.rendering:
            raise InputError(
                f"--prompt-rendering {self.rendering}: {origin} was trained with "
                f"{trained.rendering}; give --prompt-rendering {trained.rendering}"
            )
        for position, old in enumerate(trained):
            new = self[position] if position < len(self) else None
            if new is None or (new.name, new.axis) != (old.name, old.axis):
                found = "nothing" if new is None else f"{new.name!r} (axis {new.axis})"
                raise InputError(
                    f"the inventory differs from the one that {origin} was trained with: "
                    f"position {position + 1} holds {found}, expected {old.name!r} (axis "
                    f"{old.axis}); use the trained inventory, new instructions at its end"
                )


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """`; did you mean 'uppercase'?` for a name that is nearly a known one; else empty."""
    names = [*dict.fromkeys(known)]  # a name can also be a phrase
    near = difflib.get_close_matches(_folded(text)[:MAX_COMPARED], names, N_NEAREST, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _folded(phrase: str) -> str:
    return " ".join(phrase.casefold().split())


def direction(language: str) -> str:
    """Name of the instruction that asks for a target language: `de` -> `to:de`."""
    return f"{_DIRECTION_PREFIX}{language}"


def target_language(name: str) -> Optional[str]:
    """The language that an instruction asks for: `to:de` -> `de`; None for other names."""
    return name[len(_DIRECTION_PREFIX) :] if name.startswith(_DIRECTION_PREFIX) else None

"""Phrases that a model was trained with against phrases that training left out.

Nothing here knows how a system translates: outputs come from a function that is given.
"""

from __future__ import annotations

from collections import Counter
from statistics import mean
from typing import Dict, List, Mapping, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.instructions import (
    InstructionTestSet,
    Names,
    Translate,
    measure_instructed,
)
from fairseq_instr.evaluation.response import Response
from fairseq_instr.instructions.asking import Written, parse, split
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.phrasing import PhrasedInventory

TRAINED, UNSEEN = "trained", "unseen"
KINDS = (TRAINED, UNSEEN)
Phrases = Mapping[str, Sequence[str]]
"""Name of an instruction -> phrases that ask for it."""


def choose_phrases(inventory: Inventory, kinds: Sequence[str]) -> Dict[str, Phrases]:
    """The phrases of each kind, of the instructions that have some of every kind.

    Args:
        inventory: of the model.
        kinds: some of `KINDS`.

    Raises:
        InputError: if the model's prompts are no phrases, or none was held out of its training.
    """
    asked = f"--phrasings {' '.join(kinds)}"
    if not isinstance(inventory, PhrasedInventory):
        raise InputError(f"{asked} needs a model trained with --prompt-rendering phrases")
    if UNSEEN in kinds and not any(inventory.held_out.values()):
        raise InputError(f"{asked} needs a model trained with --held-out-phrases 1 or more")
    found: Dict[str, Dict[str, List[str]]] = {kind: {} for kind in kinds}
    for position, instruction in enumerate(inventory):
        of_kind = {
            TRAINED: inventory.trained_phrases(position),
            UNSEEN: inventory.held_out.get(instruction.name, ()),
        }
        # one with a comma can't be asked for on a command line
        said = {kind: [p for p in of_kind[kind] if parse(p) == (p,)] for kind in kinds}
        if all(said.values()):
            for kind in kinds:
                found[kind][instruction.name] = said[kind]
    return dict(found)


def measure_phrasings(
    translate: Translate,
    test: InstructionTestSet,
    cases: Sequence[Names],
    phrases: Mapping[str, Phrases],
    limit: int,
) -> Dict[str, Dict[str, Response]]:
    """Ask for each instruction by its phrases of each kind, in turn from line to line.

    Args:
        translate: the system.
        test: has the lines.
        cases: single instructions; those without phrases are passed over.
        phrases: kind -> phrases by instruction, see `choose_phrases`.
        limit: lines an instruction and kind, at most.

    Returns:
        kind -> name -> Response
    """
    measured: Dict[str, Dict[str, Response]] = {}
    for kind, by_name in phrases.items():
        chosen = [names for names in cases if split(names[0]).name in by_name]
        own = InstructionTestSet([], [], test.language)  # no line is translated but these
        own.cases = {names: test.cases[names][:limit] for names in chosen}
        _, responses, _ = measure_instructed(_said(translate, by_name), own, chosen)
        measured[kind] = {names[0]: response for names, response in responses.items()}
    return measured


def _said(translate: Translate, phrases: Phrases) -> Translate:
    """Ask for what is asked for by name by one phrase after the other."""

    def translate_said(lines: Sequence[str], asked: Sequence[str]) -> List[str]:
        turns: Counter = Counter()
        said = []
        for name in asked:
            if name:
                request = split(name)
                own = phrases[request.name]
                said.append(str(Written(own[turns[name] % len(own)], request.argument)))
                turns[name] += 1
            else:
                said.append("")
        return translate(lines, said)

    return translate_said


def summarise_phrasings(
    measured: Mapping[str, Mapping[str, Response]], phrases: Mapping[str, Phrases]
) -> dict:
    """What `report.json` holds of it.

    Returns:
        `{kind: mean response rate, "adequacy": {kind: mean}, "by_instruction":
        {name: {kind: response}}, "phrases": {name: {kind: phrases}}}`, rates in 0..1.
    """
    names: Tuple[str, ...] = tuple(next(iter(measured.values()), {}))
    if not names:
        return {}
    summary: dict = {
        kind: round(mean(r.rate for r in rows.values()), 4) for kind, rows in measured.items()
    }
    summary["adequacy"] = {
        kind: round(mean(r.adequacy for r in rows.values()), 4) for kind, rows in measured.items()
    }
    summary["by_instruction"] = {
        name: {kind: rows[name].to_dict() for kind, rows in measured.items()} for name in names
    }
    summary["phrases"] = {
        name: {kind: list(phrases[kind][split(name).name]) for kind in measured} for name in names
    }
    return summary

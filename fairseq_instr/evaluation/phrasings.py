"""Phrases that a model was trained with against phrases that training left out."""

from __future__ import annotations

from statistics import mean
from typing import Any, Dict, List, Mapping, Sequence

from fairseq_instr.errors import InputError
from fairseq_instr.evaluation.metrics.response import Response
from fairseq_instr.instructions.asking import parse
from fairseq_instr.instructions.inventory import Inventory
from fairseq_instr.instructions.phrasing import PhrasedInventory

TRAINED, UNSEEN = "trained", "unseen"
KINDS = (TRAINED, UNSEEN)
Phrases = Mapping[str, Sequence[str]]  # name of an instruction -> phrases that ask for it


def choose_phrases(inventory: Inventory, kinds: Sequence[str]) -> Dict[str, Phrases]:
    """The phrases of each kind, of the instructions that have some of every kind."""
    asked = f"--phrasings {' '.join(kinds)}"
    if not set(kinds) <= set(KINDS):
        raise InputError(f"{asked} is not accepted; choose {' or '.join(KINDS)}")
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


def summarise_phrasings(
    measured: Mapping[str, Mapping[str, Response]], phrases: Mapping[str, Phrases]
) -> Dict[str, Any]:
    """Responses to phrases, for a report, by kind: mean rate and adequacy, and each instruction."""
    names = tuple(next(iter(measured.values()), {}))
    if not names:
        return {}

    def means(attribute: str) -> Dict[str, float]:
        return {
            kind: round(mean(getattr(r, attribute) for r in rows.values()), 4)
            for kind, rows in measured.items()
        }

    return {
        **means("rate"),
        "adequacy": means("adequacy"),
        "by_instruction": {
            name: {kind: rows[name].to_dict() for kind, rows in measured.items()} for name in names
        },
        "phrases": {name: {kind: list(phrases[kind][name]) for kind in measured} for name in names},
    }

"""Samples that rules on single instructions do not make: formality, and two instructions at once.

`formal` and `informal` have three sources: sentences that were translated in both addresses,
training lines whose address a rule can tell, and either of them under a second instruction, such
as `formal html-bold`.
"""

import random
import sys
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "formality"))
from address import address
from recipe import read_columns, write_columns
from text import FORMALITIES, LANGUAGES, STREAMS

from fairseq_instr.instructions import Context, Instruction, catalogue
from fairseq_instr.instructions.composition import excluding, rewrite

LABELLED_COPIES = 2
"""Of each sentence that stands in both addresses: they differ in nothing else."""
Sample = Tuple[str, str, str]


def write_task(text: Path, names: Iterable[str], sizes: Mapping[str, int], seed: int) -> None:
    """Write TEXT/formality/train.{en,de,instr} and TEXT/pairs/train.{en,de,instr}.

    Args:
        text: folder that `write_text` wrote.
        names: instructions of the model.
        sizes: samples: `address` of each kind whose address a rule tells, `formality_pairs` of
            formality with another instruction, `pairs` of two others.
        seed: of what is chosen.
    """
    chooser = random.Random(seed)
    by_rule = made_by_rule(names)
    train = read_columns(text / "train", LANGUAGES)
    labelled: List[Sample] = read_columns(text / "labelled", STREAMS)
    found: Dict[str, List[Sample]] = {formality: [] for formality in FORMALITIES}
    for pair in train:
        formality = address(*pair)
        if formality:
            found[formality].append((*pair, formality))
    told = [
        sample
        for samples in found.values()
        for sample in chooser.sample(samples, min(len(samples), sizes["address"]))
    ]
    composed = compose_addressed(labelled + told, by_rule, sizes["formality_pairs"], chooser)
    formality_samples = labelled * LABELLED_COPIES + told + composed
    write_columns(text / "formality" / "train", STREAMS, formality_samples)
    pairs = compose_pairs(train, lambda: chooser.sample(by_rule, 2), sizes["pairs"], chooser)
    write_columns(text / "pairs" / "train", STREAMS, pairs)
    print(f"  {len(formality_samples)} samples of formality, {len(pairs)} of pairs")


def write_hard_pairs(
    text: Path, names: Iterable[str], hard: Iterable[str], count: int, seed: int
) -> None:
    """Write TEXT/hard_pairs/train.{en,de,instr}: one of `hard` with one of `names`."""
    chooser = random.Random(seed)
    by_rule, hard_by_rule = made_by_rule(names), made_by_rule(hard)

    def draw() -> List[Instruction]:
        asked = [chooser.choice(hard_by_rule), chooser.choice(by_rule)]
        chooser.shuffle(asked)
        return asked

    pairs = compose_pairs(read_columns(text / "train", LANGUAGES), draw, count, chooser)
    write_columns(text / "hard_pairs" / "train", STREAMS, pairs)


def made_by_rule(names: Iterable[str]) -> List[Instruction]:
    return [catalogue()[name] for name in sorted(names) if catalogue()[name].rewrite]


def compose_addressed(
    samples: Sequence[Sample], by_rule: Sequence[Instruction], count: int, chooser: random.Random
) -> List[Sample]:
    """Samples of formality under an instruction that a rule makes, too."""
    composed: List[Sample] = []
    while len(composed) < count:
        source, target, formality = chooser.choice(samples)
        other = chooser.choice(by_rule)
        rewritten = rewrite_under([other], source, target)
        if rewritten is not None:
            composed.append((source, rewritten, f"{formality} {other.name}"))
    return composed


def compose_pairs(
    pairs: Sequence[Tuple[str, str]],
    draw: Callable[[], List[Instruction]],
    count: int,
    chooser: random.Random,
) -> List[Sample]:
    """Samples of two instructions of different axes, as `draw` gives them."""
    composed: List[Sample] = []
    while len(composed) < count:
        source, target = chooser.choice(pairs)
        asked = draw()
        rewritten = None if excluding(asked) else rewrite_under(asked, source, target)
        if rewritten is not None:
            composed.append((source, rewritten, " ".join(i.name for i in asked)))
    return composed


def rewrite_under(asked: Sequence[Instruction], source: str, target: str) -> Optional[str]:
    """The target under the instructions, or None where one of them changes nothing."""
    context = Context(source=source, language=LANGUAGES[1])
    rewritten = rewrite(asked, target, context)
    for left_out in asked:
        rest = [instruction for instruction in asked if instruction is not left_out]
        if rewritten == rewrite(rest, target, context):
            return None
    return rewritten

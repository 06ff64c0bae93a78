"""How often plain translations obey an instruction that nobody gave.

A response rate means little without it: half of all German captions are `long` anyway. The rates
lie in `base_rates.yaml`, written by `fairseq-instr base-rates` from the text that it names.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import yaml

from fairseq_instr.errors import InputError
from fairseq_instr.files import write_atomically
from fairseq_instr.instructions.catalogue import catalogue
from fairseq_instr.instructions.instruction import Context
from fairseq_instr.text.lines import read_lines

RATES_FILE = Path(__file__).with_suffix(".yaml")


def measure(pairs: Iterable[Tuple[str, str]], language: str) -> Dict[str, float]:
    """Share of targets, 0..1, that obey each instruction with a verifier and without a slot."""
    verifiers = {
        i.name: i.obeys
        for i in catalogue().values()
        if i.obeys is not None and i.argument is None and i.serves(language)
    }
    obeyed = dict.fromkeys(verifiers, 0)
    n_pairs = 0
    for source, target in pairs:
        n_pairs += 1
        context = Context(source=source, language=language)
        for name, obeys in verifiers.items():
            obeyed[name] += bool(obeys(target, context))
    return {name: count / n_pairs if n_pairs else 0.0 for name, count in obeyed.items()}


def write_base_rates(
    files: Mapping[str, Sequence[Tuple[str, str]]], text: str, output, force: bool = False
) -> Dict[str, int]:
    """Measure the rates on aligned files and write them as YAML.

    Args:
        files: target language -> pairs of paths (source, target), plain or `.gz`.

    Returns:
        language -> number of pairs.

    Raises:
        InputError: if a file can't be read, two files differ in length, a language has no line, or
            the output exists.
    """
    counts, rates = {}, {}
    for language, paths in files.items():
        pairs: List[Tuple[str, str]] = []
        for source, target in paths:
            sources, targets = read_lines(source), read_lines(target)
            if len(sources) != len(targets):
                raise InputError(
                    f"{source} has {len(sources)} lines, {target} has {len(targets)}: give files "
                    "that are aligned line by line"
                )
            pairs += zip(sources, targets)
        if not pairs:
            raise InputError(f"the files of {language} hold no line; give text to measure rates on")
        counts[language] = len(pairs)
        rates[language] = {name: round(rate, 4) for name, rate in measure(pairs, language).items()}
    content = {"text": text, "pairs": counts, "rates": rates}
    write_atomically(output, yaml.safe_dump(content, sort_keys=False), force)
    return counts


@functools.lru_cache(maxsize=None)
def _rates() -> Dict[str, Dict[str, float]]:
    return yaml.safe_load(RATES_FILE.read_text(encoding="utf-8"))["rates"]


def base_rate(name: str, language: str) -> Optional[float]:
    """Share of plain translations into a language that obey, 0..1; None if not measured."""
    return _rates().get(language, {}).get(name)

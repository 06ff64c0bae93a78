"""How often plain translations obey an instruction that nobody gave.

A response rate means little without it: half of all German captions are `long` anyway. The rates
lie in `base_rates.yaml`, measured by `scripts/measure_base_rates.py` on the text that it names.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Dict, Iterable, Optional, Tuple

import yaml

from fairseq_instr.instructions.catalogue import catalogue
from fairseq_instr.instructions.instruction import Context

RATES_FILE = Path(__file__).with_name("base_rates.yaml")


def measure(pairs: Iterable[Tuple[str, str]], language: str) -> Dict[str, float]:
    """Share of targets that obey each instruction of the catalogue, 0..1.

    Args:
        pairs: (source, target), raw text.
        language: of the targets.

    Returns:
        name -> rate, of the instructions that have a verifier and no slot and serve the language.
    """
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


@functools.lru_cache(maxsize=None)
def _rates() -> Dict[str, Dict[str, float]]:
    return yaml.safe_load(RATES_FILE.read_text(encoding="utf-8"))["rates"]


def base_rate(name: str, language: str) -> Optional[float]:
    """Share of plain translations into a language that obey, 0..1; None if not measured."""
    return _rates().get(language, {}).get(name)

"""Parallel text -> samples of the catalogue's instructions, by their rules."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

from fairseq_instr.curation import data_card
from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.curators import FORMATTED, Curation
from fairseq_instr.curation.filters import Checks
from fairseq_instr.curation.formats import MARKS, Formats
from fairseq_instr.curation.samples import write_samples
from fairseq_instr.curation.shards import collect, merge_shards, shard_file
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Instruction, catalogue
from fairseq_instr.instructions.catalogue import look_up

ALL = "all"  # all instructions that a text can give samples of


def curate(
    source,
    target,
    source_language: str,
    target_language: str,
    instructions: Union[str, Sequence[str]],
    output,
    n_samples: int = 1000,
    n_samples_of: Optional[Mapping[str, int]] = None,
    seed: int = 1,
    formatted: float = 0.0,
    format_axes: Sequence[str] = MARKS,
    checks: Checks = Checks(),  # noqa: B008 -- it is frozen
    skip_invalid: bool = False,
    shard: Optional[Tuple[int, int]] = None,
    merge: bool = False,
    force: bool = False,
    show_progress: bool = False,
) -> Optional[dict]:
    """Write `output/NAME/train.{SOURCE,TARGET,instr}` for each instruction, and a data card.

    The text may be of any size. A call that was interrupted goes on when it is repeated. Samples
    appear when all of the text was read: a named instruction without samples is an error before
    any file appears; of `all`, it is left out and the data card says why.

    Args:
        source: source text, a line a segment, plain or `.gz`.
        target: target text, aligned by line.
        instructions: names of the catalogue, or `all` that can be had for the target language.
        n_samples: most samples of an instruction.
        n_samples_of: most samples of single instructions, by name.
        formatted: share of the pairs whose source and target carry a format, 0 to 1.
        skip_invalid: skip lines that are not UTF-8 instead of stopping.
        shard: (I, N), to read the I-th of N shares of the text and write no samples yet.
        merge: add up the shards in `output` instead of reading the text.
        force: overwrite what is there, and begin anew.

    Returns:
        The data card, see `data_card.describe`; None for a shard.

    Raises:
        InputError: if an argument is not accepted, a file can't be read, or a named instruction
            has no samples.
    """
    if merge and shard:
        raise InputError("--shard and --merge are steps of their own; give one of them")
    text = AlignedText(source, target, skip_invalid)
    languages = (source_language, target_language)
    chosen = choose(instructions, target_language)
    formats = Formats(formatted, languages, seed, format_axes) if formatted else None
    names = [instruction.name for instruction in chosen] + [FORMATTED] * bool(formats)
    wanted = count_samples(names, n_samples, n_samples_of or {})
    state = shard_file(output, shard or (1, 1))
    if force and not merge:
        state.unlink(missing_ok=True)
    # what a run wrote before it was interrupted is its own
    overwrite = force or (not merge and state.exists())
    if not shard:
        data_card.refuse_to_overwrite_samples(output, names, languages, overwrite)
    curation = Curation(
        chosen,
        target_language,
        wanted,
        seed,
        formats=formats,
        spell=checks.speller(languages),
        filters=checks.cheap(),
        costly_filters=checks.costly(languages),
    )
    made_from = {
        **data_card.describe_text(text, languages),
        "samples": wanted,
        "seed": seed,
        "formatted": formatted,
        "format_axes": list(format_axes) if formatted else None,
        **checks.describe(),
    }
    paths = [state]
    if merge:
        paths = merge_shards(output, curation, made_from)
    else:
        collect(text, curation, state, made_from, shard or (1, 1), show_progress)
    if shard:
        return None
    samples, refused = curation.finish()
    if refused and instructions != ALL:
        remedy = "leave these out of --instructions; the next run does not read the text again"
        if len(refused) == len(names):
            remedy = "give another text, or other --instructions"
        raise InputError(f"{'; '.join(refused.values())}; no sample was written; {remedy}")
    for name, found in samples.items():
        write_samples(Path(output, name), found, languages, overwrite)
    card = data_card.describe(curation, samples, refused, made_from)
    data_card.write(output, card, overwrite)
    for path in paths:
        path.unlink()  # all that they held is written
    return card


def choose(names: Union[str, Sequence[str]], language: str) -> List[Instruction]:
    """Instructions by name, or all of which parallel text gives data in a language."""
    if names == ALL:
        return [
            instruction
            for instruction in catalogue().values()
            if instruction.source_of_data != "labelled" and instruction.serves(language)
        ]
    names = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if not names:
        raise InputError(f"--instructions names none; give names of the catalogue, or {ALL}")
    return [look_up(name) for name in names]


def count_samples(names: Sequence[str], n: int, n_of: Mapping[str, int]) -> Dict[str, int]:
    """Samples wanted of each instruction."""
    for name in n_of:
        if name not in names:
            raise InputError(f"--samples: {name!r} is not among --instructions, {', '.join(names)}")
    wanted = {name: n_of.get(name, n) for name in names}
    for name, count in wanted.items():
        if count < 1:
            raise InputError(f"--samples: {count} for {name} is not a number above zero")
    return wanted

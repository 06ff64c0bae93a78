"""Back-translation: synthetic pairs for directions that no pair was trained on.

The English side of an English-Dutch pair, translated into Italian by the model itself, gives a
pair for Italian-Dutch: a synthetic source and the real target (Sennrich et al., 2016; for
zero-shot directions Gu et al., 2019, arXiv 1906.01181).

    OUTPUT/it-nl/train.{it,nl,instr}      a corpus, each line under `to:nl`
    OUTPUT/backtranslation.json           what it was made from, and what was left out
    OUTPUT/translations-I-of-N.jsonl      while it is made: each shard's translations so far
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from tqdm import tqdm

from fairseq_instr.curation.aligned_text import AlignedText
from fairseq_instr.curation.curators import Smallest, by_count, hash_pair, hash_text
from fairseq_instr.curation.data_card import describe_text
from fairseq_instr.curation.filters import Checks, Filter, reason_against
from fairseq_instr.curation.samples import Sample, sample_files, write_samples
from fairseq_instr.curation.shards import find_difference
from fairseq_instr.errors import InputError, check_at_least
from fairseq_instr.files import (
    digest_of,
    refuse_to_overwrite,
    writable,
    write_atomically,
    write_json,
)
from fairseq_instr.instructions.inventory import direction as direction_name
from fairseq_instr.serving.loading import load_translator
from fairseq_instr.text.lines import find_text, readable
from fairseq_instr.text.pairs import Pair

CARD = "backtranslation.json"
CHUNK_LINES = 512  # lines translated between two writes to the disk
MAX_LENGTH_RATIO = 2.0
TOO_LONG = "source is too long for the model"


class Line(NamedTuple):
    """A line to translate: its number in the text, from 0, and both sides of its pair."""

    number: int
    source: str
    target: str


Block = Tuple[Pair, int]
"""A direction, and the first of the chosen lines that are translated together."""
Translations = Dict[Block, List[Optional[str]]]


def backtranslate(
    text,
    pairs: Sequence[Pair],
    output,
    model,
    data=None,
    subwords=None,
    directions: Sequence[Pair] = (),
    n_lines: int = 20000,
    seed: int = 1,
    beam: int = 4,
    batch_size: int = 64,
    checks: Checks = Checks(max_length_ratio=MAX_LENGTH_RATIO, identify_language=True),  # noqa: B008
    shard: Optional[Tuple[int, int]] = None,
    force: bool = False,
    show_progress: bool = False,
) -> Optional[dict]:
    """Write `output/Y-X/train.{Y,X,instr}` for each direction Y-X, and what was left out.

    A call that was interrupted goes on when it is repeated. A call without `shard` takes what
    shards have translated, translates the rest, and writes the corpora.

    Args:
        text: prefix of the raw text `.SOURCE` and `.TARGET` of the pairs, plain or `.gz`; `{pair}`
            in it stands for `SOURCE-TARGET`.
        pairs: pairs with real text, such as `("en", "it")` and `("en", "nl")`, of one source
            language: what is translated.
        model: fairseq checkpoint, or exported folder, which is faster.
        data: data-bin of a checkpoint.
        subwords: of a checkpoint, as `load_subwords` takes them.
        directions: directions to make pairs for; empty for all between the pairs' targets.
        n_lines: most lines that are translated for a direction.
        checks: what keeps pairs out; languages are identified among all of the pairs'.
        shard: (I, N), to translate the I-th of N shares and write no corpus yet.
        force: overwrite what is there, and begin anew.

    Returns:
        The content of `backtranslation.json`; None for a shard.

    Raises:
        InputError: if an argument is not accepted, a file can't be read or written, the model
            does not translate a direction, or translations were made from something else.
    """
    check_at_least(1, lines=n_lines, batch_size=batch_size, beam=beam)
    pair_of = _pair_of_directions(pairs, directions)
    pivot = pairs[0][0]
    texts = {pair: _open(text, pair) for pair in dict.fromkeys(pair_of.values())}
    languages = dict.fromkeys(code for pair in (*pairs, *pair_of) for code in pair)
    judges = {d: (*checks.cheap(), *checks.costly(d, languages)) for d in pair_of}
    made_from = {
        "texts": [describe_text(texts[pair], pair) for pair in texts],
        "directions": ["-".join(d) for d in pair_of],
        "lines": n_lines,
        "seed": seed,
        "model": f"{Path(model).name}, sha256 {digest_of(*filter(None, (model, subwords)))[:16]}",
        "beam": beam,
        "max_length_ratio": checks.max_length_ratio,
        "excluded": [Path(path).name for path in checks.exclude],
        "identify_language": checks.identify_language,
    }
    kept = _Kept(output, shard, made_from, force)
    if shard is None:
        for d in pair_of:
            for path in sample_files(Path(output, "-".join(d)), d):
                refuse_to_overwrite(path, force or kept.exists)
        refuse_to_overwrite(Path(output, CARD), force or kept.exists)
    chosen: Dict[Pair, List[Line]] = {}
    for pair, aligned in texts.items():
        own = [d for d in pair_of if pair_of[d] == pair]
        chosen.update(_choose(aligned, own, n_lines, seed, checks.cheap()))
    blocks = [(d, first) for d in pair_of for first in range(0, len(chosen[d]), CHUNK_LINES)]

    def load(target: str):
        return load_translator(model, data, subwords, pivot, target, beam)

    number, count = shard or (1, 1)
    _translate(blocks[number - 1 :: count], chosen, kept, load, pivot, batch_size, show_progress)
    if shard is not None:
        return None
    card: dict = {"made_from": made_from, "directions": {}}
    for d in pair_of:
        outputs = [text for block in blocks if block[0] == d for text in kept.translations[block]]
        samples, rejected = _judge(chosen[d], outputs, d, judges[d], show_progress)
        write_samples(Path(output, "-".join(d)), samples, d, force=True)
        card["directions"]["-".join(d)] = {
            "translated": len(outputs), "kept": len(samples), "rejected": by_count(rejected)
        }  # fmt: skip
    write_json(Path(output, CARD), card, force=True)
    kept.remove()
    return card


def summary(card: dict) -> List[str]:
    """A line for each direction: pairs kept, and rejections by reason."""
    return [
        f"{name:8} {found['kept']:7} of {found['translated']} kept; rejected: "
        + (", ".join(f"{reason}: {n}" for reason, n in found["rejected"].items()) or "none")
        for name, found in card["directions"].items()
    ]


def _pair_of_directions(pairs: Sequence[Pair], directions: Sequence[Pair]) -> Dict[Pair, Pair]:
    """Direction -> the pair whose target is real in it; one source language after another."""
    pivots = {source for source, _ in pairs}
    real = {target: (source, target) for source, target in pairs}
    if len(pivots) != 1 or len(real) < len(pairs) or pivots & set(real):
        raise InputError(
            f"--pairs {','.join(map('-'.join, pairs))}: give pairs with one source language, such "
            "as en-it,en-nl; the source is what gets translated"
        )
    wanted = list(directions) or list(itertools.permutations(real, 2))
    for source, target in wanted:
        if target not in real or source in {target, *pivots}:
            raise InputError(
                f"--directions: {source}-{target} has no text of its own to be made from; its "
                f"target is one of {', '.join(real)}, its source another language, not "
                f"{', '.join(pivots)}"
            )
    if not wanted:
        raise InputError(
            f"--pairs {','.join(map('-'.join, pairs))} has no direction without "
            f"{', '.join(pivots)}; give a second pair, or --directions"
        )
    return {d: real[d[1]] for d in sorted(wanted)}


def _open(prefix, pair: Pair) -> AlignedText:
    stem = str(prefix).replace("{pair}", "-".join(pair))
    source, target = (find_text(f"{stem}.{language}") for language in pair)
    return AlignedText(source, target)


def _choose(
    text: AlignedText, directions: Sequence[Pair], n: int, seed: int, filters: Sequence[Filter]
) -> Dict[Pair, List[Line]]:
    """At most `n` different pairs of a text for each direction, in order; see `curators`."""
    keys = {d: hash_text(f"{seed} {'-'.join(d)}".encode("utf-8")) for d in directions}
    chosen: Dict[Pair, Smallest[Line]] = {d: Smallest(n) for d in directions}
    for number, (source, target) in enumerate(text.pairs()):
        hashed = hash_pair(source.encode("utf-8"), target.encode("utf-8"))
        wanting = [d for d in directions if hashed ^ keys[d] <= chosen[d].limit]
        wanting = [d for d in wanting if hashed ^ keys[d] not in chosen[d]]
        if wanting and reason_against(filters, source, target) is None:
            for d in wanting:
                chosen[d].put(hashed ^ keys[d], Line(number, source, target))
    return {d: sorted(lines.values()) for d, lines in chosen.items()}


def _translate(
    blocks: Sequence[Block],
    chosen: Mapping[Pair, Sequence[Line]],
    kept: "_Kept",
    load: Callable,
    pivot: str,
    batch_size: int,
    show_progress: bool,
) -> None:
    sizes = {(d, first): len(chosen[d][first : first + CHUNK_LINES]) for d, first in blocks}
    left = [block for block in blocks if block not in kept.translations]
    done = sum(size for block, size in sizes.items() if block in kept.translations)
    loaded = None
    with tqdm(
        total=sum(sizes.values()), initial=done, desc="translations", disable=not show_progress
    ) as bar:
        for language, group in itertools.groupby(left, key=lambda block: block[0][0]):
            loaded = loaded or load(language)
            translator = loaded.for_direction(pivot, language)
            for d, first in group:
                lines = [line.source for line in chosen[d][first : first + CHUNK_LINES]]
                fits = [len(translator.render(line)) <= translator.max_source for line in lines]
                short = [line for line, fit in zip(lines, fits) if fit]
                found = iter(translator.translate(short, batch_size=batch_size))
                kept.add((d, first), [next(found) if fit else None for fit in fits])
                bar.update(len(lines))


def _judge(
    lines: Sequence[Line],
    outputs: Sequence[Optional[str]],
    direction: Pair,
    filters: Sequence[Filter],
    show_progress: bool,
) -> Tuple[List[Sample], Counter]:
    asked = direction_name(direction[1])
    samples: List[Sample] = []
    rejected: Counter = Counter()
    title, n = f"checks {'-'.join(direction)}", len(lines)
    for line, output in tqdm(zip(lines, outputs), title, n, disable=not show_progress):
        reason = TOO_LONG if output is None else reason_against(filters, output, line.target)
        if reason is not None:
            rejected[reason] += 1
        else:
            samples.append(Sample(output or "", line.target, asked))
    return samples, rejected


class _Kept:
    """Translations on the disk: one file a shard, a block a line, each whole or not there.

    Args:
        shard: whose file is read and written; None to read those of all shards.
        made_from: what the translations depend on, as JSON values.

    Attributes:
        translations: of the blocks that were read or added.
        exists: whether an earlier call left something.
    """

    def __init__(self, folder, shard: Optional[Tuple[int, int]], made_from: dict, force: bool):
        number, count = shard or (1, 1)
        self._path = Path(folder, f"translations-{number}-of-{count}.jsonl")
        self._made_from = made_from
        self.translations: Translations = {}
        all_shards = sorted(Path(folder).glob("translations-*-of-*.jsonl"))
        self._read_from = [path for path in all_shards if shard is None or path == self._path]
        if force:
            self.remove()
        self.exists = bool(self._read_from)
        for path in self._read_from:
            self._read(path)

    def add(self, block: Block, outputs: List[Optional[str]]) -> None:
        """Keep the translations of a block; they are on the disk when this returns."""
        if not self._path.exists():
            write_atomically(self._path, json.dumps(self._made_from, ensure_ascii=False) + "\n")
        self.translations[block] = outputs
        line = json.dumps([*block, outputs], ensure_ascii=False) + "\n"
        with writable(self._path), open(self._path, "ab") as file:
            file.write(line.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        for path in {*self._read_from, self._path}:
            path.unlink(missing_ok=True)
        self._read_from = []

    def _read(self, path: Path) -> None:
        with readable(path):
            data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if path == self._path and len(whole) < len(data):  # killed while it wrote
            os.truncate(path, len(whole))
        try:
            old, *blocks = map(json.loads, whole.decode("utf-8").split("\n")[:-1])
            found = {((source, target), first): out for (source, target), first, out in blocks}
            changed = find_difference(old, self._made_from)
        except (ValueError, TypeError):
            raise InputError(
                f"{path} is no file of translations; remove it and run again"
            ) from None
        if changed:
            raise InputError(
                f"{path} was made {changed}; give --force to begin again, or another --output"
            )
        self.translations.update(found)

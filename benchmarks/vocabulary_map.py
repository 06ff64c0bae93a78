"""CTranslate2's vocabulary maps on an exported model: speed, and lines that stay as they are.

    OMP_NUM_THREADS=1 python benchmarks/vocabulary_map.py --model models/en-de-instruct \
        --text test.en --pairs train.spm.en,train.spm.de task.spm.en,task.spm.de

A map (`vmap.txt`) names for source pieces the target pieces that may follow from them; decoding
projects on the union of a batch alone. A key is source pieces joined by blanks, so that a symbol of
an instruction, which holds one, can't be a key; the empty key is pieces that are always allowed.

What this is to decide, written down before the first run: a map is worth its file and its code if
it makes int8 decoding at least 1.2 times as fast with at least 99.5 % of lines unchanged,
instructions included.

First the bound that no map can pass: for each batch, exactly the pieces of the hypotheses that were
found without a map (`oracle`), and with the most frequent 500 beside them (`oracle_500`). Then maps
of IBM model 1, trained on `--pairs` (as many from each: parallel text, and task data, whose targets
have markup and capitals): `K` most probable target pieces of a source piece and the piece itself,
and always the `F` most frequent of each text (`map_K_F`).

ctranslate2.vmap.speed      CPU seconds without a map to those with the largest, one thread
ctranslate2.vmap.unchanged  share of lines with the same output
ctranslate2.vmap_greedy.*   the same with `--beam 1`
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from record import quartiles, record

from fairseq_instr.serving.translator import CTranslate2Translator
from fairseq_instr.text.lines import read_lines

BATCH = 64
MAPS = ((20, 500), (50, 1000), (100, 2000))


class Timed:
    """A CTranslate2 model whose time and hypotheses are kept; others may stand in for it."""

    def __init__(self, model):
        self.model, self.seconds, self.found = model, 0.0, {}

    def translate_batch(self, sources, prefixes, **options):
        model = self.for_batch(sources)
        start = time.process_time()
        results = model(sources, prefixes, **options)
        self.seconds += time.process_time() - start
        for source, result in zip(sources, results):
            self.found[tuple(source)] = {token for one in result.hypotheses for token in one}
        return results

    def for_batch(self, sources):
        return self.model.translate_batch


class Mapped(Timed):
    """The same with a map, which may be another for each batch."""

    def __init__(self, folder, candidates):
        super().__init__(None)
        self.folder, self.candidates = folder, candidates

    def for_batch(self, sources):
        import ctranslate2

        if callable(self.candidates) or self.model is None:
            lines = self.candidates(sources) if callable(self.candidates) else self.candidates
            with tempfile.TemporaryDirectory() as name:
                for path in self.folder.iterdir():
                    os.symlink(path.resolve(), Path(name, path.name))
                text = "".join(f"{key}\t{' '.join(values)}\n" for key, values in lines.items())
                Path(name, "vmap.txt").write_text(text, encoding="utf-8")
                self.model = ctranslate2.Translator(name, intra_threads=1)
        return functools.partial(self.model.translate_batch, use_vmap=True)


def model_1(pairs, vocabulary, rounds=3):
    """p(target piece | source piece), `(V + 1, V)`; the last row is the empty word's."""
    ids = {token: i for i, token in enumerate(vocabulary)}
    size = len(vocabulary)
    encoded = [
        tuple(np.array([ids[t] for t in line.split() if t in ids]) for line in pair)
        for pair in pairs
    ]
    table = np.full((size + 1, size), 1.0, dtype=np.float32)
    for _ in range(rounds):
        counts = np.zeros_like(table)
        for source, target in encoded:
            if not len(target):
                continue
            rows = np.append(source, size)
            share = table[np.ix_(rows, target)]
            np.add.at(counts, np.ix_(rows, target), share / share.sum(0))
        table = counts / np.maximum(counts.sum(1, keepdims=True), 1e-9)
    return table


def make_map(table, vocabulary, frequent, k, f):
    """Lines of `vmap.txt`: key -> pieces."""
    lines = {"": sorted({piece for most in frequent for piece, _ in most.most_common(f)})}
    for source, piece in enumerate(vocabulary):
        best = np.argpartition(-table[source], k)[:k]
        found = {vocabulary[i] for i in best if table[source, i] > 0}
        lines[piece] = sorted(found | {piece})
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="exported folder")
    parser.add_argument("--text", required=True, help="source lines")
    parser.add_argument("--pairs", nargs="+", required=True, help="SOURCE,TARGET in pieces")
    parser.add_argument("--most", type=int, default=60000, help="pairs of each text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beam", type=int, default=4, help="1 for greedy search")
    args = parser.parse_args()
    lines = read_lines(args.text)
    translator = CTranslate2Translator.from_pretrained(args.model, beam=args.beam)
    names = ["", *(i.name for i in translator.inventory if i.argument is None)]
    asked = [names[i % len(names)] for i in range(len(lines))]
    vocabulary = translator._tokens[: -len(translator.inventory.symbols)]

    pairs, frequent = [], []
    for text in args.pairs:
        sides = [read_lines(path) for path in text.split(",")]
        step = max(1, len(sides[0]) // args.most)
        own = list(zip(*sides))[::step][: args.most]
        frequent.append(Counter(piece for _, target in own for piece in target.split()))
        pairs += own
    start = time.process_time()
    table = model_1(pairs, vocabulary)
    print(f"model 1 on {len(pairs)} pairs: {time.process_time() - start:.0f} s", flush=True)

    plain = Timed(translator.model)
    most = [piece for piece, _ in sum(frequent, Counter()).most_common(500)]

    def oracle(sources, beside=()):
        return {"": sorted(set(beside).union(*(plain.found[tuple(s)] for s in sources)))}

    known = set(vocabulary)
    ways = {
        "plain": plain,
        "oracle": Mapped(args.model, oracle),
        "oracle_500": Mapped(args.model, functools.partial(oracle, beside=most)),
    }
    for k, f in MAPS:
        ways[f"map_{k}_{f}"] = Mapped(args.model, make_map(table, vocabulary, frequent, k, f))
    assert all(piece in known for piece in most)
    outputs, seconds = {}, {name: [] for name in ways}
    for _ in range(args.rounds):
        for name, way in ways.items():
            translator.model, way.seconds = way, 0.0
            outputs[name] = translator.translate(lines, asked, batch_size=BATCH)
            seconds[name].append(way.seconds)
    details = {"lines": len(lines), "beam": args.beam, "batch": BATCH, "ways": {}}
    for name in ways:
        speeds = [a / b for a, b in zip(seconds["plain"], seconds[name])]
        same = sum(map(str.__eq__, outputs[name], outputs["plain"])) / len(lines)
        details["ways"][name] = {
            "speed": round(statistics.median(speeds), 3),
            "quartiles": quartiles(speeds),
            "unchanged": round(same, 4),
        }
        print(name, details["ways"][name], flush=True)
    best = details["ways"][f"map_{MAPS[-1][0]}_{MAPS[-1][1]}"]
    own = "vmap" if args.beam > 1 else "vmap_greedy"
    record(f"ctranslate2.{own}", {k: best[k] for k in ("speed", "unchanged")}, details)


if __name__ == "__main__":
    main()

"""How fast task data are curated, and how much memory that takes.

    OMP_NUM_THREADS=1 python benchmarks/curation.py --source wmt.en --target wmt.de

The text is read again and again, each time with another word at the end of its lines so that no
pair stands twice, into files of 10^4, 10^6 and 10^7 lines; without `--source`, it is the
embedded sample corpus. Every instruction that parallel text gives data of takes part (1,000
samples each), in one process for each size, on one core:

    pairs_per_second_per_core   at 10^6 lines, per second of processor time (on a machine that
                                others use, the clock counts their work too); reading and
                                start-up included, imports not
    peak_mib_1e4, peak_mib_1e7  resident memory at its peak

Beside them, among the conditions, stand the speeds at all sizes, also by the clock, and the
speed at which every pair is rewritten under every instruction: the work that sampling saves.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import record

from fairseq_instr.curation.aligned_text import AlignedText, Chunk
from fairseq_instr.curation.curators import Curation
from fairseq_instr.instructions import catalogue
from fairseq_instr.sample.corpus import generate

N_SAMPLES = 1000
SIZES = {"1e4": 10**4, "1e6": 10**6, "1e7": 10**7}
N_REWRITTEN = 2000
LETTERS = str.maketrans("0123456789", "abcdefghij")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", nargs="*", help="text files, plain or .gz")
    parser.add_argument("--target", nargs="*", help="their other sides, as many")
    parser.add_argument("--sizes", default="1e4,1e6,1e7", help="which sizes to measure")
    parser.add_argument("--dry-run", action="store_true", help="show, and record nothing")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)  # in a process of its own
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(*args.measure)))
        return
    pairs = read_pairs(args.source, args.target)
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in args.sizes.split(","):
            paths = [Path(folder, f"{size}.{side}") for side in ("source", "target")]
            write_text(pairs, SIZES[size], paths)
            command = [sys.executable, __file__, "--measure", *map(str, paths)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            measured[size] = json.loads(output)
            print(size, measured[size], flush=True)
            for path in paths:
                path.unlink()
    rewritten = rewrite_everything(pairs[:N_REWRITTEN])
    print(f"{rewritten:.0f} pairs a second where every pair is rewritten")
    if args.dry_run:
        return
    figures = {f"peak_mib_{size}": m["peak_mib"] for size, m in measured.items() if size != "1e6"}
    if "1e6" in measured:
        figures["pairs_per_second_per_core"] = measured["1e6"]["pairs_per_processor_second"]
    details = {
        "instructions": len(instructions()),
        "samples_each": N_SAMPLES,
        "text": f"{len(pairs)} pairs, repeated, a word added each time",
        "sizes": measured,
        "pairs_per_second_all_rewritten": round(rewritten),
    }
    record("curation", figures, details)


def instructions():
    return [i for i in catalogue().values() if i.source_of_data != "labelled" and i.serves("de")]


def measure(source, target):
    """Curate one pair of files; times in seconds, memory in MiB."""
    text = AlignedText(source, target)
    chosen = instructions()
    start, start_processor = time.perf_counter(), time.process_time()
    curation = Curation(chosen, "de", {i.name: N_SAMPLES for i in chosen})
    for chunk in text.chunks():
        curation.add(chunk)
    samples, _ = curation.finish()
    seconds = time.perf_counter() - start
    processor_seconds = time.process_time() - start_processor
    return {
        "pairs": curation.pairs,
        "samples": sum(map(len, samples.values())),
        "pairs_per_second": round(curation.pairs / seconds),
        "pairs_per_processor_second": round(curation.pairs / processor_seconds),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def rewrite_everything(pairs):
    """Pairs a second where each is a candidate for each instruction."""
    chosen = instructions()
    curation = Curation(chosen, "de", {i.name: len(pairs) for i in chosen})
    sources, targets = map(list, zip(*pairs))
    start = time.perf_counter()
    curation.add(Chunk(0, sources, targets))
    return len(pairs) / (time.perf_counter() - start)


def read_pairs(sources, targets):
    """Pairs of lines, as bytes: of the files, or of the sample corpus."""
    if not sources:
        sentences = generate(4000, seed=1)
        return [(s.texts["en"].encode(), s.texts["de"].encode()) for s in sentences]
    pairs = []
    for source, target in zip(sources, targets):
        for chunk in AlignedText(source, target).chunks():
            pairs += zip(chunk.sources, chunk.targets)
    return pairs


def write_text(pairs, n_lines, paths):
    """`n_lines` pairs that all differ, as two aligned files."""
    with open(paths[0], "wb") as source, open(paths[1], "wb") as target:
        for number, pair in enumerate(itertools.islice(itertools.cycle(pairs), n_lines)):
            again = number // len(pairs)
            # a word of letters: digits would make all lines candidates for rules on numbers
            word = b" " + str(again).translate(LETTERS).encode() if again else b""
            source.write(pair[0] + word + b"\n")
            target.write(pair[1] + word + b"\n")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

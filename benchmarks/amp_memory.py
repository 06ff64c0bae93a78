"""Memory of training on a CPU under `--amp`, to training in fp32.

    OMP_NUM_THREADS=1 python benchmarks/amp_memory.py

An encoder-decoder of 5 million parameters on batches of nearly as many shapes as updates: 5 to 40
tokens a sentence, `--tokens` a batch, a conflict for every sentence. Each precision trains in a
process of its own; the memory is what the process holds in all (resident set), libraries
included.

amp_memory.after_100, after_2000  ratio of the two after so many updates
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from record import record
from step_to_before import COMMON, MODELS, ROOT, build_trainer, draw_batch, write_data

VOCABULARY = 2000
LOOKS = (100, 500, 1000, 2000)
"""Updates after which the memory is measured."""


def resident_mebibytes():
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def work(precision, tokens, updates, folder):
    """Train in this process and print the memory at each look."""
    import random

    options = [*COMMON, *MODELS["stage2_step"], "--optimizer", "fused_adam"]
    trainer = build_trainer([folder, *options, *(["--amp"] if precision == "amp" else [])])
    print("parameters", sum(p.numel() for p in trainer.model.parameters()), flush=True)
    print("mebibytes", 0, resident_mebibytes(), flush=True)
    generator = random.Random(1)
    for update in range(1, updates + 1):
        length = generator.randint(5, 40)
        lengths = (length, max(5, length + generator.randint(-3, 3)))
        batch = draw_batch(VOCABULARY, lengths, max(1, tokens // length), update)
        trainer.train_step([batch])
        if update in LOOKS:
            print("mebibytes", update, resident_mebibytes(), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=100, help="source tokens of a batch")
    parser.add_argument("--updates", type=int, default=2000, help="of each precision")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker, args.tokens, args.updates, args.data)
        return
    held, parameters = {}, None
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), VOCABULARY)
        workers = {}
        for precision in ("fp32", "amp"):
            command = [sys.executable, "-W", "ignore", __file__, "--worker", precision, "--data"]
            command += [folder, "--tokens", str(args.tokens), "--updates", str(args.updates)]
            workers[precision] = subprocess.Popen(
                command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        for precision, worker in workers.items():
            lines = [line.split() for line in worker.communicate()[0].splitlines()]
            if worker.returncode:
                sys.exit(f"the training in {precision} ended with {worker.returncode}")
            parameters = next(int(line[1]) for line in lines if line[:1] == ["parameters"])
            held[precision] = {
                int(line[1]): round(float(line[2]), 1)
                for line in lines
                if line[:1] == ["mebibytes"]
            }
            print(precision, held[precision], flush=True)
    looks = [n for n in LOOKS if n in held["amp"]]
    figures = {f"after_{n}": round(held["amp"][n] / held["fp32"][n], 3) for n in looks}
    print(figures)
    details = {"parameters": parameters, "tokens": args.tokens, "mebibytes": held}
    record("amp_memory", figures, details)


if __name__ == "__main__":
    main()

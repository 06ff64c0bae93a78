"""Memory and time of training on a CPU under `--amp`, to training in fp32.

    OMP_NUM_THREADS=1 python benchmarks/amp_memory.py

An encoder-decoder of 6 million parameters on batches of nearly as many shapes as updates: 5 to 40
tokens a sentence, up to `--tokens` a batch, a conflict for every sentence. Each precision trains in
a process of its own, and the two take turns. The memory is what a process holds in all (resident
set), libraries included.

amp_memory.after_100, after_500, after_2000  ratio of the two after so many updates
amp_memory.time                              ratio of the CPU seconds of all updates
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from record import memory, record
from step_to_before import (
    COMMON,
    MODELS,
    ROOT,
    Worker,
    answer,
    draw_batch,
    make_trainer,
    write_data,
)
from tqdm import tqdm

VOCABULARY = 2000
LOOKS = (100, 500, 1000, 1500, 2000)
"""Updates after which the two are compared."""


def work(precision, tokens, folder):
    """Train in this process: for each number on standard input, up to so many updates in all."""
    options = [*COMMON, *MODELS["stage2_step"], "--optimizer", "fused_adam"]
    trainer = make_trainer([folder, *options, *(["--amp"] if precision == "amp" else [])])
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    generator, update, spent = random.Random(1), 0, 0.0
    for line in sys.stdin:
        while update < int(line):
            update += 1
            length = generator.randint(5, 40)
            lengths = (length, max(5, length + generator.randint(-3, 3)))
            sentences = generator.randint(1, max(1, tokens // length))
            batch = draw_batch(VOCABULARY, lengths, sentences, update)
            start = time.process_time()
            trainer.train_step([batch])
            spent += time.process_time() - start
        answer(parameters, memory("VmRSS"), spent)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=80, help="most source tokens of a batch")
    parser.add_argument("--updates", type=int, default=2000, help="of each precision")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker, args.tokens, args.data)
        return
    mebibytes, seconds = {"fp32": {}, "amp": {}}, {"fp32": {}, "amp": {}}
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), VOCABULARY)
        own = [__file__, "--data", folder, "--tokens", args.tokens, "--worker"]
        workers = {name: Worker(ROOT, *own, name) for name in mebibytes}
        for look in tqdm([n for n in LOOKS if n <= args.updates]):
            for name, worker in workers.items():
                parameters, held, spent = worker.ask(look)
                mebibytes[name][look], seconds[name][look] = round(held, 1), round(spent, 1)
            figures = {
                f"after_{look}": round(mebibytes["amp"][look] / mebibytes["fp32"][look], 3),
                "time": round(seconds["amp"][look] / seconds["fp32"][look], 3),
            }
            tqdm.write(f"{look} updates: {figures}")
            details = {"parameters": int(parameters), "tokens": args.tokens}
            details.update(mebibytes=mebibytes, cpu_seconds_in_all=seconds)
            record("amp_memory", figures, details)  # at each look, so that none is lost
        for worker in workers.values():
            worker.close()


if __name__ == "__main__":
    main()

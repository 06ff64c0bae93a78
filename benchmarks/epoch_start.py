"""How soon the first batch of an epoch is there, in a mixture of 10^6 to 10^8 sentence pairs.

    OMP_NUM_THREADS=1 python benchmarks/epoch_start.py

The task's own iterator over a mixture of two groups and five corpora, batches of 4,096 tokens.
The corpora stand in for binarised ones: their lengths lie in a memory-mapped file, as those of
an `.idx` do, and their tokens are made when asked for. Every measurement is taken in a process
of its own:

- CPU seconds until the first batch of an epoch is collated, and until that of an epoch resumed
  in its middle;
- the most anonymous memory that this takes (`RssAnon`, watched by a thread in a second run);
- CPU nanoseconds a sample for drawing, sorting and batching, median over parts of the epoch
  behind the first; an epoch of one part, of up to 260,000 samples, has none;
- the share of source and target matrices that is not padding.

Beside them, fairseq's own `translation` on 10^6 pairs, for the ratio.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch
from commands import configuration, load_plugin, numbered_dictionary
from fairseq import tasks
from fairseq.data import LanguagePairDataset
from record import memory, quartiles, record

from fairseq_instr.data.corpora import Corpus
from fairseq_instr.data.mixture import Mixture, parse_mixture
from fairseq_instr.data.pairs import SentencePairs
from fairseq_instr.data.prompted_dataset import PromptedDataset
from fairseq_instr.instructions.asking import Request

SHARES = {"parallel": (0.4, 0.15, 0.1, 1 / 60), "task": (1 / 3,)}  # of all pairs, by corpus
LIMITS = {"max_tokens": 4096, "max_positions": (256, 256), "ignore_invalid_inputs": True}
BLOCK = 1 << 20
TRAINING = """
    --task translation_with_instructions --arch transformer --criterion cross_entropy
    --optimizer adam --max-tokens 500 --cpu --seed 1
""".split()


class Tokens:
    """Sentences of given lengths, made when asked for."""

    def __init__(self, sizes):
        self.sizes = sizes

    def __len__(self):
        return len(self.sizes)

    def __getitem__(self, index):
        return torch.full((int(self.sizes[index]),), 5)


def write_lengths(path: Path, n_pairs: int) -> None:
    """Lengths of sources, then of targets: int32, about 25 tokens, as those of web text."""
    rng = np.random.default_rng(1)
    source = np.clip(rng.lognormal(3.0, 0.65, BLOCK), 2, 200)
    target = np.clip(source * rng.normal(1.05, 0.15, BLOCK), 2, 220)
    with open(path, "wb") as file:
        for block in (source.astype(np.int32), target.astype(np.int32)):
            for start in range(0, n_pairs, BLOCK):
                block[: n_pairs - start].tofile(file)


def make_dataset(task, path: Path, n_pairs: int) -> PromptedDataset:
    """The mixture over stand-ins of the corpora."""
    lengths = np.asarray(np.memmap(path, dtype=np.int32, mode="r", shape=(2, n_pairs)))
    groups, start = {}, 0
    for group, shares in SHARES.items():
        groups[group] = []
        for share in shares:
            stop = start + int(share * n_pairs)
            sizes = [lengths[side, start:stop] for side in (0, 1)]
            pairs = SentencePairs(*map(Tokens, sizes), *sizes)
            groups[group].append(Corpus(group, ("en", "de"), pairs, fixed=(Request(0),)))
            start = stop
    n_samples = {group: sum(map(len, corpora)) for group, corpora in groups.items()}
    mixture = Mixture(n_samples, parse_mixture("parallel:2,task:1"))
    return PromptedDataset(groups, task.prompt, task.src_dict, mixture)


def first_batch(task, dataset, state=None):
    """An iterator whose first batch has been collated, as the trainer does."""
    epoch = state["epoch"] if state else 2
    iterator = task.get_batch_iterator(dataset, epoch=epoch, required_batch_size_multiple=8,
                                       seed=1, num_workers=0, **LIMITS)  # fmt: skip
    assert iterator.first_batch
    if state:
        iterator.load_state_dict(state)
    assert next(iterator.next_epoch_itr(shuffle=True))
    return iterator


def measure_seconds(task, path, n_pairs):
    """CPU seconds to the first batch: of an epoch, and of one that is resumed in the middle."""
    dataset = make_dataset(task, path, n_pairs)
    start = time.process_time()
    iterator = first_batch(task, dataset)
    seconds = time.process_time() - start
    state = {**iterator.state_dict(), "iterations_in_epoch": len(iterator) // 2}
    dataset = make_dataset(task, path, n_pairs)
    start = time.process_time()
    first_batch(task, dataset, state)
    return seconds, time.process_time() - start


def measure_memory(task, path, n_pairs):
    """The most MiB that the first batch takes."""
    before = peak = memory("RssAnon")
    done = threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.001):
            peak = max(peak, memory("RssAnon"))

    thread = threading.Thread(target=watch)
    thread.start()
    iterator = first_batch(task, make_dataset(task, path, n_pairs))
    done.set()
    thread.join()
    del iterator
    return peak - before


def measure_parts(task, path, n_pairs, n_parts=32):
    """CPU nanoseconds a sample (median, None for one part), and the share not padding."""
    dataset = make_dataset(task, path, n_pairs)
    iterator = first_batch(task, dataset)
    batches = iterator.ordered_batches(2, False, True)
    per_part = len(batches) // dataset.n_parts
    nanoseconds = []
    filled = area = 0
    first = int(dataset.n_parts > 1)  # the first is there already: it takes no time
    for number in range(first, min(n_parts + 1, dataset.n_parts)):
        start = time.process_time()
        made = list(batches[per_part * number : per_part * (number + 1)])
        seconds = time.process_time() - start
        if number:
            nanoseconds.append(seconds / sum(map(len, made)) * 1e9)
        part = dataset.part(number)
        for batch in made:
            for sizes in part.lengths[:2]:
                filled += sizes[batch - part.first].sum()
                area += len(batch) * sizes[batch - part.first].max()
    return statistics.median(nanoseconds) if nanoseconds else None, filled / area


def measure_stock(path, n_pairs, dictionary):
    """CPU seconds to the batches of an epoch in fairseq's `translation`."""
    lengths = np.asarray(np.memmap(path, dtype=np.int32, mode="r", shape=(2, n_pairs)))
    source, target = map(Tokens, lengths)
    start = time.process_time()
    dataset = LanguagePairDataset(
        source, source.sizes, dictionary, target, target.sizes, dictionary
    )
    task = tasks.translation.TranslationTask(None, dictionary, dictionary)
    epoch = task.get_batch_iterator(dataset, required_batch_size_multiple=8, **LIMITS)
    assert next(epoch.next_epoch_itr(shuffle=True))
    return time.process_time() - start


def in_process(function, *arguments):
    """What a function gives in a process of its own."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    process = fork.Process(target=lambda: there.send(function(*arguments)))
    process.start()
    there.close()  # so that a process that fails is noticed
    try:
        return here.recv()
    finally:
        process.join()


def make_task(folder: Path):
    """The task on an empty data-bin with a dictionary of 1,000 words."""
    for language in ("en", "de"):
        numbered_dictionary(1004).save(str(folder / f"dict.{language}.txt"))
    inventory = "- {name: 'to:de', axis: target-language}\n"
    (folder / "instructions.yaml").write_text(f"instructions:\n{inventory}")
    arguments = [folder, "-s", "en", "-t", "de", *TRAINING]
    return tasks.setup_task(configuration(arguments).task)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="runs that the median is of")
    parser.add_argument("--pairs", type=float, nargs="+", default=[1e6, 1e7, 1e8])
    args = parser.parse_args()
    load_plugin()
    figures, details = {}, {"max_tokens": LIMITS["max_tokens"], "repeats": args.repeats}
    details["quartiles"] = {}
    with tempfile.TemporaryDirectory() as name:
        task = make_task(Path(name))
        path = Path(name, "lengths")
        for pairs in map(int, args.pairs):
            size = f"1e{round(np.log10(pairs))}"
            write_lengths(path, pairs)
            runs = [in_process(measure_seconds, task, path, pairs) for _ in range(args.repeats)]
            own = dict(zip(("seconds", "resumed_seconds"), zip(*runs)))
            start, resumed = map(statistics.median, own.values())
            details["quartiles"][size] = {name: quartiles(found, 4) for name, found in own.items()}
            mebibytes = in_process(measure_memory, task, path, pairs)
            nanoseconds, filled = in_process(measure_parts, task, path, pairs)
            each = "" if nanoseconds is None else f"{nanoseconds:.0f} ns a sample, "
            print(f"{size} pairs: {start:.3f} s, resumed {resumed:.3f} s, {mebibytes:.0f} MiB, "
                  f"{each}{filled:.1%} not padding")  # fmt: skip
            figures[f"seconds_{size}"] = round(start, 4)
            figures[f"mib_{size}"] = round(mebibytes, 1)
            figures[f"resumed_seconds_{size}"] = round(resumed, 4)
            figures["non_padding"] = round(filled, 4)
            if nanoseconds is not None:
                figures["ns_per_sample"] = round(nanoseconds, 1)
            if size == "1e6":
                stock = in_process(measure_stock, path, pairs, task.src_dict)
                details["stock_translation_seconds_1e6"] = round(stock, 3)
                print(f"fairseq's translation: {stock:.3f} s at {size} pairs")
    details["load_average"] = round(os.getloadavg()[0], 1)  # other work slows the caches down
    record("epoch_start", figures, details)


if __name__ == "__main__":
    main()

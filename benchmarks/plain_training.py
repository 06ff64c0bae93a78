"""Training without task data: this task against fairseq's stock tasks, one pair and two.

    OMP_NUM_THREADS=1 python benchmarks/plain_training.py

Both tasks train the same architecture on the same data-bin (sample corpus, BPE-free words) in
one process, through fairseq's own trainer and iterators. They take turns of a few updates, and
each turn is measured in CPU seconds, loading and collating included, so that what else the
machine does falls on both. Figures: target tokens per CPU second, this task's to stock's
(median over pairs of turns); 1 means that instructions cost nothing where there are none.

`plain_training_to_stock` is one language pair against `translation`;
`plain_training_to_multi_simple_epoch` both directions of it, told apart by a token at the
source, against `translation_multi_simple_epoch`.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import List

from commands import build_trainer, call, configuration, load_plugin
from fairseq import tasks
from record import quartiles, record
from tqdm import tqdm

from fairseq_instr import sample
from fairseq_instr.instructions import Inventory
from fairseq_instr.instructions.catalogue import look_up

MODEL = (
    "--arch transformer --encoder-layers 2 --decoder-layers 2 --encoder-embed-dim 128 "
    "--decoder-embed-dim 128 --encoder-ffn-embed-dim 512 --decoder-ffn-embed-dim 512 "
    "--encoder-attention-heads 4 --decoder-attention-heads 4 --dropout 0.1 "
    "--criterion label_smoothed_cross_entropy --label-smoothing 0.1 --optimizer adam "
    "--lr 1e-3 --max-tokens 2048 --num-workers 0 --data-buffer-size 0 --cpu --seed 1"
).split()
OURS = "translation_with_instructions"
BOTH_WAYS = ["--lang-pairs", "en-de,de-en"]
COMPARED = {
    "plain_training_to_stock": (
        ["--task", "translation", "-s", "en", "-t", "de"],
        ["--task", OURS, "-s", "en", "-t", "de"],
    ),
    "plain_training_to_multi_simple_epoch": (
        ["--task", "translation_multi_simple_epoch", *BOTH_WAYS, "--encoder-langtok", "tgt"],
        ["--task", OURS, *BOTH_WAYS],
    ),
}
"""Figure -> options of the stock task, and of this one."""


def write_data(folder: Path, n_pairs: int) -> Path:
    """A data-bin of the sample corpus, words as tokens, one dictionary."""
    sample.write(folder, {"train": n_pairs, "valid": 50}, ["en", "de"], seed=1)
    data, prefix = folder / "bin", folder / "train"
    call("preprocess", "-s", "en", "-t", "de", "--trainpref", prefix, "--destdir", data,
         "--joined-dictionary")  # fmt: skip
    return data


def add_directions(data: Path) -> None:
    """Direction instructions for the data-bin's two languages."""
    Inventory([look_up("to:en"), look_up("to:de")]).save(data / "instructions.yaml")


class Training:
    """One task's training, a few updates at a time."""

    def __init__(self, task_options: List[str], data: Path):
        cfg = configuration([data, *task_options, *MODEL])
        task = tasks.setup_task(cfg.task)
        task.load_dataset("train")
        self.trainer = build_trainer(cfg, task)
        self.epoch = self.trainer.get_train_iterator(1, load_dataset=False)
        self.batches = iter(())

    def turn(self, n_updates: int) -> float:
        """Target tokens per CPU second over some updates."""
        n_tokens, start = 0, time.process_time()
        for _ in range(n_updates):
            batch = next(self.batches, None)
            if batch is None:
                self.batches = iter(self.epoch.next_epoch_itr(shuffle=True))
                batch = next(self.batches)
            self.trainer.train_step([batch])
            n_tokens += batch["ntokens"]
        return n_tokens / (time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=8000, help="sentence pairs of the corpus")
    parser.add_argument("--updates", type=int, default=5, help="updates in a turn")
    parser.add_argument("--turns", type=int, default=24, help="turns of each task")
    args = parser.parse_args()
    load_plugin()
    with tempfile.TemporaryDirectory() as folder:
        data = write_data(Path(folder), args.pairs)
        for figure, compared in COMPARED.items():
            if BOTH_WAYS[0] in compared[1]:
                add_directions(data)
            compare(figure, *(Training(task_options, data) for task_options in compared), args)


def compare(figure: str, stock: Training, ours: Training, args: argparse.Namespace) -> None:
    """Let two trainings take turns; record the ratio of their speeds."""
    for training in (stock, ours):
        training.turn(5)  # warm caches
    ratios = []
    for turn in tqdm(range(args.turns), desc=figure):
        pair = (stock, ours) if turn % 2 else (ours, stock)
        speed = {training: training.turn(args.updates) for training in pair}
        ratios.append(speed[ours] / speed[stock])
    ratio = statistics.median(ratios)
    print(f"{figure}: {ratio:.3f} target tokens per CPU second, to one of the stock task")
    record(
        figure,
        round(ratio, 3),
        {
            "ratio": "target tokens per CPU second, this task's to the stock task's",
            "turns": args.turns,
            "updates_a_turn": args.updates,
            "quartiles": quartiles(ratios),
        },
    )


if __name__ == "__main__":
    main()

"""What a whole update of stage 2 costs on a CPU under `--amp`, to an earlier commit's.

    OMP_NUM_THREADS=1 python benchmarks/step_to_before.py --before 5943e74

Forward, backward, clipping's norm and Adam through fairseq's own trainer, with a conflict for every
sentence and `--fused-loss`; random weights and tokens. Two processes, one with each commit's code,
take turns on the same batches. A figure is the median of the turns' ratios of CPU seconds.

decoder_only.step_to_before  LLaMA-shaped, 135M parameters: 30 layers of 576, feed-forward 1,536,
                             9 heads, 3 of keys and values, 49,152 tokens, tied; prompts of about
                             40 tokens, targets of about 28
stage2_step.to_before        an encoder-decoder as in `stage2_step.py`, 80 sentences of 15 tokens

The optimizer is fairseq's `adam` before and `fused_adam` now. The commit before must have what
this program imports.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from commands import (
    EOS,
    batch,
    build_trainer,
    configuration,
    conflicts,
    load_plugin,
    net_input,
    numbered_dictionary,
)
from fairseq import tasks, utils
from record import quartiles, record
from tqdm import tqdm

from fairseq_instr.instructions import Inventory
from fairseq_instr.instructions.catalogue import look_up

ROOT = Path(__file__).resolve().parents[1]
COMMON = """
    --task translation_with_instructions --lang-pairs en-de,de-en --conflict-axes target-language
    --criterion label_smoothed_cross_entropy_with_unlikelihood --label-smoothing 0.1 --fused-loss
    --lr 1e-5 --max-tokens 4096 --cpu --seed 1
""".split()
MODELS = {
    "decoder_only": """
        --arch decoder_only --decoder-layers 30 --decoder-embed-dim 576
        --decoder-ffn-embed-dim 1536 --decoder-attention-heads 9 --decoder-key-value-heads 3
        --share-decoder-input-output-embed
    """.split(),
    "stage2_step": """
        --arch transformer --encoder-layers 3 --decoder-layers 3 --encoder-embed-dim 256
        --encoder-ffn-embed-dim 1024 --encoder-attention-heads 4 --decoder-attention-heads 4
        --dropout 0.1 --share-all-embeddings
    """.split(),
}
VOCABULARY = {"decoder_only": 49152, "stage2_step": 6000}
FIGURES = {"decoder_only": "decoder_only.step_to_before", "stage2_step": "stage2_step.to_before"}
LENGTHS = {"decoder_only": (40, 28), "stage2_step": (15, 15)}
ANSWER = "answer:"


def draw_batch(vocabulary, lengths, sentences, seed):
    """A batch as the criterion reads it, a conflict for every sentence.

    Args:
        vocabulary: tokens of the dictionary.
        lengths: of sources and of targets, each give or take two tokens.
        sentences: rows of the batch.
        seed: of the random tokens.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(low, high, *shape):
        return torch.randint(low, high, shape, generator=generator)

    def texts(length):
        lengths = (length + draw(-2, 3, sentences)).tolist()
        return [torch.cat((draw(4, vocabulary, n), torch.tensor([EOS]))) for n in lengths]

    sources, targets = map(texts, lengths)
    swapped = [torch.cat((source[:1].flip(0) ^ 1, source[1:])) for source in sources]
    previous = [target.roll(1) for target in targets]
    sample = batch(sources, previous, targets)
    return {**sample, "conflicts": conflicts(net_input(swapped, previous), sample["target"])}


def write_data(folder, vocabulary):
    """Dictionaries and an inventory; the batches are drawn, not read."""
    for language in ("en", "de"):
        numbered_dictionary(vocabulary).save(str(folder / f"dict.{language}.txt"))
    Inventory(map(look_up, ("to:en", "to:de"))).save(folder / "instructions.yaml")


def make_trainer(arguments):
    """A trainer of a model with random weights, from options as of `fairseq-train`."""
    load_plugin()
    cfg = configuration(arguments)
    task = tasks.setup_task(cfg.task)
    utils.set_torch_seed(1)
    trainer = build_trainer(cfg, task)
    task.begin_epoch(1, trainer.model)
    return trainer


def work(model, sentences, optimizer, folder):
    """Train in this process: for each line on standard input, some updates and their seconds."""
    options = [*COMMON, "--amp", *MODELS[model], "--optimizer", optimizer]
    trainer = make_trainer([folder, *options])
    batches = [draw_batch(VOCABULARY[model], LENGTHS[model], sentences, seed) for seed in range(2)]
    for line in sys.stdin:
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(int(line)):
            for sample in batches:
                trainer.train_step([sample])
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = [after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime]
        answer(*seconds, sum(sample["ntokens"] for sample in batches))


class Worker:
    """A program that trains in a process of its own when it is told to.

    Args:
        tree: checkout whose code it runs.
        arguments: the program and its arguments.
    """

    def __init__(self, tree, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(tree)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def ask(self, number):
        """Write a number; the numbers of the line that is answered, which `answer` wrote."""
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith(ANSWER):
                return [float(word) for word in line.split()[1:]]
        return sys.exit(f"a worker ended with {self.process.wait()}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def answer(*numbers):
    """In the worker's process: what `Worker.ask` gives."""
    print(ANSWER, *numbers, flush=True)


def compare(model, before, args):
    """Let the two commits take turns; record the ratio."""
    sentences = args.sentences or {"decoder_only": 8, "stage2_step": 80}[model]
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), VOCABULARY[model])
        own = [__file__, "--data", folder, "--models", model, "--sentences", sentences, "--worker"]
        workers = {
            "before": Worker(before, *own, "adam"),
            "now": Worker(ROOT, *own, "fused_adam"),
        }
        seconds = {name: [] for name in workers}
        for turn in tqdm(range(args.turns + 1), desc=model):
            for name, worker in workers.items():
                user, system, tokens = worker.ask(1)
                tqdm.write(f"{name}: {user:.2f} s, and {system:.2f} s of the system")
                if turn:  # the first one warms up
                    seconds[name].append((user, system))
        for worker in workers.values():
            worker.close()
    ratios = [sum(now) / sum(then) for then, now in zip(seconds["before"], seconds["now"])]
    medians = {
        f"{name}_{kind}_seconds_an_update": round(statistics.median(t[i] for t in taken) / 2, 3)
        for name, taken in seconds.items()
        for i, kind in enumerate(("user", "system"))
    }
    ratio = round(statistics.median(ratios), 3)
    print(FIGURES[model], ratio, medians)
    details = {
        "statistic": "median of the turns' ratios of CPU seconds",
        "quartiles": quartiles(ratios),
        "turns": args.turns,
        "before": args.before,
        "sentences": sentences,
        "target_tokens_of_two_updates": tokens,
        **medians,
    }
    if not args.sentences:
        record(FIGURES[model], ratio, details)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", default="5943e74", help="commit to compare with")
    parser.add_argument("--turns", type=int, default=5, help="measurements of two updates each")
    parser.add_argument("--models", nargs="*", choices=[*MODELS], default=[*MODELS])
    parser.add_argument("--sentences", type=int, help="in a batch; such figures are not recorded")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.models[0], args.sentences, args.worker, args.data)
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        worktree = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*worktree, "add", "-q", "--detach", tree, args.before], check=True)
        try:
            for model in args.models:
                compare(model, tree, args)
        finally:
            subprocess.run([*worktree, "remove", "--force", tree], check=True)


if __name__ == "__main__":
    main()

"""The fused loss against its three matrix products, and against the public formula.

    OMP_NUM_THREADS=1 python benchmarks/fused_loss.py [--rounds 5]

Half the tokens are positives with label smoothing, half conflicts; the projection and both
gradients are part of every time. Writes to `results.json`, under `fused_loss`, the worst of
the settings listed in `SETTINGS` (times) and the figures of `MEMORY_SETTING`:

    time_to_matmuls   to hidden @ weight.T, gradient @ weight and gradient.T @ hidden alone
    time_to_public    to softmax, clamp 1e-9, log on the conflicts, label-smoothed NLL on the
                      positives, over logits through autograd
    peak_to_minimum   peak memory over the inputs, to that of the gradients and one chunk of
                      logits (the least there can be)
    peak_to_public    the same to the public formula

Times are CPU seconds, the ways taken in turn within one process, the median of the rounds'
ratios. Peaks are each measured in a process of its own, as the growth of the resident set
(Linux only).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import torch
from fairseq.criterions.label_smoothed_cross_entropy import label_smoothed_nll_loss
from record import memory, quartiles, ratios, record, take_turns

from fairseq_instr.criterions.unlikelihood import default_chunk_size, fused_loss

SETTINGS = [  # tokens, vocabulary, width
    (1024, 8192, 256),
    (4096, 8192, 256),
    (4096, 32768, 256),
    (4096, 32768, 512),
    (1024, 131072, 256),
]
MEMORY_SETTING = (4096, 131072, 256)
EPSILON, PAD = 0.1, 1


def make_inputs(tokens, vocab, width, **kind):
    """Hidden states and a projection that need gradients, targets, every second a conflict."""
    torch.manual_seed(0)
    hidden = torch.randn(tokens, width, requires_grad=True, **kind)
    weight = (torch.randn(vocab, width, **kind) * width**-0.5).requires_grad_()
    target = torch.randint(4, vocab, (tokens,), device=hidden.device)
    return hidden, weight, target, torch.arange(tokens, device=hidden.device) % 2 == 1


def matmuls(hidden, weight, target, is_conflict):
    """The three products alone."""
    with torch.no_grad():
        logits = hidden @ weight.t()
        return logits @ weight, logits.t() @ hidden


def matmuls_in_place(hidden, weight, target, is_conflict, buffers={}):  # noqa: B006
    """The three products into memory that is there already: no page is touched first."""
    shape = (len(hidden), *weight.shape)
    if buffers.get("shape") != shape:
        buffers.update(
            shape=shape,
            logits=hidden.new_empty(len(hidden), len(weight)),
            hidden=torch.empty_like(hidden, requires_grad=False),
            weight=torch.empty_like(weight, requires_grad=False),
        )
    with torch.no_grad():
        logits = torch.mm(hidden, weight.t(), out=buffers["logits"])
        torch.mm(logits, weight, out=buffers["hidden"])
        torch.mm(logits.t(), hidden, out=buffers["weight"])


def public(hidden, weight, target, is_conflict):
    """Softmax, clamp, log; NLL as in fairseq; positives and conflicts projected apart."""
    lprobs = torch.log_softmax(hidden[~is_conflict] @ weight.t(), -1)
    nll, _ = label_smoothed_nll_loss(lprobs, target[~is_conflict], EPSILON, PAD)
    probabilities = torch.softmax(hidden[is_conflict] @ weight.t(), -1)
    logs = torch.log((1.0 - probabilities).clamp(min=1e-9))
    unlikelihood = torch.nn.functional.nll_loss(logs, target[is_conflict], reduction="sum")
    (nll + unlikelihood).backward()


def fused(hidden, weight, target, is_conflict):
    """What is measured."""
    fused_loss(hidden, weight, target, is_conflict, EPSILON, 1.0, PAD).loss.backward()


WAYS = {
    "fused": fused,
    "matmuls": matmuls,
    "matmuls_in_place": matmuls_in_place,
    "public": public,
}


def measure_times(setting, rounds):
    """CPU seconds of each way, one list of `rounds` each, in turn."""
    inputs = make_inputs(*setting)

    def clear():
        inputs[0].grad = inputs[1].grad = None

    return take_turns({name: partial(run, *inputs) for name, run in WAYS.items()}, rounds, clear)


def print_peak_growth(name, setting):
    """Bytes by which one run raises the peak of the resident set over the inputs."""
    WAYS[name](*make_inputs(256, 1024, setting[2]))  # libraries take their own memory first
    inputs = make_inputs(*setting)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of making the inputs
    before = memory("VmRSS")
    WAYS[name](*inputs)
    print(json.dumps((memory("VmHWM") - before) * 2**20))


def measure_peak(name, setting):
    command = [sys.executable, __file__, "--peak", name, *map(str, setting)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    parser.add_argument("--peak", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak:
        name, *setting = args.peak
        return print_peak_growth(name, tuple(map(int, setting)))

    torch.set_num_threads(1)
    table = []
    for setting in SETTINGS:
        tokens, vocab, _ = setting
        times = measure_times(setting, args.rounds * (4 if tokens * vocab < 2**26 else 1))
        row = {"tokens_vocabulary_width": setting}
        for name in ("matmuls", "matmuls_in_place", "public"):
            found = ratios(times, "fused", name)
            row[f"to_{name}"] = round(statistics.median(found), 3)
            row[f"quartiles_to_{name}"] = quartiles(found)
        row["seconds"] = round(statistics.median(times["fused"]), 3)
        print(row, flush=True)
        table.append(row)

    tokens, vocab, width = MEMORY_SETTING
    minimum = 4 * (tokens * width + vocab * width + default_chunk_size(vocab) * vocab)
    peaks = {name: measure_peak(name, MEMORY_SETTING) for name in ("fused", "public")}
    mebibytes = {name: round(peak / 2**20) for name, peak in peaks.items()}
    mebibytes["minimum"] = round(minimum / 2**20)
    print(mebibytes)
    record(
        "fused_loss",
        {
            "time_to_matmuls": max(row["to_matmuls"] for row in table),
            "time_to_public": max(row["to_public"] for row in table),
            "peak_to_minimum": round(peaks["fused"] / minimum, 3),
            "peak_to_public": round(peaks["fused"] / peaks["public"], 4),
        },
        {
            "statistic": "the worst of the settings, each the median of the rounds' ratios of "
            "CPU seconds; to_matmuls_in_place leaves the products' own memory uncounted",
            "rounds": args.rounds,
            "settings": table,
            "memory_setting": MEMORY_SETTING,
            "peak_mebibytes": mebibytes,
        },
    )
    return None


if __name__ == "__main__":
    main()

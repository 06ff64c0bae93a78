"""Two and four processes on one machine against one process with `--update-freq`.

    OMP_NUM_THREADS=1 python benchmarks/processes.py

The mixture, and stage 2 with conflicts, are trained by one process that sums the gradients of
two (four) batches an update, and by two (four) processes with a batch each, over gloo on the
loopback interface. Without dropout: fairseq seeds it alike in every process. Figures: whether
all is the same; for two processes bit for bit, moments of the optimizer included, and for four
up to rounding, because gloo sums four gradients in another order than one process does: no
parameter differs by more than 10^-4 of the largest of its tensor. The largest difference stands
beside them, under the conditions.
"""

import argparse
import socket
import tempfile
from pathlib import Path

from record import record
from tiny_training import (
    STAGES,
    TRAINING,
    binarise,
    finish,
    identical,
    largest_difference,
    load_plugin,
    parameters,
    start,
)

NAMES = {2: "two_identical", 4: "four_identical"}
TOLERANCE = 1e-4  # for four
MORE = """
    --dropout 0 --max-tokens 200 --disable-validation --no-epoch-checkpoints --num-workers 0
    --data-buffer-size 0
""".split()


def train_together(n_processes: int, *arguments, folder: Path) -> None:
    """Run `fairseq-train` as several ranks."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = ["--distributed-world-size", n_processes, "--distributed-no-spawn"]
    together += ["--distributed-init-method", f"tcp://127.0.0.1:{port}"]
    together += ["--distributed-backend", "gloo", "--ddp-backend", "legacy_ddp"]
    logs = [folder / f"rank{rank}.log" for rank in range(n_processes)]
    ranks = [
        start(*arguments, *together, "--distributed-rank", rank, log=log)
        for rank, log in enumerate(logs)
    ]
    for process, log in zip(ranks, logs):
        finish(process, log)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=10, help="updates of a run")
    args = parser.parse_args()
    load_plugin()
    same, differences = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = binarise(folder)
        for n_processes in (2, 4):
            for stage in ("mixture", "stage 2"):
                arguments = [data, *TRAINING, *STAGES[stage], *MORE, "--max-update", args.updates]
                runs = [folder / f"{stage} {n_processes} {way}" for way in ("one", "several")]
                log = folder / "one.log"
                one = [*arguments, "--update-freq", n_processes, "--save-dir", runs[0]]
                finish(start(*one, log=log), log)
                train_together(n_processes, *arguments, "--save-dir", runs[1], folder=folder)
                found = [parameters(run / "checkpoint_last.pt") for run in runs]
                key = f"{n_processes} processes, {stage}"
                exact = identical(*found)
                differences[key] = largest_difference(*found)
                same[key] = exact or (n_processes > 2 and differences[key] <= TOLERANCE)
                print(f"{key}: identical {exact}, difference {differences[key]:.1e}")
    record(
        "processes",
        {
            figure: all(result for key, result in same.items() if key.startswith(f"{n} "))
            for n, figure in NAMES.items()
        },
        {
            "updates": args.updates,
            "backend": "gloo",
            "tolerance_of_four": TOLERANCE,
            "largest_difference": differences,
        },
    )


if __name__ == "__main__":
    main()

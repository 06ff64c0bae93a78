"""Runs that are killed again and again, against the same runs left alone.

    OMP_NUM_THREADS=1 python benchmarks/interruption.py

Each of the three kinds of training (stage 1, mixture, stage 2 with conflicts), with the data
loaded in the training process and by two workers, is run once to its end, and once killed by
SIGKILL and started again by the same command. Some kills fall at a random moment of the run;
the others inside a save: while the temporary file is written, before it is renamed, and while
`checkpoint_last.pt` is copied from it. Figures: kills, and runs whose last checkpoint (model
and optimizer) is the same bit for bit as that of the run left alone, as a share.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from record import record
from tiny_training import STAGES, TRAINING, binarise, finish, identical, load_plugin, parameters
from tiny_training import start as start_training
from tqdm import tqdm

SAVING = """
    --save-interval-updates 3 --max-update 15 --keep-interval-updates 2 --disable-validation
""".split()
WORKERS = {0: ["--num-workers", "0", "--data-buffer-size", "0"], 2: ["--num-workers", "2"]}


class KillInSave:
    """Kills its own process inside a save, by Python's audit events.

    Args:
        event: `open`, `os.rename` or `shutil.copyfile`.
        nth: which such event of a checkpoint, from 1.
        share: of the file that is written by then.
    """

    def __init__(self, event: str, nth: int, share: float):
        self.event, self.left, self.share = event, nth, share

    def __call__(self) -> None:
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple) -> None:
        if event != self.event:
            return
        path = str(arguments[0])
        if event == "open":
            writes = isinstance(arguments[1], str) and "w" in arguments[1]
            if not (path.endswith(".pt.tmp") and writes):
                return
        elif ".pt" not in Path(path).name or not Path(path).name.startswith("checkpoint"):
            return
        self.left -= 1
        if self.left:
            return
        if event == "shutil.copyfile":
            content = Path(path).read_bytes()
            self.event = ""  # what follows is not looked at
            Path(arguments[1]).write_bytes(content[: int(self.share * len(content))])
        elif event == "open":
            self.event = ""
            Path(path).write_bytes(b"PK\x03\x04" + bytes(int(1000 * self.share)))
        os.kill(os.getpid(), signal.SIGKILL)


def run_killed(arguments, save_dir: Path, kills, seconds: float, log: Path) -> int:
    """Run to the end, killed at the moments given; the number of kills that hit.

    Args:
        arguments: of fairseq-train.
        save_dir: where it saves.
        kills: a `KillInSave`, or a share of the run's time, each.
        seconds: that the run takes when it is left alone.
        log: file for what it prints.
    """
    hits = 0
    for kill in kills:
        in_save = isinstance(kill, KillInSave)
        process = start_training(
            *arguments, "--save-dir", save_dir, log=log, before=kill if in_save else None
        )
        if not in_save:
            time.sleep(kill * seconds)
            process.kill()
        process.join()
        hits += process.exitcode == -signal.SIGKILL
        if process.exitcode not in (0, -signal.SIGKILL):
            finish(process, log)
    finish(start_training(*arguments, "--save-dir", save_dir, log=log), log)
    return hits


def draw_kills(rng: random.Random, n_random: int, n_in_save: int):
    """Moments of kills, early ones and late ones mixed."""
    kills = [rng.uniform(0.1, 0.5) for _ in range(n_random)]
    events = ["shutil.copyfile", "os.rename", "open"]
    rng.shuffle(events)
    for i in range(n_in_save):
        kills.append(KillInSave(events[i % 3], rng.randint(1, 2), rng.random()))
    rng.shuffle(kills)
    return kills


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=26, help="kills in all; at least 6")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    load_plugin()
    runs = [(stage, workers) for stage in STAGES for workers in WORKERS]
    hits = same = in_saves = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = binarise(folder)
        bar = tqdm(runs, desc="runs")
        for number, (stage, workers) in enumerate(bar):
            arguments = [data, *TRAINING, *STAGES[stage], *WORKERS[workers], *SAVING]
            log = folder / "log.txt"
            began = time.monotonic()
            whole = folder / "whole"
            finish(start_training(*arguments, "--save-dir", whole, log=log), log)
            seconds = time.monotonic() - began
            n_kills = args.kills // len(runs) + (number < args.kills % len(runs))
            kills = draw_kills(rng, n_kills - n_kills // 2, n_kills // 2)
            in_saves += sum(isinstance(kill, KillInSave) for kill in kills)
            killed = folder / "killed"
            hits += run_killed(arguments, killed, kills, seconds, log)
            result = identical(
                parameters(whole / "checkpoint_last.pt"), parameters(killed / "checkpoint_last.pt")
            )
            same += result
            bar.write(f"{stage}, {workers} workers: {'identical' if result else 'DIFFERENT'}")
            for saved in (whole, killed):
                shutil.rmtree(saved)
    print(f"{hits} kills, {in_saves} of them in saves; {same} of {len(runs)} runs identical")
    record(
        "interruption",
        {"kills": hits, "identical": same / len(runs)},
        {"runs": len(runs), "in_saves": in_saves, "seed": args.seed},
    )


if __name__ == "__main__":
    main()

"""Several processes on one machine: the same parameters as one process, and no hanging."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import torch

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.parameters import trained_parameters

WITH_CONFLICTS = [
    "--criterion", "label_smoothed_cross_entropy_with_unlikelihood", "--conflict-axes", "all",
    "--unlikelihood-weight", 0.1,
]  # fmt: skip


@pytest.fixture
def start_ranks(call):
    """Two ranks of one `fairseq-train`; `before(rank)` is called in each first."""

    def run(rank, port, before, arguments):
        before(rank)
        call(
            "train", *arguments, "--distributed-world-size", 2, "--distributed-rank", rank,
            "--distributed-init-method", f"tcp://127.0.0.1:{port}", "--distributed-no-spawn",
            "--distributed-backend", "gloo", "--ddp-backend", "legacy_ddp",
        )  # fmt: skip

    def start_ranks(*arguments, before=lambda rank: None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        fork = multiprocessing.get_context("fork")
        ranks = [
            fork.Process(target=run, args=(rank, port, before, arguments), daemon=True)
            for rank in range(2)
        ]
        for rank in ranks:
            rank.start()
        return ranks

    return start_ranks


def parameters(folder):
    return trained_parameters(read_checkpoint(folder / "checkpoint_last.pt"))


class Model:
    """Stands for one whose destructor waits for its threads, which a fork does not have."""

    def __init__(self):
        self.cycle = self

    def __del__(self):
        os._exit(1)


def test_a_fork_collects_nothing_of_its_parent():
    gc.disable()
    Model()
    child = multiprocessing.get_context("fork").Process(target=gc.collect)
    child.start()
    child.join()
    Model.__del__ = lambda self: None
    gc.enable()
    assert child.exitcode == 0


def test_two_processes_train_what_one_does(call, start_ranks, finetuning, tmp_path):
    """Bit for bit: the sum of two gradients is the same in either order.

    Without dropout, whose random numbers every process draws alike in fairseq, one process
    with `--update-freq 2` one batch after the other.
    """
    arguments = [*finetuning, *WITH_CONFLICTS, "--dropout", 0, "--max-epoch", 2]
    arguments += ["--max-tokens", 60, "--disable-validation"]
    ranks = start_ranks(*arguments, "--save-dir", tmp_path / "two")
    call("train", *arguments, "--update-freq", 2, "--save-dir", tmp_path / "one")
    for rank in ranks:
        rank.join()
        assert rank.exitcode == 0
    one, two = parameters(tmp_path / "one"), parameters(tmp_path / "two")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_a_rank_that_dies_stops_the_other(start_ranks, finetuning, tmp_path, capfd):
    def die_at_the_first_save_of_the_other(rank):
        """Rank 0 alone saves; it tells rank 1 to die."""

        def see(event, arguments):
            if event == "os.rename" and str(arguments[0]).endswith(".pt.tmp"):
                os.kill(int(Path(tmp_path, "rank 1").read_text()), signal.SIGKILL)

        if rank == 1:
            Path(tmp_path, "rank 1").write_text(str(os.getpid()))
        else:
            sys.addaudithook(see)

    arguments = [*finetuning, "--save-interval-updates", 2, "--max-update", 10**6]
    survivor, dying = start_ranks(
        *arguments, "--save-dir", tmp_path / "save", before=die_at_the_first_save_of_the_other
    )
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    survivor.join(60)
    assert survivor.exitcode == 1
    assert "peer" in capfd.readouterr().err

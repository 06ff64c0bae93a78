"""A run that is killed and started again by the same command ends like one that was left alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest
import torch

from fairseq_instr.checkpoints.inspection import read_checkpoint
from fairseq_instr.checkpoints.parameters import trained_parameters

WITH_CONFLICTS = [
    "--criterion", "label_smoothed_cross_entropy_with_unlikelihood", "--conflict-axes", "all",
    "--conflict-rate", 0.7, "--unlikelihood-weight", 0.1,
]  # fmt: skip
SAVING = ["--save-interval-updates", 2, "--keep-interval-updates", 2, "--max-update", 8]


@pytest.fixture
def start(call):
    """`fairseq-train` in a process that can be killed; `before` is called in it first."""

    def start(*arguments, before=lambda: None):
        def run():
            before()
            call("train", *arguments)

        process = multiprocessing.get_context("fork").Process(target=run)
        process.start()
        return process

    return start


def kill_while_copying(name, share):
    """Die when `share` of a checkpoint has been copied to `name`."""

    def see(event, arguments):
        if event == "shutil.copyfile" and Path(arguments[1]).name == name:
            content = Path(arguments[0]).read_bytes()
            Path(arguments[1]).write_bytes(content[: int(share * len(content))])
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(see)


def kill_before_renaming():
    """Die when a checkpoint is whole under its temporary name."""

    def see(event, arguments):
        if event == "os.rename" and str(arguments[0]).endswith(".pt.tmp"):
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(see)


def content(folder):
    """Parameters and moments of a run's last checkpoint, and its number of updates."""
    state = read_checkpoint(folder / "checkpoint_last.pt")
    found = trained_parameters(state)
    for number, moments in state["last_optimizer_state"]["state"].items():
        found[f"optimizer.{number}"] = moments["exp_avg_sq"]
    return found, state["optimizer_history"][-1]["num_updates"]


def test_a_killed_run_ends_like_one_left_alone(start, call, finetuning, tmp_path):
    arguments = [*finetuning, *SAVING, *WITH_CONFLICTS]
    call("train", *arguments, "--save-dir", tmp_path / "whole")
    killed = tmp_path / "killed"
    arguments += ["--save-dir", killed]
    for before in (
        kill_while_copying("checkpoint_last.pt", 0.0),  # at the first save: nothing to go on from
        kill_before_renaming(),
        kill_while_copying("checkpoint_last.pt", 0.7),
    ):
        process = start(*arguments, before=before)
        process.join()
        assert process.exitcode == -signal.SIGKILL
    # and at some moment after another save
    process = start(*arguments)
    seen = {path.name for path in killed.glob("checkpoint_*_*.pt")}
    while {path.name for path in killed.glob("checkpoint_*_*.pt")} <= seen:
        assert process.is_alive()
        time.sleep(0.001)
    process.kill()
    process.join()
    call("train", *arguments)
    whole, n_updates = content(tmp_path / "whole")
    resumed, n_resumed = content(killed)
    assert n_updates == n_resumed == 8
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(resumed[key], whole[key]) for key in whole)


def test_a_finished_run_stays_as_it_is(call, finetuning, tmp_path, caplog):
    """By itself, fairseq would add an update."""
    arguments = [*finetuning, "--max-update", 3, "--save-dir", tmp_path]
    call("train", *arguments)
    before = (tmp_path / "checkpoint_last.pt").read_bytes()
    with pytest.raises(SystemExit) as ended:
        call("train", *arguments)
    assert ended.value.code == 0
    assert (tmp_path / "checkpoint_last.pt").read_bytes() == before
    assert "has reached --max-update 3" in caplog.text
    call("train", *arguments, "--max-update", 5)
    assert content(tmp_path)[1] == 5

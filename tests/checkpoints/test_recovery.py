"""A copy that was cut short is replaced by its original, and nothing else is touched."""

import os
import shutil

import pytest
import torch

from fairseq_instr.checkpoints.recovery import is_whole, restore_cut_copy


@pytest.fixture
def folder(tmp_path):
    """Three checkpoints of 5, 10 and 15 updates, the last of them copied."""
    for number, updates in enumerate((5, 10, 15)):
        path = tmp_path / f"checkpoint_1_{updates}.pt"
        torch.save({"updates": updates, "weights": torch.zeros(100)}, path)
        os.utime(path, ns=(0, 10**9 * (number + 1)))
    shutil.copyfile(tmp_path / "checkpoint_1_15.pt", tmp_path / "checkpoint_last.pt")
    return tmp_path


def cut(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_cut_copy_becomes_whole(folder, share):
    last = folder / "checkpoint_last.pt"
    cut(last, int(share * last.stat().st_size))
    assert not is_whole(last)
    assert restore_cut_copy(last)
    assert torch.load(last)["updates"] == 15
    assert sorted(p.name for p in folder.iterdir()) == [
        *(f"checkpoint_1_{n}.pt" for n in (10, 15, 5)),
        "checkpoint_last.pt",
    ]
    # no link: what is written into the copy later must not reach the original
    assert last.stat().st_ino != (folder / "checkpoint_1_15.pt").stat().st_ino


def test_a_cut_original_is_passed_over(folder):
    """A disk that filled up can leave more than one cut."""
    for name in ("checkpoint_last.pt", "checkpoint_1_15.pt"):
        cut(folder / name, 100)
    assert restore_cut_copy(folder / "checkpoint_last.pt")
    assert torch.load(folder / "checkpoint_last.pt")["updates"] == 10


@pytest.mark.parametrize("write", [lambda p: torch.save({}, p), lambda p: p.write_bytes(b"text")])
def test_a_whole_checkpoint_and_what_is_none_stay(folder, write):
    last = folder / "checkpoint_last.pt"
    write(last)
    content = last.read_bytes()
    assert not restore_cut_copy(last)
    assert last.read_bytes() == content


def test_without_an_original_it_stays(folder):
    last = folder / "checkpoint_last.pt"
    cut(last, 50)
    for path in folder.glob("checkpoint_1_*.pt"):
        path.unlink()
    assert not restore_cut_copy(last)
    assert last.stat().st_size == 50

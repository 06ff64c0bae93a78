"""Checkpoints that one version of fairseq saved, read by the other.

Runs where a second environment beside this one (`.venv*` in the project) has another fairseq.
"""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
VERSION = """
import importlib.metadata as m
for name in ("fairseq-fixed", "fairseq"):
    try: print(name, m.version(name)); break
    except m.PackageNotFoundError: pass
"""


def version_of(python):
    done = subprocess.run(
        [str(python), "-c", VERSION], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.stdout.decode().strip()


def other_python():
    """An interpreter whose fairseq is another one than ours, or None."""
    for python in sorted(PROJECT.glob(".venv*/bin/python")):
        if version_of(python) not in ("", version_of(sys.executable)):
            return python
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["base", "tuned"])
def test_a_checkpoint_of_the_other_version_translates_the_same(
    request, run, call, finetuning, data_bin, tmp_path, name
):
    other = other_python()
    if other is None:
        pytest.skip("there is no environment with another fairseq beside this one")
    checkpoint = request.getfixturevalue(name)
    arguments = [
        data_bin, "--user-dir", PROJECT / "fairseq_instr", "--task",
        "translation_with_instructions", "--cpu", "--beam", 2, "--max-len-b", 8, "--max-len-a", 0,
        *(["--instruct", "formal"] if name == "tuned" else []),
    ]  # fmt: skip

    def by_other(command, *more):
        done = run(command, *more, python=other)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def hypotheses(out):
        return sorted(
            tuple(line.split("\t")[::2]) for line in out.splitlines() if line.startswith("H-")
        )

    # ours, read by the other
    ours = hypotheses(call("generate", *arguments, "--path", checkpoint))
    assert len(ours) == 17
    assert hypotheses(by_other("generate", *arguments, "--path", checkpoint)) == ours
    # the other's, finetuned from ours, read by us
    by_other("train", *finetuning, "--max-epoch", 1, "--save-dir", tmp_path)
    theirs = tmp_path / "checkpoint_last.pt"
    assert hypotheses(call("generate", *arguments, "--path", theirs)) == hypotheses(
        by_other("generate", *arguments, "--path", theirs)
    )

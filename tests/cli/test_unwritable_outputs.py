"""An output that can't be written is told in one line by every subcommand, and nothing stays of it.

A disk that is full is stood in for by a bound of one byte on the files of a process.
"""

from __future__ import annotations

import os
import resource
import sys

import pytest

from fairseq_instr.cli.main import SUBCOMMANDS, main
from tests.cli.conftest import COMMANDS


def test_every_subcommand_that_writes_is_tried():
    assert {*(name.split()[0] for name in COMMANDS), "playground"} == set(SUBCOMMANDS)


def in_a_fork(folder, arguments, before):
    """Exit status and standard error of a subcommand in a forked process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 2)
        sys.stdout, sys.stderr = open(os.devnull, "w"), open(2, "w", closefd=False)
        status = 70
        try:
            os.chdir(folder)
            before()
            status = main(arguments)
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writer)
    with open(reader, encoding="utf-8", errors="replace") as stderr:
        printed = stderr.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), printed


def fill_the_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "output, before",
    [("a file/out", lambda: None), ("out", fill_the_disk)],
    ids=["a file in the place of a folder", "a full disk"],
)
def test_what_cannot_be_written_is_told_in_one_line(inputs, name, output, before):
    there = sorted(inputs.rglob("*"))
    arguments = [*name.split(), *COMMANDS[name].split(), "--output", output]
    status, printed = in_a_fork(inputs, arguments, before)
    told = [line for line in printed.split("\n") if line.startswith("fairseq-instr")]
    assert (status, len(told)) == (1, 1) and "Traceback" not in printed, printed
    assert sorted(inputs.rglob("*")) == there

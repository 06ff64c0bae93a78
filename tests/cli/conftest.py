"""Running the command line in this process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fairseq_instr.cli.main import main


@pytest.fixture
def start(call, capsys, monkeypatch):
    """`start("evaluate", "--data", path, ...)` -> its exit status, output and errors."""

    def start(*arguments):
        arguments = [str(argument) for argument in arguments]
        monkeypatch.setattr("sys.argv", ["fairseq-instr", *arguments])
        capsys.readouterr()
        status = main(arguments)
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return start

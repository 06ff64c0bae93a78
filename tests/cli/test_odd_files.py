"""Odd files in the place of every input of every subcommand: one line, or an output."""

from __future__ import annotations

import os
import shutil

import pytest

from fairseq_instr.cli.main import main
from tests.cli.conftest import COMMANDS


def nothing(path, content):
    pass


def folder(path, content):
    path.mkdir()


def empty(path, content):
    path.touch()


def cut_short(path, content):
    path.write_bytes(content[: len(content) // 2])


def no_text(path, content):
    path.write_bytes(b"\xff\xfe\x00" + bytes(range(256)) + content[:99])


def marked(path, content):
    path.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("odd", [nothing, folder, empty, cut_short, no_text, marked])
@pytest.mark.parametrize("name", COMMANDS)
def test_it_is_told_in_one_line(inputs, name, odd, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(inputs)
    words = COMMANDS[name].replace(",", " , ").replace("=", " = ").split(" ")
    for place in [i for i, word in enumerate(words) if os.path.isfile(word)]:
        with open(words[place], "rb") as file:
            content = file.read()
        path = tmp_path / f"odd{place}{os.path.splitext(words[place])[1]}"
        odd(path, content)
        changed = [*words[:place], str(path), *words[place + 1 :]]
        options = " ".join(changed).replace(" , ", ",").replace(" = ", "=").split()
        output = tmp_path / f"output{place}"
        capsys.readouterr()
        status = main([*name.split(), *options, "--output", str(output)])
        err = capsys.readouterr().err
        n_told = err.count(f"fairseq-instr {name.split()[0]}: error:")
        assert "Traceback" not in err and not list(tmp_path.rglob(".*.tmp")), (options, err)
        assert (status, n_told) in ((1, 1), (0, 0)), (options, err)
        folders = [path for path in (output, *output.rglob("*")) if path.is_dir()]
        assert all(os.listdir(path) for path in folders), (options, err)
        assert status == 1 or list(tmp_path.glob(f"{output.name}*")), (options, err)
        shutil.rmtree(output, ignore_errors=True)

"""`fairseq-instr`: help, errors and exit statuses of all subcommands."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from fairseq_instr.cli.main import GROUPS, SUBCOMMANDS, main
from fairseq_instr.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def test_help_lists_every_subcommand_under_its_group(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for title, group in GROUPS.items():
        section = shown.partition(f"{title}:\n")[2].partition("\n\n")[0]
        assert [line.split()[0] for line in section.splitlines()] == list(group)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_subcommand_has_help_without_docstrings_too(name):
    done = subprocess.run(
        [sys.executable, "-OO", "-m", "fairseq_instr", name, "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: fairseq-instr {name}")


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["evalute"], "evaluate"),
        (["--data", "x"], "SUBCOMMAND"),
        ([], "SUBCOMMAND"),
        (["export", "--data", "x"], "--checkpoint"),
        (["export", "--checkpint", "x"], "--checkpoint"),
    ],
)
def test_wrong_usage_is_one_line(arguments, named, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fairseq-instr") and named in line


@pytest.mark.parametrize(
    "name, options, subcommand",
    [
        ("interpolate_checkpoints.py", [], "interpolate"),
        ("evaluate.py", [], "evaluate"),
        ("evaluate.py", ["--directions=en-de"], "directions"),
    ],
)
def test_a_checkout_runs_the_earlier_names(run_script, name, options, subcommand):
    done = run_script(name, *options, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: fairseq-instr {subcommand} ")


def test_every_earlier_name_is_a_subcommand():
    table = runpy.run_path(str(ROOT / "scripts" / "subcommand.py"))["SUBCOMMANDS"]
    links = {path.stem for path in (ROOT / "scripts").iterdir() if path.is_symlink()}
    assert links == set(table)
    assert set(table.values()) <= set(SUBCOMMANDS)


def wrapped():
    """As fairseq raises what goes wrong while a model is loaded."""
    try:
        raise InputError("--option: what to do")
    except InputError:
        raise Exception("what fairseq says")  # noqa: B904


def test_what_a_user_can_mend_is_one_line_and_other_errors_are_not_hidden(capsys, monkeypatch):
    monkeypatch.setattr("fairseq_instr.cli.report.add_arguments", lambda parser: None)
    monkeypatch.setattr("fairseq_instr.cli.report.run", lambda args: wrapped())
    assert main(["report"]) == 1
    assert capsys.readouterr().err == "fairseq-instr report: error: --option: what to do\n"
    monkeypatch.setattr("fairseq_instr.cli.report.run", lambda args: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main(["report"])

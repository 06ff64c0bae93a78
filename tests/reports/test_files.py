"""A report's folder: written whole, once, by one process at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal

import pytest

from fairseq_instr.errors import InputError
from fairseq_instr.reports import read_report, report_folder, write_report

PLOTS = {
    "instructions": {"response.png", "pairs.png", "interpolation.png"},
    "directions": {"directions.png"},
    "formality": set(),
    "robustness": set(),
    "general_tasks": set(),
}


@pytest.mark.parametrize("kind", PLOTS)
def test_files_and_plots_are_written_once(make_report, tmp_path, kind):
    report = make_report(kind)
    text = write_report(report, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == text
    assert all(character.isprintable() or character == "\n" for character in text)
    found = {path.name for path in tmp_path.iterdir()}
    assert found == PLOTS[kind] | {"report.json", "report.md"}
    for plot in PLOTS[kind]:
        assert (tmp_path / plot).read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="report.json .*--force"):
        write_report({**report, "command": "other"}, tmp_path)
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == text
    write_report({**report, "command": "other"}, tmp_path, force=True)
    assert read_report(tmp_path / "report.json")["command"] == "other"


def test_a_folder_with_a_report_is_refused_before_anything_is_measured(make_report, tmp_path):
    write_report(make_report("formality"), tmp_path / "a")
    with pytest.raises(InputError, match="--force"), report_folder(tmp_path / "a"):
        pytest.fail("measured")
    with report_folder(tmp_path / "a", force=True):
        pass
    with report_folder(tmp_path / "new" / "b"):
        pass
    assert list((tmp_path / "new" / "b").iterdir()) == []


def hold(folder, held, done):
    with report_folder(folder):
        held.set()
        done.wait(60)


def test_two_evaluations_do_not_write_to_one_folder(tmp_path):
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path, held, done))
    other.start()
    assert held.wait(60)
    with pytest.raises(InputError, match="--output"), report_folder(tmp_path):
        pytest.fail("measured")
    os.kill(other.pid, signal.SIGKILL)  # whatever ends it, the folder is free again
    other.join()
    with report_folder(tmp_path):
        pass

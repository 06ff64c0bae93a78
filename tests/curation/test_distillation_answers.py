"""Answers outlive the process that asked for them."""

import sqlite3
import subprocess
import sys

import pytest

from fairseq_instr.curation.distillation_answers import Answer, Answers, fingerprint
from fairseq_instr.errors import InputError


def test_answers_and_what_they_cost_are_kept(tmp_path):
    path = tmp_path / "new" / "answers.sqlite"
    kept = {"a": Answer("Grüß Gott\n\x00", None, 7), "b": Answer(None, "why", None)}
    with Answers(path) as answers:
        assert answers.get("a") is None and (answers.requests, answers.tokens) == (0, 0)
        for key, answer in kept.items():
            answers.take_request()
            answers.put(key, answer)
        answers.take_request()  # one that has no answer
        assert (answers.requests, answers.tokens) == (3, 7)
    with Answers(path) as answers:
        assert {key: answers.get(key) for key in kept} == kept
        assert (len(answers), answers.requests, answers.tokens) == (2, 3, 7)


def test_a_fingerprint_is_of_model_prompt_and_parameters():
    request = {"model": "a", "messages": [{"role": "user", "content": "ä"}], "temperature": 0}
    assert fingerprint(request) == fingerprint(dict(reversed(list(request.items()))))
    others = [{**request, "model": "b"}, {**request, "temperature": 1}, {**request, "messages": []}]
    assert len({fingerprint(other) for other in (request, *others)}) == 4


def test_one_run_at_a_time(tmp_path):
    path = tmp_path / "answers.sqlite"
    program = (
        "import sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with Answers(path):
        pass
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="in use"):
            Answers(path)
        other.kill()
    with Answers(path):
        # the other way round: nobody gets in here either
        with sqlite3.connect(str(path), timeout=0.1) as database:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                database.execute("SELECT * FROM answers").fetchall()


def test_another_file_is_named(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"this is no database, but long enough to be looked at " * 40)
    with pytest.raises(InputError, match="answers.sqlite"):
        Answers(path)
    path.unlink()
    with sqlite3.connect(str(path)) as database:
        database.execute("PRAGMA user_version = 9")
    with pytest.raises(InputError, match="version 9"):
        Answers(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="answers.sqlite"):
        Answers(path)


def test_a_full_disk_is_named(tmp_path):
    with Answers(tmp_path / "answers.sqlite") as answers:
        answers._database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(InputError, match="answers.sqlite.*full"):
            answers.put("a", Answer("long" * 10_000))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/answers.sqlite"):
        Answers(tmp_path / "file" / "answers.sqlite")

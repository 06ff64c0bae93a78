"""An output that can't be written is told in one line by every subcommand, and nothing stays of it.

A disk that is full is stood in for by a bound of one byte on the files of a process.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys

import pytest

from fairseq_instr.cli.main import SUBCOMMANDS, main
from tests.checkpoints.conftest import write_folder

TEXT = "--source train.en --target train.de -s en -t de"
COMMANDS = {
    "curate": f"{TEXT} --instructions swiss --samples 3",
    "label": f"text {TEXT} --label news",
    "distill": f"{TEXT} --instructions formal --base-url http://127.0.0.1:9 --model m --no-key",
    "triples": "import triples.jsonl -s en -t de",
    "general-tasks": "corpus alpaca.json --subwords subwords.model",
    "sample": "--train 5 --valid 2 --test 2",
    "subwords": "--input train.en train.de --vocabulary-size 420",
    "encode": "--input train.en --subwords subwords.model",
    "binarise": "--input . -s en -t de --subwords subwords.model --dictionary dict.txt",
    "inventory": "uppercase",
    "base-rates": "--pair de=train.en,train.de --text x",
    "evaluate": "--data data-bin --base base.pt --tuned tuned.pt -s en -t de "
    "--source test.en --reference test.de --lines 1 --beam 1",
    "directions": "--data data-bin --systems one=tuned.pt --directions en-de --trained en-de "
    "--text test --beam 1",
    "formality": "--data data-bin --base base.pt --systems one=tuned.pt -s en -t de "
    "--folder . --domains talk --beam 1",
    "robustness": "--data data-bin --tuned tuned.pt -s en -t de --source test.en --cases 1 "
    "--beam 1",
    "report": "robustness/report.json",
    "export": "--checkpoint tuned.pt --data data-bin -s en -t de",
    "interpolate": "--base base.pt --tuned tuned.pt --tuned-weight 0.5",
    "convert from-hugging-face": "llama",
    "convert to-hugging-face": "converted/model.pt --tokenizer converted/tokenizer",
    "convert upgrade": "tuned.pt",
}

MADE = {
    "subwords": "subwords",
    "robustness": "robustness",
    "convert from-hugging-face": "converted",
}
"""Outputs that other commands read."""


def test_every_subcommand_that_writes_is_tried():
    assert {*(name.split()[0] for name in COMMANDS), "playground"} == set(SUBCOMMANDS)


@pytest.fixture(scope="module")
def folder(call, base, tuned, data_bin, tmp_path_factory):
    """All inputs in one folder."""
    folder = tmp_path_factory.mktemp("inputs")
    content = {
        "train.en": "".join(f"I see {i} big dogs.\n" for i in range(20)),
        "train.de": "".join(f"Ich sehe {i} Große.\n" for i in range(20)),
        "test.en": "w1 w2\n",
        "test.de": "v1 v2\n",
        "talk.en": "w1 w2\n",
        "talk.formal.ann.de": "v1 [F]Sie[/F]\n",
        "talk.informal.ann.de": "v1 [F]du[/F]\n",
        "triples.jsonl": json.dumps({"source": "a", "target": "b", "instructions": []}) + "\n",
        "alpaca.json": json.dumps([{"instruction": "Say a.", "input": "", "output": "a"}]),
        "a file": "",
    }
    for name, text in content.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(base, folder / "base.pt")
    shutil.copy(tuned, folder / "tuned.pt")
    (folder / "data-bin").symlink_to(data_bin)
    (folder / "llama").mkdir()
    write_folder(folder / "llama", "llama-2")
    before = os.getcwd()
    os.chdir(folder)
    try:
        for name, output in MADE.items():
            assert main([*name.split(), *COMMANDS[name].split(), "--output", output]) == 0
    finally:
        os.chdir(before)
    return folder


def in_a_fork(folder, arguments, before):
    """Exit status and standard error of a subcommand in a forked process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 2)
        sys.stdout, sys.stderr = open(os.devnull, "w"), open(2, "w", closefd=False)
        os.chdir(folder)
        before()
        status = 70
        try:
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
def test_what_cannot_be_written_is_told_in_one_line(folder, name, output, before):
    there = sorted(folder.rglob("*"))
    arguments = [*name.split(), *COMMANDS[name].split(), "--output", output]
    status, printed = in_a_fork(folder, arguments, before)
    told = [line for line in printed.split("\n") if line.startswith("fairseq-instr")]
    assert (status, len(told)) == (1, 1) and "Traceback" not in printed, printed
    left = set(folder.rglob("*")).difference(there)
    assert not [path for path in left if path.is_file()]
    shutil.rmtree(folder / "out", ignore_errors=True)

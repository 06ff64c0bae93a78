"""Running the command line in this process, and inputs of every subcommand that writes."""

from __future__ import annotations

import json
import os
import shutil
from types import SimpleNamespace

import pytest

from fairseq_instr.cli.main import main
from tests.checkpoints.conftest import write_folder

TEXT = "--source train.en --target train.de -s en -t de"
COMMANDS = {
    "curate": f"{TEXT} --instructions swiss --samples 3",
    "label": f"text {TEXT} --label news",
    "distill": f"{TEXT} --instructions formal --base-url http://127.0.0.1:9 --model m --no-key",
    "backtranslate": "--text lines --pairs en-fr --directions de-fr --model served --any-language",
    "triples": "import triples.jsonl -s en -t de",
    "general-tasks corpus": "alpaca.json --subwords subwords.model",
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
    "translate": "--model served --input test.en --beam 1",
    "export": "--checkpoint tuned.pt --data data-bin -s en -t de",
    "interpolate": "--base base.pt --tuned tuned.pt --tuned-weight 0.5",
    "convert from-hugging-face": "llama",
    "convert to-hugging-face": "converted/model.pt --tokenizer converted/tokenizer",
    "convert upgrade": "tuned.pt",
    "general-tasks evaluate": "alpaca.json --subwords converted/tokenizer --dictionary "
    "converted/dict.txt --systems one=converted/model.pt --new-tokens 2",
}
"""What each writes with, beside `--output`; files are in the folder `inputs`."""

MADE = {
    "subwords": "subwords",
    "robustness": "robustness",
    "convert from-hugging-face": "converted",
    "export": "served",
}
"""Outputs that other commands read."""


@pytest.fixture(scope="session")
def inputs(call, base, tuned, data_bin, tmp_path_factory):
    """A folder with the inputs of `COMMANDS`."""
    folder = tmp_path_factory.mktemp("inputs")
    content = {
        "train.en": "".join(f"I see {i} big dogs.\n" for i in range(20)),
        "train.de": "".join(f"Ich sehe {i} Große.\n" for i in range(20)),
        "test.en": "w1 w2\n",
        "test.de": "v1 v2\n",
        "lines.en": "w1 w2\n",
        "lines.fr": "v1 v2\n",
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

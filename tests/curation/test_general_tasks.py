import json

import pytest

from fairseq_instr.curation.general_tasks import (
    GeneralTask,
    read_hypotheses,
    read_tasks,
    write_alpaca_eval,
    write_corpus,
)
from fairseq_instr.errors import InputError


class Letters:
    """Subwords that are code points."""

    @staticmethod
    def encode(text):
        return " ".join(str(ord(character)) for character in text)

    @staticmethod
    def text(pieces):
        return "".join(chr(int(piece)) for piece in pieces)


def test_prompt():
    """The input stands where the template has it, and braces in it are its own."""
    task = GeneralTask("Name {input}.", "{instruction}\nx")
    assert "### Instruction:\nName {input}.\n\n### Input:\n{instruction}\nx\n\n" in task.prompt
    assert "### Input" not in GeneralTask("Count to three.").prompt


def test_there_and_back(tmp_path):
    """Tasks -> corpus -> what fairseq-generate prints -> AlpacaEval, line breaks kept."""
    entries = [
        {"instruction": "Count.", "input": "", "output": "one\ntwo"},
        {"instruction": "Nothing is known.", "output": ""},
        {"instruction": "Sort.", "input": "b a", "output": "a b"},
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(entries))
    tasks = read_tasks(tmp_path / "tasks.json")
    assert write_corpus(tasks, tmp_path / "train", Letters) == 2
    responses = (tmp_path / "train.response").read_text().splitlines()
    assert len((tmp_path / "train.prompt").read_text().splitlines()) == 2
    log = [f"H-1\t-0.5\t{responses[1]}", f"H-0\t-0.5\t{responses[0]}", "H-0\t-0.9\t97", "D-0\tx"]
    (tmp_path / "log").write_text("\n".join(log))
    outputs = read_hypotheses(tmp_path / "log", Letters)
    assert outputs == ["one\ntwo", "a b"]
    write_alpaca_eval([tasks[0], tasks[2]], outputs, "ours", tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == [
        {"instruction": "Count.", "output": "one\ntwo", "generator": "ours"},
        {"instruction": "Sort.\n\nb a", "output": "a b", "generator": "ours"},
    ]
    with pytest.raises(InputError, match="--force"):
        write_corpus(tasks, tmp_path / "train", Letters)


@pytest.mark.parametrize(
    "content, error",
    [
        ("[", "is not JSON"),
        ("{}", "tasks.json"),
        ('[{"instruction": "x"}, 1]', "entry 2"),
        ('[{"instruction": ""}]', "entry 1"),
        ('[{"instruction": "x", "input": 3}]', "entry 1"),
    ],
)
def test_errors(tmp_path, content, error):
    (tmp_path / "tasks.json").write_text(content)
    with pytest.raises(InputError, match=error):
        read_tasks(tmp_path / "tasks.json")


def test_incomplete_outputs(tmp_path):
    (tmp_path / "log").write_text("H-0\t-1\t97\nH-2\t-1\t97\n")
    with pytest.raises(InputError, match="log"):
        read_hypotheses(tmp_path / "log", Letters)
    with pytest.raises(InputError):
        write_alpaca_eval([GeneralTask("x")], [], "ours", tmp_path / "out.json")

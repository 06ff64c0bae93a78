"""Odd lines and files, at every door: nothing silent, nothing lost, no traceback.

A door answers a line, or names it in one sentence; it never skips one. What is drawn at random
is in `test_hostile_input.py`, outputs that can't be written in
`cli/test_unwritable_outputs.py`.
"""

from __future__ import annotations

import json
import re

import pytest

from fairseq_instr.cli.main import main
from fairseq_instr.errors import InputError
from fairseq_instr.generation.translator import Translator
from tests.conftest import WITH_INSTRUCTIONS as PLUGIN

LINES = {
    "blank": "",
    "spaces": "   ",
    "tab": "uppercase\tw1 w2",
    "tab alone": "\t",
    "byte order mark": "\ufeffw1 w2",
    "NUL": "w1 \x00 w2",
    "escape": "w1 \x1b[31m w2",
    "right to left": "\u202ew1 w2\u202c",
    "line separator": "w1\u2028w2",
    "next line": "w1\x85w2",
    "form feed": "w1\x0cw2",
    "end of sentence": "w1 </s> w2",
    "instruction": "<instruction formal> w1",
    "padding": "<pad> w1 <unk>",
    "wide": "w1\u3000w2\u00a0w3",
    "long": " ".join(["w1"] * 5000),
    "one long word": "w" * 20000,
}
TEXT = "".join(f"{line}\n" for line in LINES.values())
NO_TEXT = {
    "surrogate": b"w1 w2\nw1 \xed\xa0\x80\n",
    "Latin-1": b"w1 w2\nw1 \xe4\n",
    "UTF-16": "w1 w2\nw1\n".encode("utf-16"),
}
DECODING = ["--cpu", "--beam", 1, "--max-len-a", 0, "--max-len-b", 5, "--num-workers", 0]


# -- translating --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tuned, data_bin, tmp_path_factory):
    """The model as CTranslate2 has it."""
    pytest.importorskip("ctranslate2")
    folder = tmp_path_factory.mktemp("served") / "model"
    command = ["export", "--checkpoint", tuned, "--data", data_bin, "--output", folder]
    assert main([*map(str, command), "-s", "en", "-t", "de"]) == 0
    return folder


@pytest.fixture(scope="module")
def translators(tuned, data_bin, served):
    """The same model by fairseq and by CTranslate2."""
    from fairseq_instr.serving.translator import CTranslate2Translator

    options = {"beam": 1, "max_len_a": 0, "max_len_b": 5}
    found = (
        Translator.from_pretrained(tuned, data_bin, **options),
        CTranslate2Translator.from_pretrained(served, **options),
    )
    for translator in found:
        translator.allow_unknown = True
    return found


def outcome(translator, lines, asked):
    try:
        return translator.translate(lines, asked)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("asked", [None, "uppercase, formal"])
@pytest.mark.parametrize(
    "line", [*LINES.values(), "w1\rw2", "w1 \ud800"], ids=lambda line: ascii(line)[:30]
)
def test_a_translator_answers_a_line_or_names_it(translators, line, asked):
    refused = set()
    for translator in translators:
        alone = outcome(translator, [line], asked)
        among = outcome(translator, ["w1 w2", line, "w3"], asked)
        refused.add(isinstance(alone, str))
        if isinstance(alone, str):
            assert "line 1" in alone and "line 2" in among
        else:
            assert [among[1]] == alone and len(among) == 3
            assert alone == [""] or line.strip()
    assert len(refused) == 1  # both translate it, or none


def numbers(printed, mark):
    lines = [line for line in printed.split("\n") if line.startswith(f"{mark}-")]
    return sorted(int(line[2 : line.index("\t")]) for line in lines)


@pytest.mark.parametrize("field", [[], ["--instruct-field"]], ids=["lines", "fields"])
def test_interactive_answers_every_line(call, tuned, data_bin, tmp_path, capsys, field):
    path = tmp_path / "input.txt"
    path.write_bytes(TEXT.encode())
    printed = call(
        "interactive", data_bin, *PLUGIN, "--path", tuned, "-s", "en", "-t", "de", *DECODING,
        "--input", path, "--buffer-size", 4, "--batch-size", 4, *field,
    )  # fmt: skip
    assert numbers(printed, "S") == numbers(printed, "H") == list(range(len(LINES)))
    assert f"line {[*LINES].index('long') + 1} has 5001 tokens" in capsys.readouterr().err


def test_interactive_is_given_no_text(run, tuned, data_bin, tmp_path):
    (tmp_path / "input.txt").write_bytes(NO_TEXT["surrogate"])
    done = run(
        "interactive", data_bin, *PLUGIN, "--path", tuned, "-s", "en", "-t", "de", *DECODING,
        "--input", tmp_path / "input.txt",
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "--input" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("content", NO_TEXT.values(), ids=NO_TEXT)
def test_translate_is_given_no_text(served, tmp_path, capsys, content):
    (tmp_path / "input.txt").write_bytes(content)
    output = tmp_path / "output.txt"
    arguments = ["--model", served, "--input", tmp_path / "input.txt", "--output", output]
    assert main(["translate", *map(str, arguments)]) == 1
    assert "input.txt" in capsys.readouterr().err and not output.exists()


# -- training, generating, curating, evaluating ---------------------------------------------


@pytest.fixture(scope="module")
def odd(call, data_bin, inventory, tmp_path_factory):
    """The odd lines as raw text, and as a data-bin with instructions in turn."""
    root = tmp_path_factory.mktemp("odd")
    asked = "".join(f"{('uppercase', 'formal', '')[i % 3]}\n" for i in range(len(LINES)))
    for ending, text in (("en", TEXT), ("de", TEXT.replace("w", "v")), ("instr", asked)):
        (root / f"train.{ending}").write_bytes(text.encode())
    prefixes = [f"--{split}pref={root / 'train'}" for split in ("train", "valid", "test")]
    pair = ["-s", "en", "-t", "de", "--joined-dictionary", "--srcdict", data_bin / "dict.en.txt"]
    for group in ("", "task"):
        call("preprocess", *pair, *prefixes, "--destdir", root / "data-bin" / group, "--workers", 1)
    call(
        "preprocess", "-s", "instr", "--only-source", *prefixes[:1],
        "--destdir", root / "data-bin" / "task", "--workers", 1,
    )  # fmt: skip
    inventory.save(root / "data-bin" / "instructions.yaml")
    return root


LONG = "--skip-invalid-size-inputs-valid-test"


def test_training_says_what_it_leaves_out(call, refusal, finetuning, odd, tmp_path, caplog):
    arguments = [odd / "data-bin", *finetuning[1:], "--allow-unknown", "--max-epoch", 1]
    arguments += ["--save-dir", tmp_path]
    assert LONG in refusal("train", *arguments)  # the validation; training leaves it out
    caplog.set_level("WARNING")
    call("train", *arguments, LONG)
    assert (tmp_path / "checkpoint_last.pt").exists()
    assert "1 samples have invalid sizes and will be skipped" in caplog.text


def test_generation_leaves_nothing_out(call, refusal, tuned, odd):
    arguments = [
        odd / "data-bin", *PLUGIN, "--path", tuned, "-s", "en", "-t", "de", *DECODING,
        "--instruct", "formal", "--allow-unknown",
    ]  # fmt: skip
    assert LONG in refusal("generate", *arguments)
    printed = call("generate", *arguments, LONG)
    answered = [i for i, name in enumerate(LINES) if name != "long"]
    assert numbers(printed, "S") == numbers(printed, "H") == answered


def test_curation_accounts_for_every_line(odd, tmp_path):
    arguments = [
        "curate", "--source", odd / "train.en", "--target", odd / "train.de", "-s", "en",
        "-t", "de", "--instructions", "uppercase,double-quotes", "--output", tmp_path,
    ]  # fmt: skip
    assert main(list(map(str, arguments))) == 0
    card = json.loads((tmp_path / "data_card.json").read_text(encoding="utf-8"))
    assert card["pairs"] == len(LINES)
    for name, found in card["instructions"].items():
        assert found["samples"] + sum(found["rejected"].values()) == len(LINES)
        sides = [(tmp_path / name / f"train.{e}").read_bytes() for e in ("en", "de", "instr")]
        assert [side.count(b"\n") for side in sides] == [found["samples"]] * 3


def test_evaluation_names_the_lines_that_it_cannot_measure(
    odd, base, tuned, data_bin, tmp_path, capsys
):
    sides = [(odd / f"train.{code}").read_text("utf-8").split("\n")[:-1] for code in ("en", "de")]
    source, reference = tmp_path / "en", tmp_path / "de"
    arguments = [
        "evaluate", "--data", data_bin, "--base", base, "--tuned", tuned, "-s", "en", "-t", "de",
        "--source", source, "--reference", reference, "--beam", 1, "--allow-unknown",
        "--output", tmp_path / "report",
    ]  # fmt: skip
    named, status = [], 1
    while status:
        for path, lines in zip((source, reference), sides):
            path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        status = main(list(map(str, arguments)))
        if status:
            number = int(re.search(r"line (\d+)", capsys.readouterr().err)[1])
            named.append(sides[0].pop(number - 1))
            sides[1].pop(number - 1)
    assert named == [LINES["NUL"], LINES["long"]]
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["conditions"]["test set"].startswith(f"{len(LINES) - 2} lines")

"""Readers of labelled data: what becomes a sample, what is dropped, what is refused."""

import gzip
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from fairseq_instr.curation.labelled import (
    read_formality,
    read_gender,
    read_terminology,
    read_text,
)
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.text.lines import read_lines

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "curate_labelled.py"
spec = importlib.util.spec_from_file_location("curate_labelled", SCRIPT)
curate_labelled = importlib.util.module_from_spec(spec)
spec.loader.exec_module(curate_labelled)


def write(folder, **files):
    for name, lines in files.items():
        content = "".join(f"{line}\n" for line in lines).encode()
        path = folder / name.replace("__", "-").replace("_", ".")
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def formality(tmp_path):
    write(
        tmp_path,
        chat_en_gz=["Are you here?", "Your bag."],
        chat_formal_de_gz=["Sind Sie hier?", "Ihre Tasche."],
        chat_informal_de=["Bist du hier?", "Deine Tasche."],
        phone_en=["Come!"],
        phone_formal_de=["Kommen Sie!"],
        phone_informal_de=["Komm!"],
        phone_formal_ann_de=["[F]Kommen Sie[/F]!"],
    )
    return tmp_path


def test_formality_comes_in_pairs_of_every_domain(formality):
    assert sorted(read_formality(formality, "en", "de")) == [
        ("Are you here?", "Bist du hier?", "informal"),
        ("Are you here?", "Sind Sie hier?", "formal"),
        ("Come!", "Komm!", "informal"),
        ("Come!", "Kommen Sie!", "formal"),
        ("Your bag.", "Deine Tasche.", "informal"),
        ("Your bag.", "Ihre Tasche.", "formal"),
    ]


def test_training_lines_that_are_test_lines_are_dropped(formality):
    table = formality / "also_in_test.tsv"
    rows = ["pair\ttrain_domain\ttrain_line", "en-de\tchat\t2", "en-nl\tchat\t1"]
    table.write_text("".join(f"{row}\n" for row in rows))
    kept = list(read_formality(formality, "en", "de", str(table)))
    assert {sample.source for sample in kept} == {"Are you here?", "Come!"}
    table.write_text("pair\ttrain_domain\ttrain_line\nen-de\tchat\tsecond\n")
    with pytest.raises(InputError, match="line 2 is not of the header's form"):
        list(read_formality(formality, "en", "de", str(table)))
    table.write_text("pair\tline\n")
    with pytest.raises(InputError, match="columns pair, train_domain, train_line"):
        list(read_formality(formality, "en", "de", str(table)))


def test_missing_and_misaligned_files_are_named(formality):
    (formality / "phone.informal.de").write_text("Komm!\nGeh!\n")
    with pytest.raises(InputError, match="phone.informal.de has 2: .* line 2 is missing"):
        list(read_formality(formality, "en", "de"))
    (formality / "phone.informal.de").unlink()
    with pytest.raises(InputError, match="phone.informal.de does not exist, nor with .gz"):
        list(read_formality(formality, "en", "de"))
    with pytest.raises(InputError, match="holds no DOMAIN.fr"):
        list(read_formality(formality, "fr", "de"))


def test_gender_comes_in_counterfactual_pairs(tmp_path):
    write(
        tmp_path,
        dev_feminine_en__de_en=["She sings."],
        dev_feminine_en__de_de=["Sie singt."],
        dev_masculine_en__de_en_gz=["He sings."],
        dev_masculine_en__de_de_gz=["Er singt."],
    )
    assert list(read_gender(tmp_path, "dev", "en", "de")) == [
        ("She sings.", "Sie singt.", "feminine"),
        ("He sings.", "Er singt.", "masculine"),
    ]
    with pytest.raises(InputError, match="test.feminine.en-de.en does not exist"):
        list(read_gender(tmp_path, "test", "en", "de"))


TERM = '<term id="1" type="x" src="{0}" tgt="{1}">'
SOURCE = (
    '<doc sysid="ref" docid="A">\n<seg id="1"> a ' + TERM + " runny nose </term> &amp; a "
    + TERM.replace("{0}", "{2}").replace("{1}", "{3}") + ' cough </term> </seg>\n'
    '<seg id="2"> nothing </seg></doc>'
).format("runny nose", "nez bouché|nez qui coule", "cough", "toux grasse")  # fmt: skip
TARGET = (
    '<doc docid="A"><seg id="1"> le <term id="1">nez qui coule</term> &amp; la toux </seg>'
    '<seg id="2"> rien </seg></doc>'
)


def test_terms_whose_translation_stands_in_the_reference(tmp_path):
    (tmp_path / "s.sgm").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "t.sgm").write_text(TARGET, encoding="utf-8")
    (sample,) = read_terminology(tmp_path / "s.sgm", tmp_path / "t.sgm")
    assert sample == (
        "a runny nose & a cough",
        "le nez qui coule & la toux",
        'use-term="runny nose=nez qui coule"',
    )
    assert look_up(sample.instruction).obeys(sample.target, Context(language="fr"))


def test_segments_that_do_not_match_are_named(tmp_path):
    (tmp_path / "s.sgm").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "t.sgm").write_text('<doc docid="A"><seg id="1">x</seg></doc>')
    with pytest.raises(InputError, match="lacks segment '2' of document 'A'"):
        list(read_terminology(tmp_path / "s.sgm", tmp_path / "t.sgm"))
    (tmp_path / "t.sgm").write_text("plain text")
    with pytest.raises(InputError, match="holds no <doc docid>"):
        list(read_terminology(tmp_path / "s.sgm", tmp_path / "t.sgm"))


def test_text_that_is_all_of_one_kind(formality):
    samples = read_text(formality / "phone.en", formality / "phone.formal.de", "conversation")
    assert list(samples) == [("Come!", "Kommen Sie!", "conversation")]


@pytest.fixture
def curate(formality, monkeypatch):
    def run(*arguments):
        arguments = [*arguments, "-s", "en", "-t", "de", "--output", formality / "out"]
        monkeypatch.setattr(sys, "argv", ["curate_labelled.py", *map(str, arguments)])
        curate_labelled.main()
        return formality / "out"

    return run


def test_the_command_line_filters_and_counts(curate, formality):
    (formality / "held_out").write_text("your bag\n")
    folder = curate("formality", "--folder", formality, "--exclude", formality / "held_out")
    columns = [read_lines(folder / f"train.{e}") for e in ("en", "de", "instr")]
    assert len(set(map(len, columns))) == 1
    assert "Your bag." not in columns[0]
    card = json.loads((folder / "data_card.json").read_text(encoding="utf-8"))
    assert card["samples"] == {"formal": 2, "informal": 2}
    assert card["rejected"] == {"stands in a test set": 2}
    with pytest.raises(InputError, match="exists; give --force"):
        curate("formality", "--folder", formality)


def test_a_label_that_is_no_instruction_is_refused(curate, formality):
    files = ["--source", formality / "phone.en", "--target", formality / "phone.formal.de"]
    with pytest.raises(InputError, match="unknown instruction 'poetry'"):
        curate("text", "--label", "poetry", *files)
    assert not (formality / "out").exists()

"""Readers of labelled data: which lines are samples, which are dropped, which are refused."""

import gzip
import json

import pytest

from fairseq_instr.curation.curators import DUPLICATE
from fairseq_instr.curation.filters import EMPTY, IN_TEST_SET, Checks
from fairseq_instr.curation.labelled import (
    label,
    read_formality,
    read_gender,
    read_terminology,
    read_text,
)
from fairseq_instr.curation.samples import Sample
from fairseq_instr.errors import InputError
from fairseq_instr.instructions import Context
from fairseq_instr.instructions.catalogue import look_up
from fairseq_instr.text.lines import read_lines


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
    with pytest.raises(InputError, match="line 2"):
        list(read_formality(formality, "en", "de", str(table)))
    table.write_text("pair\tline\n")
    with pytest.raises(InputError, match="columns pair, train_domain, train_line"):
        list(read_formality(formality, "en", "de", str(table)))


def test_missing_and_misaligned_files_are_named(formality):
    (formality / "phone.informal.de").write_text("Komm!\nGeh!\n")
    with pytest.raises(InputError, match="phone.informal.de has 2"):
        list(read_formality(formality, "en", "de"))
    (formality / "phone.informal.de").unlink()
    with pytest.raises(InputError, match="phone.informal.de"):
        list(read_formality(formality, "en", "de"))
    with pytest.raises(InputError, match="DOMAIN.fr"):
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
    with pytest.raises(InputError, match="test.feminine.en-de.en"):
        list(read_gender(tmp_path, "test", "en", "de"))


TERM = '<term id="1" type="x" src="{0}" tgt="{1}">'
SOURCE = (
    '<doc sysid="ref" docid="A">\n<seg id="1"> a ' + TERM + " runny nose </term> &amp; a "
    + TERM.replace("{0}", "{2}").replace("{1}", "{3}") + ' cough </term> </seg>\n'
    '<seg id="2"> nothing </seg></doc>'
).format("runny nose", "nez bouché|nez qui coule", "cough", "toux grasse")  # fmt: skip
TARGET = (
    '<doc docid="A"><seg id="1"> le <term id="1">nez qui coule</term>, la toux </seg>'
    '<seg id="2"> rien </seg></doc>'
)


def test_terms_whose_translation_stands_in_the_reference(tmp_path):
    (tmp_path / "s.sgm").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "t.sgm").write_text(TARGET, encoding="utf-8")
    (sample,) = read_terminology(tmp_path / "s.sgm", tmp_path / "t.sgm")
    assert sample == (
        "a runny nose & a cough",
        "le nez qui coule, la toux",
        'use-term="runny nose=nez qui coule"',
    )
    assert look_up(sample.instruction).obeys(sample.target, Context(language="fr"))


def test_segments_that_do_not_match_are_named(tmp_path):
    (tmp_path / "s.sgm").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "t.sgm").write_text('<doc docid="A"><seg id="1">x</seg></doc>')
    with pytest.raises(InputError, match="t.sgm .*'2'"):
        list(read_terminology(tmp_path / "s.sgm", tmp_path / "t.sgm"))
    (tmp_path / "t.sgm").write_text("plain text")
    with pytest.raises(InputError, match="t.sgm"):
        list(read_terminology(tmp_path / "s.sgm", tmp_path / "t.sgm"))


def test_text_that_is_all_of_one_kind(formality):
    samples = read_text(formality / "phone.en", formality / "phone.formal.de", "conversation")
    assert list(samples) == [("Come!", "Kommen Sie!", "conversation")]
    own = read_text(formality / "phone.en", formality / "phone.formal.de", "like-a-pirate")
    assert list(own) == [("Come!", "Kommen Sie!", "like-a-pirate")]
    with pytest.raises(InputError, match="'Poetry!'"):
        list(read_text(formality / "phone.en", formality / "phone.formal.de", "Poetry!"))
    with pytest.raises(InputError, match="--label at-most"):  # of how many?
        list(read_text(formality / "phone.en", formality / "phone.formal.de", "at-most"))


def test_samples_are_filtered_counted_and_written(formality):
    (formality / "held_out").write_text("your bag\n")
    samples = [*read_formality(formality, "en", "de"), ("Come!", "Komm!", "informal")]
    checks = Checks(exclude=[formality / "held_out"])
    options = {"output": formality / "out", "checks": checks}
    card = label([Sample(*sample) for sample in samples], "en", "de", **options)
    columns = [read_lines(formality / "out" / f"train.{e}") for e in ("en", "de", "instr")]
    assert len(set(map(len, columns))) == 1
    assert "Your bag." not in columns[0]
    assert card["samples"] == {"formal": 2, "informal": 2}
    assert card["rejected"] == {IN_TEST_SET: 2, DUPLICATE: 1}
    assert json.loads((formality / "out" / "data_card.json").read_text("utf-8")) == card
    with pytest.raises(InputError, match="--force"):
        label(read_formality(formality, "en", "de"), "en", "de", **options)


def test_nothing_is_written_where_no_sample_is_left(formality):
    with pytest.raises(InputError, match=EMPTY):
        label([Sample("", "x", "formal")], "en", "de", formality / "out")
    assert not (formality / "out").exists()

"""The formality example: which sentences it labels, and what its text step leaves out."""

import gzip
import runpy
import sys
from pathlib import Path

import pytest
import yaml

from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "formality"
CONFIG = yaml.safe_load((FOLDER / "en_de.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def address():
    return runpy.run_path(str(FOLDER / "address.py"))["address"]


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    loaded = runpy.run_path(str(FOLDER / "run.py"))["FormalityTuning"]
    sys.modules.pop("address", None)
    return loaded


@pytest.mark.parametrize(
    "english, german, kind",
    [
        ("Are you coming?", "Kommen Sie?", "formal"),
        ("Come in.", "Kommen Sie herein.", "formal"),
        ("We showed you your house.", "Wir haben Ihnen Ihr Haus gezeigt.", "formal"),
        ("If you like, come.", "Wenn es Ihnen gefällt, kommen Sie.", "formal"),
        ("Are you coming?", "Kommst du?", "informal"),
        ("Your son isn't like you.", "Dein Sohn ist nicht wie du.", "informal"),
        ("She loves you.", "Sie liebt dich.", "informal"),
        ("Sit down.", "Setz dich.", "informal"),
        ("We hear all of you.", "Wir hören euch alle.", "informal"),
        ("She is coming.", "Sie kommt.", None),  # she
        ("You are nice.", "Sie sind nett.", None),  # begins a sentence: not certain
        ("A dog. They play.", "Ein Hund. Sie spielen.", None),
        ("The couple rests while reading.", "Das Paar ruht, während Sie lesen.", None),  # misspelt
        ("You have her book.", "Habt ihr ihr Buch?", None),
        ("He climbs Mont du Chat.", "Er besteigt den Mont du Chat.", None),
        ("You said: she knows you.", "Du hast gesagt, dass Sie dich kennt.", None),  # both
        ("You endure it.", "Man duldet es, Siegfried und Ihrig.", None),  # inside words
        ("It rains.", "Es regnet.", None),
    ],
)
def test_address(address, english, german, kind):
    assert address(english, german) == kind


@pytest.mark.parametrize(
    "english, dutch, kind",
    [
        ("Are you coming?", "Komt u?", "formal"),
        ("Are you coming?", "Kom je?", "informal"),
        ("You and yours.", "Uw huis en jouw huis.", None),  # both
        ("People may come.", "Je mag komen.", None),  # says no you
        ("You know.", "Dat is bekend.", None),
    ],
)
def test_address_in_dutch(address, english, dutch, kind):
    assert address(english, dutch, "nl") == kind


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode("utf-8")))


@pytest.fixture
def text(tmp_path):
    """A folder as the config names it, with a line of a test set in the training text."""
    english = [f"You saw {number} today." for number in range(20)]
    german = [f"Heute haben Sie {line.split()[2]} gesehen." for line in english]
    root = tmp_path / "data"
    for name in ("wmt_dev08-19/newstest.en-de", "multi30k/train", "tatoeba/t.de-en",
                 "mozilla_www/multi"):  # fmt: skip
        write(root / f"{name}.en.gz", [*english[:15], "", "Where is the card?"])
        write(root / f"{name}.de.gz", [*german[:15], "", "Wo ist Ihre Karte?"])
    write(root / "tatoeba/t.en-fr.en.gz", ["Not German."])
    write(root / "multi30k/test_2016_flickr.en.gz", english[15:])
    write(root / "multi30k/test_2016_flickr.de.gz", german[15:])
    for domain in CONFIG["text"]["domains"]:
        test = root / CONFIG["text"]["test"]
        write(test / f"{domain}.en.gz", ["Where is the card ?"])
        for kind in ("formal", "informal"):
            write(test / f"{domain}.{kind}.de.gz", ["Wo ist die Karte?"])
    return root


def test_test_lines_copies_and_blanks_are_left_out(recipe, text, tmp_path):
    formality = recipe({**CONFIG, "valid": 3}, tmp_path / "work", text, seed=1)
    formality.prepare_text()
    lines = {
        split: list(zip(*(read_lines(formality.text / f"{split}.{e}") for e in ("en", "de"))))
        for split in ("train", "valid", "plain")
    }
    assert (len(lines["train"]), len(lines["valid"]), len(lines["plain"])) == (12, 3, 5)
    assert not set(lines["train"]) & set(lines["valid"])
    assert not any("card" in english for english, _ in lines["train"] + lines["valid"])
    for english, german in lines["train"]:
        assert english.split()[2] == german.split()[3]
    systems = [name for name, _ in formality.steps if name in CONFIG["systems"]]
    assert systems == list(CONFIG["systems"])
    assert {d["system"] for d in CONFIG["decoding"].values()} <= set(systems)


def test_text_that_is_not_there_is_named(recipe, text, tmp_path):
    for path in (text / "mozilla_www").iterdir():
        path.unlink()
    formality = recipe(CONFIG, tmp_path / "work", text, seed=1)
    with pytest.raises(InputError, match=r"has no mozilla_www/multi\.en; fetch it"):
        formality.prepare_text()

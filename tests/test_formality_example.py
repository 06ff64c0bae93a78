"""The formality example: which sentences it labels, and what its text step leaves out."""

import gzip
import random
import runpy
import sys
from pathlib import Path

import pytest
import yaml

from fairseq_instr.errors import InputError

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


class TestAddress:
    @pytest.mark.parametrize(
        "english, german",
        [
            ("Are you coming?", "Kommen Sie?"),
            ("Come in.", "Kommen Sie herein."),
            ("We showed you your house.", "Wir haben Ihnen Ihr Haus gezeigt."),
            ("If you like, come.", "Wenn es Ihnen gefällt, kommen Sie."),
        ],
    )
    def test_formal(self, address, english, german):
        assert address(english, german) == "formal"

    @pytest.mark.parametrize(
        "english, german",
        [
            ("Are you coming?", "Kommst du?"),
            ("Your son isn't like you.", "Dein Sohn ist nicht wie du."),
            ("She loves you.", "Sie liebt dich."),
            ("Sit down.", "Setz dich."),
            ("We hear all of you.", "Wir hören euch alle."),
        ],
    )
    def test_informal(self, address, english, german):
        assert address(english, german) == "informal"

    @pytest.mark.parametrize(
        "english, german",
        [
            ("She is coming.", "Sie kommt."),  # she
            ("You are nice.", "Sie sind nett."),  # begins a sentence: not certain
            ("A dog. They play.", "Ein Hund. Sie spielen."),
            ("The couple rests while reading.", "Das Paar ruht, während Sie lesen."),  # misspelt
            ("You have her book.", "Habt ihr ihr Buch?"),
            ("He climbs Mont du Chat.", "Er besteigt den Mont du Chat."),
            ("You said: she knows you.", "Du hast gesagt, dass Sie dich kennt."),  # both
            ("It rains.", "Es regnet."),
        ],
    )
    def test_neither_is_certain(self, address, english, german):
        assert address(english, german) is None

    def test_words_inside_words_say_nothing(self, address):
        assert address("You endure it.", "Man duldet es, Siegfried und Ihrig.") is None


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode("utf-8")))


@pytest.fixture
def text(tmp_path):
    """A folder as the config names it, with a line of a test set in the training text."""
    rng = random.Random(1)
    english = [f"You saw {rng.random()} today." for _ in range(20)]
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
    lines = {}
    for split in ("train", "valid", "plain"):
        sides = (Path(tmp_path, "work", "text", f"{split}.{e}").read_text() for e in ("en", "de"))
        lines[split] = list(zip(*(side.splitlines() for side in sides)))
    assert (len(lines["train"]), len(lines["valid"]), len(lines["plain"])) == (12, 3, 5)
    assert not set(lines["train"]) & set(lines["valid"])
    assert not any("card" in english for english, _ in lines["train"] + lines["valid"])
    for english, german in lines["train"]:
        assert english.split()[2] == german.split()[3]


def test_text_that_is_not_there_is_named(recipe, text, tmp_path):
    for path in (text / "mozilla_www").iterdir():
        path.unlink()
    formality = recipe(CONFIG, tmp_path / "work", text, seed=1)
    with pytest.raises(InputError, match=r"has no mozilla_www/multi\.en; fetch it"):
        formality.prepare_text()


def test_the_steps_are_those_of_the_config(recipe, text, tmp_path):
    formality = recipe(CONFIG, tmp_path / "work", text, seed=1)
    names = [name for name, _ in formality.steps]
    assert [n for n in names if n in CONFIG["systems"]] == list(CONFIG["systems"])
    assert {d["system"] for d in CONFIG["decoding"].values()} <= set(CONFIG["systems"])

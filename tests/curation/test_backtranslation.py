"""Synthetic pairs: whose side is real, what is left out, and that a stopped run goes on."""

import json
import os
import shutil

import pytest

from fairseq_instr.curation import Checks, backtranslation
from fairseq_instr.curation.backtranslation import CARD, backtranslate
from fairseq_instr.errors import InputError
from fairseq_instr.text.lines import read_lines

PAIRS = [("en", "it"), ("en", "nl"), ("en", "ro")]
ANY = Checks(max_length_ratio=2.0)
N = 30


class Fake:
    """Translates `A dog 3` into Italian as `it of A dog 3`, and counts the lines."""

    max_source = 20

    def __init__(self, target, translated, stop_after):
        self.target, self.translated, self.stop_after = target, translated, stop_after

    def for_direction(self, source, target):
        assert source == "en"
        return Fake(target, self.translated, self.stop_after)

    def render(self, line):
        return line.split()

    def translate(self, lines, batch_size):
        assert all(len(self.render(line)) <= self.max_source for line in lines)
        if len(self.translated) + len(lines) > self.stop_after:
            raise KeyboardInterrupt
        self.translated += lines
        return [f"{self.target} of {line}" for line in lines]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(backtranslation, "CHUNK_LINES", 4)
    monkeypatch.setattr(os, "fsync", lambda file: None)  # slow, and of no use in a test


@pytest.fixture
def fake(monkeypatch):
    """Put `Fake` in the place of a model; `fake.stop_after = 9` stops it within the tenth line."""

    class Loader:
        translated, stop_after, n_loaded = [], 10**9, 0

        def __call__(self, model, data, subwords, source, target, beam):
            assert source == "en"
            self.n_loaded += 1
            return Fake(target, self.translated, self.stop_after)

    loader = Loader()
    loader.translated = []
    monkeypatch.setattr(backtranslation, "load_translator", loader)
    return loader


@pytest.fixture
def folder(tmp_path):
    """Text of three pairs, each with lines of its own, and something to take for a model."""
    for source, target in PAIRS:
        stem = f"{tmp_path}/train.{source}-{target}"
        for code, text in ((source, "A dog {}"), (target, f"{target} dog {{}}")):
            lines = "".join(text.format(f"{target}{i}\n") for i in range(N))
            with open(f"{stem}.{code}", "w", encoding="utf-8") as file:
                file.write(lines)
    (tmp_path / "model.pt").write_text("weights")
    return tmp_path


def run(folder, output="synthetic", pairs=PAIRS, checks=ANY, **options):
    return backtranslate(
        folder / "train.{pair}", pairs, folder / output, folder / "model.pt", checks=checks,
        **options,
    )  # fmt: skip


def corpus(folder, direction, output="synthetic"):
    source, target = direction.split("-")
    stem = folder / output / direction
    return list(zip(*(read_lines(stem / f"train.{e}") for e in (source, target, "instr"))))


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def test_the_target_is_real_and_says_its_direction(folder, fake):
    card = run(folder)
    assert sorted(card["directions"]) == ["it-nl", "it-ro", "nl-it", "nl-ro", "ro-it", "ro-nl"]
    # it-nl is made from the pair en-nl: its English side in Italian, its Dutch side as it stands
    assert corpus(folder, "it-nl") == [
        (f"it of A dog nl{i}", f"nl dog nl{i}", "to:nl") for i in range(N)
    ]
    assert corpus(folder, "nl-it")[0] == ("nl of A dog it0", "it dog it0", "to:it")
    assert fake.n_loaded == 1
    assert not list((folder / "synthetic").glob("*.jsonl"))
    assert json.loads((folder / "synthetic" / CARD).read_text(encoding="utf-8")) == card


def test_directions_are_chosen_and_may_begin_in_a_language_without_pairs(folder, fake):
    run(folder, pairs=PAIRS[:1], directions=[("de", "it")])
    assert corpus(folder, "de-it")[2] == ("de of A dog it2", "it dog it2", "to:it")
    assert [path.name for path in (folder / "synthetic").iterdir() if path.is_dir()] == ["de-it"]


def test_the_choice_of_lines_is_the_seeds_alone(folder, fake):
    run(folder, n_lines=7, pairs=PAIRS[:2])
    first = corpus(folder, "it-nl")
    assert len(first) == 7 and first == sorted(first, key=lambda row: int(row[1].split("nl")[-1]))
    # neither the order of the lines nor lines that are there twice change it
    for path in folder.glob("train.*"):
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("".join(f"{line}\n" for line in [*lines[::-1], *lines]), encoding="utf-8")
    run(folder, "again", n_lines=7, pairs=PAIRS[:2])
    assert sorted(corpus(folder, "it-nl", "again")) == sorted(first)
    run(folder, "other", n_lines=7, pairs=PAIRS[:2], seed=2)
    assert sorted(corpus(folder, "it-nl", "other")) != sorted(first)
    # and the directions from one text have lines of their own
    run(folder, "three", n_lines=7)
    english = [{row[1] for row in corpus(folder, d, "three")} for d in ("it-nl", "ro-nl")]
    assert english[0] != english[1]


@pytest.mark.parametrize("stop_after", [0, 3, 10, 50])
def test_a_run_that_was_stopped_goes_on(folder, fake, stop_after):
    run(folder, "whole")
    fake.translated.clear()
    fake.stop_after = stop_after
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    done = len(fake.translated)
    assert not list((folder / "synthetic").rglob("train.*"))
    fake.stop_after = 10**9
    run(folder)
    assert len(fake.translated) == 6 * N  # none twice
    assert done % 4 in (0, N % 4) and content(folder / "synthetic") == content(folder / "whole")


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
def test_a_run_goes_on_after_outputs_with_separators_that_unicode_knows(
    folder, fake, monkeypatch, separator
):
    translate = Fake.translate
    monkeypatch.setattr(
        Fake, "translate", lambda *args, **o: [t + separator for t in translate(*args, **o)]
    )
    fake.stop_after = 10
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    fake.stop_after = 10**9
    run(folder)
    assert len(fake.translated) == 6 * N


def test_a_block_that_was_written_by_half_is_translated_again(folder, fake):
    run(folder, "whole")
    fake.stop_after = len(fake.translated) + 10
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    (path,) = (folder / "synthetic").glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-5])
    fake.stop_after = 10**9
    run(folder)
    assert content(folder / "synthetic") == content(folder / "whole")


@pytest.mark.parametrize("count, missing", [(1, 0), (2, 0), (5, 0), (3, 2)])
def test_shards_add_up_and_the_last_run_makes_those_that_are_missing(folder, fake, count, missing):
    run(folder, "whole")
    fake.translated.clear()
    for number in range(count, missing, -1):
        assert run(folder, shard=(number, count)) is None
    assert (len(fake.translated) == 6 * N) is (missing == 0)
    run(folder)
    assert len(fake.translated) == 6 * N  # none twice
    assert content(folder / "synthetic") == content(folder / "whole")


def test_translations_of_something_else_are_not_gone_on_with(folder, fake):
    run(folder, shard=(1, 2))
    (folder / "model.pt").write_text("other weights")
    with pytest.raises(InputError, match="model .*--force"):
        run(folder)
    run(folder, force=True)
    with pytest.raises(InputError, match="--force"):
        run(folder)
    assert run(folder, force=True)["directions"]["it-nl"]["kept"] == N


@pytest.mark.parametrize("written", [b"", b"\xff\n", b"1\n", b"{}\n[1]\n", b"[]\n"])
def test_a_broken_file_is_named(folder, fake, written):
    (folder / "synthetic").mkdir()
    path = folder / "synthetic" / "translations-1-of-1.jsonl"
    path.write_bytes(written)
    with pytest.raises(InputError, match=path.name):
        run(folder)


def test_what_is_no_good_pair_is_left_out_and_counted(folder, fake, monkeypatch):
    lines = [
        ("A dog runs along the beach in the morning.", "Een hond rent langs het strand."),
        ("too " * 30, "Dit is een lange zin met heel veel woorden."),
        ("ENGLISH", "De kat slaapt op de bank in de woonkamer."),
        ("LONG", "De vrouw leest een boek in de tuin."),
        ("BLANK", "De jongen speelt met de bal."),
    ]
    outputs = {
        "A": "Un cane corre lungo la spiaggia al mattino.",
        "ENGLISH": "The cat is sleeping on the couch in the living room.",
        "LONG": "La donna legge un libro nel giardino. " * 4,
        "BLANK": " ",
    }
    monkeypatch.setattr(
        Fake, "translate", lambda self, lines, batch_size: [outputs[x.split()[0]] for x in lines]
    )
    for code, side in zip(("en", "nl"), zip(*lines)):
        text = "".join(f"{line}\n" for line in side)
        (folder / f"train.en-nl.{code}").write_text(text, encoding="utf-8")
    card = run(
        folder, pairs=PAIRS[1:2], directions=[("it", "nl")],
        checks=Checks(max_length_ratio=3.0, identify_language=True),
    )  # fmt: skip
    assert corpus(folder, "it-nl") == [(outputs["A"], lines[0][1], "to:nl")]
    found = card["directions"]["it-nl"]
    assert (found["translated"], found["kept"]) == (5, 1)
    assert sorted(found["rejected"].values()) == [1, 1, 1, 1]


def test_a_line_of_a_test_set_is_never_translated(folder, fake):
    (folder / "test").write_text("NL dog, nl3!\n", encoding="utf-8")
    run(folder, pairs=PAIRS[:2], checks=Checks(exclude=[folder / "test"]))
    assert "A dog nl3" not in fake.translated
    assert len(corpus(folder, "it-nl")) == N - 1


@pytest.mark.parametrize(
    "options, named",
    [
        ({"pairs": [("en", "it"), ("de", "nl")]}, "--pairs"),
        ({"pairs": [("en", "it"), ("it", "nl")]}, "--pairs"),
        ({"pairs": []}, "--pairs"),
        ({"pairs": PAIRS[:1]}, "--directions"),
        ({"directions": [("it", "fr")]}, "it-fr"),
        ({"directions": [("en", "it")]}, "en-it"),
        ({"pairs": [("en", "fr"), ("en", "it")]}, "train.en-fr.en"),
        ({"n_lines": 0}, "--lines"),
        ({"beam": 0}, "--beam"),
        ({"batch_size": -1}, "--batch-size"),
        ({"checks": Checks(max_length_ratio=1.0)}, "--max-length-ratio"),
        (
            {"directions": [("tlh", "it")], "checks": Checks(identify_language=True)},
            "tlh",
        ),
    ],
)
def test_what_is_not_accepted_is_named(folder, fake, options, named):
    with pytest.raises(InputError, match=named):
        run(folder, **options)
    assert not (folder / "synthetic").exists()


def test_a_model_that_is_not_there_is_named(folder):
    shutil.move(folder / "model.pt", folder / "elsewhere")
    with pytest.raises(InputError, match="model.pt"):
        run(folder)

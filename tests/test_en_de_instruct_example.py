"""The recipe of the model to try: what its text step leaves out, and what its samples ask for."""

import gzip
import importlib
import sys
from pathlib import Path

import pytest
import yaml

from fairseq_instr.instructions import Context
from fairseq_instr.instructions.catalogue import catalogue, look_up
from fairseq_instr.instructions.composition import verify

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "en_de_instruct"
CONFIG = yaml.safe_load((FOLDER / "en_de.yaml").read_text(encoding="utf-8"))
MODULES = ("text", "task", "address", "recipe")
IN_TEST_SET = ("Can I call YOU back?", "Darf ich Sie zurückrufen?")
ONE_ADDRESS = ("Thank you.", "Danke.", "Danke.")


@pytest.fixture
def example(monkeypatch):
    """Module of the example by name."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def raw(tmp_path, example):
    """A folder of texts as `write_text` wants it."""
    everyday = [
        (f"Where did you see {i} old houses?", f"Wo {verb} {i} alte Häuser gesehen?")
        for i in range(40)
        for verb in ("haben Sie", "hast du")
    ]
    for name in example("text").FOLDERS:
        pairs = [(f"Open the {name} window {i}.", f"Öffnet Fenster {i}, {name}.") for i in range(9)]
        write_packed(tmp_path / name / "train", "en de", pairs)
    twice = [*everyday, *everyday[:3], IN_TEST_SET]
    write_packed(tmp_path / "tatoeba_manythings" / "train.en-de", "en de", twice)
    (tmp_path / "tatoeba_manythings" / "train.en.gz").unlink()
    for name in example("text").TESTS:
        write_packed(tmp_path / name, "en de", [("How?", "Wie?")])
    both = [(f"Take {i}.", f"Nehmen Sie {i}.", f"Nimm {i}.") for i in range(5)]
    endings = "en formal.de informal.de"
    for name, rows in {
        "formality_apps/train.en-de": [*both, ONE_ADDRESS],
        "formality_tatoeba/train.en-de": [*both, ONE_ADDRESS],
        "formality/train/en-de/telephony": [("I see you.", "Ich sehe Sie.", "Ich sehe dich.")],
        "formality/test/en-de/telephony": [("Can I call you back?", "X?", "Y?")],
    }.items():
        write_packed(tmp_path / name, endings, rows)
    return tmp_path


def write_packed(prefix, endings, rows):
    prefix.parent.mkdir(parents=True, exist_ok=True)
    for ending, column in zip(endings.split(), zip(*rows)):
        with gzip.open(f"{prefix}.{ending}.gz", "wt", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in column)


@pytest.fixture
def text(raw, tmp_path, example):
    output = tmp_path / "text"
    example("text").write_text(raw, output, n_held_out=10, seed=1)
    return output


def read(prefix, *endings):
    columns = (Path(f"{prefix}.{e}").read_text(encoding="utf-8").splitlines() for e in endings)
    return list(zip(*columns))


class TestText:
    def test_held_out_lines_share_no_side_with_training(self, text, example):
        pairs = {name: read(text / name, "en", "de") for name in ("train", "valid", "test")}
        splits = {
            name: {example("text").fold(side) for pair in found for side in pair}
            for name, found in pairs.items()
        }
        assert all(splits.values())
        assert not splits["train"] & (splits["valid"] | splits["test"])
        assert not splits["valid"] & splits["test"]
        assert IN_TEST_SET not in pairs["train"]
        assert len(set(pairs["train"])) == len(pairs["train"])  # each once
        samples = read(text / "labelled", "en", "de", "instr")
        assert {kind for *_, kind in samples} == {"formal", "informal"}
        assert ONE_ADDRESS[0] not in {source for source, *_ in samples}  # addresses nobody

    def test_same_seed_same_text(self, raw, text, tmp_path, example):
        example("text").write_text(raw, tmp_path / "again", n_held_out=10, seed=1)
        for path in text.iterdir():
            assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


class TestTask:
    NAMES = ("formal", "informal", "uppercase", "html-bold", "short")
    SIZES = {"address": 10, "formality_pairs": 12, "pairs": 8}

    @pytest.fixture
    def task(self, text, example):
        example("task").write_task(text, self.NAMES, self.SIZES, seed=1)
        return text

    @pytest.mark.parametrize("folder, size", [("formality", 12), ("pairs", 8)])
    def test_targets_obey_what_two_instructions_ask(self, task, folder, size):
        composed = [s for s in read(task / folder / "train", "en", "de", "instr") if " " in s[2]]
        assert len(composed) == size
        for source, target, asked in composed:
            by_rule = [look_up(n) for n in asked.split() if n not in ("formal", "informal")]
            assert by_rule
            assert all(verify(by_rule, target, Context(source=source, language="de")).values())

    def test_hard_pairs_hold_what_is_hard(self, text, example):
        """The same rows from the same seed, and each has an instruction of the hard ones."""
        rows = []
        for seed in (1, 1, 2):
            example("task").write_hard_pairs(text, self.NAMES, ["uppercase", "short"], 8, seed)
            rows.append(read(text / "hard_pairs" / "train", "en", "de", "instr"))
        assert rows[0] == rows[1] != rows[2]
        for source, target, asked in rows[0]:
            assert "uppercase" in asked.split()  # no rule makes a line short
            both = [look_up(name) for name in asked.split()]
            assert len(both) == 2
            assert all(verify(both, target, Context(source=source, language="de")).values())

    def test_addresses_are_of_the_kind_that_is_asked_for(self, task, example):
        address = example("task").address
        for source, target, asked in read(task / "formality" / "train", "en", "de", "instr"):
            if " " not in asked:
                assert address(source, target) in (asked, None)


def test_instructions_are_in_the_catalogue():
    assert set(CONFIG["instructions"]) <= set(catalogue())
    second = CONFIG["second_round"]
    for names in (CONFIG["more_samples"], second["instructions"], second["more_samples"]):
        assert set(names) - {"formatted"} <= set(CONFIG["instructions"])

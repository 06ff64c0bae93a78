"""The ablations: which samples a setting leaves, which models there are, what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from fairseq_instr.errors import InputError

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "instruction_finetuning"
CONFIG = FOLDER / "ablations_sample_corpus.yaml"
NAMES = ["uppercase", "json", "digits"]
SAMPLES = [(f"{name} {i}", f"t{i}", name) for name in NAMES for i in range(40)]
SAMPLES += [(f"plain {i}", f"t{i}", "") for i in range(30)]


@pytest.fixture(scope="module")
def example(load_example):
    return load_example(FOLDER / "ablations.py")


def named(samples):
    return Counter(name for _, _, name in samples)


def test_at_most_so_many_samples_of_each_and_plain_ones_in_proportion(example):
    chosen = example["choose"](SAMPLES, NAMES, 20, 0, seed=1)
    assert named(chosen) == {"uppercase": 20, "json": 20, "digits": 20, "": 15}
    assert set(chosen) <= set(SAMPLES)
    assert len(set(chosen)) == len(chosen)


def test_what_is_not_asked_for_is_left_out(example):
    chosen = example["choose"](SAMPLES, ["json"], 100, 0, seed=1)
    assert named(chosen) == {"json": 40, "": 10}


def test_a_share_is_under_another_instruction_than_its_own(example):
    chosen = example["choose"](SAMPLES, NAMES, 40, 0.25, seed=1)
    own = {source: name for source, _, name in SAMPLES}
    wrong = [(own[source], name) for source, _, name in chosen if name != own[source]]
    assert len(wrong) == 30
    assert all(right and name in NAMES for right, name in wrong)


def test_the_choice_follows_from_the_seed(example):
    again = [example["choose"](SAMPLES, NAMES, 10, 0.5, seed=s) for s in (1, 1, 2)]
    assert again[0] == again[1]
    assert again[0] != again[2]


def test_one_instruction_has_no_wrong_one(example):
    with pytest.raises(InputError, match="corrupted: 0.5 needs two instructions"):
        example["choose"](SAMPLES, ["json"], 10, 0.5, seed=1)


def test_each_model_differs_from_the_reference_in_one_thing(example, tmp_path):
    config = example["load"](CONFIG)
    settings = example["Ablations"](config, tmp_path, None, 1).settings
    reference = settings.pop("reference")
    assert len({str(setting) for setting in settings.values()}) == len(settings)
    for setting in settings.values():
        assert sum(setting[key] != reference[key] for key in reference) == 1


@pytest.mark.parametrize(
    "change, message",
    [
        ({"ablations": {"colour": [1]}}, "ablation 'colour' is unknown; known: mixture, samples"),
        ({"reference": {"mixture": "task:1"}}, "reference has no samples, corrupted"),
    ],
)
def test_a_config_that_says_too_little(example, tmp_path, change, message):
    path = tmp_path / "ablations.yaml"
    content = {**yaml.safe_load(CONFIG.read_text(encoding="utf-8")), **change}
    content["recipe"] = str(FOLDER / "sample_corpus.yaml")
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        example["load"](path)


def test_the_table_has_a_row_for_each_value(example):
    row = {"obeyed": 0.5, "adequacy": 0.9, "chrf2": 50.0, "chrf2_base": 49.0}
    table = example["to_markdown"]({"samples": [{"value": 50, **row}, {"value": 200, **row}]})
    assert "| 50 | 50.0 % | 0.90 | 50.0 |" in table
    assert table.count("\n|") == 3


def test_the_plot_is_written(example, tmp_path):
    row = {"obeyed": 0.5, "adequacy": 0.9, "chrf2": 50.0, "chrf2_base": 49.0}
    example["draw"]({"samples": [{"value": 50, **row}]}, tmp_path / "ablations.png")
    assert (tmp_path / "ablations.png").read_bytes().startswith(b"\x89PNG")


def test_a_config_of_the_recipe_alone(example):
    with pytest.raises(InputError, match="has no ablations and reference; give a file that says"):
        example["load"](FOLDER / "sample_corpus.yaml")


def test_a_recipe_that_is_not_there(example, tmp_path):
    path = tmp_path / "ablations.yaml"
    path.write_text("recipe: missing.yaml", encoding="utf-8")
    with pytest.raises(InputError, match="missing.yaml does not exist; give a YAML file"):
        example["load"](path)

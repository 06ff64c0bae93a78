"""The recipe of instruction finetuning: which samples its configurations ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fairseq_instr.errors import InputError

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FOLDER = EXAMPLES / "instruction_finetuning"
NAMES = ["uppercase", "short", "json"]


@pytest.fixture(scope="module")
def example(load_example):
    return load_example(FOLDER / "run.py")


def test_samples_stand_as_often_as_the_configuration_says(example):
    assert example["repeated"](NAMES, {}) == NAMES
    assert example["repeated"](NAMES, {"short": 3}) == ["uppercase", *["short"] * 3, "json"]
    for count in (0, "4"):
        with pytest.raises(InputError, match="copies: short"):
            example["repeated"](NAMES, {"short": count})


def test_the_catalogue_repeats_instructions_that_it_has(example):
    config = yaml.safe_load((EXAMPLES / "instruction_catalogue" / "multi30k.yaml").read_text())
    asked = example["repeated"](config["instructions"], config["copies"])
    assert set(asked) == set(config["instructions"])
    assert len(asked) > len(config["instructions"])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"instructions": ["uppercase", "jsn"]}, "--config: instruction 'jsn' is unknown; known:"),
        ({"copies": {"short": 2}}, "copies: short is not among the instructions"),
    ],
)
def test_a_configuration_is_checked_before_a_model_is_trained(example, tmp_path, change, message):
    config = {"instructions": ["uppercase"], **change}
    with pytest.raises(InputError, match=message):
        example["InstructionFinetuning"](config, tmp_path, None, 1)
    assert not list(tmp_path.iterdir())

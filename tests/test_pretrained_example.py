"""The example of published models: their shapes, and stand-ins that go the whole way."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
FOLDER = EXAMPLES / "pretrained"
PUBLISHED = {  # entries of the vocabulary, parameters
    # beside transformers' 74,410,496: no tables of positions, a bias that is trained, one row more
    "opus_mt": (58_102, 74_410_496 - 2 * 512 * 512 + 58_102 + 512),
    "nllb": (256_206, 615_073_792),
    "m2m100": (128_112, 483_905_536),
    "mbart50": (250_054, 610_879_488),
    "wmt19": (42_024, 269_746_176),
}
TINY = {
    "sample": {"train": 200, "valid": 10, "test": 10},
    "vocabulary": 400,
    "base": "--lr 2e-3 --max-update 3",
    "tuning": "--lr 1e-3 --max-update 3",
    "samples": 20,
    "evaluation": "--lines 2 --beam 1",
}


@pytest.fixture(scope="module")
def read_config():
    return runpy.run_path(str(EXAMPLES / "recipe.py"))["read_config"]


def test_every_model_has_its_figures():
    assert {path.stem for path in FOLDER.glob("*.yaml")} - {"sample_corpus"} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_architecture_is_the_published_one(read_config, name):
    """As many parameters as transformers counts."""
    vocabulary, n_parameters = PUBLISHED[name]
    _, arch, *options = read_config(FOLDER / f"{name}.yaml")["arch"].split()
    model = runpy.run_path(str(EXAMPLES / "dry_run.py"))["build"](arch, vocabulary, *options)
    # official fairseq 0.12.2 holds the matrices of its fast path a second time
    copy = re.compile(r"encoder\.layers\.\d+\.\w+_(weight|bias)")
    own = [p for name, p in model.named_parameters() if not copy.fullmatch(name)]
    assert sum(parameter.numel() for parameter in own) == n_parameters


@pytest.mark.parametrize(
    "name",
    [
        name if name == "opus_mt" else pytest.param(name, marks=pytest.mark.slow)
        for name in PUBLISHED
    ],
)
def test_a_stand_in_goes_the_whole_way(name, tmp_path):
    if name == "wmt19":
        pytest.importorskip("sacremoses")
        pytest.importorskip("subword_nmt")
    else:
        pytest.importorskip("transformers")
    config, work = tmp_path / "tiny.yaml", tmp_path / "work"
    config.write_text(yaml.safe_dump({"recipe": str(FOLDER / f"{name}.yaml"), **TINY}), "utf-8")
    done = subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), "--config", str(config), "--work", str(work)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(EXAMPLES.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    results = json.loads((work / "results.json").read_text("utf-8"))
    assert set(results["response_rate"]["by_instruction"]) == {
        "uppercase", "no-punctuation", "double-quotes",
    }  # fmt: skip
    if name != "wmt19":
        folder = work / "tuned-hf"
        assert (folder / "model.safetensors").is_file()
        assert "uppercase" in (folder / "README.md").read_text("utf-8")

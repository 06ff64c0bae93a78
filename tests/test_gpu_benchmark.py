"""benchmarks/gpu.py at its small sizes on a CPU: the same code as on a GPU."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "benchmarks" / "gpu.py"


def start(output, *options):
    command = [sys.executable, PROGRAM, "--tiny", "--output", output, *options]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def run(output, *options):
    done = start(output, *options)
    assert done.returncode == 0, done.stderr
    assert (output / "gpu.md").is_file()
    return json.loads((output / "gpu.json").read_text(encoding="utf-8"))["parts"]


def test_the_loss_is_right_in_every_precision(tmp_path):
    figures = run(tmp_path, "--only", "loss_right")["loss_right"]
    assert figures["loss_error_float32"] < 1e-5
    assert figures["gradient_error_bfloat16"] < 0.02
    assert figures["unfused_error_float16"] < 1e-5


def test_a_part_that_fails_loses_no_other(tmp_path):
    (tmp_path / "work").write_text("in the way of a folder")
    parts = run(tmp_path, "--only", "loss_fast", "training_right")
    assert "error" in parts["training_right"]
    assert "error" not in parts["loss_fast"]


def test_figures_of_a_cpu_are_not_recorded_as_those_of_a_gpu(tmp_path):
    done = start(tmp_path / "gpu", "--record")
    assert done.returncode and "--record" in done.stderr
    assert not (tmp_path / "gpu").exists()


def test_wheels_serve_the_parts(tmp_path, monkeypatch):
    wheels, about = tmp_path / "wheels", "packed-1.dist-info"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "packed-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("packed.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: packed\nVersion: 1\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    monkeypatch.syspath_prepend(PROGRAM.parent)
    importlib.import_module("gpu").install(wheels, tmp_path / "site")
    subprocess.run([sys.executable, "-c", "import packed"], check=True)


@pytest.mark.slow
def test_every_part_has_figures(tmp_path):
    parts = run(tmp_path)
    assert not {name for name, figures in parts.items() if "error" in figures}

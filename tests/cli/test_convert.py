"""`fairseq-instr convert`."""

import json
import subprocess
import sys

import pytest

from fairseq_instr.cli.main import main
from tests.checkpoints.conftest import write_folder


def test_there_and_back(tmp_path, capsys):
    load_file = pytest.importorskip("safetensors.torch").load_file
    folder = tmp_path / "original"
    folder.mkdir()
    write_folder(folder, "llama-2")
    forth = ["from-hugging-face", folder, "--output", tmp_path / "f", "--dtype", "float32"]
    back = [
        "to-hugging-face", tmp_path / "f" / "model.pt", "--tokenizer", tmp_path / "f" / "tokenizer",
        "--output", tmp_path / "b", "--dtype", "bfloat16",
    ]  # fmt: skip
    for command in (forth, back):
        assert main(["convert", *map(str, command)]) == 0
    assert "<s> 1, <pad> 3, </s> 2, <unk> 0" in capsys.readouterr().out
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    after = load_file(tmp_path / "b" / "model.safetensors")
    assert after.keys() == index["weight_map"].keys()
    for key, name in index["weight_map"].items():
        assert after[key].equal(load_file(folder / name)[key])
    assert main(["convert", *map(str, forth)]) == 1
    assert "--force" in capsys.readouterr().err
    for size in ("0", "-1", "nan", "inf"):
        again = ["convert", *map(str, back), "--force", "--shard-size", size]
        assert main(again) == 1
        assert f"--shard-size {float(size)}" in capsys.readouterr().err


def test_in_a_process_of_its_own(tmp_path):
    """Nothing but the command itself loads what it needs, such as the model."""
    write_folder(tmp_path, "llama-2")
    command = ["convert", "from-hugging-face", str(tmp_path), "--output", str(tmp_path / "f")]
    subprocess.run([sys.executable, "-m", "fairseq_instr", *command], check=True)
    assert (tmp_path / "f" / "model.pt").exists()

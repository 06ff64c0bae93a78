"""What a wheel holds, and that it works once installed, far from the checkout."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fairseq_instr"


def files(folder):
    """Paths of a folder's files below its parent."""
    found = (path for path in folder.rglob("*") if path.is_file())
    paths = {path.relative_to(folder.parent).as_posix() for path in found}
    return {path for path in paths if "__pycache__" not in path}


def checked(command, **options):
    done = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from a copy, so that nothing is left in the project."""
    pytest.importorskip("setuptools")
    pytest.importorskip("wheel")
    copy = tmp_path_factory.mktemp("project")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(PACKAGE, copy / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    checked([sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", "dist"], cwd=copy)
    (path,) = (copy / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Run a command in an empty folder, with the wheel installed beside fairseq.

    `--user-dir fairseq_instr` is looked for beside the folder of fairseq: that stands in as a
    folder of links.
    """
    site = tmp_path_factory.mktemp("site-packages")
    checked([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel])
    fairseq = Path(importlib.util.find_spec("fairseq").origin).parent
    (site / "fairseq").mkdir()
    for path in fairseq.iterdir():
        (site / "fairseq" / path.name).symlink_to(path)

    def run(*command):
        folder = tmp_path_factory.mktemp("empty")
        environment = {**os.environ, "PYTHONPATH": str(site), "CUDA_VISIBLE_DEVICES": ""}
        return checked(command, cwd=folder, env=environment), folder

    run.site = site
    return run


def test_the_wheel_holds_every_file_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name for name in names if ".dist-info/" not in name} == files(PACKAGE)
    # the comparison is with files that exist: these must
    for name in (
        "py.typed",
        "prompts/library/alpaca.yaml",
        "instructions/base_rates.yaml",
        "playground/page/index.html",
    ):
        assert f"{PACKAGE.name}/{name}" in names


def test_the_command_is_there(installed):
    command = installed.site / "bin" / "fairseq-instr"
    shown, _ = installed(command, "--help")
    assert shown.startswith("usage: fairseq-instr")
    listed, folder = installed(command, "inventory", "--list")
    assert "uppercase" in listed
    assert list(folder.iterdir()) == []


def test_fairseq_finds_the_plugin_by_its_name(installed, data_bin):
    program = "import fairseq_instr; print(fairseq_instr.__file__)"
    found, _ = installed(sys.executable, "-c", program)
    assert Path(found.strip()).parents[1] == installed.site
    _, folder = installed(
        sys.executable, "-m", "fairseq_cli.train", data_bin, "--user-dir", "fairseq_instr",
        "--task", "translation_with_instructions", "--mixture", "parallel:2,task:1",
        "--arch", "transformer_tiny", "--share-all-embeddings", "--optimizer", "adam",
        "--criterion", "label_smoothed_cross_entropy_with_unlikelihood", "--conflict-axes", "all",
        "--max-tokens", 200, "--max-update", 2, "--cpu", "--num-workers", 0,
        "--save-dir", "model",
    )  # fmt: skip
    assert (folder / "model" / "checkpoint_last.pt").is_file()

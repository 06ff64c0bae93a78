"""What is built for installation holds all files of the package, not only its modules."""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names in the built wheel; built from a copy, so that nothing is left in the project."""
    pytest.importorskip("setuptools")
    pytest.importorskip("wheel")
    copy = tmp_path_factory.mktemp("project")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(PACKAGE, copy / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", "dist"]
    result = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (path,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_file_of_the_package(wheel):
    assert {name for name in wheel if ".dist-info/" not in name} == files(PACKAGE)


def test_data_files_are_among_them(wheel):
    """The comparison above is with files that exist: these must."""
    package = f"{PACKAGE.name}/"
    for name in (
        "prompts/library/alpaca.yaml",
        "instructions/base_rates.yaml",
        "playground/page/index.html",
    ):
        assert package + name in wheel

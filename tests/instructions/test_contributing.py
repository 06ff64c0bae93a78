"""CONTRIBUTING.md's new instruction works as printed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAMILY = Path("fairseq_instr", "instructions", "catalogue", "tilde.py")
TABLE = Path("tests", "instructions", "test_verdicts.py")


def test_the_example_of_a_new_instruction_passes_the_tests_of_the_catalogue(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    family, cases = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[:2]
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("fairseq_instr", "tests/instructions"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / FAMILY).write_text(family, encoding="utf-8")
    table = (tmp_path / TABLE).read_text(encoding="utf-8")
    assert table.count("# -- the tests") == 1
    table = table.replace("# -- the tests", f"{cases}\n# -- the tests")
    (tmp_path / TABLE).write_text(table, encoding="utf-8")
    tests = [TABLE, TABLE.with_name("test_catalogue.py")]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *map(str, tests), "-p", "no:cacheprovider"]
        + ["-k", "tilde or every or phrase or marks_alone"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) >= 12

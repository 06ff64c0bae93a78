"""Importing the package costs little and changes nothing; serving needs neither torch nor fairseq.

Each check runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import fairseq_instr

HEAVY = ("torch", "fairseq", "transformers", "matplotlib", "sklearn")
CLEAN = (
    "fairseq_instr",
    "fairseq_instr.instructions",
    "fairseq_instr.text",
    "fairseq_instr.evaluation",
    "fairseq_instr.reports",
    "fairseq_instr.curation",
    "fairseq_instr.serving",
    "fairseq_instr.serving.translator",
    "fairseq_instr.cli.main",
)
WITHOUT_NUMPY = ("fairseq_instr", "fairseq_instr.instructions", "fairseq_instr.cli.main")

LOOK = """
import json, logging, os, sys

def state():
    root = logging.getLogger()
    return root.level, list(root.handlers), sys.excepthook

before, environment = state(), dict(os.environ)
"""
REPORT = """
print(json.dumps({
    "same": before == state(),
    "environment": environment == dict(os.environ),
    "modules": sorted(sys.modules),
}))
"""
# raises for whoever imports one of the packages named in the arguments, `sys.modules` or not
BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "fairseq"):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
"""


def run(code, *arguments):
    """What a program prints, line by line."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", CLEAN)
def test_importing_loads_little_and_changes_nothing(name):
    (line,) = run(f"{LOOK}\nimport {name}\n{REPORT}")
    seen = json.loads(line)
    assert seen["same"] and seen["environment"]
    heavy = {*HEAVY, *(("numpy",) if name in WITHOUT_NUMPY else ())}
    assert heavy.isdisjoint(seen["modules"])


@pytest.mark.parametrize("name", fairseq_instr.__all__)
def test_a_public_name_is_loaded_when_it_is_asked_for(name):
    (line,) = run(f"{LOOK}\nfrom fairseq_instr import {name}\n{REPORT}")
    seen = json.loads(line)
    assert seen["same"]
    if name != "Translator":
        assert {"torch", "fairseq"}.isdisjoint(seen["modules"])


def test_a_translator_leaves_logging_and_the_exception_hook(base, data_bin):
    code = f"{LOOK}\nfrom fairseq_instr import Translator\n"
    code += f"Translator.from_pretrained({str(base)!r}, {str(data_bin)!r})\n{REPORT}"
    (line,) = run(code)
    seen = json.loads(line)
    assert seen["same"]
    assert "fairseq" in seen["modules"]


def test_an_exported_model_is_served_without_torch_and_fairseq(tuned, data_bin, tmp_path):
    pytest.importorskip("ctranslate2")
    from fairseq_instr import CTranslate2Translator
    from fairseq_instr.serving.export import export_ctranslate2

    export_ctranslate2(tuned, data_bin, tmp_path / "served")
    served = CTranslate2Translator.from_pretrained(tmp_path / "served")
    lines = ["w1 w2 w3", "", "w4"]
    code = f"""{BLOCK}
from fairseq_instr import CTranslate2Translator
served = CTranslate2Translator.from_pretrained(sys.argv[1])
for line in served.translate(sys.argv[2:], "uppercase", rerank=2):
    print(line)
"""
    expected = served.translate(lines, "uppercase", rerank=2)
    assert run(code, tmp_path / "served", *lines) == expected


def test_what_needs_torch_says_so_where_there_is_none():
    code = f"{BLOCK}\nfrom fairseq_instr.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    export = ["export", "--checkpoint", "a.pt", "--data", "data-bin", "--output", "served"]
    done = subprocess.run([sys.executable, "-c", code, *export], capture_output=True, text=True)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and "torch" in line and "pip install" in line

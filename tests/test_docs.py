"""The commands of README and docs: each runs as printed, or says why it is only shown.

A block is preceded by one of these comments, which no reader sees:

    <!-- runs: tutorial -->       in the folder that the tutorial fills, in the order of PAGES
    <!-- runs: zero-shot -->      in the folder that the page on zero-shot translation fills
    <!-- runs: with a base -->    beside the tutorial's text and base model
    <!-- runs: anywhere -->       in an empty folder
    <!-- shown only: REASON -->   needs a download, a GPU, other text, or hours
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from fairseq_instr.cli.main import SUBCOMMANDS, build_parser

ROOT = Path(__file__).resolve().parents[1]
# the tutorial makes what the others use
PAGES = [
    ROOT / "docs" / "tutorial.md",
    ROOT / "README.md",
    *sorted(set((ROOT / "docs").glob("*.md")) - {ROOT / "docs" / "tutorial.md"}),
]
MARK = re.compile(r"runs: (tutorial|zero-shot|with a base|anywhere)|shown only: .+")
_BLOCK = re.compile(r"(?:<!-- ([^\n]*) -->\n)?```(bash|python)\n(.*?)```", re.DOTALL)


class Block(NamedTuple):
    page: str
    line: int
    mark: str
    language: str
    text: str


def blocks():
    for page in PAGES:
        content = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(content):
            line = content.count("\n", 0, found.start()) + 1
            yield Block(page.name, line, *(group or "" for group in found.groups()))


BLOCKS = list(blocks())


def run(block: Block, folder: Path):
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    if block.language == "bash":
        # a variable that a block sets holds for the blocks behind it, as in one shell
        text = f"set -a; [ -f .shell ] && . ./.shell; {block.text}\nexport -p > .shell"
        command = ["bash", "-euo", "pipefail", "-c", text]
    else:
        command = [sys.executable, "-c", block.text]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"{block.page}:{block.line}\n{block.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    )


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: f"{b.page}:{b.line}")
def test_every_block_runs_or_says_why_not(block):
    assert MARK.fullmatch(block.mark), block
    assert block.mark.startswith("shown only") or "..." not in block.text, block


def commands(text: str):
    """Words of each command of a shell block; pipes, redirections and line ends end one."""
    text = re.sub(r"(?m)(^|\s)#.*$", "", text.replace("\\\n", " "))
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|<>&;\n")
    lexer.whitespace, lexer.whitespace_split = " \t\r", True
    words = []
    for word in [*lexer, "\n"]:
        if set(word) <= set("|<>&;\n"):
            if words:
                yield words
            words = []
        else:
            words.append(word)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: f"{b.page}:{b.line}")
def test_options_of_subcommands_exist(block):
    if block.language == "python":
        compile(block.text, block.page, "exec")
        return
    for words in commands(block.text):
        if words[0] != "fairseq-instr" or words[1].startswith("-"):
            continue
        assert words[1] in SUBCOMMANDS, words
        parser = build_parser(words[1])
        for action in parser._actions:  # a command of two, such as convert, has its own options
            if isinstance(action.choices, dict) and words[2] in action.choices:
                parser = action.choices[words[2]]
        known = {option for action in parser._actions for option in action.option_strings}
        given = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
        assert given <= known, words


def base_only(tutorial: Path, folder: Path) -> None:
    """Copy what the tutorial has before its task data."""
    for name in ("text", "base"):
        shutil.copytree(tutorial / name, folder / name)
    for name in ("subwords.model", "dict.txt", ".shell"):
        shutil.copy(tutorial / name, folder)
    (folder / "data-bin").mkdir()
    for path in (tutorial / "data-bin").glob("*.*"):
        if path.suffix in (".txt", ".bin", ".idx"):
            shutil.copy(path, folder / "data-bin")


@pytest.mark.docs
def test_blocks_run_as_printed(tmp_path):
    for block in BLOCKS:
        kind, _, name = block.mark.partition(": ")
        if kind == "runs":
            folder = tmp_path / name
            new = not folder.exists()
            folder.mkdir(exist_ok=True)
            if new:
                # an editable install does not lie beside fairseq, where --user-dir is looked up
                (folder / "fairseq_instr").symlink_to(ROOT / "fairseq_instr")
            if new and name == "with a base":
                base_only(tmp_path / "tutorial", folder)
            run(block, folder)

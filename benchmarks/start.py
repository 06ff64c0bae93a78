"""How long importing and starting takes, and how many lines there are.

    python benchmarks/start.py

import_seconds.*  CPU seconds of an import on top of a bare interpreter
start_seconds.*   CPU seconds of `fairseq-instr curate --help` and `fairseq-generate --help` with
                  the plugin
lines.*           lines of Python that git knows: package, tests, all
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

from record import record

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = {
    "package": "import fairseq_instr",
    "instructions": "import fairseq_instr.instructions",
    "serving": "import fairseq_instr.serving",
}
STARTS = {
    "curate": ["-m", "fairseq_instr", "curate", "--help"],
    "generate": ["-m", "fairseq_cli.generate", "--user-dir", "fairseq_instr", "--help"],
}
LINES = {"package": ["fairseq_instr/*.py"], "tests": ["tests/*.py"], "all": ["*.py"]}
ROUNDS = 7


def cpu_seconds(*arguments: str) -> float:
    """CPU seconds of an interpreter with these arguments; the median of some runs."""
    found = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(found)


def count_lines(patterns) -> int:
    """Lines of the files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return sum(len(path.read_bytes().splitlines()) for path in paths if path.exists())


def main():
    bare = cpu_seconds("-c", "")
    imports = {n: round(cpu_seconds("-c", code) - bare, 3) for n, code in IMPORTS.items()}
    starts = {name: round(cpu_seconds(*command), 2) for name, command in STARTS.items()}
    lines = {name: count_lines(patterns) for name, patterns in LINES.items()}
    print(imports, starts, lines)
    details = {"statistic": f"median of {ROUNDS} runs"}
    record("import_seconds", imports, {**details, "bare_interpreter": round(bare, 3)})
    record("start_seconds", starts, details)
    record("lines", lines)


if __name__ == "__main__":
    main()

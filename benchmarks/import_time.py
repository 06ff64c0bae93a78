"""What importing the package costs, and how long its code is.

    python benchmarks/import_time.py

Records `import_seconds.{package,instructions,serving}`, CPU seconds of an import on top of a
bare interpreter (the smallest of `RUNS`), and `lines.{package,tests,all}`, lines of Python in
the files that git knows.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from record import record

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    "package": "fairseq_instr",
    "instructions": "fairseq_instr.instructions",
    "serving": "fairseq_instr.serving.translator",
}
RUNS = 5
MEASURE = "import resource, sys; {}; print(resource.getrusage(resource.RUSAGE_SELF)[:2])"


def cpu_seconds(statement):
    """User and system time of an interpreter that runs a statement, the smallest of `RUNS`."""
    command = [sys.executable, "-c", MEASURE.format(statement)]
    printed = (subprocess.check_output(command, text=True) for _ in range(RUNS))
    return min(sum(map(float, line.strip("()\n").split(","))) for line in printed)


def count_lines():
    """Lines of Python by folder."""
    listed = subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True)
    lines = {
        path: len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in listed.splitlines()
    }

    def below(folder):
        return sum(n for path, n in lines.items() if path.startswith(folder))

    return {"package": below("fairseq_instr/"), "tests": below("tests/"), "all": below("")}


def main():
    bare = cpu_seconds("pass")
    seconds = {
        name: round(max(cpu_seconds(f"import {module}") - bare, 0), 3)
        for name, module in MODULES.items()
    }
    record("import_seconds", seconds, {"runs": RUNS, "bare_interpreter": round(bare, 3)})
    record("lines", count_lines())
    print(seconds, count_lines())


if __name__ == "__main__":
    main()

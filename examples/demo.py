"""Both recipes on the embedded sample corpus, side by side on two cores.

    python examples/demo.py --work demo

Instruction finetuning writes its report into WORK, language-aware tuning into WORK/zero_shot.
Each part is the recipe that the examples run on real text; stopped by whatever, the same
command goes on.
"""

import argparse
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = {
    "instructions": ("instruction_finetuning", "."),
    "zero-shot": ("language_aware_tuning", "zero_shot"),
}


def start(name: str, folder: str, work: Path) -> subprocess.Popen:
    """Start a recipe on the sample corpus; its lines are printed under the part's name."""
    process = subprocess.Popen(
        [
            sys.executable, str(HERE / folder / "run.py"), "--work", str(work),
            "--config", str(HERE / folder / "sample_corpus.yaml"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )  # fmt: skip
    printer = threading.Thread(target=print_lines, args=(name, process.stdout), daemon=True)
    printer.start()
    return process


def print_lines(name: str, lines) -> None:
    for line in lines:
        # tables and commands are in the reports and logs
        if not line.lstrip().startswith(("|", "$")):
            print(f"{name:>12} {line.rstrip()[:140]}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", required=True, type=Path, help="folder for all that is made")
    args = parser.parse_args()
    begun = time.time()
    running = {name: start(name, folder, args.work / sub) for name, (folder, sub) in PARTS.items()}
    try:
        ended = dict.fromkeys(running)
        while None in ended.values():
            time.sleep(0.2)
            ended = {name: process.poll() for name, process in running.items()}
            failed = [name for name, status in ended.items() if status]
            if failed:
                sys.exit(f"demo: error: the part {failed[0]!r} failed, see its lines above")
    finally:
        for process in running.values():
            process.terminate()
    reports = args.work / "report.md", args.work / "zero_shot" / "report" / "sample" / "report.md"
    for report in reports:
        print_summary(report)
    print(
        f"\nThe demo took {(time.time() - begun) / 60:.0f} minutes; see {reports[0]}, "
        f"{reports[1]}, {args.work}/zero_shot/curves.png"
    )


def print_summary(report: Path) -> None:
    """A report up to its first table, which says it all in short."""
    in_table = False
    print()
    for line in report.read_text(encoding="utf-8").splitlines():
        if in_table and not line.startswith("|"):
            return
        in_table = in_table or line.startswith("|")
        print(line)


if __name__ == "__main__":
    main()
